"""How large a miss rate can be, given what was seen: exact where sampling is plain, valid where it is weighted.

A miss rate is P(PASS | defective). With defective examples drawn plainly, the number of misses under a threshold is
binomial. Where each example was drawn with its own inclusion probability, it stands for `weight` = 1 / probability
parts, and the miss rate is the mean of bounded losses with those weights.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

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


def _checked(miss: float, delta: float) -> None:
    if not 0 < miss < 1:
        raise BadInput(f"A miss rate of at most {miss} cannot be asked for: give a share between 0 and 1.")
    if not 0 < delta < 1:
        raise BadInput(f"A confidence of {1 - delta:g} cannot be asked for: give a share between 0 and 1, such as .95.")


def miss_rate_p_value(
    missed: npt.ArrayLike, caught: npt.ArrayLike, most: float, miss: float, times: float = 1
) -> float:
    """How surprising these weighted misses would be if the miss rate were `miss` or more.

    Under that hypothesis the loss weight x (missed - miss) of a defective example has a mean of 0 or more, and it is
    at most `most` x (1 - miss). Gaffke's p-value of a bounded mean is then

        P( sum over missed of (1 - miss) w E  +  (1 - miss) `most` E0  >=  sum over caught of miss w E )

    with independent standard exponential E: a Bayesian bootstrap with one more, worst miss. With equal weights it is
    P(Bin(n, miss) <= misses), which is Clopper and Pearson's; without any miss it is 1 / the capital of the largest
    bet against the hypothesis, whose validity is Ville's inequality. Between the two, that it is valid for every
    bounded mean is Gaffke's conjecture: unproved, with no counterexample known, and looked for here in hostile
    designs (tests/benchmarks/bench_thresholds.py). It is sharper than any bet that is proved.

    Args:
        missed: weights of the missed defective examples.
        caught: weights of those that were not missed.
        most: the largest weight that a missed example can have.
        miss: the miss rate, between 0 and 1.
        times: as if everything had been seen so many times.

    Returns:
        In [0, 1]; it never falls when an example is missed instead of caught.

    Source: Gaffke 2005, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
    variable"; Learned-Miller and Thomas 2019, arXiv 1905.06208; Waudby-Smith and Ramdas 2023 for the bets. The tail
    is Imhof's (1961) inversion along the vertical line through the saddle point, where it converges geometrically.
    """
    caught_w, counts_c = _grouped(caught, up=False)
    if not len(caught_w):
        return 1.0
    missed_w, counts_m = _grouped(missed, up=True)
    scale = (1 - miss) * max(most, float(missed_w.max(initial=0.0)))
    terms = np.r_[1.0, (1 - miss) * missed_w / scale, -miss * caught_w / scale]  # (k,) the largest is 1
    counts = np.r_[1.0, times * counts_m, times * counts_c]
    return _chance_above_zero(terms, counts)


def _chance_above_zero(terms: Array, counts: Array) -> float:
    """P(sum of terms x exponentials >= 0), where term i occurs counts[i] times and the largest term is 1."""

    def slope(at: float) -> float:
        return float((counts * terms / (1 - at * terms)).sum()) - 1 / at

    at = float(optimize.brentq(slope, 1e-12, 1 - 1e-12, xtol=1e-13, rtol=1e-8))  # near the saddle point is enough
    width = 1 / math.sqrt(float((counts * terms**2 / (1 - at * terms) ** 2).sum()) + 1 / at**2)
    step = 0.06
    u = np.arange(0.0, 9.0, step)
    line = at + 1j * width * np.sinh(u)  # (nodes,)
    exponent = -np.log(line)
    for some in range(0, len(terms), 4096):
        piece = slice(some, some + 4096)
        exponent -= counts[piece] @ np.log(1 - terms[piece, None] * line)
    heights = np.exp(exponent).real * width * np.cosh(u) * step
    heights[0] /= 2
    return float(np.clip(heights.sum() / np.pi, 0.0, 1.0))


def _grouped(weights: npt.ArrayLike, up: bool, most: int = 1000) -> tuple[Array, Array]:
    """Distinct weights and how often each occurs; of very many, rounded by under a percent to the safe side."""
    values, counts = np.unique(np.asarray(weights, np.float64), return_counts=True)
    if len(values) <= most:
        return values, counts.astype(np.float64)
    edges = np.geomspace(values[0], values[-1], most)
    place = np.searchsorted(edges, values, side="left" if up else "right") - (0 if up else 1)
    place = np.clip(place, 0, most - 1)
    merged = np.bincount(place, counts, most)
    kept = merged > 0
    return edges[kept], merged[kept].astype(np.float64)
