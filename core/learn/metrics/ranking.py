"""How well scores put defective above good: the AUROC, the curves, and the recall at a false-reject rate."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.learn.metrics.scored import Array, Flags, checked


def auroc(scores: npt.ArrayLike, defective: npt.ArrayLike) -> float | None:
    """Chance that a defective example scores above a good one; ties count half."""
    s, d = checked(scores, defective)
    bad, good = int(d.sum()), int((~d).sum())
    if not bad or not good:
        return None
    ranks = stats.rankdata(s)
    return float((ranks[d].sum() - bad * (bad + 1) / 2) / (bad * good))


class Curve(NamedTuple):
    """Two rates over falling thresholds; `thresholds[i]` is the lowest score that point i still flags."""

    x: Array
    y: Array
    thresholds: Array


def roc_curve(scores: npt.ArrayLike, defective: npt.ArrayLike) -> Curve | None:
    """False-reject rate (x) against recall (y), from nothing flagged to everything flagged."""
    s, d = checked(scores, defective)
    if not d.any() or d.all():
        return None
    flagged, caught, levels = _steps(s, d)
    false = flagged - caught
    return Curve(
        np.r_[0.0, false / false[-1]], np.r_[0.0, caught / caught[-1]], np.r_[np.inf, levels].astype(np.float64)
    )


def precision_recall_curve(scores: npt.ArrayLike, defective: npt.ArrayLike) -> Curve | None:
    """Recall (x) against precision (y) at each distinct score; None where nothing is defective."""
    s, d = checked(scores, defective)
    if not d.any():
        return None
    flagged, caught, levels = _steps(s, d)
    return Curve(caught / caught[-1], caught / flagged, levels)


def _steps(s: Array, d: Flags) -> tuple[Array, Array, Array]:
    """How many are flagged, how many of them are defective, and the threshold, at each distinct score from the top."""
    order, last = distinct(s)
    return (last + 1).astype(np.float64), np.cumsum(d[order])[last].astype(np.float64), s[order][last]


def distinct(s: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The order from the highest score down, and the last place of each distinct score in it."""
    order = np.argsort(-s, kind="stable")
    return order, np.r_[np.flatnonzero(np.diff(s[order])), len(s) - 1]


def average_precision(scores: npt.ArrayLike, defective: npt.ArrayLike) -> float | None:
    """Area under the precision-recall curve as a step function; the prevalence for a random order."""
    curve = precision_recall_curve(scores, defective)
    if curve is None:
        return None
    return float(np.sum(np.diff(np.r_[0.0, curve.x]) * curve.y))


class OperatingPoint(NamedTuple):
    """What one threshold does; an example is flagged at `threshold` and above."""

    threshold: float
    recall: float
    false_reject_rate: float


def recall_at_false_reject_rate(
    scores: npt.ArrayLike, defective: npt.ArrayLike, rate: float = 0.05
) -> OperatingPoint | None:
    """The best recall of any threshold that flags at most `rate` of the good examples.

    Equal scores are flagged together or not at all, so a model that says the same of everything gets 0.
    """
    curve = roc_curve(scores, defective)
    if curve is None:
        return None
    i = int(np.flatnonzero(curve.x <= rate + 1e-12)[-1])
    return OperatingPoint(float(curve.thresholds[i]), float(curve.y[i]), float(curve.x[i]))
