"""From pixels to what a net takes: one code for training and serving.

Cutting and shrinking work on uint8; the normalisation is a torch function that training calls and that the
CPU engine has traced into its graph, so the two cannot drift apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from core.errors import BadInput
from core.pictures.tiling import Plan
from core.records import Pixels


@dataclass(frozen=True)
class Preprocessing:
    """Stored in the card.

    Attributes:
        mean, std: per RGB channel of values in [0, 1].
    """

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise BadInput(f"Preprocessing of mean {self.mean}, std {self.std}: give three of each, std above 0.")

    def to_json(self) -> dict[str, list[float]]:
        """As the card has it."""
        return {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Preprocessing":
        """The reverse of to_json."""
        mean, std = ([float(v) for v in values[key]] for key in ("mean", "std"))
        if len(mean) != 3 or len(std) != 3:
            raise BadInput(f"Preprocessing of mean {mean}, std {std}: give three of each.")
        return cls((mean[0], mean[1], mean[2]), (std[0], std[1], std[2]))


def working_picture(pixels: Pixels, working_wh: tuple[int, int]) -> Pixels:
    """The picture at its working scale; the same array where the scale is 1."""
    check_pixels(pixels)
    height, width = pixels.shape[:2]
    if (width, height) == working_wh:
        return pixels
    shrinks = working_wh[0] <= width and working_wh[1] <= height
    resized = cv2.resize(pixels, working_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def cut(picture: Pixels, boxes: np.ndarray[Any, np.dtype[np.int64]], out: Pixels | None = None) -> Pixels:
    """Cut square tiles; what lies beyond the picture's edge is its mirror image.

    Args:
        picture: at working scale.
        boxes: (n, 4) x, y, width, height, all of one size.
        out: (n, size, size, 3) to fill; a new array where None.

    Returns:
        (n, size, size, 3).
    """
    size = int(boxes[0, 2])
    result = np.empty((len(boxes), size, size, 3), np.uint8) if out is None else out
    padded = padded_to(picture, int((boxes[:, 0]).max()) + size, int((boxes[:, 1]).max()) + size)
    for tile, (x, y, _, _) in zip(result, boxes.tolist(), strict=True):
        tile[:] = padded[y : y + size, x : x + size]
    return result


def padded_to(picture: Pixels, width: int, height: int) -> Pixels:
    """Mirror the picture to the right and below until it is at least this large."""
    right, below = max(0, width - picture.shape[1]), max(0, height - picture.shape[0])
    if right == 0 and below == 0:
        return picture
    return np.pad(picture, ((0, below), (0, right), (0, 0)), mode="reflect")


def whole(picture: Pixels, size: int) -> Pixels:
    """The whole picture in one tile: its long side fills the tile, the rest is its mirror image.

    Returns:
        (size, size, 3); the picture lies in the top left corner, see `whole_extent`.
    """
    shrunk_wh = whole_extent(picture.shape[1], picture.shape[0], size)
    return padded_to(working_picture(picture, shrunk_wh), size, size)


def whole_extent(width: int, height: int, size: int) -> tuple[int, int]:
    """(width, height) that a whole picture takes within its tile."""
    ratio = size / max(width, height)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def tiles_of(pixels: Pixels, plan: Plan) -> Pixels:
    """All tiles of one picture, the whole picture last where the plan has it; training cuts with this too.

    Returns:
        (plan.count, size, size, 3).
    """
    picture = working_picture(pixels, plan.working_wh)
    size = int(plan.boxes[0, 2])
    out = np.empty((plan.count, size, size, 3), np.uint8)
    cut(picture, plan.boxes, out[: len(plan.boxes)])
    if plan.whole:
        out[-1] = whole(pixels, size)
    return out


def normalise(tiles: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) float; mean and std are (3,) of values in [0, 1]."""
    scaled = tiles.permute(0, 3, 1, 2).to(mean.dtype) / 255
    return (scaled - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)


def to_input(tiles: Pixels, preprocessing: Preprocessing) -> torch.Tensor:
    """(n, h, w, 3) uint8 tiles as the net takes them, (n, 3, h, w) float32."""
    mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    return normalise(torch.from_numpy(np.ascontiguousarray(tiles)), mean, std)


def check_pixels(pixels: Pixels) -> None:
    """Refuse whatever the decoder would not have made.

    Raises:
        BadInput: unless (h, w, 3) uint8 with at least one pixel.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise BadInput(f"Pixels are {pixels.dtype} {pixels.shape}: decode the picture to uint8 (height, width, 3).")
