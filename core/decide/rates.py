"""What each threshold does to the parts of a site, as curves with intervals.

Where a part was drawn with an unequal chance it counts with its weight, and the interval is the exact one of Kish's
effective number of parts; where all weights are equal that is Clopper and Pearson's.
Source: Kish 1965; Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of
positive counts estimated from survey data"; Clopper and Pearson 1934.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.decide.bounds import exact_intervals
from core.decide.optimum import Prices
from core.decide.replay import FAIL, Past
from core.decide.staffing import Staffing
from core.learn.metrics.scored import Array, Flags


@dataclass(frozen=True)
class Curve:
    """A figure over thresholds with its interval; (k,) each.

    Attributes:
        n: parts it rests on.
        edge: which threshold moves along it: "pass below" or "fail above".
    """

    thresholds: Array
    value: Array
    low: Array
    high: Array
    n: int
    edge: str

    def at(self, threshold: float) -> tuple[float, float, float]:
        """Value, low and high at the nearest threshold that was computed."""
        i = int(np.abs(self.thresholds - threshold).argmin())
        return float(self.value[i]), float(self.low[i]), float(self.high[i])


def grid(found: Past, most: int, *also: float) -> Array:
    """Thresholds worth drawing: equal steps of scores and equal steps of parts, and those asked for."""
    scores = found.scores[~np.isnan(found.scores)]
    steps = np.quantile(scores, np.linspace(0, 1, most // 2)) if len(scores) else np.zeros(0)
    return np.unique(np.r_[np.linspace(0, 1, most - len(steps)), steps, also])


def curves(
    found: Past, thresholds: Array, fail_above: float, prices: Prices, staffing: Staffing, confidence: float = 0.95
) -> dict[str, Curve]:
    """Six figures over the threshold that each depends on, the other edge staying where it is.

    Args:
        found: the parts of some weeks, with what is known of them.
        thresholds: (k,) rising.
        fail_above: the upper edge; a lower edge above it is drawn as if it were there.
        prices: of a miss, a false reject and a look.
        staffing: of the site.
        confidence: of every interval.

    Returns:
        "recall", "false rejects", "hold", "escapes", "cost per thousand" and "inspector-hours per shift".
    """
    bad, good = found.drawn & found.defective, found.drawn & ~found.defective
    lower = np.minimum(thresholds, fail_above)
    scores, weights = found.passing_scores, np.nan_to_num(found.weights, nan=1.0)
    missed, _ = _under(scores, weights, bad, thresholds)
    caught = _share(weights[bad].sum() - missed, weights[bad].sum(), _worth(weights[bad]), confidence)
    failing = _failed(found, weights, good, thresholds)
    rejected = _share(failing, weights[good].sum(), _worth(weights[good]), confidence)
    passed, squares = _under(scores, weights, found.drawn, thresholds)
    worth = np.divide(passed**2, squares, out=np.zeros_like(passed), where=squares > 0)
    escaped = _share(missed, passed, worth, confidence)
    everything = np.ones(found.n, bool)
    ones = np.ones(found.n)
    all_passed, _ = _under(scores, ones, everything, lower)
    all_failed = _failed(found, ones, everything, np.array([fail_above]))
    held = _share(found.n - all_passed - all_failed, float(found.n), float(found.n), confidence)
    drawn = float(weights[found.drawn].sum())
    low_missed, _ = _under(scores, weights, bad, lower)
    misses = _share(low_missed, drawn, _worth(weights[found.drawn]), confidence)
    false = _share(
        _failed(found, weights, good, np.array([fail_above])), drawn, _worth(weights[found.drawn]), confidence
    )
    cost = [1000 * (prices.miss * one + prices.false_reject * other + prices.look * look)
            for one, other, look in zip(misses, false, held, strict=True)]  # fmt: skip
    per_shift = staffing.parts_per_hour * 8.0 * staffing.seconds_per_look / 3600
    hours = [per_shift * one for one in held]
    counts = (int(bad.sum()), int(good.sum()), found.n, int(found.drawn.sum()), int(found.drawn.sum()), found.n)
    names = ("recall", "false rejects", "hold", "escapes", "cost per thousand", "inspector-hours per shift")
    made: Sequence[Sequence[Array]] = (caught, rejected, held, escaped, cost, hours)
    return {
        name: _curve(thresholds, lines, n, "fail above" if name == "false rejects" else "pass below")
        for name, lines, n in zip(names, made, counts, strict=True)
    }


def _curve(thresholds: Array, lines: Sequence[Array], n: int, edge: str) -> Curve:
    value, low, high = (np.broadcast_to(one, thresholds.shape) for one in lines)
    return Curve(thresholds, value, low, high, n, edge)


def _under(scores: Array, weights: Array, rows: Flags, thresholds: Array) -> tuple[Array, Array]:
    """Sums of weights and of their squares over rows that score under each threshold."""
    order = np.argsort(scores[rows], kind="stable")
    at = np.searchsorted(scores[rows][order], thresholds, side="left")
    sums = [np.r_[0.0, np.cumsum(one[rows][order])][at] for one in (weights, weights**2)]
    return sums[0], sums[1]


def _failed(found: Past, weights: Array, rows: Flags, thresholds: Array) -> Array:
    """Sums of weights over rows that fail at each upper threshold, whatever makes them."""
    always = rows & (found.given[:, 0] == FAIL)
    by_score = rows & ~always & (found.given[:, 2] == FAIL) & ~np.isnan(found.scores)
    order = np.argsort(found.scores[by_score], kind="stable")
    above = np.r_[np.cumsum(weights[by_score][order][::-1])[::-1], 0.0]
    at = np.searchsorted(found.scores[by_score][order], thresholds, side="right")
    return np.asarray(weights[always].sum() + above[at], np.float64)


def _worth(weights: Array) -> float:
    """Kish's effective number."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0


def _share(hits: Array, total: Array | float, worth: Array | float, confidence: float) -> tuple[Array, Array, Array]:
    """A weighted share with its interval; not a number, and anything from 0 to 1, where there is nothing to share."""
    total = np.broadcast_to(np.asarray(total, np.float64), np.shape(hits))
    value = np.divide(hits, total, out=np.full(np.shape(hits), np.nan), where=total > 0)
    worth = np.broadcast_to(np.asarray(worth, np.float64), np.shape(hits))
    low, high = exact_intervals(np.clip(np.nan_to_num(value), 0, 1) * worth, worth, confidence)
    return value, low, high
