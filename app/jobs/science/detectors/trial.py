"""What a detector is worth: its boxes on a part of a dataset, and beside the boxes of a model's heatmaps there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.intake.line import Progress, open_model, quiet
from app.jobs.science.detectors.pixels import PixelPass, bounds_of
from app.jobs.science.detectors.training import Templates, beside_of, find_detector, opened, templates_of
from app.jobs.science.evaluate import labelled, write
from app.jobs.science.learning import Reader, check_files, counted, manifest_of
from app.jobs.science.measured import place_of
from app.jobs.science.train import INTERVAL_SEED, part_types_of
from app.settings import Settings
from core.errors import BadInput, NotFound
from core.learn.boxes import IOU, Boxed, against, box_figures
from core.records import Region

if TYPE_CHECKING:
    from data.store import Store
    from models.training.examples import Example

BOXES = "boxes"  # what a measurement's file is called


@dataclass
class Pass:
    """What one way to draw boxes made of every picture.

    Attributes:
        boxed: with the boxes that are shown.
        ranked: with everything that was found; empty for a heatmap, whose regions are what there is.
        scores: of a picture: how sure it is of a defect.
        pointed: whether its best guess lies on a drawn box; None where nothing is drawn.
        milliseconds: of each picture.
        outlined: with the boxes around the outlines that are shown, and boxes without an outline.
        pixels: what a mask head made of them; empty for anything else.
    """

    boxed: list[Boxed] = field(default_factory=list)
    ranked: list[Boxed] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    pointed: list[bool | None] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    outlined: list[Boxed] = field(default_factory=list)
    pixels: PixelPass = field(default_factory=PixelPass)

    def masks(self, card: Any) -> dict[str, Any] | None:
        """What is reported of a detector's outlines; None where it has none, or no picture tells."""
        return self.pixels.figures(np.random.default_rng(INTERVAL_SEED), card.mask_threshold) if card.masks else None


