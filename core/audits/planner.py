"""How many audits it takes to show a miss rate, and how long that is at the present rate."""

import math
from dataclasses import dataclass

from scipy import stats

from core.errors import BadInput


@dataclass(frozen=True)
class Plan:
    """What it takes to show that a miss rate is under a limit.

    Attributes:
        misses: found among them and still allowed.
        needed: audits of defective parts: that is, drawn audits of which each would have caught a defective part,
            had it passed.
        days: at the present rate; None where nothing comes in.
    """

    limit: float
    confidence: float
    misses: int
    needed: int
    days: float | None


def audits_needed(limit: float, confidence: float = 0.95, misses: int = 0, sensitivity: float = 1.0) -> int:
    """The fewest audits of defective parts after which so few misses put the upper bound at or below the limit.

    Args:
        limit: of the miss rate, in (0, 1).
        confidence: one-sided.
        misses: that are found among them.
        sensitivity: chance that a person who looks at a missed part sees it; 1 is perfect.

    Source: exact binomial, Clopper and Pearson 1934; without misses it is log(1 - confidence) / log(1 - limit).
    """
    if not 0 < limit < 1 or not 0 < confidence < 1:
        raise BadInput(f"A limit of {limit} at {confidence:.0%}: give both as numbers between 0 and 1.")
    if misses < 0 or not 0 < sensitivity <= 1:
        raise BadInput(f"{misses} misses at a sensitivity of {sensitivity}: give 0 or more, and above 0 up to 1.")
    rate = limit * sensitivity
    few, many = misses, max(1, misses)
    while stats.binom.cdf(misses, many, rate) > 1 - confidence:
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        enough = stats.binom.cdf(misses, middle, rate) <= 1 - confidence
        few, many = (few, middle) if enough else (middle, many)
    return many


def plan(limit: float, per_day: float, confidence: float = 0.95, misses: int = 0, sensitivity: float = 1.0) -> Plan:
    """What is needed and how long it takes.

    Args:
        limit: of the miss rate, in (0, 1).
        per_day: audits of defective parts a day: defective parts a day times the share of passes that is audited. A
            defective part that the model stopped counts for it as one that would have been audited at that share, had
            it passed.
        confidence: one-sided.
        misses: that are found among them.
        sensitivity: chance that a person who looks at a missed part sees it.
    """
    needed = audits_needed(limit, confidence, misses, sensitivity)
    return Plan(limit, confidence, misses, needed, needed / per_day if per_day > 0 else None)


def share_needed(limit: float, days: float, defective_per_day: float, confidence: float = 0.95) -> float | None:
    """The share of passes to audit so that it takes so many days without a miss; None where even all are too few."""
    if days <= 0:
        raise BadInput(f"{days} days: give more than 0.")
    expected = defective_per_day * days
    needed = audits_needed(limit, confidence)
    return needed / expected if expected >= needed else None


def sentence(found: Plan) -> str:
    """As the page and the command line say it."""
    audits = "clean audits of defective items"
    if found.misses:
        audits = f"audits of defective items with at most {found.misses} missed"
    start = (
        f"To show a miss rate under {_percent(found.limit)} at {_percent(found.confidence)} you need {found.needed:,} "
        f"{audits}"
    )
    if found.days is None:
        return f"{start}; how long that takes is not known, because none come in."
    days = max(1, math.ceil(found.days))
    return f"{start}; at the present rate that is {days:,} {'day' if days == 1 else 'days'}."


def _percent(value: float) -> str:
    return f"{100 * value:.10g}%"
