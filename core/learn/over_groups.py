"""Intervals of what is counted over pictures: whole groups are drawn again, for pictures of one are not independent."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from core.learn.metrics.groups import FEWEST_GROUPS

DRAWS = 2000
LEVEL = 0.95

Floats64 = npt.NDArray[np.float64]


def group_weights(groups: Sequence[str], draws: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(draws, pictures): how often each picture is in a draw of as many groups as there are, with replacement."""
    names, at = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / max(1, len(names))), size=draws)
    weights: npt.NDArray[np.float64] = drawn[:, at].astype(np.float64)
    return weights


def interval(
    groups: Sequence[str], statistic: Callable[[Floats64], float | None], rng: np.random.Generator,
    draws: int = DRAWS,
) -> tuple[float, float] | None:  # fmt: skip
    """95% of what a statistic would be over other groups like these; None where there are too few.

    Args:
        groups: of each picture.
        statistic: from (pictures,) weights; None where it says nothing.
        rng: of the draws.
        draws: so many.

    Source: Efron 1979, the bootstrap, of whole groups since pictures of one are not independent.
    """
    if len(set(groups)) < FEWEST_GROUPS:
        return None
    values = [statistic(w) for w in group_weights(groups, draws, rng)]
    known = [v for v in values if v is not None]
    if len(known) < draws / 2:
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def rate_of(counts: Floats64, above: int, below: tuple[int, ...]) -> Callable[[Floats64], float | None]:
    """A ratio of sums; with several parts below it is the harmonic mean of the ratios to each."""

    def rate(weights: Floats64) -> float | None:
        sums = weights @ counts
        under = sum(float(sums[i]) for i in below)
        return float(sums[above]) * len(below) / under if under > 0 else None

    return rate


def listed(found: tuple[float, float] | None) -> list[float] | None:
    """As JSON."""
    return None if found is None else list(found)
