"""Masks as run lengths: COCO's two writings, Severstal's, and the regions inside a mask."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.pictures.masks import Mask, mask_of, pixels_of
from core.records import Region, Rle

MAX_RUNS = 5_000_000


def rle_of(mask: Mask) -> Rle:
    """Run lengths of a mask, down the columns, starting with zeros."""
    flat = np.ravel(mask, order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    if flat.size and flat[0]:
        counts.insert(0, 0)
    return Rle((mask.shape[0], mask.shape[1]), tuple(counts))


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


def area_of(rle: Rle) -> int:
    """Pixels that are set."""
    return sum(rle.counts[1::2])


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
