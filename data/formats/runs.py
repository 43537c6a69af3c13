"""Masks as run lengths: COCO's two writings, Severstal's, and the regions inside a mask."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.records import Region, Rle

Mask = npt.NDArray[np.bool_]  # (h, w)
MAX_RUNS = 5_000_000


def rle_of(mask: Mask) -> Rle:
    """Run lengths of a mask, down the columns, starting with zeros."""
    flat = np.ravel(mask, order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    if flat.size and flat[0]:
        counts.insert(0, 0)
    return Rle((mask.shape[0], mask.shape[1]), tuple(counts))


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


def counts_of(text: str) -> tuple[int, ...]:
    """Run lengths from COCO's compressed writing: 5 bits a character, each count from the third on as a difference.

    Raises:
        BadInput: for characters that this writing does not use, or a text that ends inside a number.

    Source: pycocotools, rleFrString in common/maskApi.c.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text.encode("ascii", errors="replace"):
        bits = character - 48
        if not 0 <= bits < 64 or shift > 60 or len(counts) > MAX_RUNS:
            raise BadInput("A compressed mask is damaged: export it again.")
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    if shift or any(count < 0 for count in counts):
        raise BadInput("A compressed mask is damaged: export it again.")
    return tuple(counts)


def rle_of_runs(pairs: Sequence[int], width: int, height: int) -> Rle:
    """Run lengths from Severstal's start and length pairs, which count pixels from 1 down the columns.

    Raises:
        BadInput: where a run leaves the picture, or the runs overlap or are out of order.
    """
    counts: list[int] = []
    end = 0
    for start, length in zip(pairs[::2], pairs[1::2], strict=True):
        if length <= 0 or start - 1 < end or start - 1 + length > width * height:
            raise BadInput(f"Run {start} {length} does not fit a picture of {width}x{height} after pixel {end}.")
        if counts and start - 1 == end:
            counts[-1] += length
        else:
            counts += [start - 1 - end, length]
        end = start - 1 + length
    counts.append(width * height - end)
    return Rle((height, width), tuple(counts) if counts[-1] or len(counts) == 1 else tuple(counts[:-1]))


def regions_of_runs(pairs: Sequence[int], name: str, width: int, height: int) -> tuple[Region, ...]:
    """The connected parts of one class's pixels."""
    return regions_of_mask(mask_of(rle_of_runs(pairs, width, height)), name)


def regions_of_mask(mask: Mask, name: str) -> tuple[Region, ...]:
    """The connected parts (corners count) of a mask, each with its box and its own run lengths, top left first."""
    total, marked, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    found = []
    for number in range(1, total):
        x, y, width, height = (int(value) for value in stats[number, :4])
        inside = marked[y : y + height, x : x + width] == number
        found.append(Region(x, y, width, height, name, mask=rle_in_box(inside, x, y, mask.shape[1], mask.shape[0])))
    return tuple(sorted(found, key=lambda region: (region.y, region.x)))


def rle_in_box(inside: Mask, x: int, y: int, width: int, height: int) -> Rle:
    """Run lengths in a whole picture of a mask that is given for one box of it, without making the whole mask."""
    rows, columns = inside.shape
    padded = np.zeros((rows + 2, columns), np.int8)
    padded[1:-1] = inside
    steps = np.diff(padded, axis=0)  # 1 where a run starts in its column, -1 just past its end
    column, start = np.nonzero(steps.T == 1)
    _, end = np.nonzero(steps.T == -1)
    starts, ends = (x + column) * height + y + start, (x + column) * height + y + end
    joined = np.flatnonzero(starts[1:] == ends[:-1])  # a run over a whole column goes on in the next
    starts, ends = np.delete(starts, joined + 1), np.delete(ends, joined)
    edges = np.empty(2 * starts.size + 2, np.int64)
    edges[0], edges[1:-1:2], edges[2:-1:2], edges[-1] = 0, starts, ends, width * height
    counts = np.diff(edges).tolist()
    return Rle((height, width), tuple(counts if counts[-1] or len(counts) == 1 else counts[:-1]))


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


def area_of(rle: Rle) -> int:
    """Pixels that are set."""
    return sum(rle.counts[1::2])


def filled(regions: Iterable[Region], width: int, height: int) -> Mask:
    """The pixels of all regions together."""
    canvas = np.zeros((height, width), np.bool_)
    for region in regions:
        x, y, own = pixels_of(region, width, height)
        canvas[y : y + own.shape[0], x : x + own.shape[1]] |= own
    return canvas


def pixels_of(region: Region, width: int, height: int) -> tuple[int, int, Mask]:
    """A region's pixels: its mask where it has one, else its box to the nearest pixel; at least one is set.

    Returns:
        Left, top, and what is set from there on.
    """
    if isinstance(region.mask, Rle):
        whole = mask_of(region.mask)
        if whole.any():
            x1, y1, x2, y2 = (int(value) for value in bounds_of(region.mask))
            return x1, y1, whole[y1:y2, x1:x2]
    elif region.mask is not None:
        xs = [x for ring in region.mask.rings for x in ring[::2]]
        ys = [y for ring in region.mask.rings for y in ring[1::2]]
        left, right = pixel_span(np.floor(min(xs)), np.ceil(max(xs)), width)
        top, bottom = pixel_span(np.floor(min(ys)), np.ceil(max(ys)), height)
        own = np.zeros((bottom - top, right - left), np.bool_)
        for ring in region.mask.rings:
            own |= _inside(np.reshape(ring, (-1, 2)) - (left, top), own.shape)
        if own.any():
            return left, top, own
    x1, x2 = pixel_span(region.x, region.x + region.width, width)
    y1, y2 = pixel_span(region.y, region.y + region.height, height)
    return x1, y1, np.ones((y2 - y1, x2 - x1), np.bool_)


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


def binary(pixels: npt.NDArray[np.uint8]) -> Mask:
    """Which pixels of a mask picture (h, w, 3) are set.

    A few small values are class or region numbers, so that anything but 0 is set; otherwise it is black and white,
    perhaps softened by a lossy format, and the middle divides it.
    """
    brightest = pixels.max(axis=2)
    top = int(brightest.max(initial=0))
    return np.asarray(brightest > (0 if top < 64 else 127))


def layers(regions: Iterable[Region], width: int, height: int) -> list[Mask]:
    """As few masks as needed so that no two regions in one of them touch: read again, each is one region."""
    made: list[Mask] = []
    for region in regions:
        x, y, own = pixels_of(region, width, height)
        near = cv2.dilate(np.pad(own, 1).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
        top, left = max(0, y - 1), max(0, x - 1)
        near = near[top - (y - 1) :, left - (x - 1) :]
        for mask in made:
            around = mask[top : y + own.shape[0] + 1, left : x + own.shape[1] + 1]
            if not (around & near[: around.shape[0], : around.shape[1]]).any():
                break
        else:
            mask = np.zeros((height, width), np.bool_)
            made.append(mask)
        mask[y : y + own.shape[0], x : x + own.shape[1]] |= own
    return made
