"""Two models on the same examples: who is right where they differ, how sure that is, and how large the difference."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from core.errors import BadInput
from core.learn.metrics import Interval


@dataclass(frozen=True)
class Paired:
    """How two models fared on the same parts.

    Attributes:
        both, neither: parts that both, or neither, got right.
        gained: parts that only the new one got right.
        lost: parts that only the old one got right.
    """

    both: int
    gained: int
    lost: int
    neither: int

    def __post_init__(self) -> None:
        """Refuse negative counts."""
        if min(self.both, self.gained, self.lost, self.neither) < 0:
            raise BadInput("A paired table counts parts: none of its four figures is below 0.")

    @property
    def n(self) -> int:
        return self.both + self.gained + self.lost + self.neither

    @property
    def difference(self) -> float | None:
        """Share right of the new one minus that of the old one."""
        return (self.gained - self.lost) / self.n if self.n else None

    @property
    def p_value(self) -> float:
        """Chance of so unequal counts or worse if neither were better: McNemar's exact test, two-sided."""
        differ = self.gained + self.lost
        return float(stats.binomtest(self.gained, differ, 0.5).pvalue) if differ else 1.0

    def interval(self, confidence: float = 0.95) -> Interval | None:
        """Of the difference; None without parts."""
        return difference_interval(self.gained, self.lost, self.n, confidence)

    def to_json(self) -> dict[str, Any]:
        """Counts, difference with its 95% interval, p-value."""
        between = self.interval()
        return {
            "n": self.n,
            "both": self.both,
            "gained": self.gained,
            "lost": self.lost,
            "neither": self.neither,
            "difference": self.difference,
            "interval": None if between is None else list(between),
            "p_value": self.p_value,
        }


def compare(new_right: npt.ArrayLike, old_right: npt.ArrayLike) -> Paired:
    """Count four cells.

    Args:
        new_right: (n,) whether the new model was right about each part.
        old_right: (n,) the same of the old one, in the same order.
    """
    new, old = np.asarray(new_right, bool).ravel(), np.asarray(old_right, bool).ravel()
    if len(new) != len(old):
        raise BadInput(f"{len(new)} answers of the new model but {len(old)} of the old one: compare the same parts.")
    return Paired(int((new & old).sum()), int((new & ~old).sum()), int((~new & old).sum()), int((~new & ~old).sum()))


def difference_interval(gained: int, lost: int, n: int, confidence: float = 0.95) -> Interval | None:
    """Interval of (gained - lost) / n for paired shares; None without pairs.

    The differences that a score test would not refuse, with the share of pairs that differ estimated anew under each
    of them; unlike Wald's it neither shrinks to a point without disagreements nor leaves [-1, 1].

    Source: Tango 1998, "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design".
    """
    if n == 0:
        return None
    z = float(special.ndtri(0.5 + confidence / 2))
    score = _score(gained, lost, n)
    middle = (gained - lost) / n
    low = -1.0 if score(-1 + 1e-9) <= z else float(optimize.brentq(lambda d: score(d) - z, -1 + 1e-9, middle))
    high = 1.0 if score(1 - 1e-9) >= -z else float(optimize.brentq(lambda d: score(d) + z, middle, 1 - 1e-9))
    return Interval(low, high)


def _score(gained: int, lost: int, n: int) -> Callable[[float], float]:
    """The score statistic of a difference; it falls as the difference grows."""

    def score(difference: float) -> float:
        a = 2 * n
        b = -gained - lost + (2 * n - gained + lost) * difference
        c = -lost * difference * (1 - difference)
        q = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)  # the share only the old one gets right
        variance = n * (2 * q + difference * (1 - difference))
        gap = gained - lost - n * difference
        if variance <= 0:
            return 0.0 if gap == 0 else math.copysign(math.inf, gap)
        return gap / math.sqrt(variance)

    return score
