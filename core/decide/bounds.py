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

_LARGE = 20.0  # from here on the approximation is close
_SETTLED = 1e-4  # of the distribution's spread; what is still missing then is about its cube
_ROUNDS = 4


def exact_intervals(successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float = 0.95) -> tuple[Array, Array]:
    """Exact two-sided intervals of many rates at once; 0 to 1 where there are no trials.

    Args:
        successes: (k,) they need not be whole, such as those of an effective sample size.
        trials: (k,)
        confidence: of each interval.

    Source: Clopper and Pearson 1934; Korn and Graubard 1998 for trials that are not whole.
    """
    x, n = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(trials, np.float64))
    tail = (1 - confidence) / 2
    low, high = np.zeros(x.shape), np.ones(x.shape)
    some, not_all = x > 0, x < n
    low[some] = beta_quantiles(x[some], n[some] - x[some] + 1, tail)
    high[not_all] = beta_quantiles(x[not_all] + 1, n[not_all] - x[not_all], 1 - tail)
    return low, high


def beta_quantiles(a: Array, b: Array, level: float) -> Array:
    """(k,) quantiles of beta distributions: what `scipy.special.betaincinv` gives, in a fraction of its time for many.

    A close approximation (Abramowitz and Stegun 1964, 26.5.22) is set right by Halley's method on the distribution
    itself. Where either parameter is small, or the steps do not settle, scipy answers.
    """
    found = np.empty(len(a))
    large = np.minimum(a, b) >= _LARGE
    found[~large] = special.betaincinv(a[~large], b[~large], level)
    if large.any():
        found[large] = _large_quantiles(a[large], b[large], level)
    return found


def _large_quantiles(a: Array, b: Array, level: float) -> Array:
    normal = -float(special.ndtri(level))
    ahead, behind = 1 / (2 * a - 1), 1 / (2 * b - 1)
    part, h = (normal * normal - 3) / 6, 2 / (ahead + behind)
    w = normal * np.sqrt(h + part) / h - (behind - ahead) * (part + 5 / 6 - 2 / (3 * h))
    x: Array = a / (a + b * np.exp(2 * w))
    spread = np.sqrt(a * b / (a + b + 1)) / (a + b)
    log_beta = special.betaln(a, b)
    left = np.arange(len(a))
    for _ in range(_ROUNDS):
        p, q, at = a[left], b[left], x[left]
        with np.errstate(all="ignore"):  # a wild step leaves 0 to 1, and does not settle
            density = np.exp((p - 1) * np.log(at) + (q - 1) * np.log1p(-at) - log_beta[left])
            newton = (special.betainc(p, q, at) - level) / density
            step = newton / (1 - newton * ((p - 1) / at - (q - 1) / (1 - at)) / 2)
        x[left] = at - step
        left = left[~(np.abs(step) <= _SETTLED * spread[left])]
        if not left.size:
            return x
    x[left] = special.betaincinv(a[left], b[left], level)
    return x


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
