"""The ladder: whole-image classifier, tile classifier, detector, masks, each measured on the same pictures.

A classifier that has learned regions stands on two rungs: with its Grad-CAM, which says why, and with its dense map,
which is trained on regions or masks and says where. So does a detector with a mask head: with its boxes, and with its
outlines.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.intake.line import Progress, open_model, quiet
from app.jobs.science.detectors.pixels import heat_pixels
from app.jobs.science.detectors.training import find_detector, opened
from app.jobs.science.detectors.trial import Pass, detector_pass, known_places
from app.jobs.science.evaluate import labelled, write
from app.jobs.science.learning import Reader, check_files, counted
from app.jobs.science.measured import read as read_document
from app.jobs.science.train import INTERVAL_SEED, part_types_of
from app.settings import Settings
from core.errors import BadInput, NotFound
from core.learn import metrics
from core.learn.boxes import IOU, Boxed, box_figures
from core.learn.located import mask_of
from core.learn.masks import Covered, pixel_figures
from core.pictures import heatmaps
from core.pictures.tiling import Look, tile_count
from core.records import Grid, Prediction

if TYPE_CHECKING:
    from data.store import Store
    from models.training.examples import Example

WHOLE, TILES, BOXES, MASKS = "whole-image classifier", "tile classifier", "detector", "masks"
RUNGS = (WHOLE, TILES, BOXES, MASKS)
HALF = 0.5  # of a heatmap's full strength: what an inspector sees as hot
LADDER = "ladder"
MOST = 12  # models in one go


def climb(
    store: "Store | None",
    settings: Settings,
    dataset: str,
    models: Sequence[str],
    split: str = "test",
    *,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Measure models and detectors on one part of a dataset; rungs of others that were measured there stay.

    Args:
        store: where they are looked up first.
        settings: home and device.
        dataset: by name.
        models: names of classifiers and detectors.
        split: train, val or test.
        now: for the document.
        progress: told after each picture.

    Returns:
        {dataset, dataset_hash, split, iou, counted, rungs: [...]}.

    Raises:
        NotFound: no such dataset, or neither a classifier nor a detector of that name.
        BadInput: nothing or too much to compare, or pictures that are gone.
    """
    if not 0 < len(set(models)) <= MOST:
        raise BadInput(f"{len(set(models))} models for a ladder: name 1 to {MOST}.")
    at = now or datetime.now(UTC)
    manifest, all_of_it = labelled(store, settings, dataset, split)
    examples = known_places(all_of_it)
    check_files(examples, progress)
    look = part_types_of(store, manifest)[0]
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(models):
        with Reader(settings) as read:
            rows += _rungs(store, settings, name, examples, read, look, progress)
    path = place(settings, dataset, split)
    document: dict[str, Any] = {
        "dataset": dataset,
        "dataset_hash": manifest.get("hash"),
        "split": split,
        "iou": IOU,
        "counted": counted(examples),
        "left_out": len(all_of_it) - len(examples),
        "measured_at": at.isoformat(),
    }
    before = read_document(path)
    fresh = {(row["rung"], row["model"]) for row in rows}
    if before is not None and before.get("dataset_hash") == document["dataset_hash"]:
        rows += [one for one in before["rungs"] if (one["rung"], one["model"]) not in fresh]
    document["rungs"] = sorted(
        ({**row, "measured_at": row.get("measured_at", at.isoformat())} for row in rows),
        key=lambda row: (RUNGS.index(row["rung"]), row["model"]),
    )
    write(path, json.dumps(document, indent=1, allow_nan=False) + "\n")
    return document


def rungs_of(settings: Settings, dataset: str, split: str) -> Mapping[str, Any]:
    """What was measured on one part of a dataset.

    Raises:
        NotFound: nothing was.
    """
    found = read_document(place(settings, dataset, split))
    if found is None:
        raise NotFound(f"Nothing was measured on the {split} part of {dataset} yet: name models with --model.")
    return found


def ladders(settings: Settings) -> list[Mapping[str, Any]]:
    """Every ladder that was measured, the newest first; a file that cannot be read is as good as none."""
    found = [read_document(path) for path in (settings.home / "reports").glob(f"{LADDER}-*.json")]
    whole = [one for one in found if one is not None and "rungs" in one]
    return sorted(whole, key=lambda one: str(one["measured_at"]), reverse=True)


def place(settings: Settings, dataset: str, split: str) -> Path:
    """Where a ladder lies; a name that is not plain becomes hexadecimal."""
    plain = dataset if dataset.isascii() and set(dataset) <= _PLAIN else dataset.encode().hex()
    return settings.home / "reports" / f"{LADDER}-{plain}-{split}.json"


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def _rungs(
    store: "Store | None", settings: Settings, name: str, examples: "Sequence[Example]", read: Reader,
    look: Look | None, progress: Progress,
) -> list[dict[str, Any]]:  # fmt: skip
    """The rungs that one model stands on."""
    try:
        find_detector(store, settings, name)
    except NotFound:
        return _classifier(store, settings, name, examples, read, look, progress)
    engine = opened(store, settings, name)
    card = engine.card
    seen = detector_pass(engine, examples, read, {}, progress)
    seconds = card.training.get("cpu_seconds")
    boxes = _row(BOXES, name, card.sha256, card.classes, examples, seen, seen.pixels.filled, seconds, card.dataset)
    if not card.masks:
        return [boxes]
    outlines = replace(seen, boxed=seen.outlined)
    masks = _row(
        MASKS, name, card.sha256, card.classes, examples, outlines, seen.pixels.outlines, seconds, card.dataset
    )
    return [boxes, {**masks, "mask_ap50": (seen.masks(card) or {}).get("ap50")}]


