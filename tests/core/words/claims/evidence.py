"""Small evidence for tests of claims."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from core.records import Grid, Label, LabelStatus, Prediction, Region, Verdict
from core.taxonomy import DefectClass, Taxonomy
from core.words.claims.limits import Limit, Limits
from core.words.claims.records import Evidence, Seen

CLASSES = Taxonomy("metal", "1", (
    DefectClass("CRACK", "Crack"),
    DefectClass("SCRATCH", "Surface scratch", aliases=("scratch",)),
    DefectClass("MISSING_LABEL", "Missing label", aliases=("missing label",)),
    DefectClass("EXPIRED", "Expired"),
))  # fmt: skip
SIZE = (400, 200)
TODAY = date(2026, 3, 1)


def region(x: float, y: float, class_id: str = "CRACK", score: float | None = None, side: float = 20) -> Region:
    """A square around a point."""
    return Region(x - side / 2, y - side / 2, side, side, class_id, class_id, score=score)


def label(*regions: Region, classes: tuple[str, ...] | None = None, by: str = "Ines", **more: Any) -> Label:
    """What a person says; good without regions and classes."""
    names = tuple(dict.fromkeys(one.class_id or "" for one in regions)) if classes is None else classes
    verdict = Verdict.FAIL if names or regions else Verdict.PASS
    made = Label(1, verdict is Verdict.FAIL, verdict, names, (), tuple(regions), LabelStatus.SINGLE, by,
                 datetime(2026, 3, 1, tzinfo=UTC), 7, None, None, False)  # fmt: skip
    return replace(made, **more)


def prediction(score: float, model: str = "net-1", hot: tuple[int, int] | None = None, **classes: float) -> Prediction:
    """What a model says; hot at one cell of a 4 by 8 map."""
    grid = np.zeros((4, 8), np.uint8)
    if hot is not None:
        grid[hot] = 200
    return Prediction(model, score, classes or {"CRACK": 0.9, "SCRATCH": 0.1}, where=Grid(grid))


def seen(number: int = 1, **more: Any) -> Seen:
    """One image."""
    return Seen(number, more.pop("view", None), SIZE, **more)


def evidence(*images: Seen, **more: Any) -> Evidence:
    """Of one part."""
    return Evidence("P-1", "Lyon", CLASSES, images, TODAY, **more)


def limits(confirm: float | None = 0.5, absent: float | None = 0.05, model: str = "net-1") -> Limits:
    """The same limits for every class, with and without a place."""
    return Limits(model, all=tuple(
        Limit(class_id, placed, confirm, absent, 200, 2, 0.03, 200, 1, 0.02, 0.9)
        for class_id in ("", *CLASSES.ids) for placed in (False, True)
    ))  # fmt: skip
