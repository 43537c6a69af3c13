"""Present or missing: what every good picture shows, such as a label, is missing where no box of it is found."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.detectors.training import opened
from app.jobs.science.detectors.trial import known_places
from app.jobs.science.evaluate import labelled
from app.jobs.science.learning import Reader, check_files
from app.settings import Settings
from core.errors import BadInput
from core.learn.metrics import proportion_interval
from core.pictures.boxes import array_of, iou

if TYPE_CHECKING:
    from data.store import Store

RIGHT_PLACE = 0.5  # overlap from which on the box found is the thing and not something like it


def missing_in(
    store: "Store | None",
    settings: Settings,
    detector: str,
    dataset: str,
    what: str,
    view: str | None = None,
    split: str = "test",
    *,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Look for a thing on every picture that should show it, and measure how often its absence is told rightly.

    Args:
        store: where detector and dataset are looked up first.
        settings: home and device.
        detector: that was trained to find it.
        dataset: whose regions say where it is; a picture without one does not show it.
        what: class of the thing.
        view: of the pictures that should show it; all where None.
        split: train, val or test.
        now: for the document.
        progress: told after each picture.

    Returns:
        {what, looked_at, missing, said_missing, told, told_interval, false_alarms, false_alarm_interval, located,
        threshold, milliseconds, pictures: [{file, score, missing, said_missing}]}: `told` is the share of the
        missing ones that are called so, `false_alarms` that of the present ones.

    Raises:
        BadInput: the detector does not know the thing, or no picture should show it.
    """
    engine = opened(store, settings, detector)
    if what not in engine.card.classes:
        raise BadInput(f"{detector} finds {', '.join(engine.card.classes)} and no {what}: train one that does.")
    _, examples = labelled(store, settings, dataset, split)
    asked = [e for e in known_places(examples) if view is None or e.view == view]
    if not asked:
        raise BadInput(f"No picture of the {split} part of {dataset} is of view {view}.")
    check_files(asked, progress)
    number = engine.card.classes.index(what)
    rows: list[dict[str, Any]] = []
    times, placed = [], []
    with Reader(settings) as read:
        for example, pixels in zip(asked, read.stream(asked), strict=True):
            found = engine.detect(pixels)
            mine = found.finds.classes == number
            score = float(found.finds.scores[mine].max(initial=0.0))
            there = [r for r in example.regions if r.class_id == what]
            said = score < engine.card.threshold
            if there and not said:
                best = found.finds.boxes[mine][int(found.finds.scores[mine].argmax())]
                placed.append(bool(iou(best[None], array_of(there)).max() >= RIGHT_PLACE))
            rows.append({"file": Path(example.path).name, "score": score, "missing": not there, "said_missing": said})
            times.append(found.milliseconds)
            progress(len(rows), len(asked), rows[-1]["file"])
    gone = [row["said_missing"] for row in rows if row["missing"]]
    present = [row["said_missing"] for row in rows if not row["missing"]]
    return {
        "what": what,
        "detector": detector,
        "dataset": dataset,
        "split": split,
        "view": view,
        "looked_at": len(rows),
        "missing": len(gone),
        "said_missing": sum(row["said_missing"] for row in rows),
        "told": float(np.mean(gone)) if gone else None,
        "told_interval": _interval(sum(gone), len(gone)),
        "false_alarms": float(np.mean(present)) if present else None,
        "false_alarm_interval": _interval(sum(present), len(present)),
        "located": float(np.mean(placed)) if placed else None,
        "threshold": engine.card.threshold,
        "milliseconds": float(np.median(times)),
        "measured_at": (now or datetime.now(UTC)).isoformat(),
        "pictures": rows,
    }


def _interval(hits: int, n: int) -> list[float] | None:
    found = proportion_interval(hits, n)
    return None if found is None else [found.low, found.high]
