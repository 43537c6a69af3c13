"""From trained weights to a model that may be used: calibrated, scaled and measured through the engine itself."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.learn.by_size import drawn_regions
from core.learn.evaluation import Judged
from core.learn.metrics import points_inside
from core.pictures import heatmaps
from core.records import Prediction
from models.calibrate import class_temperature, fit_calibration
from models.checkpoint import Card, card_of, load, save
from models.engine import Device, Engine, Observation, prediction_of
from models.joining import CLASS_SHARPNESS, joined
from models.nets import DefectNet
from models.training.examples import Example, labels_of
from models.training.loop import Recipe
from models.training.pictures import Read

Summary = Callable[[Sequence[Judged], Sequence[str]], dict[str, Any]]

_THRESHOLDS = np.linspace(0.05, 0.95, 37)


@dataclass(frozen=True)
class Seen:
    """One validation picture as the engine saw it."""

    example: Example
    observation: Observation


def finish(
    folder: Path,
    net: DefectNet,
    recipe: Recipe,
    validation: Sequence[Example],
    read: Read,
    *,
    now: datetime,
    device: Device = "cpu",
    summary: Summary,
    facts: dict[str, Any],
    shipped: DefectNet | None = None,
) -> Card:
    """Calibrate on the validation pictures, measure, and write the model, whole or not at all.

    Args:
        folder: that the model gets; its name is the model's.
        net: trained, with its averaged weights.
        recipe: by which it was trained.
        validation: may be empty: then nothing is calibrated or measured, and the card says so.
        read: decodes one example.
        now: for the card.
        device: where the engine runs.
        summary: makes the card's metrics.
        facts: further fields of the card.
        shipped: the net that is written, where it is not the one to calibrate: it has learned from the validation
            pictures too, and of those it would say that it is surer than it is. What its elder says of pictures it
            has not seen stands for it.

    Raises:
        Conflict: the folder exists.
    """
    draft = card_of(net, folder.name, now, look=recipe.look, join=recipe.join, **facts)
    draft = replace(draft, classes_exclude=recipe.loss.exclusive)
    if not validation:
        return save(folder, shipped or net, draft)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".calibrating-") as place:
        save(Path(place) / draft.name, net, draft)
        engine = Engine(load(Path(place) / draft.name), device)
        seen = list(observed(engine, validation, read))
    card = calibrated(draft, seen)
    judged = [judge(s.example, prediction_of(s.observation, card)) for s in seen]
    found = summary(judged, card.classes)
    prevalence = {**found.get("prevalence", {}), **card.metrics.get("prevalence", {})}
    return save(folder, shipped or net, replace(card, metrics={**card.metrics, **found, "prevalence": prevalence}))


def observed(engine: Engine, examples: Sequence[Example], read: Read) -> Iterator[Seen]:
    """Look at pictures through the engine; decoded one by one."""
    for example, observation in zip(examples, engine.observe(read(e) for e in examples), strict=True):
        yield Seen(example, observation)


def calibrated(card: Card, seen: Sequence[Seen]) -> Card:
    """The card with temperature, bias, heatmap scale and region threshold measured on these pictures."""
    logits = [joined(s.observation.logits, card.join, s.observation.dense_peak) for s in seen]
    calibration = fit_calibration(logits, [s.example.target for s in seen])
    class_rows, class_answers = _class_evidence(seen, card.classes)
    temperature = class_temperature(class_rows, class_answers, card.classes_exclude)
    peaks = np.array([s.observation.why.max() for s in seen], np.float32)
    defective = np.array([s.example.target > 0.5 for s in seen], bool)
    scale = heatmaps.scale_for(peaks[~defective], peaks[defective])
    scaled = replace(card, calibration=replace(calibration, class_temperature=temperature), heatmap_scale=float(scale))
    return replace(scaled, region_threshold=region_threshold(scaled, seen))


def _class_evidence(
    seen: Sequence[Seen], classes: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Class logits of each defective picture with one known class, as its tiles weigh in."""
    at = {name: i for i, name in enumerate(classes)}
    rows, answers = [], []
    for s in seen:
        if len(s.example.classes) == 1 and s.example.classes[0] in at:
            weights = np.exp(CLASS_SHARPNESS * (s.observation.logits - s.observation.logits.max()))
            rows.append(weights @ s.observation.class_logits / weights.sum())
            answers.append(at[s.example.classes[0]])
    return np.array(rows, np.float64).reshape(len(rows), len(classes)), np.array(answers, np.int64)


def region_threshold(card: Card, seen: Sequence[Seen]) -> float:
    """Where to cut the map so that what stands out covers what was drawn best (F1 of cells, clean pictures too).

    The card's own where no region was drawn.
    """
    said, drawn = [], []
    for s in seen:
        where = s.observation.where
        if not s.example.placed:
            continue
        values = where if card.region_map == "where" and where is not None else s.observation.why / card.heatmap_scale
        labels = labels_of(s.example.regions, s.observation.plan.picture_wh, (values.shape[1], values.shape[0]))
        said.append(np.clip(values, 0, 1).ravel())
        drawn.append(labels.ravel() > 0)
    if not drawn or not np.concatenate(drawn).any():
        return card.region_threshold
    values, wanted = np.concatenate(said), np.concatenate(drawn)
    hits = np.array([(wanted & (values >= t)).sum() for t in _THRESHOLDS], np.float64)
    found = np.array([(values >= t).sum() for t in _THRESHOLDS], np.float64)
    return float(_THRESHOLDS[int(np.argmax(2 * hits / (found + wanted.sum())))])


def judge(example: Example, prediction: Prediction) -> Judged:
    """Set a prediction beside its label; the pointing game is played on the map of "where", else of "why"."""
    grid = prediction.where or prediction.heatmap
    heat = None if grid is None else heatmaps.from_grid(grid)
    size = (example.width, example.height)
    regions = example.regions if example.defective else ()
    pointed = None
    if regions and heat is not None:
        mask = labels_of(regions, size, size) > 0
        pointed = points_inside(heat, size, mask)
    return Judged(
        example.path,
        example.part or example.group,
        example.defective,
        example.classes,
        prediction.score,
        dict(prediction.class_scores),
        pointed,
        example.view,
        drawn_regions(regions, prediction.regions, heat, size),
    )
