"""Windows to train on: a random cut of a picture, turned, flipped, scaled and relit; its labels move along.

Everything random comes from the generator that is passed in, so an epoch can be drawn again after a kill.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from core.errors import BadInput
from core.pictures.tiling import Look, plan
from core.records import Pixels
from models.preprocess import whole_extent, working_picture
from models.training.examples import BEYOND, Example, Labels, TileRule, areas, labels_of

TILT = 5.0  # degrees that a small picture is turned beside its quarters
TRIES = 5  # windows that are cut before one with a sliver of a region is taken
TURNED = 1.5  # windows along a picture's short side, from which on a turned window lies on the picture


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a picture without changing its label.

    Attributes:
        flip_x, flip_y: whether the part may be seen mirrored left-right, upside down.
        turn: largest turn in degrees either way; 180 where the part has no upright.
        scale: largest factor either way.
        shift: largest shift of a picture that is shown whole, as a share of the window.
        light: largest shift of the grey level, as a share of the range; the contrast changes by as much and a bit.
        noise: standard deviation of the grain added to some windows, as a share of the range.
        brightness, contrast: the same as `light`, each by itself: the shift, and how far the contrast's factor may
            lie from 1. `light` says both where they are None.
        crop: smallest and largest share of a window's side that is cut out and enlarged to all of it; `scale` says it
            where None. A picture that is shown whole is never cut.
        least: share of a region that a window holds if it holds any of it, as far as the region fits in; windows with
            less are drawn again, a few times, for a sliver of a defect is neither good nor a defect.
    """

    flip_x: bool = True
    flip_y: bool = True
    turn: float = 180.0
    scale: float = 1.25
    shift: float = 0.04
    light: float = 0.12
    noise: float = 0.01
    brightness: float | None = None
    contrast: float | None = None
    crop: tuple[float, float] | None = None
    least: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.turn <= 180 or self.scale < 1 or self.light < 0 or self.noise < 0:
            raise BadInput(f"{self}: turn runs from 0 to 180 degrees, scale from 1, light and noise from 0.")
        if not 0 <= (self.brightness or 0) <= 1 or not 0 <= (self.contrast or 0) < 1 or not 0 <= self.least <= 1:
            raise BadInput(f"{self}: brightness, contrast and the least share of a region lie between 0 and 1.")
        if self.crop is not None and not 0.1 <= self.crop[0] <= self.crop[1] <= 1:
            raise BadInput(f"A crop of {self.crop}: give two shares from .1 to 1, the smaller one first.")

    @classmethod
    def upright(cls) -> "Augmentation":
        """For parts with print or a known way up: no flips, small turns."""
        return cls(flip_x=False, flip_y=False, turn=5.0)

    @classmethod
    def none(cls) -> "Augmentation":
        """The window as it is."""
        return cls(flip_x=False, flip_y=False, turn=0.0, scale=1.0, shift=0.0, light=0.0, noise=0.0)

    def zoom(self, rng: np.random.Generator) -> float:
        """By what a window is enlarged."""
        if self.crop is not None:
            return float(1 / rng.uniform(*self.crop))
        return math.exp(rng.uniform(-1, 1) * math.log(self.scale))


@dataclass(frozen=True)
class Picture:
    """A decoded example, ready to be cut.

    Attributes:
        pixels: at working scale; for a picture whose defects nobody drew, shrunk into one tile.
        labels: regions at the same scale.
        region_areas: of each region, in working pixels.
        own_pixels: the picture's own pixels in one working pixel.
        region_classes: index of each region's class; -1 for an unmapped one.
        picture_class: the one class of the whole picture; -1 where there is none or several.
    """

    example: Example
    pixels: Pixels
    labels: Labels
    region_areas: npt.NDArray[np.float64]
    own_pixels: float
    region_classes: tuple[int, ...]
    picture_class: int


@dataclass(frozen=True)
class Window:
    """One training input and what is known of it.

    Attributes:
        pixels: (size, size, 3) uint8.
        defect: probability that it shows a defect.
        class_index: -1 where the class is not known.
        marked: (size, size) uint8: 1 defect, 0 good, BEYOND unknown.
    """

    pixels: torch.Tensor
    defect: float
    class_index: int
    marked: torch.Tensor


