"""The backtest: rounds of active learning replayed on a labelled dataset, with frozen features and a linear head."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.files import write_whole
from app.jobs.intake.line import Progress, quiet
from app.jobs.intake.opening import open_model
from app.jobs.science.embedding import compute, embeddings_of
from app.jobs.science.learning import manifest_of
from app.jobs.science.select import model_in_use
from app.settings import Settings
from core.errors import BadInput, NotFound
from core.learn.backtest import COMPARED, Replay, replay, replay_arms
from core.learn.curves import TARGET, Comparison, Estimate, compare
from core.learn.select import STRATEGIES
from core.pictures.tiling import Look
from data.embeddings import Embeddings

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine

SEEDS = 10
LABELS_SO_FAR = "labels so far"  # no dataset can be called so: its name has spaces
BACKBONE = "mobilenetv2_100"
LOOK = Look(256, 128, whole_picture=True)


@dataclass(frozen=True)
class _Item:
    """A picture of a dataset; its number comes from its bytes, so that a dataset needs no store."""

    image_id: int
    path: str
    sha256: str
    site: str
    part_type: str | None


def backtest(
    store: "Store | None",
    settings: Settings,
    dataset: str,
    *,
    strategies: Sequence[str] = COMPARED,
    seeds: int = SEEDS,
    model: str | None = None,
    arch: str = BACKBONE,
    weights: str | None = None,
    look: Look | None = None,
    target: float = TARGET,
    price: float = 0.5,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Replay the rounds on every picture of a dataset, each seed with a division of its own by group.

    Args:
        store: where the dataset and the model are known.
        settings: of the plant.
        dataset: by name; its own split is not used, since every seed makes one.
        strategies: to compare; random is always among them.
        seeds: how many divisions.
        model: whose features; frozen features of `arch` where None.
        arch: a timm architecture.
        weights: "pretrained" or a file; pretrained where None.
        look: how pictures are cut for the net; as its card says where None.
        target: share of the whole pool's AUROC that is to be reached.
        price: of one label.
        now: for the file.
        progress: told what is being done.

    Returns:
        {dataset, hash, features, pictures, defective, groups, seeds, target, full, seconds, strategies: {name: {labels,
        mean, low, high, to_target, to_target_interval, saved, saved_interval,
        saved_interval_by_picture, money_saved, better, stop_at, at_stop}}}.

    Raises:
        NotFound: no such dataset, strategy, model or weights.
        BadInput: too few groups, or pictures that are gone.
    """
    started = time.monotonic()
    names = list(dict.fromkeys(["random", *strategies]))
    for name in names:
        if name not in STRATEGIES:
            raise NotFound(f"There is no strategy '{name}': there are {', '.join(sorted(STRATEGIES))}.")
    manifest = manifest_of(store, settings, dataset)
    items = [_item(one) for one in manifest["items"]]
    progress(0, 0, "opening the net")
    engine = open_model(store, settings, model) if model else backbone(settings, arch, weights)
    seen = hashlib.sha256(f"{engine.card.sha256} {look}".encode()).hexdigest()
    kept = Embeddings(settings.home / "embeddings" / "datasets", seen)
    done = compute(settings, engine, items, store=store, kept=kept, look=look, progress=progress)
    if done.unreadable:
        raise BadInput(f"{done.unreadable} pictures of {dataset} cannot be read: put them back, or build it anew.")
    features = kept.read([one.image_id for one in items]).vectors
    defective = [bool(one["defective"]) for one in manifest["items"]]
    groups = [str(one["group"]) for one in manifest["items"]]
    played = replay(features, defective, groups, names, seeds, progress)
    document = {
        "dataset": dataset,
        "hash": manifest.get("hash"),
        **_document(engine, played, names, seeds, target, price, now),
        "seconds": round(time.monotonic() - started, 1),
    }
    _keep(settings, dataset, document)
    return document


