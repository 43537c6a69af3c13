"""The certificate of a dataset: every check in one document, which the dataset carries for good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.learn.datasets import leakage, likeness, sufficiency
from core.learn.datasets.agreement import Limits, TwoLooks, label_agreement
from core.learn.datasets.checks import Check, Result, overall
from core.learn.datasets.rows import Row


@dataclass(frozen=True)
class Evidence:
    """What a certificate rests on beside the rows.

    Attributes:
        classes: the dataset's, in the order of the class heads.
        cut: the sides were cut by time.
        pairs: numbers of rows that are near-duplicates of each other.
        unseen: rows without a perceptual hash.
        seen_by: rows that were compared by what a model sees, too.
        looks: what two people said of one part.
        limits: of agreement.
        adversary: scores of the classifier that was asked for the side, for the rows `asked`; None where none was.
        told_by: its strongest features.
        least: groups that somebody demanded by side.
    """

    classes: Sequence[str] = ()
    cut: bool = False
    pairs: Sequence[tuple[int, int]] = ()
    unseen: int = 0
    seen_by: int = 0
    looks: Sequence[TwoLooks] = ()
    limits: Limits | None = None
    adversary: Sequence[float] | None = None
    asked: Sequence[int] = ()
    told_by: Sequence[str] = ()
    least: Mapping[str, int] | None = None


def certify(rows: Sequence[Row], evidence: Evidence) -> list[Check]:
    """Every check, in the order in which they are shown."""
    asked = [rows[number] for number in evidence.asked]
    return [
        leakage.hash_overlap(rows),
        leakage.group_overlap(rows),
        leakage.order_overlap(rows),
        leakage.near_duplicate_overlap(rows, evidence.pairs, evidence.unseen, evidence.seen_by),
        leakage.time_order(rows, evidence.cut),
        leakage.guesses(rows),
        likeness.camera_balance(rows),
        likeness.told_apart(
            evidence.adversary,
            [row.side != "train" for row in asked],
            [row.group for row in asked],
            evidence.cut,
            evidence.told_by,
        ),
        label_agreement(evidence.looks, evidence.limits),
        sufficiency.class_set(rows, evidence.classes),
        sufficiency.minimum_rows(rows, evidence.least),
    ]


def leaks(rows: Sequence[Row], evidence: Evidence) -> list[Check]:
    """The checks that need nothing but the list itself: what a manifest shows again on any machine."""
    return [
        leakage.hash_overlap(rows),
        leakage.group_overlap(rows),
        leakage.order_overlap(rows),
        leakage.time_order(rows, evidence.cut),
        leakage.guesses(rows),
        likeness.camera_balance(rows),
        sufficiency.class_set(rows, evidence.classes),
    ]


def to_json(checks: Sequence[Check]) -> dict[str, Any]:
    """The certificate as a manifest keeps it."""
    return {"result": str(overall(checks)), "checks": [check.to_json() for check in checks]}


def stops(checks: Sequence[Check]) -> list[Check]:
    """Those that stop a training."""
    return [check for check in checks if check.result is Result.FAIL]
