"""Windows that a detector learns from: every drawn box whole in at least one of them, and no box told half.

A window that cuts a box still shows some of it. Where most of it shows, the part that shows is the box to be found, as
tiles have it found when serving; where less does, nothing is learnt from that place.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from core.pictures.tiling import Look, working_size
from core.records import Pixels, Region
from models.detector.masks import marks_of
from models.detector.net import Target
from models.preprocess import working_picture
from models.training.examples import Example, Labels
from models.training.sampling import Augmentation

SHOWS = 0.6  # share of a box that has to show for the rest of it to be found
LEAST_SIDE = 2.0  # px of what shows
ALONE = 0.5  # chance that a window shows its picture beside no template though there is one

Beside = Callable[[Example], Pixels | None]  # the same part without a defect, as large as the picture


@dataclass(frozen=True)
class Drawn:
    """A decoded picture with its boxes, ready to be cut.

    Attributes:
        pixels: at working scale.
        template: likewise; None where there is none.
        boxes: (n, 4) x1, y1, x2, y2 in working pixels.
        labels: (n,) number of the class; -1 where it is none of the detector's.
        marked: (h, w) as `masks.marks_of` has it; None for a detector without a mask head.
    """

    pixels: Pixels
    template: Pixels | None
    boxes: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    marked: Labels | None = None


@dataclass(frozen=True)
class Place:
    """Which window of which picture.

    Attributes:
        picture: number of it.
        centre: (x, y) in working pixels.
        scale: window pixels per working pixel.
        quarters: turns of 90 degrees.
        flips: left-right, upside down.
        alone: without its template.
    """

    picture: int
    centre: tuple[float, float]
    scale: float = 1.0
    quarters: int = 0
    flips: tuple[bool, bool] = (False, False)
    alone: bool = False


@dataclass(frozen=True)
class Window:
    """One training input: (size, size, 3) pixels, its template or None, what is to be found, and (size, size) where."""

    pixels: Pixels
    template: Pixels | None
    target: Target
    marked: Labels | None = None


def drawn_of(
    example: Example, pixels: Pixels, template: Pixels | None, classes: Sequence[str], look: Look, masks: bool = False
) -> Drawn:
    """Scale a picture, its boxes, and where they are wanted its masks."""
    height, width = pixels.shape[:2]
    working = working_size(width, height, look.scale)
    ratio = np.array([working[0] / width, working[1] / height] * 2)
    at: Mapping[str, int] = {name: i for i, name in enumerate(classes)}
    return Drawn(
        working_picture(pixels, working).copy(),
        None if template is None else working_picture(template, working).copy(),
        corners_of(example.regions) * ratio,
        np.array([at.get(r.class_id or "", -1) for r in example.regions], np.int64),
        marks_of(example.regions, (width, height), working) if masks else None,
    )


def corners_of(regions: Sequence[Region]) -> npt.NDArray[np.float64]:
    """(n, 4) x1, y1, x2, y2."""
    return np.array([(r.x, r.y, r.x + r.width, r.y + r.height) for r in regions], np.float64).reshape(-1, 4)


def cover(
    boxes: npt.NDArray[np.float64], size_wh: tuple[int, int], reach: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Middles of square windows such that every box lies whole in one of them; one at random where nothing is drawn.

    A box larger than a window gets windows at random places on it, as many as it takes to go through it.

    Args:
        boxes: (n, 4) x1, y1, x2, y2.
        size_wh: of the picture.
        reach: side of a window, in the same pixels.
        rng: where, of all places that would do.
    """
    size = np.asarray(size_wh, np.float64)
    if not len(boxes):
        return [_kept(rng.uniform(0, 1, 2) * size, size, reach)]
    left = np.ones(len(boxes), bool)
    found = []
    while left.any():
        box = boxes[rng.choice(np.flatnonzero(left))]
        lowest, highest = box[2:] - reach / 2, box[:2] + reach / 2  # of a middle that has the box whole
        large = lowest > highest
        low = np.where(large, box[:2] + reach / 2, lowest)
        high = np.where(large, box[2:] - reach / 2, highest)
        middle = _kept(rng.uniform(np.minimum(low, high), np.maximum(low, high)), size, reach)
        found.append(middle)
        first, last = np.asarray(middle) - reach / 2, np.asarray(middle) + reach / 2
        whole = ((boxes[:, :2] >= first - 1e-6) & (boxes[:, 2:] <= last + 1e-6)).all(axis=1)
        left &= ~whole
        if large.any():
            left[(boxes == box).all(axis=1)] = False
            steps = math.ceil(float((box[2:] - box[:2]).max()) / reach)
            found += [_kept(rng.uniform(box[:2], box[2:]), size, reach) for _ in range(steps - 1)]
    return found


def _kept(middle: npt.NDArray[np.float64], size: npt.NDArray[np.float64], reach: float) -> tuple[float, float]:
    """Move a window onto the picture; the middle of one that is smaller than it."""
    half = reach / 2
    x, y = (
        length / 2 if length <= reach else min(max(float(at), half), length - half)
        for at, length in zip(middle.tolist(), size.tolist(), strict=True)
    )
    return x, y


