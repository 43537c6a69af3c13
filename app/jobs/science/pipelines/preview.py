"""What augmentation makes of a picture, drawn for a page: the picture, and windows of it as training would cut them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.science.learning import Reader
from app.jobs.science.pipelines.configuration import Augmentation
from app.settings import Settings
from core.pictures.tiling import Look

if TYPE_CHECKING:
    from core.records import Pixels
    from models.training.augment import Sample

COLOUR = (213, 94, 0)  # RGB, vermilion: told from every surface by its hue and from a red by its light
MOST_SIDE = 640


@dataclass(frozen=True)
class Drawn:
    """A window with its boxes drawn in.

    Attributes:
        png: encoded.
        boxes: how many regions are in sight.
        least: the smallest share of one that is left; 1 where none is cut.
    """

    png: bytes
    boxes: int
    least: float


@dataclass(frozen=True)
class Preview:
    """A part type's pictures before and after.

    Attributes:
        off: changes that are not made, each with why.
        regions: visible drawn regions that were measured.
    """

    original: Drawn
    samples: tuple[Drawn, ...]
    off: tuple[tuple[str, str], ...]
    regions: int


def preview(
    settings: Settings, items: Sequence[Mapping[str, Any]], shown: int, asked: Augmentation | None, part_type: str,
    flips: bool, look: Look | None, n: int = 6, seed: int = 0,
) -> Preview:  # fmt: skip
    """Settle the augmentation on the pictures of a part type, and show what it makes of one of them.

    Args:
        settings: of the plant.
        items: of a dataset's training side, all of one part type.
        shown: number of the one to show.
        asked: by the configuration; what training does by itself where None.
        part_type: of the items; may be empty.
        flips: whether the part type looks the same mirrored.
        look: how its pictures are cut; what suits the labels where None.
        n: windows.
        seed: of the windows.
    """
    from models.training.augment import preview as windows
    from models.training.augment import settle
    from models.training.examples import example_of
    from models.training.recipes import look_for
    from models.training.sampling import Augmentation as Change

    examples = [example_of(one) for one in items]
    looked = look or look_for(examples)
    off: tuple[tuple[str, str], ...] = ()
    regions = 0
    with Reader(settings) as read:
        if asked is None:
            how = Change() if flips else Change.upright()
        else:
            known = {part_type: flips} if part_type else {"": flips}
            found = settle(examples, read, asked.asked(), asked.classes_judged(), known, asked.most_hidden)
            mine = found.get(part_type, found[""])
            how, regions = mine.how, mine.regions
            off = tuple((str(one.op), one.why) for one in mine.off)
        example = examples[shown]
        original, samples = windows(example, read(example), how, looked, n, seed)
    return Preview(_drawn(original), tuple(_drawn(one) for one in samples), off, regions)


def _drawn(sample: "Sample") -> Drawn:
    """The window with its boxes, small enough for a page."""
    import cv2

    pixels = np.ascontiguousarray(sample.pixels)
    scale = min(1.0, MOST_SIDE / max(pixels.shape[:2]))
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    for x, y, width, height in sample.boxes:
        corner = (round(x * scale) - 2, round(y * scale) - 2)
        other = (round((x + width) * scale) + 1, round((y + height) * scale) + 1)
        cv2.rectangle(pixels, corner, other, COLOUR, 2)
    return Drawn(_png(pixels), len(sample.boxes), min(sample.share, default=1.0))


def _png(pixels: "Pixels") -> bytes:
    import cv2

    _, data = cv2.imencode(".png", pixels[:, :, ::-1])
    return data.tobytes()