def picture_of(example: Example, pixels: Pixels, classes: Sequence[str], look: Look) -> Picture:
    """Scale a picture and number its regions."""
    height, width = pixels.shape[:2]
    working = extent(example, width, height, look)
    labels = labels_of(example.regions, (width, height), working)
    at = {name: i for i, name in enumerate(classes)}
    known = [at[c] for c in example.classes if c in at]
    return Picture(
        example,
        working_picture(pixels, working),
        labels,
        areas(labels, min(len(example.regions), BEYOND - 1)),
        width * height / (working[0] * working[1]),
        tuple(at.get(r.class_id or "", -1) for r in example.regions[: BEYOND - 1]),
        known[0] if len(set(known)) == 1 else -1,
    )


def extent(example: Example, width: int, height: int, look: Look) -> tuple[int, int]:
    """(width, height) at which a picture is trained on: as the engine will cut it, or shrunk into one tile."""
    cut = plan(width, height, look)
    return cut.working_wh if example.placed or len(cut.boxes) == 1 else whole_extent(width, height, look.tile)


def windows_of(example: Example, look: Look, most: int = 4) -> int:
    """How many windows of a picture make an epoch: one for each tile beside another, within reason."""
    width, height = extent(example, example.width, example.height, look)
    return min(most, math.ceil(width / look.tile) * math.ceil(height / look.tile))


def draw(
    picture: Picture, size: int, rule: TileRule, how: Augmentation, rng: np.random.Generator, whole: float = 0.0
) -> Window:
    """Cut one window; of a picture with regions, three in four look at one of them.

    A share of `whole`, and every window of a picture whose defects nobody drew, shows all of the picture: what the
    label is about must not be cut away, so it is turned by quarters and hardly further, and never enlarged.
    """
    for _ in range(TRIES):
        pixels, labels, scale = cut(picture, size, how, rng, whole)
        if how.least <= 0 or _holds(picture, labels, scale, size, how.least):
            break
    return _labelled(picture, torch.from_numpy(relit(pixels, how, rng)), labels, scale, rule)


def cut(
    picture: Picture, size: int, how: Augmentation, rng: np.random.Generator, whole: float = 0.0
) -> tuple[Pixels, Labels, float]:
    """Where a window lies and how it is turned; its pixels, its labels, and its scale."""
    if not picture.example.placed or (whole > 0 and rng.random() < whole):
        at, scale, angle = _all_of(picture, size, how, rng)
    else:
        scale = how.zoom(rng)
        angle = _angle(how, rng, min(picture.labels.shape) >= TURNED * size / scale)
        at = None
    flips = np.array([how.flip_x and rng.random() < 0.5, how.flip_y and rng.random() < 0.5])
    x, y = _centre(picture, size / scale, rng) if at is None else at
    pixels, labels = _moved(picture, (x, y), scale, angle, flips, size)
    return pixels, labels, scale


def _holds(picture: Picture, labels: Labels, scale: float, size: int, least: float) -> bool:
    """Whether no region is a sliver: of each that is in sight, enough is, as far as it fits into a window."""
    inside = areas(labels, len(picture.region_areas)) / (scale * scale)
    whole = np.minimum(picture.region_areas, (size / scale) ** 2)
    return bool((inside >= least * whole)[inside > 0].all())


def _all_of(
    picture: Picture, size: int, how: Augmentation, rng: np.random.Generator
) -> tuple[tuple[float, float], float, float]:
    """Where to look, at what scale and turned by what, so that all of the picture is seen."""
    height, width = picture.labels.shape
    scale = min(1.0, size / max(width, height)) * math.exp(-rng.random() * math.log(how.scale))
    angle = _angle(how, rng, False)
    right, down = rng.uniform(-1, 1, 2) * how.shift * size / scale
    return (width / 2 + right, height / 2 + down), scale, angle


def _angle(how: Augmentation, rng: np.random.Generator, freely: bool) -> float:
    """A turn in radians; by quarters and hardly further where a picture is too small to be turned freely.

    Tiles are cut upright, and of a small picture a slanting window shows mostly mirror images, in wedges that no
    tile ever has.
    """
    if freely or how.turn <= TILT:
        return rng.uniform(-1, 1) * math.radians(how.turn)
    quarters = rng.integers(4) if how.turn >= 180 else 0
    return rng.uniform(-1, 1) * math.radians(TILT) + quarters * math.pi / 2


def _centre(picture: Picture, reach: float, rng: np.random.Generator) -> tuple[float, float]:
    """Where to look, in working pixels; `reach` is the side of what will be seen."""
    height, width = picture.labels.shape
    drawn = np.flatnonzero(picture.region_areas)
    if len(drawn) and rng.random() < 0.75:
        rows, columns = np.nonzero(picture.labels == drawn[rng.integers(len(drawn))] + 1)
        i = rng.integers(len(rows))
        x, y = columns[i] + rng.uniform(-0.4, 0.4) * reach, rows[i] + rng.uniform(-0.4, 0.4) * reach
    else:
        x, y = rng.uniform(0, width), rng.uniform(0, height)
    margin = 0.4 * reach
    return _kept(x, width, margin), _kept(y, height, margin)


