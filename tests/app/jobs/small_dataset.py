"""A tiny drawn dataset with its manifest, for tests of training and evaluation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.jobs.science.datasets import manifest_hash
from app.settings import Settings


@contextmanager
def short_epochs() -> Iterator[None]:
    """Trainings within see every picture twice in an epoch and no oftener: enough to have been trained."""
    from models.training import recipes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "LEAST_WINDOWS", 24)
        yield


def drawn(settings: Settings, name: str = "pits", per_split: dict[str, int] | None = None) -> dict[str, Any]:
    """Write pictures of dark pits on noise and freeze them as a dataset; two pictures are one part."""
    rng = np.random.default_rng(0)
    pictures = settings.home / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    items = []
    for split, count in (per_split or {"train": 12, "val": 8, "test": 8}).items():
        for i in range(count):
            bad = i // 2 % 2 == 0
            pixels = rng.normal(150, 8, (60, 80, 3)).clip(0, 255).astype(np.uint8)
            regions = []
            if bad:
                x, y = int(rng.integers(5, 60)), int(rng.integers(5, 40))
                pixels[y : y + 14, x : x + 14] = 20
                regions = [{"x": x, "y": y, "width": 14, "height": 14, "name": "pit", "class_id": "SURFACE_PIT"}]
            path = pictures / f"{split}{i}.png"
            cv2.imwrite(str(path), pixels)
            items.append(
                {
                    "path": str(path),
                    "sha256": sha256(path.read_bytes()).hexdigest(),
                    "split": split,
                    "group": f"{split}-{i // 2}",
                    "site": "Lyon",
                    "part": f"{split}-{i // 2}",
                    "part_type": None,
                    "width": 80,
                    "height": 60,
                    "defective": bad,
                    "probability": None,
                    "classes": ["SURFACE_PIT"] if bad else [],
                    "regions": regions,
                }
            )
    manifest: dict[str, Any] = {"name": name, "hash": "", "classes": ["CRACK", "SURFACE_PIT"], "items": items}
    return keep(settings, manifest)


def keep(settings: Settings, manifest: dict[str, Any]) -> dict[str, Any]:
    """Freeze a manifest under its hash."""
    manifest["hash"] = manifest_hash(manifest)
    settings.datasets.mkdir(parents=True, exist_ok=True)
    path: Path = settings.datasets / f"{manifest['name']}.json"
    path.write_text(json.dumps(manifest))
    return manifest
