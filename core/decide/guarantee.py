"""The least strict threshold whose miss rate is bounded, or what keeps it from being shown.

The miss rate of a threshold, P(score under it | defective), only grows with it. So the thresholds are tested from the
strictest on, each at the full level, and the last one that holds is taken. To be wrong, the test has to reject at the
first threshold where the miss rate is too large, which it does with a chance of at most delta: no correction for how
many thresholds were tried is needed. This is learn-then-test with a fixed sequence; with plain sampling it is Wilks'
tolerance limit. The p-value has to be monotone in what is missed, which both kinds here are: Clopper and Pearson's
where every example weighs the same, and one from bets where they do not (`betting`). Both are proved.

Source: Angelopoulos, Bates, Candès, Jordan and Lei 2021, "Learn then test", section 3; Bauer 1991 for fixed sequences;
Wilks 1941; Bates, Angelopoulos, Lei, Malik and Jordan 2021, theorem 1, for monotone risks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import optimize

from core.decide.betting import Order, expected_times, miss_rate_p_value, random_order
from core.decide.bounds import allowed_misses, clean_needed, exact_intervals, times_needed, upper_bound
from core.errors import BadInput
from core.learn.metrics.scored import Array, Flags

SITE = "site"  # the one family that every guarantee has
_LOWEST = 300  # rows from which the largest weight of a miss is read, at least
_SAME = 1e-9
_MOST_MORE = 1e6  # times the examples at hand; beyond, nobody could label them


class Status(StrEnum):
    """The three answers."""

    MET = "met"
    IMPOSSIBLE = "impossible"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True)
class Promise:
    """What can be said of one family of defective parts: the whole site's, or those of one safety class.

    Attributes:
        pass_below: the least strict threshold with a bounded miss rate; 0, which passes nothing, unless it is met.
        miss_bound: upper bound of the miss rate at that threshold or, where it is not met, at the strictest one
            that passes any good part.
        missed, defective: examples under the threshold, and all of them.
        more_needed: about how many more defective examples; 0 where it is met, None where no number would do.
    """

    status: Status
    pass_below: float
    miss_bound: float
    missed: int
    defective: int
    more_needed: int | None


@dataclass(frozen=True)
class Guarantee:
    """The answer for a site: that of the whole, and those of its families.

    Attributes:
        pass_below: the strictest of them all; 0 unless every one is met.
        miss: asked for, of the site and of each safety class.
        delta: of each family, so that all hold together with the confidence that was asked for.
        families: "site" and the names of the safety classes.
    """

    status: Status
    pass_below: float
    miss_bound: float
    more_needed: int | None
    miss: float
    confidence: float
    delta: float
    families: Mapping[str, Promise] = field(default_factory=dict)

    @property
    def defective(self) -> int:
        return self.families[SITE].defective

    @property
    def sentence(self) -> str:
        """The answer in words."""
        asked = f"at most {_percent(self.miss)} of the defective parts, {_percent(self.confidence)} sure"
        if self.status is Status.MET:
            return (
                f"Passing below {self.pass_below:.4f} misses {asked}, from {self.defective:,} labelled defective "
                f"ones: the bound is {_percent(self.miss_bound)}."
            )
        name, worst = next((name, one) for name, one in self.families.items() if one.status is self.status)
        whose = "" if name == SITE else f" of class {name}"
        if self.status is Status.IMPOSSIBLE:
            return (
                f"No threshold that passes any good part misses {asked}: {worst.missed:,} of {worst.defective:,} "
                f"labelled defective parts{whose} score as low as the lowest good part. More data at that rate would "
                "not help: better pictures or another model might."
            )
        more = "more than can be labelled" if self.more_needed is None else f"about {self.more_needed:,} more"
        return (
            f"{worst.defective:,} labelled defective parts{whose} cannot show a threshold that misses {asked}: "
            f"{more} are needed."
        )


def guarantee(
    scores: npt.ArrayLike,
    defective: npt.ArrayLike,
    weights: npt.ArrayLike,
    miss: float,
    confidence: float,
    classes: Mapping[str, npt.ArrayLike] | None = None,
) -> Guarantee:
    """The least strict `pass_below` such that P(miss rate <= miss) >= confidence, for the site and each class.

    Delta = 1 - confidence is shared equally by the site and its safety classes (Bonferroni), so that all of them hold
    together with that confidence.

    Args:
        scores: (n,) in [0, 1]; one that no threshold would pass (held for another reason) is 1.
        defective: (n,) boolean.
        weights: (n,) above 0, 1 / inclusion probability.
        miss: the largest miss rate.
        confidence: that all of it holds.
        classes: which of the rows show each safety class, (n,) boolean by name; only defective ones count.

    Raises:
        BadInput: figures outside their ranges, or lengths that differ.
    """
    s, d, w = _checked(scores, defective, weights)
    if not 0 < miss < 1:
        raise BadInput(f"A miss rate of at most {miss:g} cannot be asked for: give a share between 0 and 1.")
    if not 0 < confidence < 1:
        raise BadInput(
            f"A confidence of {confidence:g} cannot be asked for: give a share between 0 and 1, such as .95."
        )
    named = {SITE: d, **{name: d & np.asarray(rows, bool) for name, rows in (classes or {}).items()}}
    delta = (1 - confidence) / len(named)
    found = {name: _promise(s, d, w, rows, miss, delta) for name, rows in named.items()}
    worst = _worst(list(found.values()))
    return Guarantee(
        status=worst,
        pass_below=min(one.pass_below for one in found.values()) if worst is Status.MET else 0.0,
        miss_bound=found[SITE].miss_bound,
        more_needed=_most_needed(worst, list(found.values())),
        miss=miss,
        confidence=confidence,
        delta=delta,
        families=found,
    )


def bound_at(
    scores: npt.ArrayLike, defective: npt.ArrayLike, weights: npt.ArrayLike, threshold: float, confidence: float
) -> float:
    """Upper bound of the miss rate of a threshold that somebody chose; 1 without defective examples.

    It holds for one threshold that was chosen for its own sake. Who tries many until a bound fits, reads too much into
    the last one: `guarantee` does that search and stays valid.
    """
    s, d, w = _checked(scores, defective, weights)
    family = _Family.of(s, w, d)
    return family.bound(int(np.searchsorted(family.scores, threshold, side="left")), 1 - confidence)


def _percent(value: float) -> str:
    """A share as people write it: 1%, 0.93%."""
    return f"{100 * value:.3g}%"


def _worst(found: Sequence[Promise]) -> Status:
    states = {one.status for one in found}
    for state in (Status.IMPOSSIBLE, Status.INSUFFICIENT):
        if state in states:
            return state
    return Status.MET


def _most_needed(worst: Status, found: Sequence[Promise]) -> int | None:
    if worst is Status.MET:
        return 0
    if worst is Status.IMPOSSIBLE:
        return None
    if any(one.more_needed is None for one in found):
        return None
    whole, *classes = [one.more_needed or 0 for one in found]
    return max(whole, sum(classes))  # an example of a safety class is one of the site's, too


def _promise(s: Array, d: Flags, w: Array, rows: Flags, miss: float, delta: float) -> Promise:
    """Of one family.

    Args:
        s: scores of all rows.
        d: which rows are defective.
        w: weights of all rows.
        rows: which of the defective rows belong to the family.
        miss: the largest miss rate.
        delta: the chance of being wrong.
    """
    family = _Family.of(s, w, rows)
    good = s[~d]
    lowest_good = float(good.min()) if len(good) else 0.0  # a threshold has to pass something
    useful = int(np.searchsorted(family.scores, lowest_good, side="right"))
    held = family.most_missed(miss, delta)
    if held is not None and family.scores[held] > lowest_good:
        below = float(family.scores[held])
        missed = int(np.searchsorted(family.scores, below, side="left"))
        return Promise(Status.MET, below, min(miss, family.bound(held, delta)), missed, family.n, 0)
    bound = family.bound(useful, delta)
    if family.shows_too_many(useful, miss, delta, enough=held is not None):
        return Promise(Status.IMPOSSIBLE, 0.0, bound, useful, family.n, None)
    more = family.more_needed(useful if held is not None else 0, miss, delta)
    return Promise(Status.INSUFFICIENT, 0.0, bound, useful, family.n, more)


@dataclass(frozen=True)
class _Family:
    """Defective examples in the order of their scores.

    Attributes:
        scores, weights: (m,) of the defective ones, rising by score.
        most: (m + 1,) the largest weight that an example under `scores[i]` can have; the last one is of all rows.
        plain: every row weighs the same, good ones included.
        order: (m,) of the bets; empty where none are needed.
    """

    scores: Array
    weights: Array
    most: Array
    plain: bool
    order: Order

    @classmethod
    def of(cls, s: Array, w: Array, rows: Flags) -> "_Family":
        by_score = np.lexsort((w, s))
        rising, heaviest = s[by_score], np.maximum.accumulate(w[by_score])
        mine = by_score[rows[by_score]]
        last = np.searchsorted(rising, np.r_[s[mine], np.inf], side="right")
        at = np.minimum(np.maximum(last, _LOWEST), len(s)) - 1
        plain = not len(w) or float(w.max() - w.min()) <= _SAME * float(w.max())
        most = _rounded_up(heaviest[at]) if len(s) else np.ones(1)
        order = np.zeros(0, np.intp) if plain else random_order(s[mine], w[mine])
        return cls(s[mine], w[mine], most, plain, order)

    @property
    def n(self) -> int:
        return len(self.scores)

    def p_value(self, missed: int, miss: float, delta: float) -> float:
        """Of the lowest so many being missed."""
        most = float(self.most[missed])
        return miss_rate_p_value(self.weights[self.order], self.order < missed, most, miss, delta)

    def most_missed(self, miss: float, delta: float) -> int | None:
        """How many of the lowest may be missed; None where not even none.

        While the largest weight of a miss stays the same, the p-value never falls as more are missed, so that the
        place where it becomes too large is found by halving. Where that weight grows, the bets are others: every
        stretch has to hold to its end before the next one is looked at.
        """
        if self.plain:
            return allowed_misses(self.n, miss, delta)
        if not self.n or self.p_value(0, miss, delta) > delta:
            return None
        found = 0
        ends = np.flatnonzero(np.r_[self.most[1 : self.n] != self.most[: self.n - 1], True])
        for end in ends.tolist():  # the last place of each stretch
            if self.p_value(end, miss, delta) <= delta:
                found = end
                continue
            low, high = found, end
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if self.p_value(middle, miss, delta) <= delta else (low, middle)
            return low
        return found

    def bound(self, missed: int, delta: float) -> float:
        """Upper bound of the miss rate when so many are missed."""
        if self.plain or missed >= self.n:
            return upper_bound(missed, self.n, delta)

        def surprise(rate: float) -> float:
            return math.log(max(self.p_value(missed, rate, delta), 1e-300) / delta)

        top = 1 - 1e-9
        return float(optimize.brentq(surprise, 1e-9, top, xtol=1e-7)) if surprise(top) < 0 else 1.0

    def rate(self, missed: int) -> float:
        """The observed miss rate."""
        return float(self.weights[:missed].sum() / self.weights.sum()) if self.n else 0.0

    def shows_too_many(self, missed: int, miss: float, delta: float, enough: bool) -> bool:
        """Whether the observed rate is too large, so that more examples at that rate would not help.

        Of too few examples to show anything, one miss makes a rate: there the rate has to be surely too large.
        """
        if self.rate(missed) < miss or not missed:
            return False
        if enough:
            return True
        worth = float(self.weights.sum()) ** 2 / float((self.weights**2).sum())  # Kish's effective number
        low, _ = exact_intervals([self.rate(missed) * worth], [worth], 1 - 2 * delta)
        return float(low[0]) > miss + _SAME

    def more_needed(self, missed: int, miss: float, delta: float) -> int | None:
        """About how many more examples like these would show it; None where no number that can be labelled would.

        Args:
            missed: of those at hand; the same share of the others is expected to be missed.
            miss: the largest miss rate.
            delta: the chance of being wrong.
        """
        if self.plain and not missed:
            return max(1, clean_needed(miss, delta) - self.n)
        if self.plain:
            times = times_needed(missed, self.n, miss, delta, _MOST_MORE)
        elif self.n:
            misses = np.arange(self.n) < missed
            times = expected_times(self.weights, misses, float(self.most[missed]), miss, delta, _MOST_MORE)
        else:
            return clean_needed(miss, delta)
        return None if math.isinf(times) else max(1, math.ceil((times - 1) * self.n - 1e-9))


def _rounded_up(weights: Array) -> Array:
    """Weights in steps of five percent, never smaller than they are, so that the largest one changes seldom."""
    return np.asarray(weights.max() * 1.05 ** np.ceil(np.log(weights / weights.max()) / math.log(1.05)), np.float64)


def _checked(scores: npt.ArrayLike, defective: npt.ArrayLike, weights: npt.ArrayLike) -> tuple[Array, Flags, Array]:
    s, d, w = np.asarray(scores, np.float64), np.asarray(defective, bool), np.asarray(weights, np.float64)
    if not len(s) == len(d) == len(w):
        raise BadInput(f"{len(s)} scores, {len(d)} labels and {len(w)} weights: give one of each for every part.")
    if len(s) and not (s.min() >= 0 and s.max() <= 1):
        raise BadInput("A score lies outside 0 to 1 or is no number: give calibrated probabilities.")
    if len(w) and not (w.min() > 0 and np.isfinite(w.max())):
        raise BadInput("A weight is 0, negative or no number: it is 1 / inclusion probability, so 1 or more as a rule.")
    return s, d, w