def _kept(at: float, length: int, margin: float) -> float:
    """Keep a window mostly on the picture; the middle where the picture is smaller than it."""
    return length / 2 if length <= 2 * margin else min(max(at, margin), length - margin)


def _moved(
    picture: Picture,
    centre: tuple[float, float],
    scale: float,
    angle: float,
    flips: npt.NDArray[np.bool_],
    size: int,
) -> tuple[Pixels, Labels]:
    """Turn, scale, flip and cut in one go, picture and labels alike.

    The picture is mirrored beyond its edges, as the tiles are padded; there the labels say BEYOND. One warp
    by OpenCV computes only the window's own pixels: a tenth of the time of a chain of torchvision transforms.
    """
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]]) * np.where(flips, -1, 1)[:, None]
    shift = (size - 1) / 2 - turn @ (np.array(centre) - 0.5)  # a pixel is known by its middle
    by = np.column_stack([turn, shift])
    pixels = cv2.warpAffine(picture.pixels, by, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    labels = cv2.warpAffine(
        picture.labels,
        by,
        (size, size),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(BEYOND, BEYOND, BEYOND, BEYOND),
    )
    return np.asarray(pixels, np.uint8), np.asarray(labels, np.uint8)


def relit(pixels: Pixels, how: Augmentation, rng: np.random.Generator) -> Pixels:
    """Another contrast and brightness, sometimes with grain."""
    if how.contrast is None:
        contrast = math.exp(rng.uniform(-1, 1) * 2.5 * how.light)
    else:
        contrast = 1 + float(rng.uniform(-1, 1)) * how.contrast
    shift = rng.uniform(-1, 1) * (how.light if how.brightness is None else how.brightness) * 255
    if rng.random() < 0.3 and how.noise > 0:
        grain = rng.standard_normal(pixels.shape[:2], dtype=np.float32) * np.float32(how.noise * 255)
        lit = pixels * np.float32(contrast) + grain[..., None] + (pixels.mean() * (1 - contrast) + shift)
        return np.asarray(np.clip(lit, 0, 255), np.uint8)
    if contrast == 1 and shift == 0:
        return pixels
    levels = np.arange(256, dtype=np.float32) * contrast + (pixels.mean() * (1 - contrast) + shift)
    return np.asarray(cv2.LUT(pixels, np.clip(np.round(levels), 0, 255).astype(np.uint8)), np.uint8)


def _labelled(picture: Picture, window: torch.Tensor, labels: Labels, scale: float, rule: TileRule) -> Window:
    """What the regions that are still inside say."""
    example = picture.example
    if not example.placed:
        unknown = torch.full(labels.shape, BEYOND, dtype=torch.uint8)
        return Window(window, example.target, picture.picture_class, unknown)
    own = picture.own_pixels / (scale * scale)
    inside = areas(labels, len(picture.region_areas)) * own
    hit = np.flatnonzero(rule.inside(inside, picture.region_areas * picture.own_pixels))
    classes = {picture.region_classes[i] for i in hit}
    marked = np.where(labels == BEYOND, BEYOND, labels > 0).astype(np.uint8)
    return Window(window, float(len(hit) > 0), classes.pop() if len(classes) == 1 else -1, torch.from_numpy(marked))


def epoch_order(
    windows: Sequence[int], least: int, rng: np.random.Generator, weights: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.int64]:
    """Which picture each window of an epoch is cut from, shuffled; small sets are gone through several times.

    Args:
        windows: of each picture.
        least: windows in an epoch.
        rng: the only source of chance.
        weights: in (0, 1] of each picture: the chance of each of its windows to be in a turn, which over many turns is
            what it counts for. None is 1 for all.
    """
    once = np.repeat(np.arange(len(windows), dtype=np.int64), windows)
    rounds = max(1, math.ceil(least / max(len(once), 1)))
    if weights is None or bool((weights == 1).all()):
        return np.concatenate([rng.permutation(once) for _ in range(rounds)])
    turns = [rng.permutation(once[rng.random(len(once)) < weights[once]]) for _ in range(rounds)]
    order = np.concatenate(turns)
    return order if len(order) else rng.permutation(once)