def places_of(number: int, drawn: Drawn, size: int, how: Augmentation, rng: np.random.Generator) -> list[Place]:
    """One turn of a picture: how large and which way round this time, and the windows that show all its boxes."""
    height, width = drawn.pixels.shape[:2]
    scale = how.zoom(rng)
    quarters = int(rng.integers(4)) if how.turn >= 90 else 0
    flips = (how.flip_x and bool(rng.random() < 0.5), how.flip_y and bool(rng.random() < 0.5))
    alone = drawn.template is not None and bool(rng.random() < ALONE)
    middles = cover(drawn.boxes, (width, height), size / scale, rng)
    return [Place(number, middle, scale, quarters, flips, alone) for middle in middles]


def cut_window(
    drawn: Drawn, place: Place, size: int, fill: tuple[int, int, int], how: Augmentation, rng: np.random.Generator
) -> Window:
    """Cut one window; beyond the picture's edge it is `fill`, as tiles are."""
    turn = _turn(place)
    shift = (size - 1) / 2 - turn @ (np.array(place.centre) - 0.5)  # a pixel is known by its middle
    by = np.column_stack([turn, shift])
    shrinks = cv2.INTER_AREA if place.scale < 1 else cv2.INTER_LINEAR
    light = _light(how, rng)

    def cut(pixels: Pixels) -> Pixels:
        moved = cv2.warpAffine(
            pixels, by, (size, size), flags=shrinks, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
        )
        return np.asarray(moved if light is None else cv2.LUT(moved, light), np.uint8)

    template = None if drawn.template is None or place.alone else cut(drawn.template)
    marked = None
    if drawn.marked is not None:  # nothing is drawn beyond the picture's edge, and nothing is to be found there
        moved = cv2.warpAffine(drawn.marked, by, (size, size), flags=cv2.INTER_NEAREST, borderValue=0)
        marked = np.asarray(moved, np.uint8)
    return Window(cut(drawn.pixels), template, target_of(drawn, place, size), marked)


def target_of(drawn: Drawn, place: Place, size: int) -> Target:
    """The boxes of a window, cut at its edges, and what of others shows."""
    turn = _turn(place)
    ends = np.stack([drawn.boxes[:, :2], drawn.boxes[:, 2:]])  # (2, n, 2)
    moved = (ends - np.array(place.centre)) @ turn.T + size / 2
    low, high = moved.min(axis=0), moved.max(axis=0)
    cut = np.concatenate([np.clip(low, 0, size), np.clip(high, 0, size)], axis=1)
    sides = cut[:, 2:] - cut[:, :2]
    shown = np.prod(sides, axis=1) / np.maximum(np.prod(high - low, axis=1), 1e-9)
    there = shown > 0
    known = there & (drawn.labels >= 0) & (shown >= SHOWS) & (sides.min(axis=1, initial=size) >= LEAST_SIDE)
    return Target(
        torch.from_numpy(cut[known].astype(np.float32)),
        torch.from_numpy(drawn.labels[known]),
        torch.from_numpy(cut[there & ~known].astype(np.float32)),
    )


def _turn(place: Place) -> npt.NDArray[np.float64]:
    """(2, 2) from working pixels to window pixels, about the middle."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[place.quarters % 4]
    turn = np.array([[cosine, -sine], [sine, cosine]], np.float64) * place.scale
    return turn * np.where(place.flips, -1.0, 1.0)[:, None]


def _light(how: Augmentation, rng: np.random.Generator) -> npt.NDArray[np.uint8] | None:
    """Another contrast and brightness, as a table of 256 levels."""
    if how.light <= 0:
        return None
    contrast = math.exp(rng.uniform(-1, 1) * 2.5 * how.light)
    shift = rng.uniform(-1, 1) * how.light * 255
    levels = (np.arange(256, dtype=np.float32) - 128) * contrast + 128 + shift
    return np.clip(np.round(levels), 0, 255).astype(np.uint8)


def epoch_places(
    pictures: Sequence[Drawn],
    size: int,
    how: Augmentation,
    clean: float,
    rng: np.random.Generator,
    repeats: Sequence[int] | None = None,
) -> list[Place]:
    """All windows of one turn through the pictures, shuffled.

    Args:
        pictures: to learn from.
        size: of a window.
        how: what may be done to them.
        clean: at most so many windows of pictures without boxes for each window of one with boxes.
        rng: the only source of chance.
        repeats: how often each picture is shown in a turn.
    """
    often = repeats or [1] * len(pictures)
    marked = [n for n, one in enumerate(pictures) if len(one.boxes)]
    others = [n for n, one in enumerate(pictures) if not len(one.boxes)]
    found = [p for n in marked for _ in range(often[n]) for p in places_of(n, pictures[n], size, how, rng)]
    most = max(1, round(clean * len(found))) if found else len(others)
    chosen = rng.permutation(len(others))[:most]
    found += [p for i in chosen.tolist() for p in places_of(others[i], pictures[others[i]], size, how, rng)]
    return [found[i] for i in rng.permutation(len(found)).tolist()]
