"""Train a detector on the boxes that people drew or corrected: within so many minutes, filed beside the classifiers."""

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.datasets.admitting import admit
from app.jobs.science.detectors.pixels import NO_CUT, PixelPass, best_cut
from app.jobs.science.learning import Reader, check_files, counted, examples_of, manifest_of
from app.jobs.science.train import INTERVAL_SEED, classes_of, part_types_of
from app.settings import Settings
from core.errors import BadInput, Conflict, NotFound
from core.learn.boxes import best_threshold, box_figures
from core.pictures.tiling import Look
from core.records import Pixels
from models.training.examples import Example

if TYPE_CHECKING:
    from data.store import Store
    from models.detector.loop import BoxFitted, BoxRecipe
    from models.detector.net import BoxNet
    from models.detector.serve import Detector

MINUTES = 15.0  # of the processor
EPOCHS = 40
ONE_TILE = 640  # px: pictures up to this are looked at in one tile, without a seam
TILE = 320
SMALL_PX = 16.0  # two cells of the finest map: what the small boxes keep when pictures are shrunk
LEAST_SCALE = 0.35
WHOLE_WINDOW = 448  # px: up to this a training window is all of the tile
USUAL = 0.95  # of the boxes fit into half a tile, so that some tile shows each of them whole
NO_THRESHOLD = 0.4  # where no validation picture tells a better one

Templates = Mapping[str, Example]  # a picture's path to the same part without a defect


