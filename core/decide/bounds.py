"""How large a rate can be, given what was seen of plainly drawn examples: exact, as Clopper and Pearson have it.

A miss rate is P(PASS | defective). With defective examples drawn plainly, the number of misses under a threshold is
binomial. Where each example was drawn with its own inclusion probability, `betting` has the bound.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from core.errors import BadInput
from core.learn.metrics.scored import Array


def exact_intervals(successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float = 0.95) -> tuple[Array, Array]:
    """Exact two-sided intervals of many rates at once; 0 to 1 where there are no trials.

    Args:
        successes: (k,) they need not be whole, such as those of an effective sample size.
        trials: (k,)
        confidence: of each interval.

    Source: Clopper and Pearson 1934; Korn and Graubard 1998 for trials that are not whole.
    """
    x, n = np.asarray(successes, np.float64), np.asarray(trials, np.float64)
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(x > 0, special.betaincinv(np.maximum(x, 1e-300), n - x + 1, tail), 0.0)
        high = np.where(x < n, special.betaincinv(x + 1, np.maximum(n - x, 1e-300), 1 - tail), 1.0)
    return low, high


def clean_needed(miss: float, delta: float) -> int:
    """How many defective examples, all of them caught, show a miss rate of at most `miss`: 299 for 1% at 95%."""
    _checked(miss, delta)
    return max(1, math.ceil(math.log(delta) / math.log1p(-miss) - 1e-9))


def allowed_misses(n: int, miss: float, delta: float) -> int | None:
    """How many of n plainly drawn defective examples may be missed; None where not even none suffices.

    The largest k whose exact upper bound of the rate is at most `miss`, which is P(Bin(n, miss) <= k) <= delta.

    Source: Clopper and Pearson 1934.
    """
    _checked(miss, delta)
    if n < clean_needed(miss, delta):
        return None
    at = int(stats.binom.ppf(delta, n, miss))  # the smallest k with a tail of delta or more
    while at >= 0 and stats.binom.cdf(at, n, miss) > delta:
        at -= 1
    return at if at >= 0 else None


def upper_bound(misses: int, n: int, delta: float) -> float:
    """Exact one-sided upper bound of the miss rate; 1 without examples."""
    if n == 0 or misses >= n:
        return 1.0
    return float(stats.beta.ppf(1 - delta, misses + 1, n - misses))


def times_needed(missed: int, n: int, miss: float, delta: float, largest: float) -> float:
    """How many times as many plainly drawn examples, missed at the same rate, would show it; infinite beyond `largest`.

    The binomial tail with numbers between the whole ones.
    """

    def falls_short(times: float) -> bool:
        return bool(special.betaincc(missed * times + 1, (n - missed) * times, miss) > delta)

    return first_enough(falls_short, 1.0, largest)


def first_enough(falls_short: Callable[[float], bool], low: float, largest: float) -> float:
    """The smallest number above `low` that does not fall short, by doubling and halving; infinite beyond `largest`.

    Args:
        falls_short: true of every number below some one, false of all others.
        low: at which it is true or would be.
        largest: where to give up.
    """
    high = max(1.0, 2 * low)
    while falls_short(high):
        low, high = high, 2 * high
        if high > largest:
            return math.inf
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if falls_short(middle) else (low, middle)
    return high


def _checked(miss: float, delta: float) -> None:
    if not 0 < miss < 1:
        raise BadInput(f"A miss rate of at most {miss} cannot be asked for: give a share between 0 and 1.")
    if not 0 < delta < 1:
        raise BadInput(f"A confidence of {1 - delta:g} cannot be asked for: give a share between 0 and 1, such as .95.")
