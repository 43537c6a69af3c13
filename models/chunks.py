"""Pictures cut into chunks of tiles that are computed together, and a picture's outputs put together again.

A chunk holds tiles of one size, of one or more pictures; however large a picture is, only so many of its tiles are cut
at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from core.pictures.tiling import Look, Plan, plan
from core.records import Floats, Pixels
from models.backends import TileOutputs
from models.preprocess import check_pixels, cut, whole, working_picture

PATCH_BYTES = 256 << 20  # of one picture's patches; one that has more is looked at again, some tiles at a time


@dataclass(eq=False)
class Picture:
    """One picture on its way."""

    plan: Plan
    size: int
    started: float
    left: int
    outputs: list[TileOutputs] = field(default_factory=list)
    kept: list[Pixels] = field(default_factory=list)
    patch_bytes: int = 0

    def take(self, outputs: TileOutputs) -> bool:
        """Keep the outputs of its next tiles; says whether they were the last ones."""
        if outputs.patches is not None:
            self.patch_bytes += outputs.patches.nbytes
            if self.patch_bytes > PATCH_BYTES:
                self.outputs = [one._replace(patches=None) for one in self.outputs]
                outputs = outputs._replace(patches=None)
        self.outputs.append(outputs)
        self.left -= len(outputs.logits)
        return self.left == 0


@dataclass(eq=False)
class Chunk:
    """Tiles of one or more pictures, handed over together."""

    tiles: Pixels
    count: int = 0
    shares: list[tuple[Picture, int]] = field(default_factory=list)


def chunks(pairs: Iterable[tuple[Pixels, Look]], room: int, keep_tiles: bool) -> Iterator[Chunk]:
    """Cut pictures into full chunks; a chunk holds tiles of one size."""
    chunk: Chunk | None = None
    for pixels, look in pairs:
        check_pixels(pixels)
        cut_at = plan(pixels.shape[1], pixels.shape[0], look)
        picture = Picture(cut_at, look.tile, perf_counter(), cut_at.count)
        if chunk is not None and chunk.tiles.shape[1] != look.tile:
            yield chunk
            chunk = None
        working = working_picture(pixels, cut_at.working_wh)
        done = 0
        while done < cut_at.count:
            if chunk is None:
                chunk = Chunk(np.empty((room, look.tile, look.tile, 3), np.uint8))
            count = min(room - chunk.count, cut_at.count - done)
            room_for = chunk.tiles[chunk.count : chunk.count + count]
            _cut_into(room_for, working, pixels, cut_at, done)
            if keep_tiles:
                picture.kept.append(room_for)
            chunk.shares.append((picture, count))
            chunk.count += count
            done += count
            if chunk.count == room:
                yield chunk
                chunk = None
    if chunk is not None:
        yield chunk


def _cut_into(room: Pixels, working: Pixels, pixels: Pixels, cut_at: Plan, first: int) -> None:
    """Fill `room` with tiles `first` and on."""
    ordinary = cut_at.boxes[first : first + len(room)]
    if len(ordinary):
        cut(working, ordinary, room[: len(ordinary)])
    if len(ordinary) < len(room):
        room[-1] = whole(pixels, room.shape[1])


def part(outputs: TileOutputs, first: int, last: int) -> TileOutputs:
    """The outputs of some of the tiles."""
    logits, cam, dense, features, patches = outputs
    return TileOutputs(
        logits[first:last],
        None if cam is None else cam[first:last],
        None if dense is None else dense[first:last],
        features[first:last],
        None if patches is None else patches[first:last],
    )


def joined_parts(parts: Sequence[TileOutputs]) -> TileOutputs:
    """The parts of one picture, one after the other; either all have a map or none has."""
    if len(parts) == 1:
        return parts[0]
    return TileOutputs(
        np.concatenate([p.logits for p in parts]),
        _together([p.cam for p in parts]),
        _together([p.dense for p in parts]),
        np.concatenate([p.features for p in parts]),
        _together([p.patches for p in parts]),
    )


def _together(parts: Sequence[Floats | None]) -> Floats | None:
    found = [one for one in parts if one is not None]
    return np.concatenate(found) if found else None
