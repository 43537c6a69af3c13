"""Which class: each against the rest, and which is taken for which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput
from core.learn.metrics.counts import count
from core.learn.metrics.ranking import average_precision


@dataclass(frozen=True)
class ClassScore:
    """One class against the rest, among `n` true examples of it; None where a rate has no denominator."""

    precision: float | None
    recall: float | None
    f1: float | None
    n: int
    pr_auc: float | None = None

    def as_json(self) -> dict[str, float | int | None]:
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "n": self.n,
            "pr_auc": self.pr_auc,
        }


def per_class(
    true: Sequence[frozenset[str]],
    said: Sequence[frozenset[str]],
    classes: Sequence[str],
    scores: Sequence[Mapping[str, float]] | None = None,
) -> dict[str, ClassScore]:
    """Precision, recall, F1 of each class; an example may show several.

    Args:
        true: the classes on each example; empty for a good one.
        said: the classes the model claims of it; empty where it passes it.
        classes: those to report.
        scores: how strongly each class is claimed, for the area under the precision-recall curve.
    """
    if len(true) != len(said):
        raise BadInput(f"{len(said)} answers but {len(true)} labels: give one label for each answer.")
    result = {}
    for name in classes:
        present = np.array([name in t for t in true], dtype=bool)
        cells = count([name in s for s in said], present)
        area = None
        if scores is not None and len(scores):
            area = average_precision([s.get(name, 0.0) for s in scores], present)
        result[name] = ClassScore(cells.precision, cells.recall, cells.f(1), int(present.sum()), area)
    return result


def confusion(true: Sequence[str], said: Sequence[str], names: Sequence[str]) -> list[list[int]]:
    """Rows are the truth, columns the answer, both in the order of `names`.

    Raises:
        BadInput: a name that is not listed.
    """
    at = {name: i for i, name in enumerate(names)}
    unknown = sorted({*true, *said} - set(names))
    if unknown:
        raise BadInput(f"{', '.join(unknown)}: not among the names of the matrix ({', '.join(names)}); add them.")
    matrix = np.zeros((len(names), len(names)), dtype=int)
    for t, s in zip(true, said, strict=True):
        matrix[at[t], at[s]] += 1
    return [[int(v) for v in row] for row in matrix]
