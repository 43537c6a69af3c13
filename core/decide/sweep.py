"""Every threshold at once, as exact counts: one sort, and a slider's numbers are then two look-ups.

A score in [0, 1] is a non-negative float, whose bits order as an integer does; its highest bit is free. Shifted left
by one, it has room for the label, so that one sort of integers puts scores and labels in order and loses nothing.
Beside the sort, most of the time goes into fresh memory, so every pass writes where an array is already.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from core.errors import BadInput
from core.learn.metrics import Counts
from core.learn.metrics.scored import Array, Flags

Numbers = npt.NDArray[np.int32] | npt.NDArray[np.int64]  # the narrow one where it can count them all
_NARROW = np.iinfo(np.int32).max
_BUCKETS, _BLOCK = 1 << 18, 256
_FEW, _MANY = 10_000, 16 * _BUCKETS  # fewer are sorted at once anyway; of more, too many share a bucket


@dataclass(frozen=True)
class Cells:
    """Parts by what was decided and what they were: whole numbers, or weights where parts stand for others."""

    passed_good: float
    passed_bad: float
    held_good: float
    held_bad: float
    failed_good: float
    failed_bad: float

    @property
    def bad(self) -> float:
        return self.passed_bad + self.held_bad + self.failed_bad

    @property
    def good(self) -> float:
        return self.passed_good + self.held_good + self.failed_good

    @property
    def n(self) -> float:
        return self.bad + self.good

    @property
    def passed(self) -> float:
        return self.passed_good + self.passed_bad

    @property
    def held(self) -> float:
        return self.held_good + self.held_bad

    @property
    def failed(self) -> float:
        return self.failed_good + self.failed_bad

    @property
    def flagged(self) -> Counts:
        """As good and defective, passed and not: what is held counts as flagged, because a person will find it."""
        cells = (self.held_bad + self.failed_bad, self.passed_bad, self.held_good + self.failed_good, self.passed_good)
        return Counts(*(round(one) for one in cells))


@dataclass(frozen=True)
class Sweep:
    """Counts at every distinct score.

    Attributes:
        levels: (k,) the distinct scores, rising.
        below: (k + 1,) how many examples score under `levels[i]`; the last one is all of them.
        bad_below: (k + 1,) how many of those are defective.
    """

    levels: Array
    below: Numbers
    bad_below: Numbers

    @property
    def n(self) -> float:
        """Whole, but for weights."""
        return float(self.below[-1])

    @property
    def bad(self) -> float:
        return float(self.bad_below[-1])

    @property
    def good(self) -> float:
        return self.n - self.bad

    def under(self, thresholds: npt.ArrayLike) -> tuple[Array, Array]:
        """How many good and how many defective examples score under each threshold."""
        at = np.searchsorted(self.levels, np.asarray(thresholds, np.float64), side="left")
        return _floats(self.below[at] - self.bad_below[at]), _floats(self.bad_below[at])

    def over(self, thresholds: npt.ArrayLike) -> tuple[Array, Array]:
        """How many good and how many defective examples score over each threshold."""
        at = np.searchsorted(self.levels, np.asarray(thresholds, np.float64), side="right")
        all_over, bad_over = self.n - self.below[at], self.bad - self.bad_below[at]
        return _floats(all_over - bad_over), _floats(bad_over)

    def cells(self, pass_below: float, fail_above: float) -> Cells:
        """What a band does: under the first passes, over the second fails, the rest, both edges included, is held."""
        if pass_below > fail_above:
            raise BadInput(f"A band from {pass_below} to {fail_above} is turned round: give the smaller score first.")
        good_under, bad_under = (float(one) for one in self.under(pass_below))
        good_over, bad_over = (float(one) for one in self.over(fail_above))
        return Cells(good_under, bad_under, self.good - good_under - good_over, self.bad - bad_under - bad_over,
                     good_over, bad_over)  # fmt: skip

    def precision_recall(self) -> tuple[Array, Array, Array]:
        """Precision, recall and threshold of flagging at each level and above, as scikit-learn gives them.

        Returns:
            (k + 1,), (k + 1,) and (k,); the last precision is 1 and the last recall 0, of flagging nothing.
        """
        precision, recall = np.empty(len(self.below)), np.empty(len(self.below))
        at, caught = precision[:-1], recall[:-1]
        precision[-1], recall[-1] = 1.0, 0.0
        np.subtract(self.bad, self.bad_below[:-1], out=caught)
        np.subtract(self.n, self.below[:-1], out=at)
        np.divide(caught, at, out=at)
        if self.bad:
            caught /= self.bad
        else:
            caught[:] = 1.0
        return precision, recall, self.levels

    def shown(self, most: int = 400) -> Array:
        """Thresholds worth drawing: both ends, and levels so that each step moves about as many examples."""
        if len(self.levels) <= most:
            inner = self.levels
        else:
            ranks = np.linspace(0, self.n * (1 - 1e-9), most)
            inner = self.levels[np.searchsorted(self.below, ranks, side="right") - 1]
        return np.unique(np.r_[0.0, inner, 1.0])


def sweep(scores: npt.ArrayLike, defective: npt.ArrayLike) -> Sweep:
    """Sort once, count everything.

    Args:
        scores: (n,) in [0, 1]; float32 is sorted as such, which is quicker.
        defective: (n,) boolean.

    Raises:
        BadInput: lengths differ, or a score is outside [0, 1] or not a number.
    """
    s, d = np.asarray(scores).ravel(), np.asarray(defective, dtype=bool).ravel()
    if len(s) != len(d):
        raise BadInput(f"{len(s)} scores but {len(d)} labels: give one label for each score.")
    if s.dtype != np.float32:
        s = s.astype(np.float64, copy=False)
    if len(s) and not (s.min() >= 0 and s.max() <= 1):  # false for NaN too
        raise BadInput("A score lies outside 0 to 1 or is no number: only calibrated probabilities can be swept.")
    return Sweep(*_counted(_sorted(s, d), s.dtype))


def weighted_sweep(scores: npt.ArrayLike, defective: npt.ArrayLike, weights: npt.ArrayLike) -> Sweep:
    """The same of examples that stand for others: sums of weights in the place of counts."""
    s, d = np.asarray(scores, np.float64).ravel(), np.asarray(defective, dtype=bool).ravel()
    w = np.asarray(weights, np.float64).ravel()
    plain = sweep(s, d)
    if len(w) != len(s):
        raise BadInput(f"{len(s)} scores but {len(w)} weights: give one weight for each score.")
    order = np.argsort(s, kind="stable")
    at = plain.below.astype(np.intp)
    all_below, bad_below = (np.r_[0.0, np.cumsum(some[order])][at] for some in (w, w * d))
    return Sweep(plain.levels, all_below, bad_below)


def _floats(counts: npt.NDArray[Any]) -> Array:
    return np.asarray(counts, np.float64)


def _sorted(s: npt.NDArray[np.floating], d: Flags) -> npt.NDArray[Any]:
    """Scores with their labels in the lowest bit, in the order of the scores; of one score, labels in any order."""
    whole = np.int32 if s.dtype == np.float32 else np.int64
    keys: npt.NDArray[Any] = np.left_shift(s.view(whole), 1)  # -0, whose sign goes out at the top, becomes +0
    lowest = keys.view(np.int8)[:: keys.itemsize]  # the lowest byte, on every machine this runs on
    lowest |= d.view(np.int8)
    if not _FEW <= len(s) <= _MANY:
        keys.sort()
        return keys
    keys = _nearly_sorted(keys, s)
    if ((keys[1:] >> 1) < (keys[:-1] >> 1)).any():  # so many scores lay close together
        keys.sort()
    return keys


def _nearly_sorted(keys: npt.NDArray[Any], s: npt.NDArray[np.floating]) -> npt.NDArray[Any]:
    """The keys by buckets of their scores' roots, and sorted where none is half a block or more from its place.

    One sort of a million keys takes 51 ms where numpy has AVX-512 on a Zen 4, whose compressing store is slow; this
    takes a quarter of it. The stable counting sort is that of a sparse row whose columns are the buckets. Blocks, and
    after them blocks that begin in the middle of those, set right whatever is less than half a block away.
    """
    bucket = (np.sqrt(s) * s.dtype.type(_BUCKETS - 1)).astype(np.int32)
    row = sparse.csr_array((keys, bucket, np.array([0, len(s)], np.int32)), shape=(1, _BUCKETS))
    found: npt.NDArray[Any] = row.tocsc().data
    for start in (0, _BLOCK // 2):
        end = start + (len(found) - start) // _BLOCK * _BLOCK
        found[start:end].reshape(-1, _BLOCK).sort(axis=1)
        found[end:].sort()
    return found


def _counted(keys: npt.NDArray[Any], kind: np.dtype[Any]) -> tuple[Array, Numbers, Numbers]:
    """Levels, and what lies under each of them.

    Args:
        keys: (n,) rising; they are used up.
        kind: of the scores in them.
    """
    n = len(keys)
    count: Any = np.int32 if n < _NARROW else np.int64
    bad_below = np.zeros(n + 1, count)
    np.cumsum(keys.view(np.int8)[:: keys.itemsize] & np.int8(1), out=bad_below[1:])
    keys >>= 1
    s = keys.view(kind)
    if not n:
        return np.zeros(0), bad_below, bad_below
    changes = keys[1:] != keys[:-1]
    if changes.all():  # the usual case without ties needs no gathering
        return s.astype(np.float64, copy=False), np.arange(n + 1, dtype=count), bad_below
    first = np.flatnonzero(np.concatenate(([True], changes)))
    below = np.empty(len(first) + 1, count)
    below[:-1], below[-1] = first, n
    return s[first].astype(np.float64, copy=False), below, bad_below[below]
