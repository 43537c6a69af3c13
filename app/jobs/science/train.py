"""Train a model on a dataset: its own recipe, its own calibration, one folder that the engine can open."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.adapting import adapted, at_site, parent_of
from app.jobs.science.datasets.admitting import admit
from app.jobs.science.learning import Reader, check_files, counted, examples_of, manifest_of
from app.settings import Settings
from core.errors import Conflict, NotFound
from core.learn.evaluation import Judged, summarise
from core.pictures.tiling import Look
from models.training.examples import Example

if TYPE_CHECKING:
    from data.store import Store
    from models.nets import DefectNet
    from models.training.loop import Fitted, Recipe
    from models.training.wishes import Wishes

REFIT = (
    "Measured and calibrated before the last training: the model in use has learned from these pictures too, so take "
    "others to measure it."
)
INTERVAL_SEED = 20  # of the bootstrap: the same pictures and scores always give the same interval


def train(
    store: "Store | None",
    settings: Settings,
    dataset: str,
    arch: str = "efficientnet_b0",
    weights: str | Path | None = None,
    epochs: int | None = None,
    seed: int = 0,
    name: str | None = None,
    *,
    look: Look | None = None,
    flips: bool | None = None,
    despite: str | None = None,
    refit: bool = False,
    adapt: str | None = None,
    site: str | None = None,
    wishes: "Wishes | None" = None,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Train, calibrate, measure on the validation part, and file the model.

    Killed and run again with the same arguments it goes on after its last whole epoch, and ends with the same
    weights as if it had not been killed.

    Args:
        store: where the model is filed; None leaves it a folder.
        settings: home, device, offline.
        dataset: by name.
        arch: any timm architecture.
        weights: "pretrained", "scratch", or a .safetensors file or model folder to start from; where None,
            pretrained ones if this machine has them or the hub answers, else from scratch.
        epochs: at most; it stops early where the validation pictures gain nothing.
        seed: of everything random.
        name: of the model; made from dataset, architecture and time where None.
        look: how pictures are cut; the part types' own, else what suits the labels, where None.
        flips: whether parts may be seen mirrored; the part types' own where None.
        despite: why to train although the dataset's certificate failed; it stays in the card.
        refit: train once more on training and validation pictures together, for as many epochs as were kept, unless the
            time is up before; what the card says of scores was measured before that, on the net that had not seen the
            validation pictures.
        adapt: a model whose trunk is kept as it is: only its last layers learn; architecture, look and classes are its
            own, with those that it does not know yet.
        site: learn from the dataset's pictures of this site only.
        wishes: what a configuration says of batch, optimiser, augmentation, patience and time.
        now: for the card.
        progress: told how far it is and how long it will take.

    Returns:
        {model, epochs, best_epoch, chosen, refit, seconds, weights, metrics}.

    Raises:
        NotFound: no such dataset, architecture or weights.
        BadInput: nothing to learn from, or pictures that are gone.
        Conflict: a model of that name exists.
        GateFailed: the dataset's certificate failed, and nobody said why to go on.
    """
    import torch

    from models.engine import chosen_device
    from models.training.finish import finish
    from models.training.loop import fingerprint, fit
    from models.training.recipes import look_for, recipe_for
    from models.training.wishes import Wishes, wished

    at = now or datetime.now(UTC)
    manifest = at_site(manifest_of(store, settings, dataset), site)
    parent = None if adapt is None else parent_of(store, settings, adapt)
    asked = wishes or Wishes()
    certificate = admit(manifest, despite, "nobody known" if store is None else store.actor.name)
    learned, checked = examples_of(manifest, "train"), examples_of(manifest, "val")
    model = name or f"{_plain(dataset)}-{_plain(arch)}-{at:%Y%m%d-%H%M%S}"
    folder = settings.models / model
    if folder.exists():
        raise Conflict(f"There is a model '{model}' already: choose another name.")
    check_files([*learned, *checked], progress)
    seen = part_types_of(store, manifest)
    classes = classes_of(manifest, learned)
    looked = look or seen[0] or look_for(learned)
    dense = any(e.regions for e in learned)
    if parent is not None:
        arch, weights, looked = parent.card.arch, parent.folder, look or parent.card.look
        classes = (*parent.card.classes, *(name for name in classes if name not in parent.card.classes))
        dense = dense and parent.card.dense
    torch.manual_seed(seed)
    progress(0, 1, f"building {arch}")
    net, said = start(arch, classes, dense, weights, looked.tile, settings.offline)
    progress(0, 1, said)
    recipe = recipe_for(
        net,
        learned,
        looked,
        epochs=epochs,
        seed=seed,
        flips=seen[1] if flips is None else flips,
        pretrained=not _untrained(net),
    )
    recipe = wished(recipe, asked, last_layers=parent is not None)
    device = chosen_device(settings.device)
    state = settings.models / ".training" / f"{fingerprint(net, learned, checked, recipe)[:24]}.safetensors"
    with Reader(settings) as read:
        fitted = fit(
            net,
            learned,
            checked,
            read,
            recipe,
            device=torch.device(device),
            state=state,
            limit_s=asked.limit_s,
            progress=progress,
        )
        again, states = None, [state]
        left = None if asked.limit_s is None else asked.limit_s - fitted.seconds
        if refit and checked and (left is None or left > 0):
            torch.manual_seed(seed)
            fresh, _ = start(arch, classes, net.dense is not None, weights, looked.tile, settings.offline)
            every = [*learned, *checked]
            second = state.with_name(f"{fingerprint(fresh, every, [], recipe)[:24]}.safetensors")
            again = fit(
                fresh,
                every,
                [],
                read,
                recipe,
                device=torch.device(device),
                state=second,
                until=fitted.best,
                limit_s=left,
                progress=lambda done, total, message: progress(done, total, f"with validation pictures too: {message}"),
            )
            states.append(second)
            if again.best < fitted.best or again.cut:
                again = None  # the time was up, and half of it taught too little
        progress(recipe.epochs, recipe.epochs, "calibrating")
        card = finish(
            folder,
            fitted.net.cpu(),
            recipe,
            checked,
            read,
            now=at,
            device=device,
            summary=partial(summary, averaged=averaged_parts(store, manifest)),
            facts=adapted(
                facts_of(manifest, dataset, learned, checked, fitted, recipe, said, certificate, again), parent, site
            ),
            shipped=None if again is None else again.net.cpu(),
        )
    if store is not None:
        store.models.add(card.to_json(), f"{settings.models.name}/{model}", card.sha256, now=at)
    for half_way in states:
        half_way.unlink(missing_ok=True)
    return {
        "model": model,
        "epochs": len(fitted.history),
        "best_epoch": fitted.best,
        "chosen": fitted.chosen,
        "refit": again is not None,
        "seconds": round(fitted.seconds + (0.0 if again is None else again.seconds), 1),
        "weights": said,
        "metrics": dict(card.metrics),
    }


