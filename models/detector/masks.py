"""The mask head: how surely each place shows a defect, whatever its class; boxes say which and where one ends.

    trunk, stride 4 ─▶ narrowed ─┐
    pyramid, stride 8 ─▶ doubled ┴▶ two convolutions ─▶ four values a place ─▶ one map of stride 2

Tiles have a map each, and the picture's is put together from them as a heatmap is, so it has no seam. An outline is
what the map marks inside a box. There are no norms in here: they would make a place depend on the tile it is seen in.

Source: the one map for all boxes is the prototype of Bolya et al. 2019, "YOLACT", with a single prototype.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from core.pictures.boxes import BoxArray
from core.pictures.masks import Patch, pixel_span, pixels_of
from core.records import Floats, Polygons, Region
from models.training.examples import BEYOND, Labels, labels_of

CELL = 2  # working pixels that a cell of the map is wide
NARROW = 32
RARE = -3.0  # what the map says before it has learned anything, in log-odds: a defect is small
FINE = 0.6  # px: points that change an outline by less are left out
MOST_NUMBERS = 800  # of an outline; a longer one is drawn more coarsely


class MaskHead(nn.Module):
    """From the finest map of the pyramid and the trunk's of stride 4 to a map of stride 2."""

    def __init__(self, fine: int, width: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(fine, NARROW, 1)
        self.lower = nn.Conv2d(width, NARROW, 1)
        self.steps = nn.Sequential(
            *(nn.ReLU(), nn.Conv2d(NARROW, NARROW, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(NARROW, NARROW, 3, padding=1), nn.ReLU(), nn.Conv2d(NARROW, CELL * CELL, 1)),
        )
        last = self.steps[-1]
        nn.init.constant_(last.bias, RARE)  # type: ignore[arg-type]

    def forward(self, fine: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """(n, 1, h / 2, w / 2) log-odds, from (n, c, h / 4, w / 4) and (n, width, h / 8, w / 8)."""
        lower = F.interpolate(self.lower(level), size=fine.shape[2:], mode="bilinear", align_corners=False)
        return F.pixel_shuffle(self.steps(self.narrow(fine) + lower), CELL)


def mask_loss(logits: torch.Tensor, marked: torch.Tensor) -> torch.Tensor:
    """How wrong a map is: by pixel, and by the overlap of what it marks with what is drawn in a window.

    Args:
        logits: (n, 1, h / 2, w / 2).
        marked: (n, h, w) uint8: 1 defect, 0 good, BEYOND unknown, of which nothing is learnt.

    Source: Milletari et al. 2016, "V-Net", for the second term: a defect of few pixels weighs as much as a large one.
    """
    said = F.interpolate(logits.float(), size=marked.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    known, wanted = (marked != BEYOND).float(), (marked == 1).float()
    wrong = F.binary_cross_entropy_with_logits(said, wanted, weight=known, reduction="sum")
    by_pixel = wrong / known.sum().clamp(min=1)
    if not bool((marked == 1).any()):
        return by_pixel
    sure = said.sigmoid() * known
    shared = (sure * wanted).sum(dim=(1, 2))
    both = sure.sum(dim=(1, 2)) + wanted.sum(dim=(1, 2))
    there = wanted.sum(dim=(1, 2)) > 0
    return by_pixel + (1 - 2 * shared[there] / both[there]).mean()


def marks_of(regions: Sequence[Region], picture_wh: tuple[int, int], working_wh: tuple[int, int]) -> Labels:
    """(h, w) at working scale: 1 where an outline was drawn, 0 elsewhere, BEYOND in boxes without an outline."""
    numbers = labels_of(regions, picture_wh, working_wh)
    kinds = np.array([0, *(BEYOND if one.mask is None else 1 for one in regions)], np.uint8)
    marks: Labels = kinds[np.minimum(numbers, len(kinds) - 1)]
    return marks


def patches(values: Floats, boxes: BoxArray, picture_wh: tuple[int, int], cut: float) -> list[Patch]:
    """What a map marks inside boxes; all of a box in which it marks nothing.

    Args:
        values: (rows, columns) in [0, 1] over the whole picture.
        boxes: (n, 4) x, y, width, height in picture pixels.
        picture_wh: its size.
        cut: from which value on a pixel is marked.
    """
    return [_patch(values, box, picture_wh, cut)[0] for box in boxes.tolist()]


def outlined(regions: Sequence[Region], values: Floats, picture_wh: tuple[int, int], cut: float) -> tuple[Region, ...]:
    """The same regions with outlines of what the map marks inside their boxes; where that is nothing, the plain box."""
    found = []
    for region in regions:
        patch, marked = _patch(values, (region.x, region.y, region.width, region.height), picture_wh, cut)
        found.append(replace(region, mask=outline_of(patch)) if marked else region)
    return tuple(found)


def outline_of(patch: Patch) -> Polygons | None:
    """Rings around the pixels of a patch, in picture pixels; holes are closed. None where no pixel is set.

    The rings run a quarter of a pixel inside the pixels' outer edges, so that they hold the middles of the same pixels,
    and are then thinned out.
    """
    doubled = np.repeat(np.repeat(patch.inside.astype(np.uint8), 2, axis=0), 2, axis=1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    coarse = 2 * FINE
    while True:
        rings = [cv2.approxPolyDP(one, coarse, True).reshape(-1, 2) for one in contours]
        rings = [one for one in rings if len(one) >= 3]
        if sum(one.size for one in rings) <= MOST_NUMBERS:
            break
        coarse *= 1.6
    shift = np.array([patch.left, patch.top])
    made = tuple(tuple(((one + 0.5) / 2 + shift).ravel().tolist()) for one in rings)
    return Polygons(made) if made else None


def drawn_patches(regions: Sequence[Region], picture_wh: tuple[int, int]) -> list[Patch]:
    """The pixels of regions as people drew them."""
    return [pixels_of(one, *picture_wh) for one in regions]


def boxes_filled(boxes: BoxArray, picture_wh: tuple[int, int]) -> list[Patch]:
    """All pixels of boxes."""
    return [pixels_of(Region(x, y, width, height, ""), *picture_wh) for x, y, width, height in boxes.tolist()]


def _patch(values: Floats, box: Sequence[float], picture_wh: tuple[int, int], cut: float) -> tuple[Patch, bool]:
    """What a map marks inside one box, and whether it marks anything there."""
    x, y, width, height = box
    left, right = pixel_span(x, x + width, picture_wh[0])
    top, bottom = pixel_span(y, y + height, picture_wh[1])
    across, down = values.shape[1] / picture_wh[0], values.shape[0] / picture_wh[1]
    first = (max(0, int(left * across) - 2), max(0, int(top * down) - 2))
    part = values[first[1] : int(bottom * down) + 3, first[0] : int(right * across) + 3]
    by = np.array([  # a cell is known by its middle
        [across, 0, (left + 0.5) * across - 0.5 - first[0]], [0, down, (top + 0.5) * down - 0.5 - first[1]],
    ])  # fmt: skip
    size = (right - left, bottom - top)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    read = cv2.warpAffine(np.ascontiguousarray(part, np.float32), by, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    inside = np.asarray(read >= cut)
    marked = bool(inside.any())
    return Patch(left, top, inside if marked else np.ones_like(inside)), marked
