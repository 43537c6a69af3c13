"""Where nets run: one interface, one file for each back end.

A back end takes uint8 tiles and gives logits and maps. Tiles are handed over, and their outputs taken back in the
same order, so that a picture can be cut while the one before it is computed. Back ends may be used from several
threads.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, NamedTuple, Protocol

import numpy as np

from core.errors import ModelError
from core.records import Floats, Pixels

Precision = Literal["float32", "bfloat16"]


class TileOutputs(NamedTuple):
    """Of n tiles, float32.

    Attributes:
        logits: (n, 1 + k) defect logit, then class logits.
        cam: (n, gh, gw) Grad-CAM, unscaled; None where the net does not give it in the same pass.
        dense: (n, gh, gw) logits; None without the dense head.
        features: (n, c) pooled, from which the logits come.
        patches: (n, gh, gw, c) of the trunk's middle layers; None where they were not asked for.
    """

    logits: Floats
    cam: Floats | None
    dense: Floats | None
    features: Floats
    patches: Floats | None = None


class Lane(Protocol):
    """Room for one batch of fixed size on its way through the net."""

    def start(self, tiles: Pixels) -> None:
        """Begin with (batch, size, size, 3) tiles; they stay untouched until `finish`."""

    def finish(self) -> tuple[Floats, ...]:
        """Wait and give (logits, cam?, dense?, features, patches?); valid until the next start."""


@dataclass(eq=False)
class Ticket:
    """Tiles handed over, and what has come of them so far."""

    tiles: Pixels
    waiting: int = 0
    outputs: list[Floats] = field(default_factory=list)
    error: ModelError | None = None


@dataclass(eq=False)
class _Flight:
    lane: Lane
    shape: tuple[int, int]  # batch, size
    ticket: Ticket
    tiles: Pixels
    first: int
    count: int


class BackEnd:
    """Tiles in, outputs out, in batches of a few fixed sizes: every new shape would cost a compilation.

    Attributes:
        name: one sentence for the page and for `doctor`.
        precision: what it computes in.
        buckets: batch sizes, smallest first.
        has_cam, has_dense: which maps come with the logits.
        levels: of the trunk whose patches come, too; none where it is empty.
    """

    def __init__(
        self,
        name: str,
        precision: Precision,
        buckets: Sequence[int],
        lanes: Callable[[int, int], Sequence[Lane]],
        has_cam: bool,
        has_dense: bool,
        levels: Sequence[int] = (),
    ) -> None:
        """`lanes` makes the lanes of one (batch, tile size); it is called on the first tiles of that size."""
        self.name, self.precision, self.buckets = name, precision, tuple(sorted(buckets))
        self.has_cam, self.has_dense, self.levels = has_cam, has_dense, tuple(levels)
        self._make_lanes = lanes
        self._free: dict[tuple[int, int], list[Lane]] = {}
        self._flights: deque[_Flight] = deque()
        self._lock = Lock()

    def run(self, tiles: Pixels) -> TileOutputs:
        """(n, size, size, 3) tiles, n of 1 or more; the outputs in the same order."""
        return self.collect(self.submit(tiles))

    def submit(self, tiles: Pixels) -> Ticket:
        """Hand over (n, size, size, 3) tiles; they must stay untouched until collected.

        Raises:
            ModelError: the back end failed.
        """
        ticket = Ticket(tiles)
        with self._lock:
            for first, count, bucket in batches(len(tiles), self.buckets):
                self._start(ticket, first, count, bucket)
        return ticket

    def collect(self, ticket: Ticket) -> TileOutputs:
        """Wait for what was handed over.

        Raises:
            ModelError: the back end failed, or an output is NaN or infinite.
        """
        with self._lock:
            while ticket.waiting:
                self._finish_oldest()
        if ticket.error is not None:
            raise ticket.error
        if not all(np.isfinite(values).all() for values in ticket.outputs):
            raise ModelError("The net answers with NaN or infinity: the part goes to a person, check the model.")
        first, *rest = ticket.outputs
        patches = rest.pop() if self.levels else None
        features = rest.pop() if rest else first
        cam = rest.pop(0) if self.has_cam else None
        return TileOutputs(first, cam, rest.pop() if self.has_dense else None, features, patches)

    def warm_up(self, size: int) -> None:
        """Compile every batch size for one tile size, ahead of the first picture."""
        for bucket in self.buckets:
            self.run(np.zeros((bucket, size, size, 3), np.uint8))

    def _start(self, ticket: Ticket, first: int, count: int, bucket: int) -> None:
        shape = (bucket, ticket.tiles.shape[1])
        if shape not in self._free:
            self._free[shape] = list(self._make_lanes(*shape))
        while not self._free[shape]:
            self._finish_oldest()
        tiles = ticket.tiles[first : first + count]
        if count < bucket:
            tiles = np.concatenate([tiles, np.zeros((bucket - count, *tiles.shape[1:]), np.uint8)])
        lane = self._free[shape].pop()
        try:
            lane.start(tiles)
        except ModelError:
            self._free[shape].append(lane)
            raise
        ticket.waiting += 1
        self._flights.append(_Flight(lane, shape, ticket, tiles, first, count))

    def _finish_oldest(self) -> None:
        flight = self._flights.popleft()
        ticket = flight.ticket
        ticket.waiting -= 1
        try:
            outputs = flight.lane.finish()
            if not ticket.outputs:
                ticket.outputs = [np.full((len(ticket.tiles), *o.shape[1:]), np.nan, np.float32) for o in outputs]
            for kept, output in zip(ticket.outputs, outputs, strict=True):
                kept[flight.first : flight.first + flight.count] = output[: flight.count]
        except ModelError as error:
            ticket.error = error  # it belongs to whoever handed these tiles over, not to whoever waits now
        finally:
            self._free[flight.shape].append(flight.lane)


def batches(count: int, buckets: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(first, count, bucket) of each batch; what is left over goes into the smallest bucket that holds it."""
    first = 0
    while first < count:
        left = count - first
        bucket = min((b for b in buckets if b >= left), default=max(buckets))
        yield first, min(left, bucket), bucket
        first += bucket