def start(
    arch: str, classes: Sequence[str], dense: bool, weights: str | Path | None, tile: int, offline: bool
) -> "tuple[DefectNet, str]":
    """The net to train and a sentence on what it starts from.

    Raises:
        NotFound: weights that were asked for are not to be had.
    """
    from models.nets import build

    try:
        net = build(arch, classes, dense, weights or "pretrained", size=tile, offline=offline)
        return net, f"{net.weights}."
    except NotFound as error:
        if weights is not None or str(error).startswith("No timm architecture"):
            raise
        net = build(arch, classes, dense, "scratch", size=tile)
        return net, f"{net.weights}, since there are no pretrained ones here ({str(error).split(':')[0]})."


def _untrained(net: "DefectNet") -> bool:
    return "scratch" in net.weights


def part_types_of(store: "Store | None", manifest: Mapping[str, Any]) -> tuple[Look | None, bool]:
    """How the dataset's part types are looked at, and whether all of them may be mirrored.

    The items may name `site` and `part_type`. Types that are looked at in different ways leave the look open.
    """
    from app.jobs.intake.line import look_of

    if store is None:
        return None, True
    named = {(str(i["site"]), str(i["part_type"])) for i in manifest["items"] if i.get("part_type") and i.get("site")}
    looks, flips = set(), True
    for site, kind in sorted(named):
        try:
            part_type = store.part_types.get(site, kind)
        except NotFound:
            continue
        looks.add(look_of(part_type))
        flips = flips and part_type.flips
    return (looks.pop() if len(looks) == 1 else None), flips


