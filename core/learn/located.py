"""Whether heatmaps show where a defect is: pointing and energy by class, from the boxes that people have kept.

A map that points beside the defect draws the eye there. So the heatmap of a class is shown by default only where it is
shown to point at the defect often enough; where it is not, or nobody knows, it stays hidden until somebody asks for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.gates.rates import Answer, judge, rate_question, tally
from core.learn.metrics import points_inside
from core.pictures.heatmaps import resized
from core.records import Region

POINTING = 0.6  # of the pictures of a class, at least
JOINT = 0.05  # chance that any class is shown that points less often


@dataclass(frozen=True)
class Pointed:
    """One picture of one class.

    Attributes:
        pointed: the map's hottest spot lies on a box of the class.
        energy: share of the map's heat inside the boxes; None where the map is cold everywhere.
        covered: share of the picture that the boxes cover, which is what an even map would have.
    """

    class_id: str
    part: int
    pointed: bool
    energy: float | None
    covered: float


@dataclass(frozen=True)
class ClassHeat:
    """One class over all its pictures.

    Attributes:
        shown: it is shown by default.
        low, high: bounds of the pointing rate; those of all classes hold together.
        energy, covered: means.
    """

    class_id: str
    n: int
    parts: int
    pointing: float
    low: float
    high: float
    energy: float | None
    covered: float
    answer: Answer
    more_needed: int | None

    @property
    def shown(self) -> bool:
        return self.answer is Answer.PASS

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "class": self.class_id,
            "n": self.n,
            "parts": self.parts,
            "pointing": self.pointing,
            "low": self.low,
            "high": self.high,
            "energy": self.energy,
            "covered": self.covered,
            "answer": str(self.answer),
            "more_needed": self.more_needed,
            "shown": self.shown,
        }


def pointed_at(
    heat: npt.NDArray[np.floating], regions: Sequence[Region], size_wh: tuple[int, int], part: int
) -> list[Pointed]:
    """What a map says of each class that is drawn on a picture.

    Args:
        heat: (rows, columns) over the whole picture.
        regions: as people keep them.
        size_wh: of the picture, in pixels.
        part: that it shows.
    """
    found = []
    for class_id in sorted({one.class_id for one in regions if one.class_id}):
        mask = mask_of([one for one in regions if one.class_id == class_id], size_wh)
        inside = energy_inside(heat, size_wh, mask)
        hit = bool(heat.max() > 0) and points_inside(heat, size_wh, mask)
        found.append(Pointed(class_id, part, hit, inside, float(mask.mean())))
    return found


def mask_of(regions: Sequence[Region], size_wh: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(h, w) pixels inside any of the boxes."""
    width, height = size_wh
    mask = np.zeros((height, width), bool)
    for one in regions:
        top, left = max(0, int(np.floor(one.y))), max(0, int(np.floor(one.x)))
        mask[top : int(np.ceil(one.y + one.height)), left : int(np.ceil(one.x + one.width))] = True
    return mask


def energy_inside(
    heat: npt.NDArray[np.floating], size_wh: tuple[int, int], mask: npt.NDArray[np.bool_]
) -> float | None:
    """Share of a map's heat that lies on the mask; None for a map that is cold everywhere.

    Args:
        heat: (rows, columns) over the whole picture, 0 and more.
        size_wh: of the picture, in pixels.
        mask: (h, w).

    Source: Wang et al. 2020, "Score-CAM", section 4.3 (energy-based pointing game).
    """
    width, height = size_wh
    spread = np.clip(resized(np.asarray(heat, np.float32), (height, width)), 0, None)
    total = float(spread.sum())
    return float(spread[mask].sum()) / total if total > 0 else None


def by_class(found: Sequence[Pointed], limit: float = POINTING, joint: float = JOINT) -> list[ClassHeat]:
    """Judge each class on bounds that hold together."""
    classes = sorted({one.class_id for one in found})
    made = []
    for class_id in classes:
        mine = [one for one in found if one.class_id == class_id]
        counted = tally([one.pointed for one in mine], [one.part for one in mine])
        asked = judge(rate_question(f"pointing at {class_id}", counted, limit, "pictures"), joint / len(classes))
        energies = [one.energy for one in mine if one.energy is not None]
        made.append(
            ClassHeat(
                class_id, len(mine), len({one.part for one in mine}), counted.hits / counted.n, asked.low, asked.high,
                float(np.mean(energies)) if energies else None, float(np.mean([one.covered for one in mine])),
                asked.answer, asked.more_needed,
            )
        )  # fmt: skip
    return made
