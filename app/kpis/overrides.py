"""Overrides by week: what the model said, what the inspector said instead, whether it grows, and what follows."""

from dataclasses import asdict
from typing import Any

from app.kpis.asked import widened
from app.kpis.charts import Chart, Counted, Seen
from core.kpis.overrides import TREND_DAYS, Pattern, patterns


def _count(seen: Seen) -> Counted:
    long = widened(seen.asked, TREND_DAYS)
    every = seen.ask("overrides", since=long.since)
    answers = {row["week"]: row["answers"] for row in seen.ask("weeks", since=long.since)}
    rows = seen.ask("overrides")
    there = {(row["model_said"], row["inspector_said"]) for row in rows}
    found = [
        one
        for one in patterns(every, answers, seen.asked.until.date())
        if (one.model_said, one.inspector_said) in there
    ]
    actions = {(one.model_said, one.inspector_said): one.action.spoken for one in found}
    shown = [{**row, "action": actions[row["model_said"], row["inspector_said"]]} for row in rows]
    return Counted(shown, {"patterns": [_shown(one) for one in found]})


def _shown(one: Pattern) -> dict[str, Any]:
    more = None if one.trend is None else asdict(one.trend) | {"p_adjusted": one.p_adjusted}
    return {
        "model_said": one.model_said,
        "inspector_said": one.inspector_said,
        "count": one.count,
        "action": one.action.spoken,
        "trend": more,
    }


CHARTS = (
    Chart(
        "overrides", "Answers against the model", ("overrides", "weeks"), _count,
        ("week", "model_said", "inspector_said", "count", "share", "answers", "action"),
    ),
)  # fmt: skip
