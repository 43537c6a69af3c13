"""Many more parts for a small plant, on the pictures that are there: one file may be seen by many captures."""

from pathlib import Path

import numpy as np

from core.plant import Arrival
from core.records import Capture, Grid, Prediction, Region
from data.store import open_store
from tests.small_plant import SITE


def fill(url: str, parts: int, folder: Path) -> None:
    """File and hold so many parts of one view each, named B-00000 and on."""
    store = open_store(url)
    first = store.images.find(site=SITE, limit=50)
    rng = np.random.default_rng(1)
    grid = Grid(np.asarray(rng.integers(0, 255, (25, 40)), np.uint8))
    for start in range(0, parts, 500):
        arrivals = []
        for number in range(start, min(parts, start + 500)):
            like = first[number % len(first)]
            score = float(rng.uniform(0.55, 0.95))
            arrivals.append(
                Arrival(
                    Capture(f"{folder}/bench-{number}", f"B-{number:05}", order="9", line="line B", camera="cam 3",
                            view="top", part_type="bracket"),
                    like.path, like.sha256, like.width, like.height, like.quality,
                    Prediction("small-1", score, {"CRACK": 0.7, "SURFACE_PIT": 0.2},
                               (Region(60, 80, 140, 60, "CRACK", "CRACK", score=score, key="m1"),), None, grid, grid),
                )
            )  # fmt: skip
        store.arrivals.file(SITE, arrivals, close_parts=True)
    store.close()
