"""Cutting a picture into tiles that leave no pixel unseen.

A stride that does not divide the width would leave the right edge of every strip uninspected, so the last
row and column lie flush with the edge. A picture smaller than a tile is padded, never enlarged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.plant import PartType

Boxes = npt.NDArray[np.int64]  # (n, 4) x, y, width, height


@dataclass(frozen=True)
class Look:
    """How the pictures of one part type are looked at.

    Attributes:
        tile: side of a tile, in working pixels.
        stride: from one tile to the next, in working pixels; at half a tile everything inside is seen twice.
        scale: working pixels per picture pixel; 0.5 halves each side before tiling.
        whole_picture: whether the whole picture, shrunk into one tile, is looked at beside the tiles; for
            defects larger than a tile, such as a bent box.
    """

    tile: int = 256
    stride: int = 128
    scale: float = 1.0
    whole_picture: bool = False

    def __post_init__(self) -> None:
        if not 32 <= self.tile <= 1024 or self.tile % 32:
            raise BadInput(f"A tile of {self.tile} px: take a multiple of 32 between 32 and 1024.")
        if not 1 <= self.stride <= self.tile:
            raise BadInput(f"A stride of {self.stride} px: take 1 to {self.tile}, or pixels between tiles go unseen.")
        if not 0.05 <= self.scale <= 4:
            raise BadInput(f"A working scale of {self.scale}: take 0.05 to 4.")


SCALES = (0.25, 0.5, 0.75, 1.0)  # those worth comparing


def neighbours(look: Look) -> dict[str, Look]:
    """A look and what one change of it would give, by that change; what is worth comparing."""
    found = {"as chosen": look}
    for scale in SCALES:
        if scale != look.scale:
            found[f"scale {scale:g}"] = replace(look, scale=scale)
    for overlap in (0.0, 0.5):
        stride = round(look.tile * (1 - overlap))
        if stride != look.stride:
            found[f"overlap {overlap:.0%}"] = replace(look, stride=stride)
    other = "tiles only" if look.whole_picture else "with whole picture"
    return found | {other: replace(look, whole_picture=not look.whole_picture)}


def look_from(values: Mapping[str, Any]) -> Look:
    """A look as it is written in a card, a comparison or a job's arguments.

    Raises:
        BadInput: it is none.
    """
    try:
        return Look(int(values["tile"]), int(values["stride"]), float(values["scale"]), bool(values["whole_picture"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"That is no look ({error}): give tile, stride, scale and whole_picture.") from error


def spoken(look: Look) -> str:
    """A look in a few words."""
    whole = ", whole picture too" if look.whole_picture else ""
    return f"scale {look.scale:g}, tiles of {look.tile} px every {look.stride}{whole}"


def look_of(part_type: PartType) -> Look:
    """How a part type wants its pictures looked at."""
    return Look(part_type.tile, part_type.stride, part_type.scale, part_type.whole_picture)


@dataclass(frozen=True)
class Plan:
    """Where one picture is cut.

    Attributes:
        picture_wh: the picture's own size.
        working_wh: its size after the working scale.
        boxes: the tiles in working pixels; a tile may reach over the edge of a picture smaller than itself.
        whole: whether the whole picture follows as one more tile.
    """

    picture_wh: tuple[int, int]
    working_wh: tuple[int, int]
    boxes: Boxes
    whole: bool

    @property
    def count(self) -> int:
        """Tiles, the whole picture included."""
        return len(self.boxes) + self.whole

    @property
    def picture_boxes(self) -> npt.NDArray[np.float64]:
        """(count, 4) x, y, width, height in the picture's own pixels, cut at its edges."""
        width, height = self.picture_wh
        ratio = np.array([width / self.working_wh[0], height / self.working_wh[1]])
        low = self.boxes[:, :2] * ratio
        high = np.minimum((self.boxes[:, :2] + self.boxes[:, 2:]) * ratio, [width, height])
        boxes = np.concatenate([low, high - low], axis=1)
        return np.concatenate([boxes, [[0.0, 0.0, width, height]]]) if self.whole else boxes


def starts(length: int, size: int, stride: int) -> npt.NDArray[np.int64]:
    """Where tiles begin along one side; the last one ends flush with the edge."""
    if length <= size:
        return np.zeros(1, np.int64)
    first = np.arange(0, length - size + 1, stride, dtype=np.int64)
    return first if first[-1] == length - size else np.append(first, length - size)


def tiles(width: int, height: int, size: int = 256, stride: int = 128) -> Boxes:
    """Tiles row by row, every pixel in at least one; with a stride of half a tile, inside ones in two or more.

    Returns:
        (n, 4) x, y, width, height; always size x size, so a tile of a smaller picture reaches over its edge.

    Raises:
        BadInput: for an empty picture or a stride that would skip pixels.
    """
    if width < 1 or height < 1:
        raise BadInput(f"A picture of {width}x{height} has no pixels to cut into tiles.")
    if not 1 <= stride <= size:
        raise BadInput(f"A stride of {stride} px with tiles of {size}: take 1 to {size}.")
    ys, xs = np.meshgrid(starts(height, size, stride), starts(width, size, stride), indexing="ij")
    return np.stack([xs.ravel(), ys.ravel(), np.full(xs.size, size), np.full(xs.size, size)], axis=1)


def working_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """Size of a picture after the working scale, at least one pixel each way."""
    return max(1, round(width * scale)), max(1, round(height * scale))


def plan(width: int, height: int, look: Look) -> Plan:
    """Cut one picture as its part type asks; a picture that fits in one tile needs no whole-picture branch."""
    working = working_size(width, height, look.scale)
    boxes = tiles(*working, look.tile, look.stride)
    return Plan((width, height), working, boxes, look.whole_picture and len(boxes) > 1)


def tile_count(width: int, height: int, look: Look) -> int:
    """How many tiles a picture costs, without cutting it."""
    across, down = (
        1 if side <= look.tile else ceil((side - look.tile) / look.stride) + 1
        for side in working_size(width, height, look.scale)
    )
    return across * down + (look.whole_picture and across * down > 1)
