"""The worked example of presence: box tops of the demo plant, in which the shipping label is to be found."""

import json
from hashlib import sha256
from typing import Any

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.datasets import manifest_hash
from app.settings import Settings
from core.records import Region
from data.demo.shipping_labels import LABEL, label_pictures

NAME = "demo-labels"


def draw_labels(
    settings: Settings, pictures: int = 400, seed: int = 11, name: str = NAME, progress: Progress = quiet
) -> dict[str, Any]:
    """Draw the pictures and freeze the dataset in the plant's home.

    Returns:
        The manifest; an item without a region has no label on it.
    """
    folder = settings.home / "study" / name
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for number, one in enumerate(label_pictures(pictures, seed), start=1):
        path = folder / one.file
        path.write_bytes(one.data)
        items.append(
            {
                "path": str(path),
                "sha256": sha256(one.data).hexdigest(),
                "split": one.split,
                "group": one.group,
                "view": one.view,
                "defective": False,  # a label is none, and that one is missing is told by its absence
                "probability": None,
                "classes": [],
                "regions": [] if one.label is None else [_values(one.label)],
                "flaw": one.flaw,
                "width": one.size_wh[0],
                "height": one.size_wh[1],
            }
        )
        progress(number, pictures, "drawing box tops")
    manifest: dict[str, Any] = {"name": name, "classes": [LABEL], "items": items}
    manifest["hash"] = manifest_hash(manifest)
    settings.datasets.mkdir(parents=True, exist_ok=True)
    (settings.datasets / f"{name}.json").write_text(json.dumps(manifest))
    return manifest


def _values(region: Region) -> dict[str, Any]:
    return {
        "x": region.x,
        "y": region.y,
        "width": region.width,
        "height": region.height,
        "name": region.name,
        "class_id": region.class_id,
    }
