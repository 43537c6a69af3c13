"""Patterns of answers against the model: how each has gone, and what is done about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from core.kpis.trends import Trend, controlled, trend

TREND_DAYS = 90
WEEK = timedelta(days=7)


class PatternAction(StrEnum):
    """What follows from an answer of a pattern."""

    CASE = "case"
    LABELLING = "labelling"
    TRACKED = "tracked"

    @property
    def spoken(self) -> str:
        """As the page says it."""
        return {
            "case": "a case is opened for each",
            "labelling": "feeds the labelling queue",
            "tracked": "is tracked",
        }[self.value]


def action_of(model_said: str, inspector_said: str) -> PatternAction:
    """A defect that the model did not see is a case; another class is to be labelled; a false alarm is counted."""
    if model_said == "PASS":
        return PatternAction.CASE
    return PatternAction.TRACKED if inspector_said == "PASS" else PatternAction.LABELLING


@dataclass(frozen=True)
class Pattern:
    """What the model said and what the inspector said instead, over all weeks.

    Attributes:
        count: of answers in the time that was asked for.
        trend: of its share of the answers of a week, in the last 90 days; None with too few weeks.
        p_adjusted: of the trend, for all patterns together.
    """

    model_said: str
    inspector_said: str
    count: int
    action: PatternAction
    trend: Trend | None
    p_adjusted: float | None


def patterns(
    rows: Sequence[Mapping[str, Any]], answers: Mapping[date, int], until: date, days: int = TREND_DAYS
) -> list[Pattern]:
    """Every pattern with its trend, the most frequent first.

    Args:
        rows: {week, model_said, inspector_said, count}.
        answers: of each week, its Monday; also of weeks without an override.
        until: the day after the last one; weeks that began in the 90 days before it make the trend.
        days: the trend's length.
    """
    first = until - timedelta(days=days)
    weeks = _weeks(answers, first, until)
    counts: dict[tuple[str, str], dict[date, int]] = {}
    for row in rows:
        said = counts.setdefault((row["model_said"], row["inspector_said"]), {})
        said[row["week"]] = said.get(row["week"], 0) + row["count"]
    trends = {
        said: trend([found.get(week, 0) / answers[week] if answers.get(week) else None for week in weeks])
        for said, found in counts.items()
    }
    adjusted = controlled([None if one is None else one.p for one in trends.values()])
    made = [
        Pattern(said[0], said[1], sum(found.values()), action_of(*said), trends[said], p)
        for (said, found), p in zip(counts.items(), adjusted, strict=True)
    ]
    return sorted(made, key=lambda one: (-one.count, one.model_said, one.inspector_said))


def _weeks(answers: Mapping[date, int], first: date, until: date) -> list[date]:
    """Mondays from the first week that began in the time to the last, without the one that is not over yet."""
    there = [week for week in answers if first <= week and week + WEEK <= until]
    if not there:
        return []
    found, last = [min(there)], max(there)
    while found[-1] < last:
        found.append(found[-1] + WEEK)
    return found
