"""Outlines pixel by pixel: where the map is cut, what outlines are worth, and whether they may stand for their boxes.

Only pictures count of which every pixel is labelled: good ones, and those on which each defect has an outline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.learn.boxes import Boxed
from core.learn.masks import Covered, PixelsAgainst, covered, mask_figures, mean_f1_of, pixel_figures, pixels_against
from core.pictures.masks import overlaps, together
from core.pictures.seams import Finds
from core.records import Floats, Polygons, Region

if TYPE_CHECKING:
    from data.store import Store
    from models.training.examples import Example

CUTS = tuple(round(0.05 * n, 2) for n in range(1, 20))
NO_CUT = 0.5  # where no validation picture tells a better one


@dataclass
class PixelPass:
    """What a detector with a mask head made of the pixels of every picture.

    Attributes:
        outlines: of each picture that counts, what its outlines cover.
        filled: likewise, what the same boxes cover.
        masks: everything that was found, compared by masks.
        left_out: pictures that do not count.
    """

    outlines: list[Covered] = field(default_factory=list)
    filled: list[Covered] = field(default_factory=list)
    masks: list[Boxed] = field(default_factory=list)
    left_out: int = 0

    def look(self, example: "Example", everything: Boxed, values: Floats | None, threshold: float, cut: float) -> None:
        """Count one picture.

        Args:
            example: with what was drawn.
            everything: that was found, however unsure.
            values: the map; nothing is counted without one.
            threshold: of boxes that are shown.
            cut: of pixels inside them.
        """
        from models.detector.masks import boxes_filled, drawn_patches, patches

        if values is None or not example.outlined:
            self.left_out += 1
            return
        size = (example.width, example.height)
        drawn = drawn_patches(example.regions, size)
        found = patches(values, everything.found, size, cut)
        shown = np.flatnonzero(everything.scores >= threshold)
        there, group = together(drawn, *size), example.part or example.group
        self.outlines.append(covered(group, together([found[i] for i in shown], *size), there))
        self.filled.append(covered(group, together(boxes_filled(everything.found[shown], size), *size), there))
        shared = overlaps(found, drawn)
        self.masks.append(
            Boxed(group, everything.true, everything.true_classes, everything.found, everything.scores,
                  everything.classes, shared)
        )  # fmt: skip

    def against(self, rng: np.random.Generator) -> PixelsAgainst:
        """Outlines against boxes."""
        return pixels_against(self.outlines, self.filled, rng)

    def figures(self, rng: np.random.Generator, cut: float) -> dict[str, Any] | None:
        """Everything reported of outlines; JSON. None where no picture counts."""
        if not self.outlines:
            return None
        return {
            "threshold": cut,
            "pixels": pixel_figures(self.outlines, rng),
            "boxes_filled": pixel_figures(self.filled, rng),
            **mask_figures(self.masks, rng),
            "against_boxes": self.against(rng).to_json(),
            "left_out": self.left_out,
        }


def best_cut(seen: "Sequence[tuple[Example, Finds, Floats]]", threshold: float) -> float:
    """Where to cut the map so that the mean F1 of pictures, over the pixels inside the boxes shown, is largest.

    Of equally good cuts the middle one; the usual one where no pixel is drawn or found.

    Args:
        seen: validation pictures, what was found and the map of each.
        threshold: of boxes.
    """
    from models.detector.masks import drawn_patches, patches

    rows: dict[float, list[Covered]] = {cut: [] for cut in CUTS}
    for example, finds, values in seen:
        if not example.outlined:
            continue
        size = (example.width, example.height)
        shown = finds.boxes[finds.scores >= threshold]
        there = together(drawn_patches(example.regions, size), *size)
        for cut in CUTS:
            rows[cut].append(covered(example.group, together(patches(values, shown, size, cut), *size), there))
    worth = {cut: mean_f1_of(counted) or 0.0 for cut, counted in rows.items()}
    best = max(worth.values())
    equal = [cut for cut, value in worth.items() if value == best]
    return equal[len(equal) // 2] if best > 0 else NO_CUT


def heat_pixels(values: Floats, example: "Example", cut: float) -> Covered:
    """What a map over a whole picture covers where it is at `cut` or more.

    Args:
        values: (rows, columns) in [0, 1].
        example: of which every pixel is labelled.
        cut: from which value on.
    """
    from models.detector.masks import drawn_patches, patches

    size = (example.width, example.height)
    whole = np.array([[0.0, 0.0, *size]], np.float64)
    found = patches(values, whole, size, cut) if values.max(initial=0.0) >= cut else []
    there = together(drawn_patches(example.regions, size), *size)
    return covered(example.part or example.group, together(found, *size), there)


def bounds_of(regions: Sequence[Region]) -> npt.NDArray[np.float64]:
    """(n, 4) x, y, width, height of the rings of each region; of its box where it has none."""
    rows = []
    for region in regions:
        if isinstance(region.mask, Polygons):
            points = np.concatenate([np.reshape(ring, (-1, 2)) for ring in region.mask.rings])
            low, high = points.min(axis=0), points.max(axis=0)
            rows.append((*low, *(high - low)))
        else:
            rows.append((region.x, region.y, region.width, region.height))
    return np.array(rows, np.float64).reshape(-1, 4)


def outlines_shown(store: "Store", site: str) -> bool:
    """Whether the trial that put the detector in force at a site showed its outlines to be worth more than boxes."""
    changes = store.detectors.history(site, limit=1)
    if not changes or changes[0].detector is None:
        return False
    trial = next((one for one in store.detectors.trials(site, changes[0].detector) if one.id == changes[0].trial), None)
    masks = None if trial is None else trial.document.get("masks")
    return masks is not None and masks["against_boxes"]["refusal"] == ""
