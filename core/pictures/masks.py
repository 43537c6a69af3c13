"""Masks as pixels: of run lengths, of outlines, of boxes; a pixel belongs to an outline that its middle lies in."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.records import Region, Rle

Mask = npt.NDArray[np.bool_]  # (h, w)


class Patch(NamedTuple):
    """The pixels of one region, in the smallest rectangle that holds them.

    Attributes:
        left, top: of the rectangle, in picture pixels.
        inside: (h, w) which pixels are the region's.
    """

    left: int
    top: int
    inside: Mask


def mask_of(rle: Rle) -> Mask:
    """The mask of run lengths.

    Raises:
        BadInput: where they do not add up to the size.
    """
    height, width = rle.size_hw
    counts = np.asarray(rle.counts, dtype=np.int64)
    if (counts.size and counts.min() < 0) or int(counts.sum()) != height * width:
        raise BadInput(f"Run lengths add up to {int(counts.sum())}, the picture has {height * width} pixels.")
    values = np.arange(counts.size) % 2 == 1
    return np.repeat(values, counts).reshape((height, width), order="F")


def bounds_of(rle: Rle) -> tuple[float, float, float, float]:
    """The smallest box (x1, y1, x2, y2) around a mask.

    Raises:
        BadInput: for an empty mask.
    """
    mask = mask_of(rle)
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not ys.size:
        raise BadInput("A mask has no pixel set: draw it again.")
    return float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)


def filled(regions: Iterable[Region], width: int, height: int) -> Mask:
    """The pixels of all regions together."""
    return together((pixels_of(region, width, height) for region in regions), width, height)


def pixels_of(region: Region, width: int, height: int) -> Patch:
    """A region's pixels: its mask where it has one, else its box to the nearest pixel; at least one is set."""
    if isinstance(region.mask, Rle):
        whole = mask_of(region.mask)
        if whole.any():
            x1, y1, x2, y2 = (int(value) for value in bounds_of(region.mask))
            return Patch(x1, y1, whole[y1:y2, x1:x2])
    elif region.mask is not None:
        xs = [x for ring in region.mask.rings for x in ring[::2]]
        ys = [y for ring in region.mask.rings for y in ring[1::2]]
        left, right = pixel_span(np.floor(min(xs)), np.ceil(max(xs)), width)
        top, bottom = pixel_span(np.floor(min(ys)), np.ceil(max(ys)), height)
        own = np.zeros((bottom - top, right - left), np.bool_)
        for ring in region.mask.rings:
            own |= _inside(np.reshape(ring, (-1, 2)) - (left, top), own.shape)
        if own.any():
            return Patch(left, top, own)
    x1, x2 = pixel_span(region.x, region.x + region.width, width)
    y1, y2 = pixel_span(region.y, region.y + region.height, height)
    return Patch(x1, y1, np.ones((y2 - y1, x2 - x1), np.bool_))


def _inside(ring: npt.NDArray[np.float64], shape: tuple[int, int]) -> Mask:
    """Which pixel centres lie inside one ring (n, 2): those with an odd number of edges to their left."""
    crossings = np.zeros((shape[0], shape[1] + 1), np.int32)
    rows = np.arange(shape[0])
    for (x1, y1), (x2, y2) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        crossed = rows[(rows + 0.5 >= min(y1, y2)) & (rows + 0.5 < max(y1, y2))]
        x = x1 + (crossed + 0.5 - y1) * (x2 - x1) / (y2 - y1)
        np.add.at(crossings, (crossed, np.clip(np.ceil(x - 0.5), 0, shape[1]).astype(np.intp)), 1)
    return np.asarray(np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1)


def pixel_span(start: float, end: float, limit: int) -> tuple[int, int]:
    """The nearest whole pixels of an interval, at least one and inside the picture."""
    first = min(max(int(np.floor(start + 0.5)), 0), limit - 1)
    return first, min(max(int(np.floor(end + 0.5)), first + 1), limit)


def overlaps(found: Sequence[Patch], drawn: Sequence[Patch]) -> npt.NDArray[np.float64]:
    """(n, m) shared pixels over joint pixels, in [0, 1]."""
    shared = np.array([[_shared(one, other) for other in drawn] for one in found], np.float64)
    shared = shared.reshape(len(found), len(drawn))
    joint = areas(found)[:, None] + areas(drawn)[None, :] - shared
    return np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0)


def areas(patches: Sequence[Patch]) -> npt.NDArray[np.float64]:
    """(n,) pixels of each."""
    return np.array([one.inside.sum() for one in patches], np.float64)


def together(patches: Iterable[Patch], width: int, height: int) -> Mask:
    """(h, w) the pixels of all of them."""
    canvas = np.zeros((height, width), np.bool_)
    for left, top, inside in patches:
        canvas[top : top + inside.shape[0], left : left + inside.shape[1]] |= inside
    return canvas


def _shared(one: Patch, other: Patch) -> int:
    left, top = max(one.left, other.left), max(one.top, other.top)
    right = min(one.left + one.inside.shape[1], other.left + other.inside.shape[1])
    bottom = min(one.top + one.inside.shape[0], other.top + other.inside.shape[0])
    if right <= left or bottom <= top:
        return 0
    mine = one.inside[top - one.top : bottom - one.top, left - one.left : right - one.left]
    theirs = other.inside[top - other.top : bottom - other.top, left - other.left : right - other.left]
    return int((mine & theirs).sum())
