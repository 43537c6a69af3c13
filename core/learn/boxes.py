"""How well boxes are found: recall, precision, F and average precision, with intervals over the groups of pictures.

A found box counts where it overlaps a drawn one by at least `iou`, each drawn box once, the surest find first. With the
class right, only a find of the same class can count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.learn.metrics.groups import FEWEST_GROUPS
from core.learn.over_groups import DRAWS, Floats64, interval, listed, rate_of
from core.pictures.boxes import BoxArray, iou, pairs_by_score
from core.pictures.seams import Finds

IOU = 0.33  # as the makers of the PCB set count; a drawn box is a person's hand, not a contour
ANY = -1  # class number of a drawn box whose class the detector does not know
_NONE = np.zeros((0, 4))


@dataclass(frozen=True)
class Boxed:
    """One picture: what was drawn and what was found.

    Attributes:
        group: what may not be counted as independent: the part, or whatever a split keeps together.
        true: (n, 4) x, y, width, height.
        true_classes: (n,) numbers; -1 for one that nobody could name right.
        found, scores, classes: (m, 4), (m,), (m,).
        overlaps: (m, n) of what was found with what was drawn, where it is masks that are compared; None for boxes.
    """

    group: str
    true: BoxArray
    true_classes: npt.NDArray[np.int64]
    found: BoxArray = field(default_factory=lambda: _NONE)
    scores: Floats64 = field(default_factory=lambda: np.zeros(0))
    classes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    overlaps: Floats64 | None = None

    def with_found(self, finds: Finds) -> "Boxed":
        """The same picture with these boxes found."""
        return replace(self, found=finds.boxes, scores=finds.scores, classes=finds.classes, overlaps=None)

    def above(self, threshold: float) -> "Boxed":
        """Without what is less sure."""
        return self.some(np.flatnonzero(self.scores >= threshold), np.arange(len(self.true)))

    def some(self, found: npt.NDArray[np.int64], true: npt.NDArray[np.int64]) -> "Boxed":
        """Only these of what was found and of what was drawn."""
        return replace(
            self, true=self.true[true], true_classes=self.true_classes[true], found=self.found[found],
            scores=self.scores[found], classes=self.classes[found],
            overlaps=None if self.overlaps is None else self.overlaps[np.ix_(found, true)],
        )  # fmt: skip

    def shared(self) -> Floats64:
        """(m, n) overlap over union."""
        return iou(self.found, self.true) if self.overlaps is None else self.overlaps


@dataclass(frozen=True)
class Matched:
    """Boxes of a set of pictures: right ones, found ones, drawn ones."""

    hits: int
    found: int
    drawn: int

    @property
    def recall(self) -> float | None:
        return self.hits / self.drawn if self.drawn else None

    @property
    def precision(self) -> float | None:
        return self.hits / self.found if self.found else None

    @property
    def f1(self) -> float:
        both = self.found + self.drawn
        return 2 * self.hits / both if both else 0.0


@dataclass(frozen=True)
class At:
    """A threshold and the F1 it reaches."""

    threshold: float
    f1: float


def hits(one: Boxed, iou: float = IOU, *, named: bool = True) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which finds are right, and which drawn boxes were found.

    Args:
        one: the picture.
        iou: at least so much overlap.
        named: the class has to be right, too.

    Returns:
        (m,) of the finds, (n,) of the drawn boxes.
    """
    right, got = np.zeros(len(one.found), bool), np.zeros(len(one.true), bool)
    classes = sorted(set(one.true_classes.tolist())) if named else [None]
    shared = one.shared()
    for number in classes:
        mine = np.arange(len(one.found)) if number is None else np.flatnonzero(one.classes == number)
        wanted = np.arange(len(one.true)) if number is None else np.flatnonzero(one.true_classes == number)
        if number == ANY or not len(mine) or not len(wanted):
            continue
        for pair in pairs_by_score(shared[np.ix_(mine, wanted)], one.scores[mine], iou):
            right[mine[pair.found]], got[wanted[pair.true]] = True, True
    return right, got


def matched(pictures: Sequence[Boxed], iou: float = IOU, *, named: bool = True) -> Matched:
    """All pictures together; every find that is there counts as found."""
    counts = _counts(pictures, iou, named).sum(axis=0) if pictures else np.zeros(3)
    return Matched(*(int(v) for v in counts))


