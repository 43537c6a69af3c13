"""Measure a model on a part of a dataset: numbers with intervals, baselines beside them, and a report to read."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, find_model, open_model, quiet
from app.jobs.science.learning import Reader, check_files, counted, examples_of, manifest_of
from app.jobs.science.measured import EVALUATION, place_of
from app.jobs.science.report import report
from app.jobs.science.train import averaged_parts, part_types_of, summary
from app.settings import Settings
from core.errors import BadInput
from core.learn.evaluation import Judged
from core.pictures.tiling import Look

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine
    from models.training.examples import Example

SPLITS = ("train", "val", "test")


def evaluate(
    store: "Store | None",
    settings: Settings,
    model: str,
    dataset: str,
    split: str = "test",
    *,
    look: Look | None = None,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Measure, and write the report into the model's folder.

    Args:
        store: where model and dataset are looked up first; None takes them from the home folder.
        settings: home and device.
        model: by name.
        dataset: by name.
        split: train, val or test.
        look: how pictures are cut; the part types' own, else the card's, where None.
        now: for the report.
        progress: told after each picture.

    Returns:
        The design's `evaluate` document and more, with `report`, the path of an HTML page.

    Raises:
        NotFound: no such model or dataset.
        BadInput: that part is empty, or its pictures are gone.
    """
    from models.training.finish import judge

    at = now or datetime.now(UTC)
    manifest, examples = labelled(store, settings, dataset, split)
    check_files(examples, progress)
    folder = find_model(store, settings, model)
    progress(0, len(examples), "opening the model")
    engine = open_model(store, settings, model)
    looked = look or part_types_of(store, manifest)[0]
    judged: list[Judged] = []
    milliseconds: list[float] = []
    with Reader(settings) as read:
        for example, prediction in zip(examples, engine.stream(read.stream(examples), looked), strict=True):
            judged.append(judge(example, prediction))
            milliseconds.append(prediction.milliseconds)
            progress(len(judged), len(examples), Path(example.path).name)
    averaged = averaged_parts(store, manifest)
    document = {
        "model": engine.card.name,
        "dataset": dataset,
        "split": split,
        "sha256": engine.card.sha256,
        "dataset_hash": manifest.get("hash"),
        **summary(judged, engine.card.classes, averaged),
        "counted": counted(examples),
        **trained_on(engine, examples),
        "back_end": engine.back_end,
        "evaluated_at": at.isoformat(),
    }
    page = place_of(folder, settings) / f"{EVALUATION}-{dataset}-{split}.html"
    document["report"] = str(page)
    write(page, report(document, judged, engine.card.training.get("history", ())))
    write(
        page.with_suffix(".json"),
        json.dumps({**document, "pictures": rows(judged, milliseconds), "averaged": sorted(averaged)}, indent=1) + "\n",
    )
    return document


def labelled(
    store: "Store | None", settings: Settings, dataset: str, split: str
) -> "tuple[Mapping[str, Any], list[Example]]":
    """A dataset's manifest and the pictures of one of its parts.

    Raises:
        NotFound: no such dataset.
        BadInput: there is no such part, or it is empty.
    """
    if split not in SPLITS:
        raise BadInput(f"There is no part '{split}' of a dataset: take {', '.join(SPLITS)}.")
    manifest = manifest_of(store, settings, dataset)
    examples = examples_of(manifest, split)
    if not examples:
        filled = sorted({str(i["split"]) for i in manifest["items"]})
        raise BadInput(f"The {split} part of {dataset} is empty: it has {', '.join(filled) or 'no pictures at all'}.")
    return manifest, examples


def trained_on(engine: "Engine", examples: "Sequence[Example]") -> dict[str, Any]:
    """Whether the measure is honest: how far these pictures are the ones the model learned from."""
    learned: Mapping[str, Any] = engine.card.dataset
    seen = {e.split for e in examples} & set(learned.get("learned", ("train",)))
    note = "pictures the model was trained on: no measure of anything" if seen else ""
    return {"trained_on": {"dataset": learned.get("name"), "hash": learned.get("hash")}, "caution": note}


def rows(judged: Sequence[Judged], milliseconds: Sequence[float] = ()) -> list[dict[str, Any]]:
    """One line a picture, for whoever wants to look further; with its time where it was measured."""
    times = [*milliseconds, *[None] * (len(judged) - len(milliseconds))]
    return [
        {
            "file": j.file,
            "group": j.group,
            "defective": j.defective,
            "classes": list(j.classes),
            "score": j.score,
            "said": j.said,
            "class_scores": dict(j.class_scores),
            "pointed": j.pointed,
            "view": j.view,
            "milliseconds": time,
        }
        for j, time in zip(judged, times, strict=True)
    ]


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
