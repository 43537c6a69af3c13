"""How sure one can be of an AUROC, where pictures of one part are no independent evidence."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from core.learn.metrics.groups import FEWEST_GROUPS, kinds_of, numbered
from core.learn.metrics.proportions import Interval
from core.learn.metrics.ranking import auroc
from core.learn.metrics.scored import Array, Flags, checked


def delong_interval(scores: npt.ArrayLike, defective: npt.ArrayLike, confidence: float = 0.95) -> Interval | None:
    """Interval of the AUROC for independent examples, on the logit scale so that it stays inside [0, 1].

    Where the two kinds are told apart without error the variance is zero and says nothing; there the
    interval is Newcombe's, which is never a single point.

    Source: DeLong et al. 1988, in the mid-rank form of Sun and Xu 2014; Newcombe 2006, method 5.
    """
    s, d = checked(scores, defective)
    area = auroc(s, d)
    if area is None:
        return None
    bad, good = int(d.sum()), int((~d).sum())
    return _around(area, _alone(*_placements(s, d)), bad, good, float(stats.norm.ppf(0.5 + confidence / 2)))


def auroc_interval(
    scores: npt.ArrayLike,
    defective: npt.ArrayLike,
    groups: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Interval | None:
    """DeLong for independent examples; where several share a group, its form for clustered pictures.

    The variance is never below that of independent examples, and Student's t with Welch's degrees of freedom
    stands for the normal quantile: a handful of groups shows too little spread, and estimates it badly. A good and a
    defective picture of one group are easier to tell apart than those of two: the end that they would lift starts
    from the AUROC without such pairs, and what they would take from the variance is left in. Near 0 and 1 the
    variance is too rough, so Newcombe's interval of as many independent examples is covered as well. None with too
    few groups of either kind.

    Source: Obuchowski 1997, "Nonparametric analysis of clustered ROC curve data"; Welch 1947 for the degrees.
    """
    s, d = checked(scores, defective)
    number = numbered(groups, len(s))
    area, kinds = auroc(s, d), kinds_of(number, d)
    if kinds.n == len(s):
        return delong_interval(s, d, confidence)
    if area is None or kinds.fewest < FEWEST_GROUPS:
        return None
    above_good, below_bad = _placements(s, d)
    of_bad = np.bincount(number[d], above_good - area, kinds.n) / len(above_good)  # (groups,) what each adds
    of_good = np.bincount(number[~d], below_bad - area, kinds.n) / len(below_bad)
    bad, good = (
        float((sums**2).sum() * n / (n - 1)) for sums, n in ((of_bad, kinds.with_bad), (of_good, kinds.with_good))
    )
    shared = max(0.0, 2 * float((of_bad * of_good).sum()))
    alone = _alone(above_good, below_bad)
    variance = max(bad + good + shared, alone)
    freedom = float(kinds.fewest - 1)
    if bad + good > 0:
        freedom = (bad + good) ** 2 / (bad**2 / (kinds.with_bad - 1) + good**2 / (kinds.with_good - 1))
    t = float(stats.t.ppf(0.5 + confidence / 2, freedom))
    areas = (area, _apart(s, d, number, area))
    ends = [_around(a, variance, kinds.with_bad, kinds.with_good, t) for a in areas]
    if 0 < alone <= variance < np.inf:
        worth = alone / variance  # of a picture among its like
        ends += [_newcombe(a, worth * len(above_good), worth * len(below_bad), t) for a in areas]
    return Interval(min(e.low for e in ends), max(e.high for e in ends))


def _apart(s: Array, d: Flags, number: npt.NDArray[np.intp], area: float) -> float:
    """The AUROC without the pairs of one group."""
    pairs = float(d.sum()) * float((~d).sum())
    won = area * pairs
    mixed = np.intersect1d(number[d], number[~d])
    rows = np.flatnonzero(np.isin(number, mixed))
    rows = rows[np.argsort(number[rows], kind="stable")]
    for those in np.split(rows, np.flatnonzero(np.diff(number[rows])) + 1) if len(rows) else ():
        within = float(d[those].sum()) * float((~d[those]).sum())
        won -= (auroc(s[those], d[those]) or 0.0) * within
        pairs -= within
    return float(np.clip(won / pairs, 0.0, 1.0))


def _placements(s: Array, d: Flags) -> tuple[Array, Array]:
    """Of each defective example the share of good ones below it; of each good one the share of defective above."""
    bad, good = s[d], s[~d]
    ranks = stats.rankdata(np.concatenate([bad, good]))
    above_good = (ranks[: len(bad)] - stats.rankdata(bad)) / len(good)
    below_bad = 1 - (ranks[len(bad) :] - stats.rankdata(good)) / len(bad)
    return above_good, below_bad


def _alone(above_good: Array, below_bad: Array) -> float:
    """Variance of the AUROC of independent examples; infinite with one of a kind."""
    return sum(float(v.var(ddof=1)) / len(v) if len(v) > 1 else np.inf for v in (above_good, below_bad))


def _around(area: float, variance: float, bad: int, good: int, z: float) -> Interval:
    """The interval on the logit scale; Newcombe's where the variance says nothing."""
    if not 0 < area < 1 or not 0 < variance < np.inf:
        return _newcombe(area, bad, good, z)
    logit, error = special.logit(area), np.sqrt(variance) / (area * (1 - area))
    return Interval(float(special.expit(logit - z * error)), float(special.expit(logit + z * error)))


def _newcombe(area: float, bad: float, good: float, z: float) -> Interval:
    """Wilson-like interval: the areas whose own Hanley-McNeil error just reaches the one observed."""
    half = (bad + good) / 2 - 1

    def gap(true: float) -> float:
        spread = true * (1 - true) * (1 + half * (1 - true) / (2 - true) + half * true / (1 + true))
        return abs(area - true) - z * float(np.sqrt(max(spread, 0.0) / (bad * good)))

    low = 0.0 if area <= 0 else _edge(gap, 0.0, area)
    high = 1.0 if area >= 1 else _edge(gap, 1.0, area)
    return Interval(low, high)


def _edge(gap: Callable[[float], float], outside: float, inside: float) -> float:
    """Where `gap` falls through zero on the way from outside to inside (bisection)."""
    if gap(outside) <= 0:
        return outside
    for _ in range(60):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if gap(middle) > 0 else (outside, middle)
    return (outside + inside) / 2