def best_threshold(pictures: Sequence[Boxed], iou: float = IOU) -> At:
    """The threshold at which F1, with the class right, is largest; 0.5 where nothing is drawn or found.

    Of equally good ones the middle between the last find that counts and the next one.
    """
    rows = [(s, r) for one in pictures for s, r in zip(one.scores.tolist(), hits(one, iou)[0].tolist(), strict=True)]
    drawn = sum(len(one.true) for one in pictures)
    if not rows or not drawn:
        return At(0.5, 0.0)
    rows.sort(key=lambda row: -row[0])
    scores = np.array([row[0] for row in rows])
    gained = np.cumsum([row[1] for row in rows])
    f1 = 2 * gained / (np.arange(1, len(rows) + 1) + drawn)
    last = np.append(scores[1:] < scores[:-1], True)  # a threshold cannot part equal scores
    at = int(np.argmax(np.where(last, f1, -1.0)))
    below = float(scores[at + 1]) if at + 1 < len(scores) else 0.0
    return At(float(np.clip((scores[at] + below) / 2, 0.01, 0.99)), float(f1[at]))


def average_precision(pictures: Sequence[Boxed], number: int, iou: float = 0.5) -> float | None:
    """Area under the precision-recall curve of one class; None where it is not drawn.

    Source: Everingham et al. 2010, "The Pascal visual object classes challenge", as counted since then: all points.
    """
    return _average_precision(_ranked(pictures, number, iou), np.ones(len(pictures)))


def mean_average_precision(pictures: Sequence[Boxed], iou: float = 0.5) -> float | None:
    """Mean over the classes that are drawn; None where nothing is."""
    values = [average_precision(pictures, n, iou) for n in _drawn_classes(pictures)]
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


@dataclass(frozen=True)
class _Ranked:
    """The finds of one class, the surest first, and how many boxes of it each picture has."""

    picture: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    drawn: Floats64


def _ranked(pictures: Sequence[Boxed], number: int, iou: float) -> _Ranked:
    rows: list[tuple[float, int, bool]] = []
    drawn = np.zeros(len(pictures))
    for i, one in enumerate(pictures):
        mine, wanted = one.classes == number, one.true_classes == number
        drawn[i] = wanted.sum()
        scores = one.scores[mine]
        right = np.zeros(len(scores), bool)
        for pair in pairs_by_score(one.shared()[np.ix_(mine, wanted)], scores, iou):
            right[pair.found] = True
        rows += [(float(s), i, bool(r)) for s, r in zip(scores, right, strict=True)]
    rows.sort(key=lambda row: -row[0])
    return _Ranked(np.array([row[1] for row in rows], np.int64), np.array([row[2] for row in rows], bool), drawn)


def _average_precision(ranked: _Ranked, weights: Floats64) -> float | None:
    """With each picture as often as its weight says."""
    drawn = float(ranked.drawn @ weights)
    if drawn <= 0:
        return None
    share = weights[ranked.picture]
    right = np.cumsum(share * ranked.right)
    found = np.cumsum(share)
    precision = np.divide(right, found, out=np.zeros_like(right), where=found > 0)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.concatenate([[0.0], right / drawn]))
    return float((envelope * steps).sum())


def _drawn_classes(pictures: Sequence[Boxed]) -> list[int]:
    return sorted({int(n) for one in pictures for n in one.true_classes if n != ANY})


def _counts(pictures: Sequence[Boxed], iou: float, named: bool) -> Floats64:
    """(pictures, 3): hits, found, drawn."""
    rows = [(hits(one, iou, named=named)[0].sum(), len(one.found), len(one.true)) for one in pictures]
    return np.array(rows, np.float64).reshape(-1, 3)


