"""A delivered folder of drawn pictures with a plain table, for tests of import."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pil
from sqlalchemy import func, select

from app.jobs.intake.imports import ImportReport
from data.store import Store
from data.tables import Table

Import = Callable[..., ImportReport]


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (64, 48)) -> Path:
    """Draw a picture of noise, different for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Pil.fromarray(noise).save(path, quality=90)
    return path


def table(folder: Path, rows: Sequence[dict[str, Any]], draw: bool = True) -> None:
    """Write the folder's index and, unless told otherwise, the pictures it names."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    for seed, row in enumerate(rows):
        name = str(row["file"])
        if draw and name and not name.startswith(("/", "..", "http")):
            picture(folder / name, seed)


def labels(store: Store, site: str = "Lyon") -> dict[str, Any]:
    """The labels of a site, by the name of their picture's file."""
    return {Path(one.image.path).name: one.label for one in store.labels.find(site=site)}


def everything(store: Store) -> dict[str, int]:
    """How many rows each table of the store has."""
    with store.database.reading() as connection:
        return {
            table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in Table.metadata.sorted_tables
        }
