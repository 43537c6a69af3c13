"""The interface of a reader, and the ways in which one picture is read until enough is known.

Print of dots is read better when blurred a little, curved and noisy print worse: both ways are tried, and of each line
the surer reading is kept. Labels stick on boxes any way round, so quarter turns come next.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

import cv2
import numpy as np

from core.pictures.boxes import iou
from core.records import Pixels
from core.words.prints import Print, in_reading_order

BLUR = 1.2  # pixels, standard deviation
SAME_LINE = 0.5  # overlap of boxes, intersection over union
BETTER = 1.5  # how much more a turned picture has to say to be the one that stands upright


class Way(StrEnum):
    """One way to look at a picture."""

    RAW = "raw"
    BLURRED = "blurred"
    HALF = "half turn"
    RIGHT = "turned right"
    LEFT = "turned left"


_TURNS = {
    Way.HALF: cv2.ROTATE_180,
    Way.RIGHT: cv2.ROTATE_90_CLOCKWISE,
    Way.LEFT: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


class Reader(Protocol):
    """Something that finds and reads print."""

    name: str

    def read(self, pixels: Pixels) -> list[Print]:
        """Lines of print in a picture, (h, w, 3) RGB uint8, upright boxes in its pixels."""
        ...


def read_one_way(reader: Reader, pixels: Pixels, way: Way) -> list[Print]:
    """Read a picture in one way; boxes in the pixels of the picture as it is given.

    Args:
        reader: does the reading.
        pixels: (h, w, 3) RGB.
        way: to look at it.
    """
    if way is Way.RAW:
        return reader.read(pixels)
    if way is Way.BLURRED:
        return reader.read(np.asarray(cv2.GaussianBlur(pixels, (0, 0), BLUR), np.uint8))
    turned = np.ascontiguousarray(cv2.rotate(pixels, _TURNS[way]), np.uint8)
    return [Print(one.text, one.sure, turned_back(one.box, way, pixels.shape[:2])) for one in reader.read(turned)]


def read_until(read: Callable[[Way], list[Print]], enough: Callable[[Sequence[Print]], bool]) -> list[Print]:
    """Read one way after another until what was read is enough, then in reading order.

    A turned picture replaces what was read before where it says much more; otherwise it is left aside.

    Args:
        read: gives the lines that one way shows.
        enough: whether nothing more is needed.
    """
    found = in_reading_order(read(Way.RAW))
    if enough(found):
        return found
    found = merged(found, read(Way.BLURRED))
    if enough(found):
        return found
    for way in _TURNS:
        turned = read(way)
        if worth(turned) > BETTER * worth(found):
            return in_reading_order(turned)
    return found


def merged(first: Sequence[Print], second: Sequence[Print]) -> list[Print]:
    """Two readings of one picture: of lines in the same place the surer one, and all others."""
    if not first or not second:
        return in_reading_order([*first, *second])
    ours, theirs = (np.asarray([one.box for one in each], np.float64) for each in (first, second))
    overlaps = iou(ours, theirs)  # (first, second)
    kept = list(first)
    for column, one in enumerate(second):
        at = int(overlaps[:, column].argmax())
        if overlaps[at, column] < SAME_LINE:
            kept.append(one)
        elif weight(one) > weight(kept[at]):
            kept[at] = one
    return in_reading_order(kept)


def weight(one: Print) -> float:
    """How much a line says: its letters and digits, by the square of how sure it is."""
    return one.sure**2 * sum(letter.isalnum() for letter in one.text)


def worth(prints: Sequence[Print]) -> float:
    """How much a reading says."""
    return sum(map(weight, prints))


def turned_back(
    box: tuple[float, float, float, float], way: Way, size_hw: tuple[int, int]
) -> tuple[float, float, float, float]:
    """A box of the turned picture in the pixels of the picture before it was turned.

    Args:
        box: x, y, width, height.
        way: how it was turned.
        size_hw: of the picture before.
    """
    height, width = size_hw
    x, y, w, h = box
    if way is Way.HALF:
        return width - x - w, height - y - h, w, h
    if way is Way.RIGHT:
        return y, height - x - w, h, w
    return width - y - h, x, h, w