def measure_arms(
    store: "Store",
    settings: Settings,
    *,
    site: str | None = None,
    model: str | None = None,
    seeds: int = SEEDS,
    target: float = TARGET,
    price: float = 0.5,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """What the labels of each strategy's batches were worth beside those of the random arms, so far.

    Args:
        store: of the plant.
        settings: of the plant.
        site: only of one site.
        model: whose features; the one in use where None.
        seeds: how many divisions.
        target: share of the AUROC of all labels together that is to be reached.
        price: of one label.
        now: for the file.
        progress: told what is being done.

    Returns:
        As `backtest`.

    Raises:
        BadInput: no batch was answered, or there is nothing outside the batches to be tested on.
    """
    started = time.monotonic()
    engine = open_model(store, settings, model or model_in_use(store, site))
    pictures = store.selections.candidates(site, labelled=True)
    compute(settings, engine, pictures, store=store, progress=progress)
    by_id = {one.image_id: one for one in pictures}
    read = embeddings_of(settings, engine).read(list(by_id))
    known = [by_id[image_id] for image_id in read.image_ids.tolist()]
    if not known:
        raise BadInput("Nothing is labelled yet, so nothing can be compared.")
    arms = [one.asked_by or "" for one in known]
    defective = [bool(one.defective) for one in known]
    played = replay_arms(read.vectors, defective, [str(one.part_id) for one in known], arms, seeds, progress)
    document = {
        "dataset": LABELS_SO_FAR,
        "hash": None,
        **_document(engine, played, list(played.logits), seeds, target, price, now),
        "seconds": round(time.monotonic() - started, 1),
    }
    _keep(settings, LABELS_SO_FAR, document)
    return document


def _document(
    engine: "Engine", played: Replay, names: Sequence[str], seeds: int, target: float, price: float,
    now: datetime | None,
) -> dict[str, Any]:  # fmt: skip
    """What a replay says: intervals over groups, and for the labels saved over pictures as well."""
    found, by_picture = compare(played, target), compare(replace(played, groups=np.arange(len(played.groups))), target)
    return {
        "features": f"{engine.card.name} ({engine.card.arch}), frozen",
        "pictures": len(played.defective),
        "defective": int(played.defective.sum()),
        "groups": found.groups,
        "seeds": seeds,
        "target": found.target,
        "target_share": target,
        "full": found.full,
        "price": price,
        "made_at": (now or datetime.now(UTC)).isoformat(),
        "strategies": {name: _told(found, by_picture, name, price) for name in names},
    }


def _keep(settings: Settings, name: str, document: dict[str, Any]) -> None:
    write_whole(folder_of(settings) / f"{name}.json", (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())


def folder_of(settings: Settings) -> Path:
    """Where the newest comparison of each dataset lies."""
    return settings.home / "backtests"


def kept_backtests(settings: Settings) -> list[dict[str, Any]]:
    """The newest comparison of each dataset, the newest first; what is no such file is passed over."""
    found = []
    for path in folder_of(settings).glob("*.json"):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            continue
        if isinstance(document, dict) and isinstance(document.get("strategies"), dict):
            found.append(document)
    return sorted(found, key=lambda one: str(one.get("made_at")), reverse=True)


def backbone(settings: Settings, arch: str, weights: str | None) -> "Engine":
    """An engine of a frozen net without any class; see `backbone_folder`."""
    from models.engine import open_engine

    return open_engine(backbone_folder(settings, arch, weights), settings.device, cache=settings.compiled)


def backbone_folder(settings: Settings, arch: str, weights: str | None) -> Path:
    """A frozen net without any class, made once for each architecture and weights.

    Raises:
        NotFound: no such architecture or weights.
        ModelError: the weights are a pickle or broken.
    """
    from models.checkpoint import card_of, save
    from models.nets import build

    source = weights or "pretrained"
    path = Path(source)
    known = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else source
    folder = settings.home / "backbones" / f"{arch}-{known}"
    if not folder.is_dir():
        net = build(arch, (), False, source, size=LOOK.tile, offline=settings.offline).eval()
        save(folder, net, card_of(net, f"{arch}-frozen", datetime.now(UTC), look=LOOK))
    return folder


def sentence(name: str, told: dict[str, Any]) -> str:
    """What a comparison says of one strategy, in words."""
    title = STRATEGIES[name].title
    if name == "random":
        return f"{title} needs {told['to_target']:.0f} labels."
    between = told["saved_interval"]
    if between is None:
        return f"{title}: too few groups of pictures to say whether it is better than random here."
    if not told["better"]:
        low, high, likely = (f"{value:.0%}".replace("-", "\N{MINUS SIGN}") for value in (*between, told["saved"]))
        return (f"{title} is no better than random here, as far as these labels show: what it saves of them lies "
                f"between {low} and {high}, likeliest at {likely}.")  # fmt: skip
    return (f"{title} saves {told['saved']:.0%} of the labels that random needs ({between[0]:.0%} to "
            f"{between[1]:.0%}), {told['money_saved']:,.2f} in money.")  # fmt: skip


def _item(one: Any) -> _Item:
    return _Item(int(str(one["sha256"])[:15], 16), str(one["path"]), str(one["sha256"]), str(one.get("site") or ""),
                 one.get("part_type"))  # fmt: skip


def _told(found: Comparison, by_picture: Comparison, name: str, price: float) -> dict[str, Any]:
    outcome, chance = found.outcomes[name], found.outcomes["random"]
    saved = outcome.saved
    alone = by_picture.outcomes[name].saved
    money = None if saved is None else round((chance.to_target.value - outcome.to_target.value) * price, 2)
    return {
        "labels": outcome.labels.tolist(),
        "mean": _rounded(outcome.mean.tolist()),
        "low": _rounded(outcome.low.tolist()),
        "high": _rounded(outcome.high.tolist()),
        "to_target": round(outcome.to_target.value, 1),
        "to_target_interval": _between(outcome.to_target),
        "saved": None if saved is None else round(saved.value, 3),
        "saved_interval": None if saved is None else _between(saved),
        "saved_interval_by_picture": None if alone is None else _between(alone),
        "money_saved": money,
        "better": outcome.better,
        "stop_at": outcome.stop_at,
        "at_stop": None if outcome.at_stop is None else round(outcome.at_stop, 4),
    }


def _between(found: Estimate) -> list[float] | None:
    return None if found.between is None else [round(found.between.low, 3), round(found.between.high, 3)]


def _rounded(values: list[float]) -> list[float | None]:
    return [None if np.isnan(value) else round(value, 4) for value in values]
