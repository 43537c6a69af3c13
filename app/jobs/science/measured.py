"""What was measured of a model and lies beside it: evaluations and comparisons of looks, as JSON files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.settings import Settings

EVALUATION, LOOKS, HEATMAPS = "evaluation", "looks", "heatmaps"


def place_of(folder: Path, settings: Settings) -> Path:
    """The model's own folder; beside the plant's other reports for one that is shipped or lies elsewhere."""
    own = folder.absolute().is_relative_to(settings.models.absolute())
    return folder if own else settings.home / "reports" / folder.name


def evaluations(folder: Path, settings: Settings) -> list[Mapping[str, Any]]:
    """What `evaluate` has written of a model, newest first."""
    return _documents(folder, settings, EVALUATION, "evaluated_at")


def comparisons(folder: Path, settings: Settings) -> list[Mapping[str, Any]]:
    """What `compare_looks` has written of a model, newest first."""
    return _documents(folder, settings, LOOKS, "compared_at")


def heatmaps_place(folder: Path, settings: Settings, site: str) -> Path:
    """Where what was measured of a model's heatmaps at a site lies; a name that is not plain becomes hexadecimal."""
    plain = site if site.isascii() and site.isalnum() else site.encode().hex()
    return place_of(folder, settings) / f"{HEATMAPS}-{plain}.json"


def _documents(folder: Path, settings: Settings, kind: str, time: str) -> list[Mapping[str, Any]]:
    """Files of one kind; one that cannot be read is as good as none, it can be made again."""
    found = []
    for path in place_of(folder, settings).glob(f"{kind}-*.json"):
        document = read(path)
        if document is not None and time in document:
            found.append(document)
    return sorted(found, key=lambda one: str(one[time]), reverse=True)


def read(path: Path) -> Mapping[str, Any] | None:
    """One of those files; None where it is missing or damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, Mapping) else None
