"""What is known of one number as draws: quantiles of the draws are an interval, and draws of several numbers combine.

A confidence distribution holds every interval of a number at once (Xie and Singh 2013, "Confidence distribution, the
frequentist distribution estimator of a parameter"). Half of the draws come from the distribution behind the exact lower
limits and half from the one behind the exact upper limits, which makes quantiles the mid-P intervals: near to their
level on average, where the exact ones are above it (Lancaster 1961; Fay and Kim 2017).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

from core.errors import BadInput
from core.learn.metrics.proportions import Interval

Draws = npt.NDArray[np.float64]  # (draws,)

DRAWS = 4000


def proportion_draws(hits: float, trials: float, rng: np.random.Generator, draws: int = DRAWS) -> Draws:
    """What `hits` of `trials` tell of a rate, in [0, 1]; anything at all without a trial.

    Source: Clopper and Pearson 1934, both limits in equal parts.
    """
    if not 0 <= hits <= trials:
        raise BadInput(f"{hits} hits of {trials} trials: the first must lie between 0 and the second.")
    if trials == 0:
        return _shuffled(_levels(draws), rng)
    return _shuffled(_limits(hits, trials, draws // 2), rng)


def total_draws(
    total: float, variance: float, next_weight: float, next_variance: float, rng: np.random.Generator,
    draws: int = DRAWS,
) -> Draws:  # fmt: skip
    """What a weighted count of rare events tells of its expectation, never below 0.

    Args:
        total: sum of the weights of the events that were seen.
        variance: of that sum, estimated.
        next_weight: what one more event would have added to the sum.
        next_variance: what it would have added to the variance.
        rng: of these draws.
        draws: how many.

    Source: Fay and Feuer 1997, "Confidence intervals for directly standardized rates: a method based on the gamma
    distribution", in the mid-P form of Fay and Kim 2017; with the typical weight for the next event, as Tiwari, Clegg
    and Zou 2006, where theirs takes the largest.
    """
    levels = _levels(draws // 2)
    low = _gamma(levels, total, variance)
    high = _gamma(levels, total + next_weight, variance + next_variance)
    return _shuffled(np.concatenate([low, high]), rng)


def interval(draws: Draws, confidence: float = 0.95) -> Interval:
    """The middle part of the draws."""
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


@lru_cache(maxsize=256)
def _limits(hits: float, trials: float, each: int) -> Draws:
    """Clopper and Pearson's lower and upper limits at every level; kept, since the same counts are asked again."""
    levels = _levels(each)
    low = np.zeros_like(levels) if hits <= 0 else special.betaincinv(hits, trials - hits + 1, levels)
    high = np.ones_like(levels) if hits >= trials else special.betaincinv(hits + 1, trials - hits, levels)
    found = np.concatenate([low, high])
    found.flags.writeable = False
    return found


def _levels(draws: int) -> Draws:
    """Evenly spread over (0, 1), which needs far fewer draws than chance would."""
    return (np.arange(draws) + 0.5) / draws


def _gamma(levels: Draws, mean: float, variance: float) -> Draws:
    if mean <= 0 or variance <= 0:
        return np.full_like(levels, max(0.0, mean))
    found: Draws = special.gammaincinv(mean * mean / variance, levels) * (variance / mean)
    return found


def _shuffled(values: Draws, rng: np.random.Generator) -> Draws:
    """In an order of their own, so that draws of two numbers are independent."""
    return rng.permutation(values)
