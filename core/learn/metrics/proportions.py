"""How sure one can be of a rate: exact intervals of counts."""

from typing import NamedTuple

from scipy import stats

from core.errors import BadInput


class Interval(NamedTuple):
    """A two-sided confidence interval."""

    low: float
    high: float


def proportion_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval | None:
    """Exact two-sided interval of a rate; None without trials.

    Source: Clopper and Pearson 1934.
    """
    if not 0 <= successes <= trials:
        raise BadInput(f"{successes} successes of {trials} trials: the first must lie between 0 and the second.")
    if trials == 0:
        return None
    return binomial_interval(successes, trials, confidence)


def binomial_interval(successes: float, trials: float, confidence: float = 0.95) -> Interval:
    """The same of numbers that need not be whole, such as of how many independent trials clustered ones are worth."""
    tail = (1 - confidence) / 2
    low = 0.0 if successes <= 0 else float(stats.beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes >= trials else float(stats.beta.ppf(1 - tail, successes + 1, trials - successes))
    return Interval(low, high)


def lower_bound(successes: int, trials: int, confidence: float = 0.95) -> float | None:
    """Exact one-sided lower bound of a rate: what a guarantee may claim."""
    both = proportion_interval(successes, trials, 2 * confidence - 1)
    return None if both is None else both.low
