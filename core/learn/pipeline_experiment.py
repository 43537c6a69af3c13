"""What one row of the experiments table says: figures with their intervals, counted by part, and two rows compared."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.errors import BadInput
from core.learn.evaluation import THRESHOLD
from core.learn.metrics import Counts, Interval, by_group, count, proportion_interval
from core.learn.paired import Paired, compare

CONFIDENCE = 0.95
P = 0.99


def figure(value: float | None, interval: Interval | None, n: int) -> dict[str, Any]:
    """A value, its 95% interval and how many it rests on."""
    return {"value": value, "interval": None if interval is None else list(interval), "n": n}


def figures(pictures: Sequence[Mapping[str, Any]], averaged: Collection[str] = ()) -> dict[str, Any]:
    """Accuracy, precision, recall and F1 of the parts, and recall, precision and F1 of each class.

    Args:
        pictures: rows of an evaluation: group, defective, classes, score, said, and view where it is known.
        averaged: parts whose pictures without a named view are exposures of one view.
    """
    scores, defective = _parts(pictures, averaged)
    counts = count(scores >= THRESHOLD, defective)
    names = sorted({str(name) for one in pictures for name in one["classes"]})
    return {**rates(counts), "parts": counts.n, "per_class": {name: _of_class(pictures, name) for name in names}}


def rates(counts: Counts) -> dict[str, Any]:
    """The four rates of a table of good and defective, each with its exact interval.

    F1 is 2J / (1 + J) of J, the share of true positives among all that is defective or flagged; J is a plain share of
    these, so the ends of its Clopper-Pearson interval give those of F1.
    """
    right, any_of = counts.tp + counts.tn, counts.tp + counts.fp + counts.fn
    between = proportion_interval(counts.tp, any_of, CONFIDENCE)
    f1 = None if between is None else Interval(_f1(between.low), _f1(between.high))
    return {
        "accuracy": _share(right, counts.n),
        "precision": _share(counts.tp, counts.tp + counts.fp),
        "recall": _share(counts.tp, counts.tp + counts.fn),
        "f1": figure(counts.f(1), f1, any_of),
    }


def paired(
    new: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]], averaged: Collection[str] = ()
) -> Paired:
    """Two models on the same pictures, part by part.

    Raises:
        BadInput: they were measured on different pictures, or with different labels.
    """
    if _key(new) != _key(old):
        raise BadInput("The two models were measured on different pictures or labels: measure both on the same data.")
    by_file = {str(one["file"]): one for one in old}
    right = []
    for rows in (new, [by_file[str(one["file"])] for one in new]):
        scores, defective = _parts(rows, averaged)
        right.append((scores >= THRESHOLD) == defective)
    return compare(*right)


def slowest(milliseconds: Sequence[float], p: float = P, confidence: float = CONFIDENCE) -> dict[str, Any]:
    """A high percentile with an interval from order statistics; its upper end is open where there are too few.

    Source: Conover 1999, "Practical Nonparametric Statistics", section 3.2.
    """
    values = np.sort(np.asarray(milliseconds, np.float64))
    n = len(values)
    if n == 0 or not np.isfinite(values).all():
        return figure(None, None, 0)
    tail = (1 - confidence) / 2
    low = int(stats.binom.ppf(tail, n, p))
    high = int(stats.binom.ppf(1 - tail, n, p)) + 1
    value = float(values[min(n, math.ceil(p * n)) - 1])
    upper = float(values[high - 1]) if high <= n else math.inf
    found = figure(value, None, n)
    found["interval"] = [float(values[low - 1]) if low else 0.0, upper if math.isfinite(upper) else None]
    return found


def _parts(
    pictures: Sequence[Mapping[str, Any]], averaged: Collection[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    found = by_group(
        [one["score"] for one in pictures],
        [bool(one["defective"]) for one in pictures],
        [str(one["group"]) for one in pictures],
        [one.get("view") for one in pictures],
        averaged,
    )
    return found.scores, found.defective


def _of_class(pictures: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """By picture: a class is claimed where it is the likeliest of a flagged one."""
    has = [name in one["classes"] for one in pictures]
    said = [one["said"] == name for one in pictures]
    found = rates(count(said, has))
    del found["accuracy"]  # of a rare class it is always high
    return {**found, "n": sum(has)}


def _share(part: int, whole: int) -> dict[str, Any]:
    return figure(part / whole if whole else None, proportion_interval(part, whole, CONFIDENCE), whole)


def _f1(share: float) -> float:
    return 2 * share / (1 + share)


def _key(pictures: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, bool]]:
    return {str(one["file"]): (str(one["group"]), bool(one["defective"])) for one in pictures}
