"""From a picture to its boxes: cut into overlapping tiles, looked at in batches, stitched without loss or doubling."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from core.pictures import heatmaps
from core.pictures.seams import Finds, check_overlap, nothing, stitched
from core.pictures.tiling import Look, Plan, plan
from core.records import Floats, Pixels, Region
from models.detector.masks import CELL, outlined
from models.detector.net import BoxNet
from models.preprocess import Preprocessing, check_pixels, to_input, working_picture

if TYPE_CHECKING:
    from models.detector.checkpoint import DetectorCard

BATCH = 8


@dataclass(frozen=True)
class Detected:
    """What a detector found in one picture.

    Attributes:
        regions: in the picture's pixels, the surest first; those above the card's threshold.
        finds: everything, however unsure.
        milliseconds: of all of it.
        values: (rows, columns) in [0, 1], how surely each place is part of a defect; None without a mask head. Then
            the regions have outlines where it marks something inside them.
    """

    regions: tuple[Region, ...]
    finds: Finds
    milliseconds: float
    values: Floats | None = None


class Seen(NamedTuple):
    """All that a net makes of one picture: boxes, and a map of it where it has a mask head."""

    finds: Finds
    values: Floats | None


class Detector:
    """One detector, ready on one device.

    Attributes:
        card: of the model.
        device: where it computes.
    """

    def __init__(self, card: "DetectorCard", net: BoxNet, device: torch.device) -> None:
        check_overlap(card.look)
        self.card = card
        self.device = device
        self._net = net.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)

    def detect(self, pixels: Pixels, template: Pixels | None = None) -> Detected:
        """Boxes of one picture.

        Args:
            pixels: (h, w, 3) uint8.
            template: the same part without a defect, as large; only for a detector that compares.

        Raises:
            BadInput: something that the decoder would not have made.
        """
        check_pixels(pixels)
        began = perf_counter()
        finds, values = look_over(self._net, pixels, self.card.look, self.device, template)
        regions = regions_of(finds.at(finds.scores >= self.card.threshold), self.card.classes)
        if values is not None:
            size = (pixels.shape[1], pixels.shape[0])
            regions = outlined(regions, values, size, self.card.mask_threshold)
        return Detected(regions, finds, 1000 * (perf_counter() - began), values)


def regions_of(finds: Finds, classes: Sequence[str]) -> tuple[Region, ...]:
    """Finds as regions, in their order."""
    made = []
    rows = zip(finds.boxes.tolist(), finds.scores.tolist(), finds.classes.tolist(), strict=True)
    for number, ((x, y, width, height), score, at) in enumerate(rows, start=1):
        name = classes[at]
        made.append(Region(x, y, width, height, name, name, score=min(1.0, score), key=f"d{number}"))
    return tuple(made)


def find(net: BoxNet, pixels: Pixels, look: Look, device: torch.device, template: Pixels | None = None) -> Finds:
    """The boxes of `look_over`."""
    return look_over(net, pixels, look, device, template).finds


@torch.no_grad()
def look_over(net: BoxNet, pixels: Pixels, look: Look, device: torch.device, template: Pixels | None = None) -> Seen:
    """Everything that a net finds in one picture: boxes in its pixels, the surest first, and a map over all of it.

    Args:
        net: in evaluation mode.
        pixels: (h, w, 3) uint8.
        look: how it is cut.
        device: where the net is.
        template: as large as the picture; None where there is none.
    """
    height, width = pixels.shape[:2]
    cut = plan(width, height, look)
    fill = fill_of(net.preprocessing)
    tiles = _tiles(pixels, cut, fill)
    templates = None if template is None or not net.template else _tiles(template, cut, fill)
    ratio = np.array([width / cut.working_wh[0], height / cut.working_wh[1]])
    found, maps = [], []
    for first in range(0, len(tiles), BATCH):
        some = tiles[first : first + BATCH]
        other = [None] * len(some) if templates is None else list(templates[first : first + BATCH])
        x, beside = inputs(list(some), other if net.template else None, net.preprocessing, device)
        boxes_of_tiles, marked = net(x, beside)
        if marked is not None:
            maps.append(marked.cpu().numpy())
        for number, said in enumerate(boxes_of_tiles, start=first):
            xyxy = said.boxes.double().cpu().numpy() + np.tile(cut.boxes[number, :2].astype(np.float64), 2)
            low, high = xyxy[:, :2] * ratio, np.minimum(xyxy[:, 2:] * ratio, [width, height])
            there = ((high - low) >= 1).all(axis=1)
            boxes = np.concatenate([low, high - low], axis=1)[there]
            scores, labels = said.scores.double().cpu().numpy()[there], said.labels.cpu().numpy()[there]
            found.append(Finds(boxes, scores, labels.astype(np.int64), np.full(len(boxes), number, np.int64)))
    together = Finds(*(np.concatenate(parts) for parts in zip(*found, strict=True))) if found else nothing()
    values = None
    if maps:
        shape = heatmaps.map_shape(*cut.working_wh, CELL)
        values = heatmaps.stitch(np.concatenate(maps), cut.boxes, cut.working_wh, shape)
    return Seen(stitched(together, cut.picture_boxes, (width, height)), values)


def inputs(
    tiles: Sequence[Pixels],
    templates: Sequence[Pixels | None] | None,
    preprocessing: Preprocessing,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Tiles, and their templates where the net compares, as `BoxNet` takes them."""
    x = to_input(np.stack(tiles), preprocessing)
    beside = None
    if templates is not None:
        filled = [tile if one is None else one for tile, one in zip(tiles, templates, strict=True)]
        there = torch.tensor([0.0 if one is None else 1.0 for one in templates]).view(-1, 1, 1, 1)
        other = to_input(np.stack(filled), preprocessing)
        beside = torch.cat([other, there.expand(-1, 1, *other.shape[2:])], dim=1)
        beside = beside.to(device, memory_format=torch.channels_last)
    return x.to(device, memory_format=torch.channels_last), beside


def fill_of(preprocessing: Preprocessing) -> tuple[int, int, int]:
    """The colour beyond a picture's edge: nothing, as the net sees it. A mirror image would show defects twice."""
    red, green, blue = (round(255 * mean) for mean in preprocessing.mean)
    return red, green, blue


def _tiles(pixels: Pixels, cut: Plan, fill: tuple[int, int, int]) -> Pixels:
    """(n, size, size, 3)."""
    picture = working_picture(pixels, cut.working_wh)
    size = int(cut.boxes[0, 2])
    out = np.empty((len(cut.boxes), size, size, 3), np.uint8)
    out[:] = np.array(fill, np.uint8)
    for tile, (x, y, _, _) in zip(out, cut.boxes.tolist(), strict=True):
        part = picture[y : y + size, x : x + size]
        tile[: part.shape[0], : part.shape[1]] = part
    return out
