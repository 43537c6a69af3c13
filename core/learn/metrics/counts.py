"""Good and defective, flagged and not: the four cells, their rates, and the rules that need no model."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import BadInput


@dataclass(frozen=True)
class Counts:
    """A good/defective confusion matrix; positive means defective."""

    tp: int
    fn: int
    fp: int
    tn: int

    @property
    def n(self) -> int:
        return self.tp + self.fn + self.fp + self.tn

    @property
    def prevalence(self) -> float | None:
        """Of whatever was counted: images, tiles or parts."""
        return ratio(self.tp + self.fn, self.n)

    @property
    def precision(self) -> float | None:
        return ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return ratio(self.tp, self.tp + self.fn)

    @property
    def false_reject_rate(self) -> float | None:
        return ratio(self.fp, self.fp + self.tn)

    def f(self, beta: float = 1.0) -> float | None:
        """F-beta: recall counts beta times as much as precision; None where nothing is defective or flagged."""
        weight = beta * beta
        return ratio((1 + weight) * self.tp, (1 + weight) * self.tp + weight * self.fn + self.fp)

    def as_json(self) -> dict[str, float | int | None]:
        """Counts and the rates made of them."""
        return {
            "tp": self.tp,
            "fn": self.fn,
            "fp": self.fp,
            "tn": self.tn,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f(1),
            "f2": self.f(2),
            "false_reject_rate": self.false_reject_rate,
        }


def ratio(part: float, whole: float) -> float | None:
    """None where there is no denominator."""
    return part / whole if whole else None


def count(flagged: npt.ArrayLike, defective: npt.ArrayLike) -> Counts:
    """Count the four cells."""
    f, d = np.asarray(flagged, dtype=bool).ravel(), np.asarray(defective, dtype=bool).ravel()
    if len(f) != len(d):
        raise BadInput(f"{len(f)} answers but {len(d)} labels: give one label for each answer.")
    return Counts(int((f & d).sum()), int((~f & d).sum()), int((f & ~d).sum()), int((~f & ~d).sum()))


def flag_all(counts: Counts) -> Counts:
    """The same examples under the rule that stops everything."""
    return Counts(counts.tp + counts.fn, 0, counts.fp + counts.tn, 0)


def pass_all(counts: Counts) -> Counts:
    """The same examples under the rule that stops nothing."""
    return Counts(0, counts.tp + counts.fn, 0, counts.fp + counts.tn)


def beats_flag_all(counts: Counts, beta: float = 2.0) -> bool:
    """Whether the model is worth more than stopping everything, by F-beta; a tie is no."""
    model, everything = counts.f(beta), flag_all(counts).f(beta)
    return model is not None and everything is not None and model > everything


def precision_at_prevalence(recall: float, false_reject_rate: float, prevalence: float) -> float | None:
    """Restate a precision measured on a balanced set for a place where defects are rarer."""
    return ratio(recall * prevalence, recall * prevalence + false_reject_rate * (1 - prevalence))
