"""How well the pixels of defects are found: precision, recall, F1 and overlap over all pixels, with intervals.

An outline has to be worth more than its box: it is shown only where its F1 over pixels is shown to be above that of the
same boxes filled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.learn.boxes import Boxed, mean_average_precision, mean_precision_of
from core.learn.metrics.groups import FEWEST_GROUPS
from core.learn.over_groups import DRAWS, Floats64, interval, listed, rate_of
from core.pictures.masks import Mask

AT = 0.5  # overlap from which on a mask is found


@dataclass(frozen=True)
class Covered:
    """The pixels of one picture.

    Attributes:
        group: what may not be counted as independent.
        hits: found and drawn.
        found, drawn: of each.
    """

    group: str
    hits: int
    found: int
    drawn: int


def covered(group: str, found: Mask, drawn: Mask) -> Covered:
    """Count the pixels of one picture.

    Args:
        group: of the picture.
        found: (h, w) pixels.
        drawn: likewise.
    """
    return Covered(group, int((found & drawn).sum()), int(found.sum()), int(drawn.sum()))


def f1_of(pictures: Sequence[Covered]) -> float | None:
    """Over the pixels of all pictures together; None where none is found or drawn."""
    return rate_of(_counts(pictures), 0, (1, 2))(np.ones(len(pictures)))


def mean_f1_of(pictures: Sequence[Covered]) -> float | None:
    """The mean over the pictures with something drawn, each by itself; None where there are none."""
    return _mean_f1(pictures)(np.ones(len(pictures)))


def pixel_figures(pictures: Sequence[Covered], rng: np.random.Generator) -> dict[str, Any]:
    """Everything reported of pixels; JSON.

    Over all pixels together, where a large defect counts for as many small ones as go into it, and as the mean over the
    pictures with something drawn, where each counts once and what is found on good ones is not seen.

    Args:
        pictures: of which every pixel is labelled.
        rng: of the intervals.
    """
    counts, groups = _counts(pictures), [one.group for one in pictures]
    total = counts.sum(axis=0)
    once = np.ones(len(pictures))
    document: dict[str, Any] = {
        "pictures": len(pictures), "groups": len(set(groups)), "marked": sum(one.drawn > 0 for one in pictures),
        "hits": int(total[0]), "found": int(total[1]), "drawn": int(total[2]),
    }  # fmt: skip
    figures = {
        "recall": rate_of(counts, 0, (2,)), "precision": rate_of(counts, 0, (1,)), "f1": rate_of(counts, 0, (1, 2)),
        "iou": _iou_of(counts), "f1_by_picture": _mean_f1(pictures),
    }  # fmt: skip
    for name, statistic in figures.items():
        document[name] = statistic(once)
        document[f"{name}_interval"] = listed(interval(groups, statistic, rng))
    return document


def mask_figures(pictures: Sequence[Boxed], rng: np.random.Generator) -> dict[str, Any]:
    """Average precision of masks at an overlap of .5, the mean over classes; JSON.

    Args:
        pictures: with everything that was found, however unsure, and the overlaps of masks.
        rng: of the interval.
    """
    statistic = mean_precision_of(pictures, AT)
    return {
        "masks_drawn": sum(len(one.true) for one in pictures),
        "ap50": mean_average_precision(pictures, AT),
        "ap50_interval": listed(interval([one.group for one in pictures], statistic, rng, DRAWS // 2)),
    }


@dataclass(frozen=True)
class PixelsAgainst:
    """Outlines against the boxes around them, filled, on the same pictures.

    Attributes:
        pictures, groups: with something drawn.
        new, old: mean F1 over these pictures; None where there are none.
        new_pooled, old_pooled: F1 over the pixels of all pictures together.
        low, high: bounds of the difference of the means, over groups; None where there are too few groups.
    """

    pictures: int
    groups: int
    new: float | None
    old: float | None
    new_pooled: float | None
    old_pooled: float | None
    low: float | None
    high: float | None

    @property
    def refusal(self) -> str:
        """Why outlines may not be shown, in a sentence; empty where they may."""
        if self.low is None or self.high is None:
            few = f"{self.groups} group{'' if self.groups == 1 else 's'} with outlined defects"
            return f"{few} cannot tell: take {FEWEST_GROUPS} or more."
        if self.low <= 0:
            return (
                f"the F1 of its outlines over pixels, {self.new or 0:.3f} in the mean of pictures, is not shown to be "
                f"above that of its boxes, {self.old or 0:.3f}: the difference lies between {self.low:+.3f} and "
                f"{self.high:+.3f}."
            )
        if (self.new_pooled or 0) < (self.old_pooled or 0):
            return (
                f"its outlines are better than its boxes in the mean of pictures, but over all pixels together their "
                f"F1 is lower ({self.new_pooled or 0:.3f} against {self.old_pooled or 0:.3f})."
            )
        return ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "pictures": self.pictures,
            "groups": self.groups,
            "f1_by_picture": self.new,
            "f1_by_picture_of_boxes": self.old,
            "f1": self.new_pooled,
            "f1_of_boxes": self.old_pooled,
            "interval": None if self.low is None else [self.low, self.high],
            "refusal": self.refusal,
        }


def pixels_against(new: Sequence[Covered], old: Sequence[Covered], rng: np.random.Generator) -> PixelsAgainst:
    """Compare outlines with boxes on the same pictures.

    An inspector sees one picture at a time, so the mean over pictures decides; what is found on good ones counts among
    all pixels together, where outlines may not be worse.

    Raises:
        BadInput: they are not the same pictures.
    """
    if [(one.group, one.drawn) for one in new] != [(one.group, one.drawn) for one in old]:
        raise BadInput("Outlines and boxes can only be compared on the same pictures: measure both again.")
    first, second = _mean_f1(new), _mean_f1(old)

    def difference(weights: Floats64) -> float | None:
        mine, other = first(weights), second(weights)
        return None if mine is None or other is None else mine - other

    marked = {one.group for one in new if one.drawn}
    bounds = None
    if len(marked) >= FEWEST_GROUPS:
        bounds = interval([one.group for one in new], difference, rng)
    low, high = (None, None) if bounds is None else bounds
    pictures = sum(one.drawn > 0 for one in new)
    return PixelsAgainst(
        pictures, len(marked), mean_f1_of(new), mean_f1_of(old), f1_of(new), f1_of(old), low, high
    )  # fmt: skip


def _counts(pictures: Sequence[Covered]) -> Floats64:
    """(pictures, 3): hits, found, drawn."""
    rows = [(one.hits, one.found, one.drawn) for one in pictures]
    return np.array(rows, np.float64).reshape(-1, 3)


def _mean_f1(pictures: Sequence[Covered]) -> Callable[[Floats64], float | None]:
    """From how often each picture counts."""
    counts = _counts(pictures)
    marked = counts[:, 2] > 0
    each = 2 * counts[:, 0] / np.maximum(counts[:, 1] + counts[:, 2], 1)

    def mean(weights: Floats64) -> float | None:
        many = float(weights[marked].sum())
        return float(weights[marked] @ each[marked]) / many if many > 0 else None

    return mean


def _iou_of(counts: Floats64) -> Callable[[Floats64], float | None]:
    def iou(weights: Floats64) -> float | None:
        hits, found, drawn = (float(value) for value in weights @ counts)
        joint = found + drawn - hits
        return hits / joint if joint > 0 else None

    return iou