def classes_of(manifest: Mapping[str, Any], learned: Sequence[Example]) -> tuple[str, ...]:
    """Classes that the training pictures show, in the dataset's order; the others cannot be learned."""
    shown = {c for e in learned for c in e.classes} | {r.class_id for e in learned for r in e.regions if r.class_id}
    listed = [str(c) for c in manifest.get("classes") or ()]
    return tuple([c for c in listed if c in shown] + sorted(shown - set(listed)))


def averaged_parts(store: "Store | None", manifest: Mapping[str, Any]) -> frozenset[str]:
    """Parts whose pictures without a named view are measured as exposures of one view.

    A part type says so, or denies it. Where no type is known, a labelled set's groups are taken as exposures; on the
    line, where a part ships or does not, such a picture counts by itself until its type says otherwise.
    """
    from models.training.examples import example_of

    def averaged(item: Mapping[str, Any]) -> bool:
        site, kind = item.get("site"), item.get("part_type")
        if store is None or not site or not kind:
            return True
        key = (str(site), str(kind))
        if key not in rules:
            rules[key] = True
            with suppress(NotFound):
                rules[key] = store.part_types.get(*key).exposures
        return rules[key]

    rules: dict[tuple[str, str], bool] = {}
    chosen = [item for item in manifest["items"] if averaged(item)]
    return frozenset(e.part or e.group for e in map(example_of, chosen))


def summary(judged: Sequence[Judged], classes: Sequence[str], averaged: Collection[str] = ()) -> dict[str, Any]:
    """The card's metrics; the intervals' draws are always the same."""
    return summarise(judged, classes, np.random.default_rng(INTERVAL_SEED), averaged)


def facts_of(
    manifest: Mapping[str, Any],
    dataset: str,
    learned: Sequence[Example],
    checked: Sequence[Example],
    fitted: "Fitted",
    recipe: "Recipe",
    said: str,
    certificate: Mapping[str, Any] | None = None,
    again: "Fitted | None" = None,
) -> dict[str, Any]:
    """What the card says of dataset and training; `again` is the net trained once more on validation pictures too."""
    refit = {"epochs": again.best, "seconds": again.seconds, "pictures": len(learned) + len(checked)} if again else None
    return {
        "dataset": {
            "name": dataset,
            "hash": manifest.get("hash") or manifest.get("sha256"),
            "train": counted(learned),
            "val": counted(checked),
            "learned": ["train"] if again is None else ["train", "val"],
            **({} if certificate is None else {"certificate": dict(certificate)}),
        },
        "metrics": {
            "measured_on": "val" if checked else None,
            "prevalence": {"per_tile": fitted.prevalence},
            **({} if again is None else {"caution": REFIT}),
        },
        "training": {
            "recipe": asdict(recipe),
            "weights": said,
            "best_epoch": fitted.best,
            "chosen": fitted.chosen,
            "refit": refit,
            "seconds": fitted.seconds,
            "tile_prevalence": fitted.prevalence,
            "class_weights": class_weights_of(fitted.prevalence),
            "history": [e.as_json() for e in fitted.history],
        },
    }


def class_weights_of(prevalence: float) -> dict[str, float]:
    """The weights that good and defective tiles had."""
    from models.training.step import class_weights

    return asdict(class_weights(prevalence))


def _plain(text: str) -> str:
    """What may be part of a model's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "model"
