"""Augmentation by configuration: what is asked for, measured on a part type's own pictures, and shown beforehand.

Windows are cut by `sampling`, picture and labels in one warp; the preview calls the same functions, so what is shown is
what is learned from. Boxes are read off the labels that moved along.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.pictures.augment import Asked, By, Off, Shown, hidden_by, settled
from core.pictures.tiling import Look
from core.records import Pixels
from models.training.examples import BEYOND, Example, Labels
from models.training.pictures import Read
from models.training.sampling import Augmentation, Picture, cut, picture_of, relit

MARGIN_PX = 12  # of surface that is kept around a measured region
MOST_PICTURES = 60  # of a part type that are measured
MOST_SIDE = 512  # px of a measured piece: a region as large as that hides under nothing


@dataclass(frozen=True)
class Settled:
    """What is done to the pictures of a part type.

    Attributes:
        how: as training takes it.
        off: what is not done, and why.
        pictures, regions: training pictures of it, and visible regions that were measured.
    """

    how: Augmentation
    off: tuple[Off, ...]
    pictures: int
    regions: int


@dataclass(frozen=True)
class Sample:
    """A window as training would see it, or the picture it is cut from.

    Attributes:
        boxes: (n, 4) x, y, width, height of what lies in it, in its pixels.
        share: of each box's region that is still in sight.
    """

    pixels: Pixels
    boxes: tuple[tuple[int, int, int, int], ...]
    share: tuple[float, ...]


def augmentation_of(asked: Asked, base: Augmentation) -> Augmentation:
    """The recipe's own augmentation with what was asked for."""
    named: dict[str, Any] = {
        "turn": asked.rotation,
        "flip_x": asked.flip_x,
        "flip_y": asked.flip_y,
        "noise": asked.noise,
        "brightness": asked.brightness,
        "contrast": asked.contrast,
        "crop": asked.crop,
        "least": asked.least,
    }
    return replace(base, **{name: value for name, value in named.items() if value is not None})


def settle(
    train: Sequence[Example],
    read: Read,
    asked: Mapping[str, Asked],
    judged_by: Mapping[By, Sequence[str]],
    flips: Mapping[str, bool],
    most_hidden: float,
) -> dict[str, Settled]:
    """What is done to each part type's pictures, measured on them.

    Args:
        train: the training pictures.
        read: decodes one.
        asked: by part type; "" for all others.
        judged_by: classes that are judged by what a change would change.
        flips: part types that do not look the same mirrored are False here; others may be absent.
        most_hidden: share of the visible regions that a change may hide.
    """
    kinds: dict[str, list[Example]] = defaultdict(list)
    for one in train:
        kinds[one.part_type if one.part_type in asked or one.part_type in flips else ""].append(one)
    found = {}
    for kind in sorted({"", *asked, *kinds}):
        mine = kinds.get(kind, [])
        wanted = asked.get(kind, asked.get("", Asked()))
        pieces = list(pieces_of(mine, read))
        hidden, regions = hidden_by(pieces, wanted)
        upright = not flips.get(kind, True)
        shown = Shown(
            flips=not upright,
            classes=sorted({name for one in mine for name in one.classes}),
            hidden=hidden,
            regions=regions,
            placed=all(one.placed for one in mine),
        )
        final, off = settled(wanted, shown, judged_by, most_hidden)
        base = Augmentation.upright() if upright else Augmentation()
        found[kind] = Settled(augmentation_of(final, base), off, len(mine), regions)
    return found


def pieces_of(examples: Sequence[Example], read: Read) -> Iterable[tuple[Pixels, npt.NDArray[np.bool_]]]:
    """A piece of each picture around each of its regions, evenly over the examples; at the picture's own scale."""
    drawn = [one for one in examples if one.regions]
    step = max(1, len(drawn) // MOST_PICTURES)
    for one in drawn[::step][:MOST_PICTURES]:
        picture = picture_of(one, read(one), (), Look())
        height, width = picture.labels.shape
        for number in range(1, len(picture.region_areas) + 1):
            rows, columns = np.nonzero(picture.labels == number)
            if not len(rows):
                continue
            y, x = max(0, rows.min() - MARGIN_PX), max(0, columns.min() - MARGIN_PX)
            bottom, right = min(height, rows.max() + MARGIN_PX + 1), min(width, columns.max() + MARGIN_PX + 1)
            if max(bottom - y, right - x) <= MOST_SIDE:
                yield picture.pixels[y:bottom, x:right], picture.labels[y:bottom, x:right] == number


def preview(
    example: Example, pixels: Pixels, how: Augmentation, look: Look, n: int = 6, seed: int = 0
) -> tuple[Sample, list[Sample]]:
    """One picture and windows of it, as training would cut them.

    Args:
        example: the labelled picture.
        pixels: decoded.
        how: what is done to it.
        look: how pictures are cut.
        n: windows.
        seed: of the windows; the same seed shows the same ones.
    """
    picture = picture_of(example, pixels, (), look)
    rng = np.random.default_rng([seed, 0])
    samples = []
    for _ in range(n):
        window, labels, scale = cut(picture, look.tile, how, rng)
        samples.append(Sample(relit(window, how, rng), *_boxes(labels, picture, scale)))
    return Sample(picture.pixels, *_boxes(picture.labels, picture, 1.0)), samples


def _boxes(
    labels: Labels, picture: Picture, scale: float
) -> tuple[tuple[tuple[int, int, int, int], ...], tuple[float, ...]]:
    """Box and remaining share of each region that is in sight."""
    boxes, shares = [], []
    for number in range(1, min(len(picture.region_areas), BEYOND - 1) + 1):
        rows, columns = np.nonzero(labels == number)
        if len(rows):
            x, y = int(columns.min()), int(rows.min())
            boxes.append((x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1))
            whole = picture.region_areas[number - 1] * scale * scale
            shares.append(float(min(1.0, len(rows) / whole)) if whole else 0.0)
    return tuple(boxes), tuple(shares)
