"""k-center greedy, exact: the picks of the naive loop at a small part of its reading.

The naive loop keeps each point's distance to its nearest centre, picks the point where that is largest (the first of
several), adds it to the centres, and reads all points again for every pick:

    nearest = min over centres of squared(points, centre);  nearest of what is picked or not allowed = -1
    pick = nearest.argmax();  nearest = minimum(nearest, squared(points, points[pick]))

Distances to nearest centres only ever fall. So an old one is an upper bound, and a point has to be looked at again
only when no fresher point is surely farther. Points with the largest bounds are gathered, brought up to date in
blocks by matrix products, and picked from for as long as the farthest of them is surely farther than whatever was
left outside. A matrix product rounds otherwise than `squared` does, so every value is kept as an interval in which
the loop's own value provably lies; where two intervals overlap, the loop's own arithmetic decides.

Source: Gonzalez 1985 for the greedy; Minoux 1978 for lazy bounds; Higham 2002, section 3.1 for the rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.records import Floats

Wide = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Products = Callable[[Ints, Floats], Floats]  # rows of the points (k,) and vectors (c, d) to (k, c) float32 products

_NO_NUMBERS = "Embeddings hold values that are not finite or far too large: compute them again."
_UNIT = 2.0**-24  # rounding of float32
_LARGEST = 1e36  # squared lengths beyond this overflow on their way
_GATHERED = 0.06  # of the points' bytes: rows copied together to be picked from
_FEWEST, _MOST = 256, 2048  # rows of that copy
_CHUNK_BYTES = 2 << 20  # of rows looked at together
_BOUND_BYTES = 1 << 20  # of one array of bounds


def squared(points: Floats, centre: Floats) -> Floats:
    """Squared distances of (n, d) points to one (d,) centre, (n,) float32: the arithmetic of the naive loop.

    A row's value does not depend on the rows beside it.
    """
    difference = points - centre
    found: Floats = np.einsum("ij,ij->i", difference, difference)
    return found


def greedy_k_center(
    points: Floats,
    n: int,
    centres: Floats | None = None,
    first: int = 0,
    allowed: Flags | None = None,
    products: Products | None = None,
) -> tuple[Ints, Floats]:
    """Pick points so that the farthest one lies as near as a greedy choice brings it.

    Args:
        points: (m, d) float32; anything else is copied once.
        n: how many to pick, at most.
        centres: (c, d) that are there already, such as what is labelled.
        first: the first pick where there are no centres.
        allowed: (m,) what may be picked; None for all.
        products: matrix products elsewhere, such as on a graphics card, in float32 proper; None multiplies here.

    Returns:
        Rows of the picks in order, and the squared distance that each had to its nearest centre when it was picked
        (infinite for the first where there were no centres), as the naive loop has them.

    Raises:
        BadInput: for values that are not finite or too large, or shapes that do not fit.
    """
    held = np.ascontiguousarray(points, np.float32)
    if held.ndim != 2 or (centres is not None and centres.ndim == 2 and centres.shape[1] != held.shape[1]):
        raise BadInput(f"k-center takes (n, d) points and (c, d) centres, found {held.shape}: check the embeddings.")
    may = np.ones(len(held), bool) if allowed is None else np.asarray(allowed, bool)
    wanted = min(n, int(may.sum()))
    if wanted <= 0:
        return np.empty(0, np.intp), np.empty(0, np.float32)
    state = _State.start(held, may, wanted, centres, products)
    if not state.known:
        start = first if may[first] else int(np.flatnonzero(may)[0])
        state.take(start, np.inf)
    while len(state.picks) < wanted:
        state.go_on(wanted)
    return np.array(state.picks, np.intp), np.array(state.values, np.float32)


@dataclass
class _Centres:
    """Centres less the mean of the points, ready to be multiplied with.

    Attributes:
        mean: (d,) float64 that is a float32 vector; whatever it is, the bounds hold.
        shifted: (room, d); squares, lengths: (room,) of the centres less the mean; products: of the mean with them.
        known: how many of the rows are centres.
    """

    mean: Wide
    shifted: Floats
    squares: Wide
    lengths: Wide
    products: Wide
    known: int = 0

    def add(self, centre: Floats) -> None:
        """One more."""
        true = centre.astype(np.float64) - self.mean
        square = float(true @ true)
        if not square <= _LARGEST:
            raise BadInput(_NO_NUMBERS)
        self.shifted[self.known] = true
        self.squares[self.known] = square
        self.lengths[self.known] = np.sqrt(square) * (1 + 1e-6)
        self.products[self.known] = self.mean @ self.shifted[self.known].astype(np.float64)
        self.known += 1


@dataclass
class _State:
    """Bounds of each point's distance to its nearest centre.

    Attributes:
        given: (c, d) centres that were there before the first pick.
        low, high: (m,) between which the naive loop's value lies; -1 for what is picked or not allowed.
        seen: (m,) how many centres these know of.
        length: (m,) of the points; offset: (m,) squared length from the mean.
        gathered: how many rows are picked from together.
    """

    points: Floats
    given: Floats
    centres: _Centres
    low: Wide
    high: Wide
    seen: npt.NDArray[np.int32]
    length: Floats
    offset: Wide
    products: Products | None
    gathered: int
    picks: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @classmethod
    def start(cls, points: Floats, may: Flags, n: int, centres: Floats | None, products: Products | None) -> "_State":
        """Two readings of the points, for their mean and their lengths."""
        count, d = points.shape
        given = np.empty((0, d), np.float32) if centres is None else np.asarray(centres, np.float32).reshape(-1, d)
        step = max(1, _CHUNK_BYTES // (8 * d))
        total = np.zeros(d)
        for start in range(0, count, step):
            total += points[start : start + step].sum(axis=0, dtype=np.float64)
        mean = (total / count).astype(np.float32).astype(np.float64)
        offset, length = np.empty(count), np.empty(count, np.float32)
        for start in range(0, count, step):
            part = points[start : start + step].astype(np.float64)
            length[start : start + step] = np.sqrt(np.einsum("ij,ij->i", part, part)) * (1 + 1e-6)
            part -= mean
            offset[start : start + step] = np.einsum("ij,ij->i", part, part)
        if not (offset <= _LARGEST).all():
            raise BadInput(_NO_NUMBERS)
        room = len(given) + n
        state = cls(
            points, given,
            _Centres(mean, np.empty((room, d), np.float32), np.empty(room), np.empty(room), np.empty(room)),
            np.where(may, 0.0, -1.0), np.where(may, np.inf, -1.0), np.zeros(count, np.int32), length, offset, products,
            int(np.clip(_GATHERED * points.nbytes / (4 * d), _FEWEST, _MOST)),
        )  # fmt: skip
        for one in given:
            state.centres.add(one)
        return state

    @property
    def known(self) -> int:
        """How many centres there are."""
        return self.centres.known

    def centre(self, number: int) -> Floats:
        """(d,) one of them as it is."""
        found: Floats = (
            self.given[number] if number < len(self.given) else self.points[self.picks[number - len(self.given)]]
        )
        return found

    def take(self, row: int, value: float) -> None:
        """Pick a point: it is a centre now and never picked again."""
        self.picks.append(row)
        self.values.append(value)
        self.low[row] = self.high[row] = -1.0
        self.centres.add(self.points[row])

    def go_on(self, wanted: int) -> None:
        """Bring the farthest points up to date, and pick from them for as long as that is sure."""
        refresh = self.gathered
        while True:
            rows = self._farthest(self.gathered)
            stale = rows[self.seen[rows] < self.known]
            self.refresh(stale)
            outside, tie = self._outside(rows)
            if self.low[rows].max() > outside or not self._worth(rows, outside):
                break
            # Whole crowds may still stand where a centre has come since: more of them at once, each time.
            refresh *= 2
            crowd = self._farthest(refresh)
            self.refresh(crowd[self.seen[crowd] < self.known])
        self._pick(rows, outside, tie, wanted)

    def _worth(self, rows: Ints, outside: float) -> bool:
        """Whether anything outside stands so high only because it is out of date."""
        if len(rows) == len(self.high):
            return False
        mask = self.high >= self.low[rows].max()
        mask[rows] = False
        return bool((self.seen[mask] < self.known).any())

    def _farthest(self, count: int) -> Ints:
        """Rows with the largest upper bounds, ascending; of equal ones the first."""
        open_ones = int((self.high >= 0).sum())
        count = min(count, open_ones)
        if count == open_ones:
            return np.flatnonzero(self.high >= 0)
        edge = np.partition(self.high, len(self.high) - count)[len(self.high) - count]
        above = np.flatnonzero(self.high > edge)
        at = np.flatnonzero(self.high == edge)[: count - len(above)]
        return np.sort(np.concatenate([above, at]))

    def _outside(self, rows: Ints) -> tuple[float, int]:
        """The largest upper bound outside of some rows, and the first row that has it."""
        kept = self.high[rows]
        self.high[rows] = -1.0
        tie = int(self.high.argmax())
        outside = float(self.high[tie])
        self.high[rows] = kept
        return outside, tie

    def refresh(self, rows: Ints) -> None:
        """Bring bounds up to date with every centre."""
        if not len(rows):
            return
        order = rows[np.argsort(self.seen[rows], kind="stable")]  # rows that lack as much go together
        step = max(16, _CHUNK_BYTES // (4 * self.points.shape[1]))
        for start in range(0, len(order), step):
            some = np.sort(order[start : start + step])
            since = int(self.seen[some].min())
            wide = max(1, (_BOUND_BYTES // 8) // len(some))
            part = None if self.products is not None else self.points[some]
            for at in range(since, self.known, wide):
                until = min(at + wide, self.known)
                low, high = self._bounds(part, some, at, until)
                self.low[some] = np.minimum(self.low[some], low.min(axis=1))
                self.high[some] = np.minimum(self.high[some], high.min(axis=1))
            self.seen[some] = self.known

    def _bounds(self, part: Floats | None, rows: Ints, start: int, stop: int) -> tuple[Wide, Wide]:
        """(k, c) bounds of the naive loop's squared distances of rows to centres start to stop."""
        d = self.points.shape[1]
        shifted = self.centres.shifted[start:stop]
        found = self.products(rows, shifted) if part is None and self.products is not None else (
            (self.points[rows] if part is None else part) @ shifted.T
        )  # fmt: skip
        lengths = self.length[rows].astype(np.float64)[:, None] * self.centres.lengths[start:stop]
        true = found.astype(np.float64)
        true -= self.centres.products[start:stop]
        true *= -2
        base = self.offset[rows][:, None] + self.centres.squares[start:stop]
        true += base
        gamma = (d + 2) * _UNIT / (1 - (d + 2) * _UNIT)
        # Of the product, in whatever order it was summed; of the shifted centre; of the float64 around it.
        error = lengths * (2 * (gamma + 2 * _UNIT)) + (lengths + base) * 1e-12
        loop = (d + 4) * _UNIT / (1 - (d + 4) * _UNIT)  # of the naive loop itself: all its terms are positive
        tiny = d * 1e-37  # squares below this vanish in float32
        high = np.maximum(true + error, 0.0) * (1 + loop) + tiny
        low = np.maximum(np.maximum(true - error, 0.0) * (1 - loop) - tiny, 0.0)
        return low, high

    def _pick(self, rows: Ints, outside: float, tie: int, wanted: int) -> None:
        """Greedy among gathered rows while the farthest is surely farther than all outside."""
        part = self.points[rows]
        low, high = self.low[rows], self.high[rows]
        while len(self.picks) < wanted:
            best = low.max()
            if best < 0:
                break
            rivals = np.flatnonzero(high >= best)
            if len(rivals) > 1 or outside >= best:
                if high.max() < outside:
                    break
                self._settle(part, rows, low, high, rivals)
                best = low.max()
                rivals = np.flatnonzero(high >= best)
                if (high[rivals] > low[rivals]).any():
                    continue  # a rival has come up that is not settled yet
            at = int(rivals[0])  # rows ascend, so the first of equals
            if best < outside or (best == outside and tie < rows[at]):
                break
            value = float(best)
            if high[at] > low[at]:
                self._settle(part, rows, low, high, np.array([at]))
                value = float(low[at])
            self.take(int(rows[at]), value)
            low[at] = high[at] = -1.0
            new_low, new_high = self._bounds(part, rows, self.known - 1, self.known)
            np.minimum(low, new_low[:, 0], out=low)
            np.minimum(high, new_high[:, 0], out=high)
        self.low[rows], self.high[rows] = low, high
        self.seen[rows] = self.known

    def _settle(self, part: Floats, rows: Ints, low: Wide, high: Wide, which: Ints) -> None:
        """Replace bounds by the naive loop's own value, from the centres that can be the nearest."""
        which = which[high[which] > low[which]]
        step = max(1, _BOUND_BYTES // (8 * max(1, self.known)))
        for start in range(0, len(which), step):
            some = which[start : start + step]
            least, most = self._bounds(part[some], rows[some], 0, self.known)
            near = least <= most.min(axis=1, keepdims=True)
            values = np.full(len(some), np.inf)
            for centre in np.flatnonzero(near.any(axis=0)):
                mine = np.flatnonzero(near[:, centre])
                found = squared(part[some[mine]], self.centre(int(centre)))
                values[mine] = np.minimum(values[mine], found)
            low[some] = high[some] = values
