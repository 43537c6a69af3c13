"""What may be done to the pictures of a part type while training: as asked for, less what would hide or make defects.

    asked for ──▶ minus what the part type's way up forbids       (a mirrored label is a defect)
              ──▶ minus what classes are judged by                (a stain by its brightness, a size by its size)
              ──▶ minus what hides drawn defects, as measured     (grain over hairlines, light over what is white)

How visible a region is: the strength of its signal against the texture around it, as an ideal observer sees it. Below
5 nobody finds it reliably.

Source: Rose 1948, "The sensitivity performance of the human eye on an absolute scale"; the sum over pixels as in
Burgess 1999, "The Rose model, revisited".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.errors import BadInput
from core.records import Pixels

SEEN = 5.0  # Rose's limit
RING_PX = 6  # around a region, which says what the surface is like
HIDDEN = 0.05  # of the drawn regions that a heavy change may hide
FEWEST = 5  # visible regions, for a measurement to forbid anything
UPRIGHT = 5.0  # degrees; a part that has a way up still lies a little askew
QUANTUM = 1 / 12  # variance of a grey level that is rounded to a whole number


class Op(StrEnum):
    """One kind of change."""

    ROTATION = "rotation"
    FLIP_X = "flip left-right"
    FLIP_Y = "flip upside down"
    NOISE = "noise"
    BRIGHTNESS = "brightness"
    CONTRAST = "contrast"
    CROP = "crop and resize"


class By(StrEnum):
    """What a class of defect may be judged by; a change of that makes or hides it."""

    BRIGHTNESS = "brightness"
    SIZE = "size"
    DIRECTION = "direction"


FORBIDS: Mapping[By, tuple[Op, ...]] = {
    By.BRIGHTNESS: (Op.BRIGHTNESS, Op.CONTRAST),
    By.SIZE: (Op.CROP,),
    By.DIRECTION: (Op.ROTATION, Op.FLIP_X, Op.FLIP_Y),
}


@dataclass(frozen=True)
class Asked:
    """What a configuration asks for; None leaves it to the recipe.

    Attributes:
        rotation: largest turn in degrees either way.
        flip_x, flip_y: mirrored left-right, upside down.
        noise: standard deviation of Gaussian grain, as a share of the range.
        brightness: largest shift of the grey level, as a share of the range.
        contrast: how far the contrast's factor may lie from 1.
        crop: smallest and largest share of a window's side that is enlarged to all of it.
        least: of a region that a window shows if it shows any of it.
    """

    rotation: float | None = None
    flip_x: bool | None = None
    flip_y: bool | None = None
    noise: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    crop: tuple[float, float] | None = None
    least: float = 0.5

    def without(self, op: Op) -> "Asked":
        """The same with one change switched off."""
        off: dict[Op, Asked] = {
            Op.ROTATION: replace(self, rotation=0.0),
            Op.FLIP_X: replace(self, flip_x=False),
            Op.FLIP_Y: replace(self, flip_y=False),
            Op.NOISE: replace(self, noise=0.0),
            Op.BRIGHTNESS: replace(self, brightness=0.0),
            Op.CONTRAST: replace(self, contrast=0.0),
            Op.CROP: replace(self, crop=(1.0, 1.0)),
        }
        return off[op]


@dataclass(frozen=True)
class Off:
    """A change that is not made, and why."""

    op: Op
    why: str


@dataclass(frozen=True)
class Shown:
    """What is known of a part type's pictures.

    Attributes:
        flips: the part looks the same mirrored.
        classes: that its training pictures show.
        hidden: share of the visible drawn regions that each change hides; a change that was not measured is absent.
        regions: visible drawn regions that were measured.
        placed: every defect was drawn, so that windows may be cut freely.
    """

    flips: bool = True
    classes: Sequence[str] = ()
    hidden: Mapping[Op, float] = field(default_factory=dict)
    regions: int = 0
    placed: bool = True


def settled(
    asked: Asked, shown: Shown, judged_by: Mapping[By, Sequence[str]], most_hidden: float = HIDDEN
) -> tuple[Asked, tuple[Off, ...]]:
    """What is done to a part type's pictures, and what is not done and why.

    Args:
        asked: by the configuration.
        shown: of the part type.
        judged_by: classes that are judged by what a change would change.
        most_hidden: share of the visible regions that a change may hide.
    """
    found = asked
    off: list[Off] = []

    def forbid(op: Op, why: str) -> None:
        nonlocal found
        if op not in [one.op for one in off]:
            found = found.without(op)
            off.append(Off(op, why))

    if not shown.flips:
        for op in (Op.FLIP_X, Op.FLIP_Y):
            forbid(op, "the part type has a way up: mirrored, it would look like a defect")
        if found.rotation is None or found.rotation > UPRIGHT:
            found = replace(found, rotation=UPRIGHT)
            off.append(Off(Op.ROTATION, f"the part type has a way up: turned by no more than {UPRIGHT:g} degrees"))
    for by, names in judged_by.items():
        mine = sorted(set(names) & set(shown.classes))
        for op in FORBIDS[by] if mine else ():
            forbid(op, f"{', '.join(mine)} is judged by {by}")
    if not shown.placed and asked.crop is not None:
        forbid(Op.CROP, "not every defect is drawn: a cut could take one away and keep its label")
    for op, share in sorted(shown.hidden.items()):
        if share > most_hidden and shown.regions >= FEWEST:
            forbid(op, f"it hides {share:.0%} of {shown.regions} drawn regions that can be seen without it")
    return found, tuple(off)


def heavy(asked: Asked) -> dict[Op, Sequence[tuple[float, float, float]]]:
    """The ends of each change of light, as (factor of the contrast, shift in grey levels, grain in grey levels)."""
    found: dict[Op, Sequence[tuple[float, float, float]]] = {}
    if asked.noise:
        found[Op.NOISE] = ((1.0, 0.0, 255 * asked.noise),)
    if asked.brightness:
        found[Op.BRIGHTNESS] = ((1.0, 255 * asked.brightness, 0.0), (1.0, -255 * asked.brightness, 0.0))
    if asked.contrast:
        found[Op.CONTRAST] = ((1 + asked.contrast, 0.0, 0.0), (1 - asked.contrast, 0.0, 0.0))
    return found


def hidden_by(regions: Sequence[tuple[Pixels, npt.NDArray[np.bool_]]], asked: Asked) -> tuple[dict[Op, float], int]:
    """Which share of the visible regions each change hides at its ends.

    Args:
        regions: a piece of a picture around each region, and the region in it, as (h, w).
        asked: what would be done.

    Returns:
        The share for each change, and how many regions can be seen without it.
    """
    seen = [(pixels, mask) for pixels, mask in regions if visibility(pixels, mask) >= SEEN]
    shares = {}
    for op, ends in heavy(asked).items():
        gone = sum(
            any(visibility(_relit(pixels, factor, shift), mask, grain) < SEEN for factor, shift, grain in ends)
            for pixels, mask in seen
        )
        shares[op] = gone / len(seen) if seen else 0.0
    return shares, len(seen)


def visibility(pixels: Pixels, mask: npt.NDArray[np.bool_], grain: float = 0.0) -> float:
    """How well a region stands out from what surrounds it: root of its signal's energy over the noise of a pixel.

    Args:
        pixels: (h, w, 3) with some surface around the region.
        mask: (h, w), true in the region.
        grain: standard deviation of noise added to every pixel, in grey levels.

    Raises:
        BadInput: the region is empty, or of another size than the picture.
    """
    if mask.shape != pixels.shape[:2] or not mask.any():
        raise BadInput(f"A region of {mask.shape} for a picture of {pixels.shape[:2]}: give one that is not empty.")
    ring = ndimage.binary_dilation(mask, iterations=RING_PX) & ~ndimage.binary_dilation(mask, iterations=1)
    if ring.sum() < 2:
        ring = ~mask
    if ring.sum() < 2:
        return 0.0  # the region is all there is: nothing to stand out from
    signal = energy = 0.0
    for channel in np.moveaxis(pixels.astype(np.float64), -1, 0):
        around, inside = channel[ring], channel[mask]
        noise = float(around.var()) + QUANTUM
        energy = float(((inside - around.mean()) ** 2).sum() - len(inside) * around.var())
        signal = max(signal, energy / (noise + grain * grain))
    return float(np.sqrt(max(0.0, signal)))


def _relit(pixels: Pixels, factor: float, shift: float) -> Pixels:
    """As training changes the light: the contrast around the mean, then the shift, cut off at black and white."""
    middle = float(pixels.mean())
    return np.clip(np.round((pixels - middle) * factor + middle + shift), 0, 255).astype(np.uint8)