def train_detector(
    store: "Store | None",
    settings: Settings,
    dataset: str,
    arch: str = "efficientnet_b0",
    weights: str | Path | None = None,
    epochs: int = EPOCHS,
    minutes: float | None = MINUTES,
    seed: int = 0,
    name: str | None = None,
    *,
    masks: bool = False,
    templates: Path | None = None,
    look: Look | None = None,
    flips: bool | None = None,
    despite: str | None = None,
    change: "Callable[[BoxRecipe], BoxRecipe]" = lambda recipe: recipe,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Train, choose the threshold on the validation part, measure, and file the detector.

    Killed and run again with the same arguments it goes on after its last whole epoch.

    Args:
        store: where the detector is filed; None leaves it a folder.
        settings: home, device, offline.
        dataset: by name.
        arch: any convolutional timm architecture.
        weights: "pretrained", "scratch", a .safetensors file or a model's folder, so that a classifier's trunk can be
            gone on from; where None, pretrained ones if they can be had, else from scratch.
        epochs: at most.
        minutes: of the processor, at most; the best checkpoint until then is kept. None sets no limit.
        seed: of everything random.
        name: of the detector; made from dataset, architecture and time where None.
        masks: with a mask head, which learns from regions that have outlines.
        templates: CSV of `file,template`: the same part without a defect, for pictures that have one.
        look: how pictures are cut; what suits the boxes where None.
        flips: whether parts may be seen mirrored; the part types' own where None.
        despite: why to train although the dataset's certificate failed; it stays in the card.
        change: of the recipe, for tests and benchmarks.
        now: for the card.
        progress: told how far it is and how long it will take.

    Returns:
        {detector, epochs, best_epoch, cpu_seconds, stopped_by_time, weights, threshold, metrics}.

    Raises:
        NotFound: no such dataset, architecture or weights.
        BadInput: no box or no outline to learn from, or pictures that are gone.
        Conflict: a model of that name exists.
        GateFailed: the dataset's certificate failed, and nobody said why to go on.
    """
    import torch

    from models.detector.checkpoint import detector_card, save_detector
    from models.detector.loop import fingerprint, fit_boxes, placed
    from models.engine import chosen_device

    at = now or datetime.now(UTC)
    manifest = manifest_of(store, settings, dataset)
    certificate = admit(manifest, despite, "nobody known" if store is None else store.actor.name)
    learned, checked = placed(examples_of(manifest, "train")), placed(examples_of(manifest, "val"))
    called = name or f"{plain(dataset)}-boxes-{plain(arch)}-{at:%Y%m%d-%H%M%S}"
    folder = settings.models / called
    if folder.exists():
        raise Conflict(f"There is a model '{called}' already: choose another name.")
    check_files([*learned, *checked], progress)
    classes = tuple(
        c for c in classes_of(manifest, learned) if any(r.class_id == c for e in learned for r in e.regions)
    )
    pairs = templates_of(templates, [*learned, *checked])
    torch.manual_seed(seed)
    progress(0, 1, f"building {arch}")
    net, said = _start(arch, classes, weights, bool(pairs), masks, settings.offline)
    mirrored = part_types_of(store, manifest)[1] if flips is None else flips
    recipe = change(_recipe(net, look or look_for_boxes(learned), epochs, minutes, seed, mirrored))
    device = chosen_device(settings.device)
    state = settings.models / ".training" / f"boxes-{fingerprint(net, learned, checked, recipe)[:24]}.safetensors"
    with Reader(settings) as read:
        beside = beside_of(pairs, read)
        fitted = fit_boxes(
            net, learned, checked, read, recipe, beside=beside, device=torch.device(device), state=state,
            progress=progress,
        )  # fmt: skip
        progress(recipe.epochs, recipe.epochs, "choosing the threshold")
        chosen, metrics = _measured(fitted.net, checked, read, beside, recipe)
    card = save_detector(
        folder,
        fitted.net,
        detector_card(
            fitted.net,
            called,
            at,
            look=recipe.look,
            threshold=chosen.boxes,
            mask_threshold=chosen.pixels,
            dataset={
                "name": dataset, "hash": manifest.get("hash"), "train": counted(learned), "val": counted(checked),
                **({} if certificate is None else {"certificate": dict(certificate)}),
            },
            metrics=metrics,
            training=_training(fitted, recipe, said, len(pairs)),
        ),
    )  # fmt: skip
    if store is not None:
        store.detectors.add(card.to_json(), f"{settings.models.name}/{called}", card.sha256, now=at)
    state.unlink(missing_ok=True)
    return {
        "detector": called,
        "epochs": len(fitted.history),
        "best_epoch": fitted.best,
        "cpu_seconds": round(fitted.cpu_seconds, 1),
        "stopped_by_time": fitted.stopped,
        "weights": said,
        "threshold": chosen.boxes,
        "metrics": dict(card.metrics),
    }


def look_for_boxes(examples: Sequence[Example]) -> Look:
    """How to cut pictures for their boxes.

    Shrunk as far as the small boxes stay two cells of the finest map wide, for that buys looks at four times as many
    pictures; in one tile where the picture is then small enough, else in tiles that show nearly every box whole.
    """
    short = [min(r.width, r.height) for e in examples for r in e.regions]
    long = [max(r.width, r.height) for e in examples for r in e.regions]
    longest = max((max(e.width, e.height) for e in examples), default=TILE)
    scale = min(1.0, max(LEAST_SCALE, SMALL_PX / float(np.quantile(short, 1 - USUAL)))) if short else 1.0
    scale = round(scale, 2)
    if longest * scale <= ONE_TILE:
        tile = max(64, 32 * math.ceil(longest * scale / 32))
        return Look(tile, tile // 2, scale)
    fits = TILE / 2 / float(np.quantile(long, USUAL)) if long else 1.0
    return Look(TILE, TILE // 2, scale=max(0.05, round(min(scale, fits), 2)))


def templates_of(pairs: Path | None, examples: Sequence[Example]) -> Templates:
    """Read which picture shows the same part without a defect.

    Args:
        pairs: CSV with the columns `file` and `template`; names as they end the pictures' paths, templates beside it.
        examples: whose templates are wanted.

    Raises:
        BadInput: the file is none of these, or a template is gone.
    """
    if pairs is None:
        return {}
    try:
        with pairs.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{pairs} cannot be read as a table of templates ({error}).") from error
    if not rows or not {"file", "template"} <= rows[0].keys():
        raise BadInput(f"{pairs} needs the columns file and template, one row for each picture that has one.")
    by_name: dict[str, list[str]] = {}
    for row in rows:
        by_name.setdefault(Path(row["file"]).name, []).append(row["template"])
    found: dict[str, Example] = {}
    for example in examples:
        named = set(by_name.get(Path(example.path).name, ()))
        if len(named) != 1:
            continue
        path = pairs.parent / named.pop()
        try:
            with path.open("rb") as file:
                sha256 = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BadInput(f"The template {path} is gone ({error}): put it back or take its row away.") from error
        found[example.path] = replace(
            example, path=str(path), sha256=sha256, defective=False, classes=(), regions=(), probability=None
        )
    return found


def beside_of(pairs: Templates, read: Callable[[Example], Pixels]) -> Callable[[Example], Pixels | None]:
    """Reads the template of a picture; as large as the picture, or it is refused."""

    def beside(example: Example) -> Pixels | None:
        found = pairs.get(example.path)
        return None if found is None else read(found)

    return beside


def find_detector(store: "Store | None", settings: Settings, name: str) -> tuple[Path, str | None]:
    """The folder of a detector, and the hash that the store knows.

    Raises:
        NotFound: no such detector.
    """
    from models.detector.checkpoint import CARD

    known = None
    if store is not None:
        with suppress(NotFound):
            known = store.detectors.get(name)
    simple = "/" not in name and not name.startswith(".")
    places = [settings.models / name] if simple else [Path(name)]
    if known is not None:
        places.insert(0, settings.home / known.path)
    folder = next((place for place in places if (place / CARD).is_file()), None)
    if folder is None:
        have = sorted(place.parent.name for place in settings.models.glob(f"*/{CARD}"))
        raise NotFound(f"There is no detector '{name}': there are {', '.join(have) or 'none yet; train one'}.")
    return folder, None if known is None else known.sha256


def opened(store: "Store | None", settings: Settings, name: str) -> "Detector":
    """A detector, ready; its weights are those that the store knows.

    Raises:
        NotFound: no such detector.
        ModelError: it cannot be used.
    """
    from models.detector.checkpoint import open_detector

    folder, sha256 = find_detector(store, settings, name)
    return open_detector(folder, settings.device, sha256)


def add_detector(store: "Store", settings: Settings, folder: Path) -> str:
    """Enter a detector that lies in this plant's models folder already.

    Raises:
        NotFound, ModelError: it is not one, or not whole.
        BadInput: it lies elsewhere.
    """
    from models.detector.checkpoint import open_detector

    card = open_detector(folder, "cpu").card
    if folder.absolute().parent != settings.models.absolute() or folder.name != card.name:
        raise BadInput(f"Put the detector at {settings.models / card.name} first.")
    return store.detectors.add(card.to_json(), f"{settings.models.name}/{card.name}", card.sha256).name


def plain(text: str) -> str:
    """What may be part of a detector's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "boxes"


def _start(
    arch: str, classes: Sequence[str], weights: str | Path | None, template: bool, masks: bool, offline: bool
) -> "tuple[BoxNet, str]":
    """The net to train and a sentence on what it starts from."""
    from models.detector.net import build

    try:
        net = build(arch, classes, weights or "pretrained", template=template, masks=masks, offline=offline)
        return net, f"{net.weights}."
    except NotFound as error:
        if weights is not None or str(error).startswith("No timm architecture"):
            raise
        net = build(arch, classes, "scratch", template=template, masks=masks)
        return net, f"{net.weights}, since there are no pretrained ones here ({str(error).split(':')[0]})."


def _recipe(net: "BoxNet", look: Look, epochs: int, minutes: float | None, seed: int, flips: bool) -> "BoxRecipe":
    from models.detector.loop import BoxRecipe
    from models.training.sampling import Augmentation
    from models.training.schedule import Schedule

    window = look.tile if look.tile <= WHOLE_WINDOW else TILE
    recipe = BoxRecipe(epochs=epochs, minutes=minutes, seed=seed, look=look, window=window)
    turned = Augmentation() if flips else Augmentation.upright()
    recipe = replace(recipe, augmentation=replace(turned, light=0.06, noise=0.0, scale=1.2))
    if "scratch" in net.weights:
        recipe = replace(recipe, schedule=replace(Schedule.from_scratch(), warm_up=0.05))
    return recipe


class _Chosen(NamedTuple):
    """From when on a box is shown, and a pixel lies inside an outline."""

    boxes: float = NO_THRESHOLD
    pixels: float = NO_CUT


def _measured(
    net: "BoxNet", checked: Sequence[Example], read: Reader, beside: Callable[[Example], Pixels | None],
    recipe: "BoxRecipe",
) -> tuple[_Chosen, dict[str, Any]]:  # fmt: skip
    """The thresholds and what the detector reaches with them on the validation pictures."""
    from models.detector.loop import truth_of
    from models.detector.serve import look_over

    if not any(e.regions for e in checked):
        return _Chosen(), {"measured_on": None}
    device = next(net.parameters()).device
    looks = [look_over(net, read(e), recipe.look, device, beside(e)) for e in checked]
    seen = [truth_of(e, net.classes).with_found(one.finds) for e, one in zip(checked, looks, strict=True)]
    at = best_threshold(seen).threshold
    rng = np.random.default_rng(INTERVAL_SEED)
    figures = box_figures([one.above(at) for one in seen], net.classes, rng, ranked=seen)
    chosen, measured = _Chosen(at), {"measured_on": "val", "threshold_chosen_on": "val", **figures}
    if net.masks:
        maps = [(e, s.finds, s.values) for e, s in zip(checked, looks, strict=True) if s.values is not None]
        chosen = _Chosen(at, best_cut(maps, at))
        pixels = PixelPass()
        for example, one, found in zip(checked, looks, seen, strict=True):
            pixels.look(example, found, one.values, *chosen)
        measured["masks"] = pixels.figures(rng, chosen.pixels)
    return chosen, measured


def _training(fitted: "BoxFitted", recipe: "BoxRecipe", said: str, templates: int) -> dict[str, Any]:
    return {
        "recipe": asdict(recipe),
        "weights": said,
        "best_epoch": fitted.best,
        "cpu_seconds": fitted.cpu_seconds,
        "stopped_by_time": fitted.stopped,
        "templates": templates,
        "history": [asdict(e) for e in fitted.history],
    }
