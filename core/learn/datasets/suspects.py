"""Labels to doubt: what the model, another picture, the box itself or another person says against them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.records import NO_DEFECT, Region
from core.taxonomy import DEFECTIVE

TINY_PX = 3.0  # of the shorter side
HUGE_SHARE = 0.9  # of the picture's area
SLACK_PX = 0.5  # how far a box may stick out and still be meant


class Why(StrEnum):
    """Why a label is doubted."""

    MODEL = "the model disagrees"
    TWINS = "same picture, other label"
    OUTSIDE = "box off the picture"
    EMPTY = "box without area"
    TINY = "tiny box"
    HUGE = "huge box"
    PEOPLE = "two people differ"


@dataclass(frozen=True)
class Labelled:
    """One labelled image, as far as a doubt needs it.

    Attributes:
        classes: class ids; empty on a good one, and on a defective one of which nobody named the kind.
    """

    image: int
    part: int
    path: str
    size_wh: tuple[int, int]
    defective: bool
    classes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    by: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the label says in words."""
        return (self.classes or (DEFECTIVE,)) if self.defective else (NO_DEFECT,)


@dataclass(frozen=True)
class Suspect:
    """One doubt about one label.

    Attributes:
        worth: how much it is worth a look, from 0 to 1; larger comes first.
        others: images that it is about as well.
    """

    image: int
    part: int
    why: Why
    sentence: str
    worth: float
    others: tuple[int, ...] = ()


def odd_boxes(labelled: Iterable[Labelled]) -> list[Suspect]:
    """Boxes off the picture, without area, too small to be a defect or as large as the picture."""
    found = []
    for one in labelled:
        width, height = one.size_wh
        for region in one.regions:
            told = f"{region.class_id or region.name or 'A box'} of {region.width:.0f} × {region.height:.0f} px"
            out = max(-region.x, -region.y, region.x + region.width - width, region.y + region.height - height)
            if region.width <= 0 or region.height <= 0:
                found.append(Suspect(one.image, one.part, Why.EMPTY, f"{told} has no area.", 1.0))
            elif out > SLACK_PX:
                sentence = f"{told} sticks out of the picture by {out:.0f} px."
                found.append(Suspect(one.image, one.part, Why.OUTSIDE, sentence, 0.9))
            elif min(region.width, region.height) < TINY_PX:
                sentence = f"{told}: under {TINY_PX:g} px nobody sees a defect."
                found.append(Suspect(one.image, one.part, Why.TINY, sentence, 0.5))
            elif region.area_px > HUGE_SHARE * width * height:
                sentence = f"{told} covers {region.area_px / (width * height):.0%} of the picture."
                found.append(Suspect(one.image, one.part, Why.HUGE, sentence, 0.4))
    return found


def twins(labelled: Sequence[Labelled], pairs: Iterable[tuple[int, int]]) -> list[Suspect]:
    """Pictures that look the same, or are the same bytes, with different labels.

    Args:
        labelled: any.
        pairs: numbers of them that show the same thing.
    """
    against: dict[int, list[Labelled]] = defaultdict(list)
    for one, other in pairs:
        if set(labelled[one].kinds) != set(labelled[other].kinds):
            against[one].append(labelled[other])
            against[other].append(labelled[one])
    found = []
    for number, others in sorted(against.items()):
        mine = labelled[number]
        said = sorted({kind for twin in others for kind in twin.kinds})
        sentence = f"Labelled {', '.join(mine.kinds)}; the same picture is labelled {', '.join(said)} elsewhere."
        images = tuple(twin.image for twin in others)[:8]
        found.append(Suspect(mine.image, mine.part, Why.TWINS, sentence, 0.95, images))
    return found


def kinds_and_probabilities(
    labelled: Sequence[Labelled], scores: Sequence[float], class_scores: Sequence[Mapping[str, float]]
) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.float64], list[int]]:
    """What confident learning asks for: one label and a row of probabilities for each picture.

    Pictures with several classes, or with a class that the model does not know, are left out.

    Args:
        labelled: any.
        scores: the model's probability of a defect, for each.
        class_scores: its probability of each class given a defect.

    Returns:
        The kinds, good first; (n,) the label of each as a number of a kind; (n, kinds) rows that sum to 1; and the
        numbers of the pictures that are in.
    """
    known = sorted({name for own in class_scores for name in own})
    used = {one.classes[0] for one in labelled if one.defective and len(one.classes) == 1}
    kinds = [NO_DEFECT, *(name for name in known if name in used)]
    at = {name: number for number, name in enumerate(kinds)}
    numbers, labels, rows = [], [], []
    for number, (one, score, own) in enumerate(zip(labelled, scores, class_scores, strict=True)):
        if len(one.kinds) != 1 or one.kinds[0] not in at:
            continue
        share = np.array([max(0.0, own.get(name, 0.0)) for name in kinds[1:]])
        if share.sum() <= 0:
            continue
        numbers.append(number)
        labels.append(at[one.kinds[0]])
        rows.append([1 - score, *(score * share / share.sum())])
    table = np.array(rows, np.float64).reshape(len(rows), len(kinds))
    return kinds, np.array(labels, np.int64), table, numbers


def by_model(
    labelled: Sequence[Labelled],
    kinds: Sequence[str],
    probabilities: npt.NDArray[np.float64],
    numbers: Sequence[int],
    issues: npt.NDArray[np.bool_],
    quality: npt.NDArray[np.float64],
) -> list[Suspect]:
    """The labels that confident learning doubts, in the words of the model.

    Args:
        labelled: all of them.
        kinds: columns of `probabilities`.
        probabilities: (n, kinds).
        numbers: (n,) of the labelled pictures.
        issues: (n,) whether the label is doubted.
        quality: (n,) of the label, 0 to 1.
    """
    found = []
    for place in np.flatnonzero(issues).tolist():
        one, row = labelled[numbers[place]], probabilities[place]
        likeliest = int(row.argmax())
        sentence = f"Labelled {', '.join(one.kinds)}; the model says {kinds[likeliest]} with {row[likeliest]:.0%}."
        found.append(Suspect(one.image, one.part, Why.MODEL, sentence, float(1 - quality[place])))
    return found


def ranked(suspects: Iterable[Suspect]) -> list[Suspect]:
    """Each image once for each reason, the most worth a look first."""
    best: dict[tuple[int, Why], Suspect] = {}
    for one in suspects:
        key = (one.image, one.why)
        if key not in best or one.worth > best[key].worth:
            best[key] = one
    return sorted(best.values(), key=lambda one: (-one.worth, one.why, one.image))
