"""Two text models on the same sentences as people complete them, one after the other: which is better, told any time.

Only sentences count that one model gets right and the other wrong. Where both are equally good, each such sentence
goes either way like a fair coin, whatever came before. A gambler who bets against that with a mixture of stakes has a
wealth whose expectation never grows beyond the 1 he began with, so the chance that it ever reaches 1 / alpha is at most
alpha (Ville 1939): looking after every sentence costs nothing. The mixture is the beta(1/2, 1/2) of Robbins 1970,
"Statistical methods related to the law of the iterated logarithm"; the interval inverts the same wealth for every
share (Howard, Ramdas, McAuliffe and Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences").
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from scipy.special import betaln

ALPHA = 0.05
_STEPS = 60  # of halving: the interval's ends are exact to 1e-18


@dataclass(frozen=True)
class Duel:
    """How two models stand after some sentences.

    Attributes:
        sentences: that both have answered and a person has judged or corrected.
        first: of these, how many only the first model got right.
        second: how many only the second got right.
        wealth: largest that the gambler has had: evidence against "equally good".
        low, high: of the share of such sentences that the second model gets right, valid at every moment; 0.5 is equal.
        alpha: chance that the interval is ever wrong.
    """

    sentences: int
    first: int
    second: int
    wealth: float
    low: float
    high: float
    alpha: float = ALPHA

    @property
    def p_value(self) -> float:
        """Against "equally good"; valid whenever one stops."""
        return min(1.0, 1.0 / self.wealth)

    @property
    def better(self) -> str:
        """Which model: first, second, or nothing while that cannot be told."""
        return "second" if self.low > 0.5 else "first" if self.high < 0.5 else ""


def duel(outcomes: Iterable[tuple[bool, bool]], alpha: float = ALPHA) -> Duel:
    """Compare two models in the order in which their sentences were completed.

    Args:
        outcomes: for each sentence whether the first and the second model had it right.
        alpha: chance of ever claiming a difference where there is none, in (0, 1).
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha {alpha} is no chance between 0 and 1")
    sentences = first = second = 0
    wealth, low, high = 1.0, 0.0, 1.0
    for one, other in outcomes:
        sentences += 1
        if one == other:
            continue
        first, second = first + one, second + other
        wealth = max(wealth, math.exp(min(_log_wealth(first, second, 0.5), 700.0)))
        at = _interval(first, second, alpha)
        low, high = max(low, at[0]), min(high, at[1])
    return Duel(sentences, first, second, wealth, low, high, alpha)


def _log_wealth(first: int, second: int, share: float) -> float:
    """Of the mixture, against a coin that falls to the second model with this share."""
    told = 0.0
    for count, chance in ((second, share), (first, 1 - share)):
        if count:
            if chance <= 0:
                return math.inf
            told += count * math.log(chance)
    return float(betaln(second + 0.5, first + 0.5) - betaln(0.5, 0.5)) - told


@lru_cache(maxsize=100_000)  # the same counts come again and again
def _interval(first: int, second: int, alpha: float) -> tuple[float, float]:
    """Shares that the wealth does not speak against; it falls towards the observed share and rises behind it."""
    limit, seen = -math.log(alpha), second / (first + second)

    def end(outer: float) -> float:
        inner = seen
        if _log_wealth(first, second, outer) < limit:
            return outer
        for _ in range(_STEPS):
            middle = (outer + inner) / 2
            outer, inner = (middle, inner) if _log_wealth(first, second, middle) >= limit else (outer, middle)
        return inner

    return end(0.0), end(1.0)
