"""Is it good enough: targets, and whether what was measured meets them, misses them or cannot tell yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

from core.errors import BadInput


class Met(StrEnum):
    """How a target stands."""

    MET = "met"
    MISSED = "missed"
    UNSURE = "not enough evidence"
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class Target:
    """One thing that was promised.

    Attributes:
        side: whether the measured value has to be at least, or at most, the target.
    """

    name: str
    side: Literal["at least", "at most"]
    value: float
    unit: str
    definition: str

    @property
    def spoken(self) -> str:
        """The value with its unit; a share as a percentage."""
        return f"{self.value:g} {self.unit}" if self.unit else f"{100 * self.value:g}%"


TARGETS = (
    Target("recall", "at least", 0.95, "",
           "Of what is defective, the share that was stopped, at the false reject rate that stands beside it."),
    Target("false reject rate", "at most", 0.05, "", "Of what is good, the share that failed by itself; from audits."),
    Target("miss rate", "at most", 0.01, "", "Of what is defective, the share that passed by itself; from audits."),
    Target("accuracy", "at least", 0.97, "",
           "Of what passed or failed by itself, the share that was right; never a headline: where few parts are "
           "defective, passing all of them is accurate, too."),
    Target("latency p99", "at most", 200.0, "ms", "99 in 100 pictures took the model no longer."),
    Target("throughput", "at least", 20.0, "a minute",
           "Parts decided a minute on the slowest line, the median of the hours in which it decided any."),
    Target("availability", "at least", 0.999, "", "Share of the parts that the model could give a score for."),
)  # fmt: skip


class Measured(NamedTuple):
    """A value with its interval; None where there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def standing(target: Target, measured: Measured) -> Met:
    """Met or missed only where the whole interval says so."""
    if measured.low is None or measured.high is None or measured.n == 0:
        return Met.UNKNOWN
    if target.side == "at least":
        if measured.low >= target.value:
            return Met.MET
        return Met.MISSED if measured.high < target.value else Met.UNSURE
    if measured.high <= target.value:
        return Met.MET
    return Met.MISSED if measured.low > target.value else Met.UNSURE


def quantile_ranks(n: int, q: float, confidence: float = 0.95) -> tuple[int, int, int]:
    """Ranks, from 1, of a quantile and of the ends of its distribution-free interval, among n sorted values.

    Source: David and Nagaraja 2003, section 7.1 (order statistics).
    """
    if n < 1 or not 0 < q < 1:
        raise BadInput(f"The {q} quantile of {n} values: give at least one value and a share between 0 and 1.")
    tail = (1 - confidence) / 2
    low = int(stats.binom.ppf(tail, n, q))
    high = int(stats.binom.ppf(1 - tail, n, q)) + 1
    return min(n, max(1, int(np.ceil(q * n)))), max(1, low), min(n, high)


def median_of(values: Sequence[float]) -> Measured:
    """The median and its distribution-free interval."""
    if not values:
        return Measured(None, None, None, 0)
    ordered = sorted(values)
    middle, low, high = quantile_ranks(len(ordered), 0.5)
    return Measured(ordered[middle - 1], ordered[low - 1], ordered[high - 1], len(ordered))


@dataclass(frozen=True)
class Oee:
    """Overall equipment effectiveness of one line, with what it is made of.

    Attributes:
        planned_minutes: from the first to the last part of each day, or as typed.
        running_minutes: minutes in which the line decided a part.
        ideal_per_minute: typed; an assumption.
        good: parts that passed by themselves or by a person's word.
    """

    line: str
    parts: int
    good: int
    planned_minutes: float
    running_minutes: float
    ideal_per_minute: float

    @property
    def availability(self) -> float | None:
        """Running of planned time."""
        return min(1.0, self.running_minutes / self.planned_minutes) if self.planned_minutes > 0 else None

    @property
    def performance(self) -> float | None:
        """Parts of those that the running time had room for; more than 1 says that the ideal is set too low."""
        room = self.running_minutes * self.ideal_per_minute
        return self.parts / room if room > 0 else None

    @property
    def quality(self) -> float | None:
        """Good of all parts."""
        return self.good / self.parts if self.parts else None

    @property
    def oee(self) -> float | None:
        """The product of the three.

        Source: Nakajima 1988.
        """
        three = (self.availability, self.performance, self.quality)
        if any(one is None for one in three):
            return None
        return float(np.prod([one for one in three if one is not None]))
