"""What a model is worth on one set of labelled pictures: the numbers of a card and of a report."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.learn import metrics
from core.learn.by_size import Drawn, recall_by_size
from core.learn.metrics import Interval
from core.records import NO_DEFECT

UNMAPPED = "unmapped"  # defective, in no class of the taxonomy
SEVERAL = "several classes"
THRESHOLD = 0.5  # of the calibrated score, for whatever has to be said yes or no
FALSE_REJECTS = 0.05


@dataclass(frozen=True)
class Judged:
    """One picture with its label and what the model said.

    Attributes:
        group: the part; what may be joined into one decision.
        score: calibrated probability of a defect.
        pointed: whether the hottest spot of the map lies on a drawn region; None where none is drawn.
        view: which side of the part it shows; None where nobody said.
        drawn: how large each drawn region is, and whether the model pointed at it.
    """

    file: str
    group: str
    defective: bool
    classes: tuple[str, ...]
    score: float
    class_scores: Mapping[str, float] = field(default_factory=dict)
    pointed: bool | None = None
    view: str | None = None
    drawn: tuple[Drawn, ...] = ()

    @property
    def flagged(self) -> bool:
        return self.score >= THRESHOLD

    @property
    def said(self) -> str:
        """The likeliest class; NO_DEFECT where it is not flagged."""
        if not self.flagged:
            return NO_DEFECT
        return max(self.class_scores, key=lambda c: self.class_scores[c]) if self.class_scores else UNMAPPED

    @property
    def is_true(self) -> str:
        """The class on it, in one word."""
        if not self.defective:
            return NO_DEFECT
        return SEVERAL if len(self.classes) > 1 else self.classes[0] if self.classes else UNMAPPED


def summarise(
    judged: Sequence[Judged], classes: Sequence[str], rng: np.random.Generator, averaged: Collection[str] = ()
) -> dict[str, Any]:
    """Everything that is reported of a model on these pictures; JSON.

    Intervals are 95%, and count a part once however many pictures it has; one of too few parts is null. What needs
    both kinds of picture, or a drawn region, is null where there is none.

    Args:
        judged: the pictures.
        classes: the model's.
        rng: of the intervals.
        averaged: parts whose pictures without a named view are exposures of one view.
    """
    scores = np.array([j.score for j in judged], np.float64)
    defective = np.array([j.defective for j in judged], bool)
    groups = [j.group for j in judged]
    parts = metrics.by_group(scores, defective, groups, [j.view for j in judged], averaged)
    at_five = metrics.recall_at_false_reject_rate(scores, defective, FALSE_REJECTS)
    part_at_five = metrics.recall_at_false_reject_rate(parts.scores, parts.defective, FALSE_REJECTS)
    model = metrics.count(scores >= THRESHOLD, defective)
    pointing = metrics.PointingGame(sum(bool(j.pointed) for j in judged), sum(j.pointed is not None for j in judged))
    names = _names(judged, classes)
    return {
        "images": len(judged),
        "defective": int(defective.sum()),
        "parts": len(parts.groups),
        "defective_parts": int(parts.defective.sum()),
        "prevalence": {
            "per_image": model.prevalence,
            "per_part": float(parts.defective.mean()) if len(parts.groups) else None,
        },
        "auroc": metrics.auroc(scores, defective),
        "auroc_interval": _listed(metrics.auroc_interval(scores, defective, groups)),
        "part_auroc": metrics.auroc(parts.scores, parts.defective),
        "part_auroc_interval": _listed(metrics.delong_interval(parts.scores, parts.defective)),
        "part_rule": part_rule(judged, averaged),
        "pr_auc": metrics.average_precision(scores, defective),
        "recall_at_5_percent_frr": None if at_five is None else at_five.recall,
        "recall_at_5_percent_frr_interval": _listed(
            metrics.recall_interval(scores, defective, groups, rng=rng, rate=FALSE_REJECTS)
        ),
        "part_recall_at_5_percent_frr": None if part_at_five is None else part_at_five.recall,
        "recall_by_size": recall_by_size(scores, defective, groups, [j.drawn for j in judged]),
        "per_class": {name: score.as_json() for name, score in _classes(judged, classes).items()},
        "confusion": {
            "names": names,
            "matrix": metrics.confusion([j.is_true for j in judged], [j.said for j in judged], names),
        },
        "pointing_game": pointing.score,
        "pointing_game_interval": _listed(metrics.proportion_interval(pointing.hits, pointing.n)),
        "pointing_game_images": pointing.n,
        "threshold": THRESHOLD,
        "at_threshold": model.as_json(),
        "flag_all": metrics.flag_all(model).as_json(),
        "pass_all": metrics.pass_all(model).as_json(),
        "beats_flag_all": metrics.beats_flag_all(model),
        "calibration_error": metrics.calibration_error(scores, defective),
        "log_loss": metrics.log_loss(scores, defective),
    }


def part_rule(judged: Sequence[Judged], averaged: Collection[str]) -> str:
    """How the pictures of a part were joined, in a sentence."""
    unnamed = {j.group for j in judged if j.view is None}
    together = len(unnamed & frozenset(averaged))
    said = "Pictures of one named view are averaged in log-odds, and the largest of a part's views counts"
    if not unnamed:
        return f"{said}."
    if not together:
        return f"{said}; a picture without a named view counts as a view of its own."
    where = "" if together == len(unnamed) else f" in {together} of {len(unnamed)} parts that have such"
    return f"{said}; pictures without a named view are exposures of one view{where}."


def _classes(judged: Sequence[Judged], classes: Sequence[str]) -> dict[str, metrics.ClassScore]:
    """Each class against the rest; a class is claimed where it is the likeliest of a flagged picture."""
    return metrics.per_class(
        [frozenset(j.classes) for j in judged],
        [frozenset({j.said} - {NO_DEFECT, UNMAPPED}) for j in judged],
        classes,
        [{c: v * j.score for c, v in j.class_scores.items()} for j in judged],
    )


def _names(judged: Sequence[Judged], classes: Sequence[str]) -> list[str]:
    """Rows and columns of the confusion matrix: good, the model's classes, then whatever else occurs."""
    seen = {j.is_true for j in judged} | {j.said for j in judged}
    known = [NO_DEFECT, *classes]
    return known + sorted(seen - set(known))


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
