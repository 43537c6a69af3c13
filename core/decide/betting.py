"""A bounded miss rate where examples stand for unequally many parts: bets against "it is too large", in a random order.

Under the hypothesis that the miss rate is `miss` or more, the loss weight x (missed - miss) of a defective example that
was drawn by chance has a mean of 0 or more. Whoever stakes a share of a capital of 1 on each loss being negative, one
example after the other and knowing only those before it, then wins nothing in the long run: the capital is a
nonnegative supermartingale, and the chance that it ever reaches 1 / delta is at most delta (Ville's inequality). That
holds for every number of examples, every weights and every way in which weights and misses hang together; nothing in
it is asymptotic or conjectured. It rests on two things that the figures cannot show: that the recorded inclusion
probabilities are the true ones, and that `most` is the largest weight that a missed example can have.

Source: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", section 4 and its
predictable plug-in bets; Ville 1939. Examples lie here in the order of scores, so they are put into a random one first.
"""

import math
import zlib

import numpy as np
import numpy.typing as npt

from core.decide.bounds import first_enough
from core.learn.metrics.scored import Array, Flags

Order = npt.NDArray[np.intp]


def random_order(scores: Array, weights: Array) -> Order:
    """An order for the bets that tells nothing of the scores and is the same however the rows came.

    Its seed is a checksum of the figures themselves, so that nobody can try orders until one suits.

    Args:
        scores: (m,) rising; of equal scores the lighter one first.
        weights: (m,)
    """
    seed = zlib.crc32(weights.tobytes(), zlib.crc32(scores.tobytes()))
    return np.random.default_rng(seed).permutation(len(scores))


def miss_rate_p_value(weights: Array, missed: Flags, most: float, miss: float, delta: float) -> float:
    """How surprising these misses would be if the miss rate were `miss` or more: 1 / the largest capital of the bets.

    The stake on an example depends on the weights before it only, never on what was missed. So the p-value never falls
    when an example is missed instead of caught, nor when `miss` falls.

    Args:
        weights: (m,) of the defective examples, in the order of the bets.
        missed: (m,) whether each one was missed.
        most: the largest weight that a missed example can have.
        miss: the miss rate, between 0 and 1.
        delta: the level that the stakes are made for; the p-value is valid at every other one, too.

    Returns:
        In (0, 1].
    """
    if not len(weights):
        return 1.0
    capital = np.cumsum(_growth(_stakes(weights, most, miss, delta), weights, missed, miss))
    return float(np.exp(-max(0.0, capital.max())))


def expected_times(weights: Array, missed: Flags, most: float, miss: float, delta: float, largest: float) -> float:
    """About how many times as many examples like these would make the p-value `delta`; infinite beyond `largest`.

    It takes the growth of the capital at one stake for all examples, so it is a forecast and no bound.
    """

    def falls_short(times: float) -> bool:
        variance = miss * (1 - miss) * float((weights**2).mean()) * len(weights) * times
        stake = min(math.sqrt(2 * math.log(1 / delta) / variance), 1 / ((1 - miss) * most))
        return times * float(_growth(stake, weights, missed, miss).sum()) < math.log(1 / delta)

    return first_enough(falls_short, 0.0, largest)


def _growth(stakes: Array | float, weights: Array, missed: Flags, miss: float) -> Array:
    """Logarithm of what each bet multiplies the capital by; minus infinity where all was staked and lost."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(np.maximum(stakes * weights * (miss - missed), -1.0)), np.float64)


def _stakes(weights: Array, most: float, miss: float, delta: float) -> Array:
    """Of each example: as a test of so many examples takes them, and never more than a worst miss can cost.

    The variance of a loss at the hypothesis is foreseen from the mean square of the weights before it, and `most`
    stands in for the one before the first.
    """
    m = len(weights)
    squares = np.empty(m)
    squares[0] = 0.0
    np.cumsum(weights[:-1] ** 2, out=squares[1:])
    foreseen = (most * most + squares) / np.arange(1, m + 1)
    wished = np.sqrt(2 * math.log(1 / delta) / (m * miss * (1 - miss) * foreseen))
    return np.asarray(np.minimum(wished, 1 / ((1 - miss) * most)), np.float64)
