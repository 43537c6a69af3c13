"""Drawn pictures as a dataset in a plant's home: written down, listed as `dataset build` lists them, and hashed."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.jobs.science.datasets import manifest_hash
from core.records import Region, Rle


def folder_of(home: Path, name: str) -> Path:
    """Where the pictures of a drawn dataset lie."""
    folder = home / "study" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def item_of(
    path: Path, data: bytes, split: str, group: str, view: str, size_wh: tuple[int, int], regions: Sequence[Region],
    **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Write one picture, and list it.

    Args:
        path: where it goes.
        data: of the file.
        split: train, val or test.
        group: what must stay on one side of a split.
        view: of the part.
        size_wh: of the picture.
        regions: that are drawn on it; the picture is defective where there are any.
        more: instead of what follows from the regions, or beside it.
    """
    path.write_bytes(data)
    return {
        "path": str(path),
        "sha256": sha256(data).hexdigest(),
        "split": split,
        "group": group,
        "view": view,
        "defective": bool(regions),
        "probability": None,
        "classes": sorted({region.name for region in regions}),
        "regions": [region_values(region) for region in regions],
        "width": size_wh[0],
        "height": size_wh[1],
        **more,
    }


def frozen(home: Path, name: str, classes: Sequence[str], items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Write the manifest, and return it."""
    manifest: dict[str, Any] = {"name": name, "classes": list(classes), "items": list(items)}
    manifest["hash"] = manifest_hash(manifest)
    (home / "datasets").mkdir(parents=True, exist_ok=True)
    (home / "datasets" / f"{name}.json").write_text(json.dumps(manifest))
    return manifest


def region_values(region: Region) -> dict[str, Any]:
    """A region as a manifest has it."""
    mask = region.mask if isinstance(region.mask, Rle) else None
    return {
        "x": region.x,
        "y": region.y,
        "width": region.width,
        "height": region.height,
        "name": region.name,
        "class_id": region.class_id,
        "severity": region.severity,
        "mask": None if mask is None else {"size_hw": list(mask.size_hw), "counts": list(mask.counts)},
    }