def evaluate_detector(
    store: "Store | None",
    settings: Settings,
    detector: str,
    dataset: str,
    split: str = "test",
    *,
    templates: Path | None = None,
    iou: float = IOU,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Measure a detector's boxes, and write the document beside it.

    Only pictures of which every place is known count: good ones, and those whose defects were drawn.

    Args:
        store: where detector and dataset are looked up first; None takes them from the home folder.
        settings: home and device.
        detector: by name.
        dataset: by name.
        split: train, val or test.
        templates: as `train_detector` takes them; for a detector that compares.
        iou: from which on a box counts as found; average precision is always at 0.5.
        now: for the document.
        progress: told after each picture.

    Returns:
        {detector, dataset, split, threshold, class_right, class_ignored, per_class, map50, masks, ...}.

    Raises:
        NotFound: no such detector or dataset.
        BadInput: that part is empty, or its pictures are gone.
    """
    at = now or datetime.now(UTC)
    manifest, all_of_it = labelled(store, settings, dataset, split)
    examples = known_places(all_of_it)
    check_files(examples, progress)
    folder, _ = find_detector(store, settings, detector)
    engine = opened(store, settings, detector)
    with Reader(settings) as read:
        seen = detector_pass(engine, examples, read, templates_of(templates, examples), progress)
    rng = np.random.default_rng(INTERVAL_SEED)
    document = {
        "detector": engine.card.name,
        "sha256": engine.card.sha256,
        "dataset": dataset,
        "dataset_hash": manifest.get("hash"),
        "split": split,
        "threshold": engine.card.threshold,
        "templates": 0 if templates is None else len(templates_of(templates, examples)),
        **box_figures(seen.boxed, engine.card.classes, rng, iou, seen.ranked),
        "masks": seen.masks(engine.card),
        "counted": counted(examples),
        "left_out": len(all_of_it) - len(examples),
        "milliseconds": float(np.median(seen.milliseconds)),
        "trained_on": {"dataset": engine.card.dataset.get("name"), "hash": engine.card.dataset.get("hash")},
        "caution": "pictures it was trained on: no measure of anything" if split == "train" else "",
        "evaluated_at": at.isoformat(),
    }
    write(place_of(folder, settings) / f"{BOXES}-{dataset}-{split}.json", json.dumps(document, indent=1) + "\n")
    return document


def try_detector(
    store: "Store",
    settings: Settings,
    detector: str,
    site: str,
    dataset: str,
    split: str = "test",
    *,
    iou: float = IOU,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Compare a detector's boxes with those of the heatmaps of the model in use, box by box on the same pictures.

    Args:
        store: bound to whoever asks; keeps the trial.
        settings: home and device.
        detector: by name.
        site: that it is to draw at.
        dataset: by name.
        split: test, or val, which shows how it stands but opens nothing.
        iou: from which on a box counts as found.
        now: of the trial.
        progress: told after each picture.

    Returns:
        {trial, detector, against, recall, recall_before, difference, interval, refusal, masks, ...}; outlines are
        shown where masks.against_boxes has no refusal.

    Raises:
        NotFound: no such detector, site or dataset.
        BadInput: no model is in use, nothing is drawn, or the detector has learned from these pictures.
    """
    at = now or datetime.now(UTC)
    model = store.sites.get(site).model
    if model is None:
        raise BadInput(f"No model is in use at {site}, so there are no heatmap boxes to compare with.")
    manifest, all_of_it = labelled(store, settings, dataset, split)
    examples = known_places(all_of_it)
    if not any(e.regions for e in examples):
        raise BadInput(f"No box is drawn in the {split} part of {dataset}: there is nothing to find.")
    version = store.detectors.get(detector)
    refuse_learned(store, settings, version.card, manifest, examples, split)
    check_files(examples, progress)
    engine = opened(store, settings, detector)
    with Reader(settings) as read:
        new = detector_pass(engine, examples, read, {}, progress)
        look = part_types_of(store, manifest)[0]
        old = model_pass(open_model(store, settings, model), examples, read, look, engine.card.classes, progress)
    found = against(new.boxed, old.boxed, np.random.default_rng(INTERVAL_SEED), iou)
    document = {
        **found.to_json(),
        "masks": new.masks(engine.card),
        "iou": iou,
        "dataset_hash": manifest.get("hash"),
        "counted": counted(examples),
        "threshold": engine.card.threshold,
        "milliseconds": float(np.median(new.milliseconds)),
    }
    kept = store.detectors.keep_trial(
        site, detector, engine.card.sha256, model, dataset, split, found.refusal, document, at
    )
    return {
        "trial": kept.id, "detector": detector, "site": site, "against": model, "dataset": dataset, "split": split,
        **document,
    }  # fmt: skip


def known_places(examples: "Sequence[Example]") -> "list[Example]":
    """Pictures of which every place is known.

    Raises:
        BadInput: there are none.
    """
    found = [e for e in examples if e.placed]
    if not found:
        raise BadInput("No picture of that part is good or has its defects drawn: draw regions first.")
    return found


def refuse_learned(
    store: "Store",
    settings: Settings,
    card: Mapping[str, Any],
    manifest: Mapping[str, Any],
    examples: "Sequence[Example]",
    split: str,
) -> None:
    """Refuse pictures that a detector has learned from.

    Raises:
        BadInput: they are its training part, or of a dataset of the same name that was built anew.
    """
    if split == "train":
        raise BadInput("A trial on training pictures shows nothing: take the test part of a dataset.")
    learned = card.get("dataset") or {}
    if learned.get("name") == manifest.get("name") and learned.get("hash") != manifest.get("hash"):
        raise BadInput(
            f"{manifest.get('name')} is not the dataset of that name that taught the detector: measure on that one, or "
            "on another dataset."
        )
    try:
        taught = manifest_of(store, settings, str(learned.get("name")))
    except NotFound:
        return  # what it learned from is not here, as with a detector from elsewhere
    known = {str(one["sha256"]) for one in taught["items"] if one.get("split") == "train"}
    overlap = sum(one.sha256 in known for one in examples)
    if overlap:
        raise BadInput(
            f"{overlap} of these {len(examples)} pictures taught the detector, in the training part of "
            f"{learned['name']}: take pictures that it has not seen."
        )


def detector_pass(
    engine: Any, examples: "Sequence[Example]", read: Reader, pairs: Templates, progress: Progress = quiet
) -> Pass:
    """Let a detector draw on every picture."""
    from models.detector.loop import truth_of

    seen = Pass()
    beside = beside_of(pairs, read)
    for example in examples:
        found = engine.detect(read(example), beside(example))
        everything = truth_of(example, engine.card.classes).with_found(found.finds)
        seen.ranked.append(everything)
        shown = everything.above(engine.card.threshold)
        seen.boxed.append(shown)
        seen.outlined.append(replace(shown, found=bounds_of(found.regions)))
        seen.scores.append(float(found.finds.scores.max(initial=0.0)))
        seen.pointed.append(_on(example.regions, _best_middle(found.finds)) if example.regions else None)
        seen.milliseconds.append(found.milliseconds)
        seen.pixels.look(example, everything, found.values, engine.card.threshold, engine.card.mask_threshold)
        progress(len(seen.boxed), len(examples), f"{engine.card.name}: {Path(example.path).name}")
    return seen


def model_pass(
    engine: Any, examples: "Sequence[Example]", read: Reader, look: Any, classes: Sequence[str],
    progress: Progress = quiet,
) -> Pass:  # fmt: skip
    """Let a classifier score every picture, and take the regions that are cut from its map."""
    from models.detector.loop import truth_of
    from models.training.finish import judge

    at = {name: i for i, name in enumerate(classes)}
    seen = Pass()
    for example, prediction in zip(examples, engine.stream(read.stream(examples), look), strict=True):
        judged = judge(example, prediction)
        regions = prediction.regions
        boxes = np.array([(r.x, r.y, r.width, r.height) for r in regions], np.float64).reshape(-1, 4)
        truth = truth_of(example, classes)
        seen.boxed.append(
            Boxed(
                truth.group, truth.true, truth.true_classes, boxes,
                np.array([r.score or 0.0 for r in regions], np.float64),
                np.array([at.get(r.class_id or "", -2) for r in regions], np.int64),
            )
        )  # fmt: skip
        seen.scores.append(prediction.score)
        seen.pointed.append(judged.pointed)
        seen.milliseconds.append(prediction.milliseconds)
        progress(len(seen.boxed), len(examples), f"{engine.card.name}: {Path(example.path).name}")
    return seen


def _best_middle(finds: Any) -> tuple[float, float] | None:
    """The middle of the surest box."""
    if not len(finds.scores):
        return None
    x, y, width, height = finds.boxes[int(finds.scores.argmax())].tolist()
    return x + width / 2, y + height / 2


def _on(regions: Sequence[Region], at: tuple[float, float] | None) -> bool:
    """Whether a point lies on any of the regions' boxes."""
    return at is not None and any(r.x <= at[0] < r.x + r.width and r.y <= at[1] < r.y + r.height for r in regions)