def box_figures(
    pictures: Sequence[Boxed], classes: Sequence[str], rng: np.random.Generator, iou: float = IOU,
    ranked: Sequence[Boxed] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Everything reported of boxes on these pictures; JSON.

    Args:
        pictures: with what is found above the threshold.
        classes: names by number.
        rng: of the intervals.
        iou: from which on a box is found.
        ranked: with everything that was found, for average precision; None leaves that out.
    """
    groups = [one.group for one in pictures]
    document: dict[str, Any] = {"pictures": len(pictures), "groups": len(set(groups)), "iou": iou}
    for key, named in (("class_right", True), ("class_ignored", False)):
        counts = _counts(pictures, iou, named)
        total = Matched(*(int(v) for v in counts.sum(axis=0)))
        document[key] = {
            "hits": total.hits, "found": total.found, "drawn": total.drawn,
            "recall": total.recall, "precision": total.precision, "f1": total.f1,
            "recall_interval": listed(interval(groups, rate_of(counts, 0, (2,)), rng)),
            "precision_interval": listed(interval(groups, rate_of(counts, 0, (1,)), rng)),
            "f1_interval": listed(interval(groups, rate_of(counts, 0, (1, 2)), rng)),
        }  # fmt: skip
    document["per_class"] = {
        classes[n]: {"recall": one.recall, "precision": one.precision, "f1": one.f1, "drawn": one.drawn}
        for n in _drawn_classes(pictures)
        if (one := _of_class(pictures, n, iou))
    }
    if ranked is not None:
        document["map50"] = mean_average_precision(ranked, 0.5)
        document["map50_interval"] = listed(interval(groups, mean_precision_of(ranked, 0.5), rng, DRAWS // 2))
        document["ap50"] = {classes[n]: average_precision(ranked, n, 0.5) for n in _drawn_classes(ranked)}
    return document


def _of_class(pictures: Sequence[Boxed], number: int, iou: float) -> Matched:
    some = [
        one.some(np.flatnonzero(one.classes == number), np.flatnonzero(one.true_classes == number)) for one in pictures
    ]
    return matched(some, iou)


def mean_precision_of(pictures: Sequence[Boxed], iou: float) -> Callable[[Floats64], float | None]:
    """Mean average precision of the same pictures from how often each counts; for an interval."""
    ranked = [_ranked(pictures, n, iou) for n in _drawn_classes(pictures)]

    def mean(weights: Floats64) -> float | None:
        values = [v for one in ranked if (v := _average_precision(one, weights)) is not None]
        return float(np.mean(values)) if values else None

    return mean


@dataclass(frozen=True)
class Against:
    """Two ways to draw boxes on the same pictures: how much more of the drawn boxes the first one finds.

    Attributes:
        drawn, groups: boxes and groups that were compared.
        new, old: of each way.
        gained, lost: boxes that only the first, only the second found.
        low, high: bounds of the difference in recall, over groups; None where there are too few groups.
    """

    drawn: int
    groups: int
    new: Matched
    old: Matched
    gained: int
    lost: int
    low: float | None
    high: float | None

    @property
    def difference(self) -> float:
        return (self.gained - self.lost) / self.drawn if self.drawn else 0.0

    @property
    def refusal(self) -> str:
        """Why the first may not take the second's place, in a sentence; empty where it may."""
        if self.low is None:
            return f"{self.groups} groups with drawn boxes are too few to tell: take {FEWEST_GROUPS} or more."
        new, old = self.new.recall or 0.0, self.old.recall or 0.0
        if self.low <= 0:
            return (
                f"its recall of boxes, {new:.1%}, is not shown to be above the heatmap's, {old:.1%}: the difference "
                f"lies between {self.low:+.1%} and {self.high:+.1%}."
            )
        if self.new.f1 < self.old.f1:
            return (
                f"it finds more boxes ({new:.1%} against {old:.1%}) but draws so many wrong ones that its F1 is lower "
                f"({self.new.f1:.3f} against {self.old.f1:.3f})."
            )
        return ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "drawn": self.drawn,
            "groups": self.groups,
            "recall": self.new.recall,
            "recall_before": self.old.recall,
            "precision": self.new.precision,
            "precision_before": self.old.precision,
            "f1": self.new.f1,
            "f1_before": self.old.f1,
            "gained": self.gained,
            "lost": self.lost,
            "difference": self.difference,
            "interval": None if self.low is None else [self.low, self.high],
            "refusal": self.refusal,
        }


def against(new: Sequence[Boxed], old: Sequence[Boxed], rng: np.random.Generator, iou: float = IOU) -> Against:
    """Compare two ways to draw boxes, box by box; classes do not count, since a heatmap's box has its picture's.

    Raises:
        BadInput: they were not asked about the same pictures.
    """
    same = len(new) == len(old) and all(
        a.group == b.group and a.true.shape == b.true.shape and bool((a.true == b.true).all())
        for a, b in zip(new, old, strict=True)
    )
    if not same:
        raise BadInput("Two ways to draw boxes can only be compared on the same pictures: measure both again.")
    got = [hits(one, iou, named=False)[1] for one in new]
    had = [hits(one, iou, named=False)[1] for one in old]
    more = np.array([(a & ~b).sum() for a, b in zip(got, had, strict=True)], np.float64)
    less = np.array([(b & ~a).sum() for a, b in zip(got, had, strict=True)], np.float64)
    drawn = np.array([len(one.true) for one in new], np.float64)
    marked = [i for i, one in enumerate(new) if len(one.true)]
    counts = np.stack([more - less, drawn], axis=1)[marked] if marked else np.zeros((0, 2))
    groups = [new[i].group for i in marked]
    bounds = interval(groups, rate_of(counts, 0, (1,)), rng)
    return Against(
        int(drawn.sum()), len(set(groups)), matched(new, iou, named=False), matched(old, iou, named=False),
        int(more.sum()), int(less.sum()), None if bounds is None else bounds[0],
        None if bounds is None else bounds[1],
    )  # fmt: skip
