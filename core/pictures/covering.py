"""Covering what is personal in a picture: filled, never blurred, so that nothing can be worked back.

Boxes are in the image's own upright pixels. Whatever a finder could not do is kept beside what it found, and a picture
that was not looked at whole is shown to nobody who may not see everything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from core.errors import BadInput
from core.pictures.decode import Limits, decode
from core.records import Pixels

FILL: Final = (38, 44, 52)  # RGB, the dark grey of an empty screen
AROUND: Final = 0.12  # of a box's smaller side, added on every side: readers and finders cut close
FACE: Final = "face"

Box = tuple[float, float, float, float]  # x, y, width, height


@dataclass(frozen=True)
class Cover:
    """One place of a picture that is covered.

    Attributes:
        kind: face, or one of `core.words.redaction.Kind`.
        box: in the image's own pixels.
        by: which finder, in a few words.
    """

    kind: str
    box: Box
    by: str


@dataclass(frozen=True)
class Covering:
    """What the finders made of one picture.

    Attributes:
        covers: places.
        failed: why the picture could not be looked at whole; None where it was.
        finders: that had a look.
    """

    covers: tuple[Cover, ...] = ()
    failed: str | None = None
    finders: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many places of each kind."""
        found: dict[str, int] = {}
        for one in self.covers:
            found[one.kind] = found.get(one.kind, 0) + 1
        return found


def covering_document(covering: Covering) -> dict[str, Any]:
    """As JSON; it holds places and kinds, and not a word of what was read."""
    return {
        "covers": [[one.kind, [round(value, 1) for value in one.box], one.by] for one in covering.covers],
        "failed": covering.failed,
        "finders": list(covering.finders),
    }


def covering_of(document: Mapping[str, Any]) -> Covering:
    """From JSON."""
    covers = tuple(Cover(kind, (box[0], box[1], box[2], box[3]), by) for kind, box, by in document.get("covers", ()))
    return Covering(covers, document.get("failed"), tuple(document.get("finders", ())))


def filled(
    pixels: Pixels,
    covers: Sequence[Cover],
    *,
    origin: tuple[float, float] = (0, 0),
    scale: tuple[float, float] = (1, 1),
) -> Pixels:
    """A copy of a picture, or of a part of it, with every place filled.

    Args:
        pixels: (h, w, 3).
        covers: in the whole image's own pixels.
        origin: where the part begins in the whole image.
        scale: pixels of the part for one pixel of the image, across and down.
    """
    made = pixels.copy()
    high, wide = made.shape[:2]
    for one in covers:
        x, y, width, height = one.box
        around = max(2.0, AROUND * min(width, height))
        left = int(np.floor((x - around - origin[0]) * scale[0])) - 1
        top = int(np.floor((y - around - origin[1]) * scale[1])) - 1
        right = int(np.ceil((x + width + around - origin[0]) * scale[0])) + 1
        bottom = int(np.ceil((y + height + around - origin[1]) * scale[1])) + 1
        made[max(0, top) : min(high, max(0, bottom)), max(0, left) : min(wide, max(0, right))] = FILL
    return made


def cover_jpeg(
    data: bytes, covers: Sequence[Cover], box: Box, *, quality: int = 88
) -> bytes:  # fmt: skip
    """A JPEG that shows a box of an image, with every place filled; the very same bytes where none lies in it.

    Args:
        data: a JPEG that this plant made itself.
        covers: in the whole image's own pixels.
        box: of the image that the JPEG shows, whole or shrunk.
        quality: of what is made, 1 to 100.

    Raises:
        BadInput: it is no picture.
    """
    mine = [one for one in covers if _touches(one.box, box)]
    if not mine:
        return data
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if read is None:
        raise BadInput("The copy of this picture cannot be read: make it again.")
    pixels = np.asarray(read, np.uint8)
    scale = (pixels.shape[1] / max(box[2], 1), pixels.shape[0] / max(box[3], 1))
    return encoded(filled(pixels, mine, origin=box[:2], scale=scale), ".jpg", quality)


def cover_file(data: bytes, suffix: str, covers: Sequence[Cover], limits: Limits = Limits()) -> bytes:  # noqa: B008 - frozen
    """A picture's file with every place filled: upright, without anything else that the file said.

    Args:
        data: of the file.
        suffix: of its name; the kind of file that is made.
        covers: places.
        limits: what the picture may be.

    Raises:
        Unreadable: it is no picture.
    """
    return encoded(filled(decode(data, limits).pixels, covers), suffix)


def encoded(pixels: Pixels, suffix: str, quality: int = 95) -> bytes:
    """A picture as a file of a kind.

    Args:
        pixels: (h, w, 3) RGB.
        suffix: such as .jpg; a kind that cannot be written becomes PNG data.
        quality: of a JPEG, 1 to 100.
    """
    kind = suffix.lower()
    if kind not in (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"):
        kind = ".png"
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if kind in (".jpg", ".jpeg") else []
    done, made = cv2.imencode(kind, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise BadInput("The covered picture cannot be written: choose another kind of file.")
    return np.asarray(made).tobytes()


def _touches(one: Box, other: Box) -> bool:
    around = max(2.0, AROUND * min(one[2], one[3])) + 1
    return (
        one[0] - around < other[0] + other[2]
        and other[0] < one[0] + one[2] + around
        and one[1] - around < other[1] + other[3]
        and other[1] < one[1] + one[3] + around
    )
