"""The experiments table: every model that was measured on the same pictures, beside the one in use."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.science.measured import EVALUATION, place_of
from app.settings import Settings
from core.errors import BadInput
from core.learn.paired import Paired
from core.learn.pipeline_experiment import figures, paired, slowest

if TYPE_CHECKING:
    from core.plant import ModelVersion

WEIGHTS = "weights.safetensors"
MEASURES = ("accuracy", "precision", "recall", "f1")


@dataclass(frozen=True)
class Experiment:
    """One model on one set of pictures.

    Attributes:
        figures: accuracy, precision, recall, F1, p99 (ms) and per_class; each with value, interval and n.
        size_bytes: of the weights; None where they are elsewhere.
        against: the paired test against the model in use; None for that one itself, and where it was not measured on
            the same pictures.
        caution: why the figures say less than they seem to.
    """

    model: str
    architecture: str
    dataset: str
    split: str
    figures: Mapping[str, Any]
    size_bytes: int | None
    against: Paired | None
    in_use: bool
    adapted_from: str = ""
    caution: str = ""


def measured_on(versions: "Sequence[ModelVersion]", settings: Settings) -> list[tuple[str, str]]:
    """Every (dataset, side) on which any of these models was measured; where most were measured comes first."""
    found: dict[tuple[str, str], int] = {}
    for version in versions:
        for path in _files(version, settings):
            read = _read(path, path.stat().st_mtime_ns)
            if read is not None:
                key = (str(read["dataset"]), str(read["split"]))
                found[key] = found.get(key, 0) + 1
    return sorted(found, key=lambda one: (-found[one], one))


def experiments(
    versions: "Sequence[ModelVersion]", settings: Settings, dataset: str, split: str, production: str | None
) -> list[Experiment]:
    """One row for each model that was measured there, in the order given.

    Args:
        versions: models, the newest first.
        settings: of the plant.
        dataset: by name.
        split: side of it.
        production: the model in use, which the others are compared with.
    """
    read = {}
    for version in versions:
        for path in _files(version, settings):
            one = _read(path, path.stat().st_mtime_ns)
            if one is not None and (one["dataset"], one["split"]) == (dataset, split) and _same(one, version):
                read[version.name] = one
                break
    base = read.get(production or "")
    return [
        _row(version, read[version.name], base, version.name == production, settings)
        for version in versions
        if version.name in read
    ]


def _row(
    version: "ModelVersion", mine: Mapping[str, Any], base: Mapping[str, Any] | None, in_use: bool, settings: Settings
) -> Experiment:
    against, caution = None, str(mine.get("caution") or "")
    if base is not None and not in_use:
        try:
            against = paired(mine["pictures"], base["pictures"], mine["averaged"])
        except BadInput:  # the dataset was built anew under another home, or an older evaluation
            caution = caution or "The model in use was measured on other pictures."
    weights = settings.home / version.path / WEIGHTS
    training = version.card.get("training")
    adapted = training.get("adapted") if isinstance(training, Mapping) else None
    return Experiment(
        version.name, str(version.card.get("arch") or "not known"), str(mine["dataset"]), str(mine["split"]),
        mine["figures"], weights.stat().st_size if weights.is_file() else None, against, in_use,
        str(adapted["from"]) if isinstance(adapted, Mapping) else "", caution,
    )  # fmt: skip


def _same(one: Mapping[str, Any], version: "ModelVersion") -> bool:
    """Whether these very weights were measured; an evaluation from before that was noted is taken at its word."""
    return one["sha256"] in (None, version.sha256)


def _files(version: "ModelVersion", settings: Settings) -> list[Path]:
    place = place_of(settings.home / version.path, settings)
    return sorted(place.glob(f"{EVALUATION}-*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


@lru_cache(maxsize=256)
def _read(path: Path, _changed_ns: int) -> Mapping[str, Any] | None:
    """What the table needs of one evaluation, worked out once; None for a file that is damaged or too old."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        pictures, averaged = document["pictures"], frozenset(document.get("averaged", ()))
        kept = ("file", "group", "defective", "classes", "score", "said", "view")
        times = [one["milliseconds"] for one in pictures if one.get("milliseconds") is not None]
        return {
            "dataset": str(document["dataset"]),
            "split": str(document["split"]),
            "sha256": document.get("sha256"),
            "caution": document.get("caution") or "",
            "averaged": averaged,
            "pictures": [{name: one.get(name) for name in kept} for one in pictures],
            "figures": {**figures(pictures, averaged), "p99": slowest(times)},
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None
