"""How urgent a task is: the risk, the time it has waited and how new it looks, in one sum.

Urgency in points = RISK x risk + NOVELTY x novelty + AGE x hours waited.

Every task grows older at the same speed, so the order of two tasks never changes with time: comparing them needs no
clock. `rank` is that order as one number, smallest first, fit for an index.
"""

import math
from datetime import UTC, datetime

RISK = 1.0  # a certain defect against a certain good part
NOVELTY = 0.25  # a picture beyond the calibrated limit
SOONER = 1.0  # a part that resembles nothing known good, while its site's quota of the day lasts
AGE = 0.125  # an hour of waiting, so that eight hours outweigh any risk: nothing waits for ever
UNKNOWN_RISK = 0.5  # no score: as likely as not

_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)  # keeps ranks small enough to hold microseconds


def points(risk: float | None, novelty: float | None) -> float:
    """What does not depend on time; 0 to RISK + NOVELTY.

    Args:
        risk: probability of a defect; None where nothing could be scored.
        novelty: 1 at the calibrated limit; counts up to there. None where it was not measured.
    """
    sure = UNKNOWN_RISK if risk is None or not math.isfinite(risk) else min(1.0, max(0.0, risk))
    new = 0.0 if novelty is None or math.isnan(novelty) else min(1.0, max(0.0, novelty))
    return RISK * sure + NOVELTY * new


def urgency(risk: float | None, age_s: float, novelty: float | None = None) -> float:
    """In points; larger is sooner. A minute makes 0.002 of a point."""
    return points(risk, novelty) + AGE * age_s / 3600


def rank(risk: float | None, novelty: float | None, created_at: datetime) -> float:
    """The place in the queue as a number that never changes; the smallest is the most urgent."""
    return AGE * (created_at - _ORIGIN).total_seconds() / 3600 - points(risk, novelty)


def urgency_at(place: float, now: datetime) -> float:
    """The urgency that belongs to a rank, at a time."""
    return AGE * (now - _ORIGIN).total_seconds() / 3600 - place


def explain(risk: float | None, age_s: float, novelty: float | None = None) -> str:
    """Why this task comes when it does, for the page."""
    likely = "no score, counted as even odds" if risk is None or not math.isfinite(risk) else f"risk {_short(risk)}"
    parts = [likely, f"waiting {_waited(age_s)}"]
    if novelty is not None and not math.isnan(novelty):
        parts.append(f"novelty {novelty:.2f}")
    return f"{', '.join(parts)}: urgency {urgency(risk, age_s, novelty):.2f}"


RULE = (
    f"Most urgent first: the risk of a defect (0 to 1 point), plus {NOVELTY:g} for a picture unlike anything learned, "
    f"plus {AGE:g} for every hour of waiting. The first parts of a day that resemble nothing known good come "
    f"{SOONER:g} point sooner."
)


def _short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if 0 < value < 1 else f"{value:.2f}"


def _waited(age_s: float) -> str:
    minutes = max(0, int(age_s // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours < 48 else f"{hours // 24} days"
