"""Data sets whose truth is known: pictures of one group are alike, and scores are normal."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.learn.metrics import Interval

DATA_SETS = 200
Measure = Callable[[np.ndarray, np.ndarray, list[int], np.random.Generator], Interval | None]


@dataclass(frozen=True)
class Plant:
    """How pictures come.

    Attributes:
        bad, good: groups of defective pictures alone, and of good ones alone.
        mixed: groups of both; six of ten pictures are defective.
        size: pictures of a group, give or take a half.
        alike: correlation of the scores of a group.
    """

    bad: int = 0
    good: int = 0
    mixed: int = 0
    size: int = 1
    alike: float = 0.0

    def __str__(self) -> str:
        return f"{self.bad}+{self.good}+{self.mixed} of {self.size}, {self.alike}"

    def draw(self, apart: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[int]]:
        """Scores, labels and groups; defective pictures score `apart` standard deviations higher."""
        n = self.bad + self.good + self.mixed
        sizes = rng.integers(max(1, self.size // 2), self.size * 3 // 2 + 1, n)
        groups = np.repeat(np.arange(n), sizes)
        share = np.repeat([1.0, 0.0, 0.6], [self.bad, self.good, self.mixed])
        defective = rng.random(len(groups)) < share[groups]
        scores = rng.normal(0, self.alike**0.5, n)[groups] + rng.normal(0, (1 - self.alike) ** 0.5, len(groups))
        return scores + apart * defective, defective, groups.tolist()

    @staticmethod
    def true_auroc(apart: float) -> float:
        return float(stats.norm.cdf(apart / 2**0.5))

    @staticmethod
    def true_recall(apart: float, rate: float = 0.05) -> float:
        return float(stats.norm.sf(stats.norm.isf(rate) - apart))


def coverage(plant: Plant, apart: float, truth: float, measure: Measure) -> float:
    """In how many data sets the interval holds the truth, of those where it says anything."""
    rng = np.random.default_rng(7)
    found = [measure(*plant.draw(apart, rng), rng) for _ in range(DATA_SETS)]
    said = [one for one in found if one is not None]
    assert len(said) > 0.9 * DATA_SETS
    return sum(one.low <= truth <= one.high for one in said) / len(said)
