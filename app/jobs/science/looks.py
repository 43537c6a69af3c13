"""What each way of looking costs and finds: one model, one set of labelled pictures, several looks side by side."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.inspect import milliseconds
from app.jobs.intake.line import Progress, find_model, open_model, quiet
from app.jobs.science.evaluate import labelled, trained_on, write
from app.jobs.science.learning import Reader, check_files, counted
from app.jobs.science.measured import LOOKS, place_of, read
from app.jobs.science.train import averaged_parts, summary
from app.settings import Settings
from core.errors import BadInput
from core.learn.by_size import DEFINITION
from core.learn.evaluation import Judged
from core.pictures.tiling import Look, neighbours, spoken

if TYPE_CHECKING:
    from data.store import Store

MOST = 16  # looks at once: each costs a pass over every picture
MEASURES = (
    "auroc",
    "auroc_interval",
    "part_auroc",
    "part_auroc_interval",
    "part_rule",
    "recall_at_5_percent_frr",
    "recall_at_5_percent_frr_interval",
    "recall_by_size",
)


def compare_looks(
    store: "Store | None",
    settings: Settings,
    model: str,
    dataset: str,
    split: str = "test",
    looks: Sequence[Look] | None = None,
    *,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Score the same pictures in several ways, and write what each costs and finds into the model's folder.

    Every look has its own threshold: the one that rejects at most 5% of the good pictures as that look sees them.
    Looks that were compared before on the same pictures with the same weights stay in the file.

    Args:
        store: where model, dataset and part types are looked up; None takes them from the home folder.
        settings: home and device.
        model: by name.
        dataset: by name.
        split: train, val or test.
        looks: those to compare; the model's own and its neighbours where None.
        now: for the file.
        progress: told after each picture.

    Returns:
        {model, sha256, dataset, dataset_hash, split, counted, picture_wh, definition, compared_at, looks: [{name,
        look, tiles, milliseconds, back_end, auroc, ..., recall_by_size}]}; milliseconds are per picture of
        `picture_wh`, the size that most of them have.

    Raises:
        NotFound: no such model or dataset.
        BadInput: that part is empty, its pictures are gone, or too many looks.
    """
    from models.training.finish import judge

    at = now or datetime.now(UTC)
    manifest, examples = labelled(store, settings, dataset, split)
    check_files(examples, progress)
    folder = find_model(store, settings, model)
    progress(0, len(examples), "opening the model")
    engine = open_model(store, settings, model)
    chosen = list(dict.fromkeys(neighbours(engine.card.look).values() if looks is None else looks))
    if not 0 < len(chosen) <= MOST:
        raise BadInput(f"{len(chosen)} looks to compare: give 1 to {MOST}.")
    judged: dict[Look, list[Judged]] = {look: [] for look in chosen}
    with Reader(settings) as reader:
        pictures = (pixels for pixels in reader.stream(examples) for _ in chosen)
        seen = engine.stream(pictures, (look for _ in examples for look in chosen))
        for done, example in enumerate(examples, 1):
            for look in chosen:
                judged[look].append(judge(example, next(seen)))
            progress(done, len(examples), Path(example.path).name)
    width, height = Counter((e.width, e.height) for e in examples).most_common(1)[0][0]
    progress(len(examples), len(examples), "measuring the time")
    times = milliseconds(settings, folder, chosen, width, height)
    averaged = averaged_parts(store, manifest)
    rows = []
    for (look, pictures_of), (tiles, spent) in zip(judged.items(), times, strict=True):
        found = summary(pictures_of, engine.card.classes, averaged)
        rows.append(
            {
                "name": spoken(look),
                "look": asdict(look),
                "tiles": tiles,
                "milliseconds": spent,
                "back_end": engine.back_end,
                "compared_at": at.isoformat(),
                **{key: found[key] for key in MEASURES},
            }
        )
    document = {
        "model": engine.card.name,
        "sha256": engine.card.sha256,
        "dataset": dataset,
        "dataset_hash": manifest.get("hash"),
        "split": split,
        "counted": counted(examples),
        "picture_wh": [width, height],
        "definition": DEFINITION,
        **trained_on(engine, examples),
        "compared_at": at.isoformat(),
    }
    path = place_of(folder, settings) / f"{LOOKS}-{dataset}-{split}.json"
    document["looks"] = [*rows, *_kept(read(path), document, rows)]
    write(path, json.dumps(document, indent=1, allow_nan=False) + "\n")
    return document


def _kept(before: Mapping[str, Any] | None, now: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Rows of an earlier comparison of the same weights on the same pictures, of looks that are not compared now."""
    same = ("sha256", "dataset_hash", "split", "definition")
    if before is None or any(before.get(key) != now[key] for key in same):
        return []
    fresh = [row["look"] for row in rows]
    return [row for row in before.get("looks", ()) if row.get("look") not in fresh]
