"""What a few labels are worth on a dataset, measured: features and patches once, then arithmetic."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.files import write_whole
from app.jobs.intake.line import Progress, decoders, quiet
from app.jobs.intake.opening import find_model
from app.jobs.science.backtest import BACKBONE, backbone_folder
from app.jobs.science.learning import manifest_of
from app.settings import Settings
from core.errors import BadInput, ModelError, Unreadable
from core.learn.few_labels import LABELS, Band, Ints, Wide, compare_few
from core.learn.novelty.memory import distances, memory_of, share_of_each, some_of
from core.pictures.tiling import Look
from core.records import Floats, Pixels

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine

PASTED = 3  # pictures made of each good one
BUDGET_BYTES = 1 << 19  # of each of the many memories
MOST = 1500  # pictures: their patches stay in memory


def few_labels(
    store: "Store | None",
    settings: Settings,
    dataset: str,
    *,
    model: str | None = None,
    arch: str = BACKBONE,
    weights: str | None = None,
    look: Look | None = None,
    even_light: bool = False,
    labels: Sequence[int] = LABELS,
    seeds: int = 5,
    seed: int = 0,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Compare a head, the nearest neighbour, pasted defects and novelty at a few labels.

    Args:
        store: where the dataset and the model are known.
        settings: of the plant.
        dataset: by name; its own split is not used, since every seed makes one by group.
        model: whose features; frozen ones of `arch` where None.
        arch: a timm architecture.
        weights: "pretrained" or a file.
        look: how pictures are cut; as the net's card says where None.
        even_light: for the patches of novelty: take slow changes of light off each picture.
        labels: how many, ascending.
        seeds: how many divisions.
        seed: of what is pasted.
        progress: told what is being done.

    Returns:
        {dataset, hash, features, pictures, defective, groups, seeds, labels, methods: {name: {labels: {mean, low,
        high, seeds}}}, seconds}; kept in the home folder, too.

    Raises:
        NotFound: no such dataset, model or weights.
        BadInput: too few groups, too many pictures, or one that is gone.
    """
    from models.checkpoint import load
    from models.engine import chosen_device, open_engine
    from models.novelty.eye import own_eye
    from models.novelty.pasting import pasted
    from models.novelty.patches import lens_of

    started = time.monotonic()
    manifest = manifest_of(store, settings, dataset)
    items = manifest["items"]
    if len(items) > MOST:
        raise BadInput(
            f"{dataset} has {len(items):,} pictures, at most {MOST:,} are compared here: build a smaller one."
        )
    folder = find_model(store, settings, model) if model else backbone_folder(settings, arch, weights)
    engine = open_engine(folder, settings.device, cache=settings.compiled)
    checkpoint, seen = load(folder), look or engine.card.look
    device = chosen_device(settings.device)
    eye = own_eye(checkpoint, lens_of(checkpoint.net(), seen.tile), seen, device, settings.compiled, even_light)
    defective = np.array([bool(one["defective"]) for one in items])
    rng = np.random.default_rng([seed, 17])
    features: list[Floats] = []
    made: list[Floats] = []
    patches: list[Floats] = []
    with decoders(settings) as pool:
        for one, read in zip(items, pool.decode(Path(str(one["path"])) for one in items), strict=True):
            if isinstance(read, Unreadable) or read.sha256 != one["sha256"]:
                raise BadInput(f"{Path(str(one['path'])).name} is gone or has changed: put it back, or build it anew.")
            pixels = read.decoded.pixels
            variants = [] if one["defective"] else [pasted(pixels, rng) for _ in range(PASTED)]
            found = _embeddings(engine, [pixels, *variants], seen)
            features.append(found[0])
            made.append(found[1:] if len(variants) else np.full((PASTED, found.shape[1]), np.nan, np.float32))
            patches.append(eye.see(pixels).patches)
            progress(len(features), len(items), "looking at pictures")

    def novelty(good: Ints, rows: Ints) -> Wide:
        draw = np.random.default_rng([seed, len(good), int(good[0])])
        most = share_of_each(len(good), patches[0].shape[1], BUDGET_BYTES)
        sample = [some_of(patches[row], most, draw) for row in good.tolist()]
        memory = memory_of(sample, BUDGET_BYTES)
        return np.array([distances(memory, patches[row]).picture for row in rows.tolist()])

    groups = [str(one["group"]) for one in items]
    compared = compare_few(np.stack(features), np.stack(made), defective, groups, novelty, labels, seeds, progress)
    document = {
        "dataset": dataset,
        "hash": manifest.get("hash"),
        "features": f"{engine.card.name} ({engine.card.arch}), frozen",
        "look": {**asdict(seen), "even_light": even_light},
        "pictures": len(items),
        "defective": int(defective.sum()),
        "groups": len(set(groups)),
        "seeds": seeds,
        "labels": list(next(iter(compared.values()))),
        "methods": {name: {str(n): _told(one) for n, one in steps.items()} for name, steps in compared.items()},
        "seconds": round(time.monotonic() - started, 1),
    }
    name = hashlib.sha256(f"{dataset} {engine.card.sha256} {seen}".encode()).hexdigest()[:16]
    path = settings.home / "fewlabels" / f"{name}.json"
    write_whole(path, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())
    return document


def _embeddings(engine: "Engine", pictures: Sequence[Pixels], look: Look) -> Floats:
    found = [one.embedding for one in engine.observe(pictures, look)]
    if any(one is None for one in found):
        raise ModelError(f"{engine.card.name} gives no features: take another model.")
    return np.stack([one for one in found if one is not None])


def _told(one: Band) -> dict[str, Any]:
    return {
        "mean": round(one.mean, 4),
        "low": None if one.low is None else round(one.low, 4),
        "high": None if one.high is None else round(one.high, 4),
        "seeds": [round(area, 4) for area in one.seeds],
    }