def _classifier(
    store: "Store | None", settings: Settings, name: str, examples: "Sequence[Example]", read: Reader,
    look: Look | None, progress: Progress,
) -> list[dict[str, Any]]:  # fmt: skip
    from models.detector.loop import truth_of

    engine = open_model(store, settings, name)
    card = engine.card
    (width, height), _ = Counter((e.width, e.height) for e in examples).most_common(1)[0]
    whole = tile_count(width, height, look or card.look) == 1 and not card.dense
    passes = {WHOLE if whole else TILES: Pass()} | ({MASKS: Pass()} if card.dense else {})
    pixels: dict[str, list[Covered]] = {rung: [] for rung in passes}
    for example, said in zip(examples, engine.stream(read.stream(examples), look), strict=True):
        truth = truth_of(example, card.classes)
        for rung, seen in passes.items():
            grid = said.where if rung == MASKS else said.heatmap
            seen.boxed.append(_boxes(truth, said, grid, example, card.classes, rung == MASKS))
            seen.scores.append(said.score)
            seen.pointed.append(_pointed(grid, example))
            seen.milliseconds.append(said.milliseconds)
            if example.outlined and grid is not None:
                cut = card.region_threshold if rung == MASKS else HALF
                pixels[rung].append(heat_pixels(heatmaps.from_grid(grid), example, cut))
        progress(len(seen.boxed), len(examples), f"{name}: {Path(example.path).name}")
    seconds = card.training.get("seconds")
    return [
        _row(rung, name, card.sha256, card.classes, examples, seen, pixels[rung], seconds, card.dataset)
        for rung, seen in passes.items()
    ]


def _boxes(
    truth: Boxed, said: Prediction, grid: Grid | None, example: "Example", classes: Sequence[str], own: bool
) -> Boxed:
    """The boxes cut from a map: the model's own regions, or where its heatmap is at half of its strength or more."""
    if own or grid is None:
        rows = [(r.x, r.y, r.width, r.height, r.score or 0.0, r.class_id) for r in said.regions]
    else:
        likely = max(said.class_scores, key=lambda c: said.class_scores[c]) if said.class_scores else None
        spots = heatmaps.spots_of(heatmaps.from_grid(grid), (example.width, example.height), HALF)
        rows = [(s.x, s.y, s.width, s.height, s.score, likely) for s in spots]
    at = {name: i for i, name in enumerate(classes)}
    return Boxed(
        truth.group, truth.true, truth.true_classes,
        np.array([row[:4] for row in rows], np.float64).reshape(-1, 4),
        np.array([row[4] for row in rows], np.float64),
        np.array([at.get(row[5] or "", -2) for row in rows], np.int64),
    )  # fmt: skip


def _pointed(grid: Grid | None, example: "Example") -> bool | None:
    """Whether the hottest spot lies on a drawn box; None where none is drawn or there is no map."""
    if grid is None or not example.regions:
        return None
    heat, size = heatmaps.from_grid(grid), (example.width, example.height)
    return bool(heat.max() > 0) and metrics.points_inside(heat, size, mask_of(example.regions, size))


def _row(
    rung: str, name: str, sha256: str, classes: Sequence[str], examples: "Sequence[Example]", seen: Pass,
    pixels: Sequence[Covered], seconds: Any, learned: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """One rung; intervals count a group once."""
    rng = np.random.default_rng(INTERVAL_SEED)
    groups = [e.part or e.group for e in examples]
    defective = np.array([e.defective for e in examples], bool)
    figures = box_figures(seen.boxed, classes, rng)
    placed, named = figures["class_ignored"], figures["class_right"]
    pointing = metrics.PointingGame(sum(bool(p) for p in seen.pointed), sum(p is not None for p in seen.pointed))
    pointed = pointing.as_json()
    marked = pixel_figures(pixels, rng) if any(one.drawn for one in pixels) else None
    return {
        "rung": rung,
        "model": name,
        "sha256": sha256,
        "learned": learned.get("name"),
        "images": len(examples),
        "auroc": metrics.auroc(seen.scores, defective),
        "auroc_interval": _listed(metrics.auroc_interval(seen.scores, defective, groups)),
        "pointing": pointed["score"],
        "pointing_interval": pointed["interval"],
        **{key: placed[key] for key in ("recall", "precision", "f1", "drawn", "found")},
        **{f"{key}_interval": placed[f"{key}_interval"] for key in ("recall", "precision", "f1")},
        "f1_named": named["f1"],
        "f1_named_interval": named["f1_interval"],
        "pixel_f1": None if marked is None else marked["f1_by_picture"],
        "pixel_f1_interval": None if marked is None else marked["f1_by_picture_interval"],
        "outlined": len(pixels),
        "milliseconds": float(np.median(seen.milliseconds)),
        "cpu_minutes": None if not isinstance(seconds, int | float) else float(seconds) / 60,
    }


def _listed(interval: metrics.Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
