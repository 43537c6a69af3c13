"""Who let a part go: from its decisions and the answers of people, as they stood when it left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.records import Outcome, Verdict
from core.words.complaints.records import Passage, Passed


@dataclass(frozen=True)
class Decided:
    """One decision about the part."""

    id: int
    outcome: Outcome
    at: datetime
    model: str | None
    policy: int | None


@dataclass(frozen=True)
class Answered:
    """One answer of a person about the part that stands, and that was asked for the line's sake.

    Labels for training and items with a known answer let nothing go and stop nothing; they are not among these.
    """

    verdict: Verdict
    by: str
    at: datetime


def passage(decided: Sequence[Decided], answered: Sequence[Answered], left: date) -> Passage:
    """How a part got out.

    What happened after the day on which it left says nothing about how: a late answer of an audit, or a decision made
    anew, is not held against whoever let it go. UNSURE decides nothing.

    Args:
        decided: in order of time.
        answered: in order of time.
        left: the day on which it left; the whole of it counts, and a day more for other time zones.
    """
    end = left + timedelta(days=1)
    before = [one for one in decided if one.at.date() <= end]
    if not before:
        return Passage(Passed.UNKNOWN)
    last = before[-1]
    said = [one for one in answered if one.at.date() <= end and one.at >= last.at and one.verdict is not Verdict.UNSURE]
    if said:
        word = said[-1]
        how = Passed.INSPECTOR if word.verdict is Verdict.PASS else Passed.CAUGHT
        return Passage(how, last.model, last.policy, word.by, word.at, last.id)
    how = Passed.MODEL if last.outcome is Outcome.PASS else Passed.CAUGHT
    return Passage(how, last.model, last.policy, "", last.at, last.id)
