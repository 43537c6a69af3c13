"""Datasets made up by chance: fair ones, and the same with one leak planted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from core.learn.datasets.rows import Row
from core.learn.splits import DEFAULT, split_groups

START = datetime(2026, 3, 1, tzinfo=UTC)
CLASSES = ("CRACK", "BURR", "PIT")


def rows(seed: int, parts: int = 240, views: int = 2) -> list[Row]:
    """A fair dataset: parts of two views, twenty to an order, dealt by whole orders; three cameras."""
    rng = np.random.default_rng(seed)
    found = []
    for part in range(parts):
        kind = rng.integers(0, 8)
        classes = (CLASSES[kind],) if kind < len(CLASSES) else ()
        for view in range(views):
            number = part * views + view
            found.append(
                Row(
                    path=f"/pictures/{number:05}.png",
                    sha256=f"{seed:032x}{number:032x}",
                    side="",
                    group=f"part Lyon/{part}",
                    part=f"Lyon/{part}",
                    defective=bool(classes),
                    classes=classes,
                    site="Lyon",
                    order=f"Lyon/{part // 4}",
                    camera=f"Lyon/cam {part // 4 % 3}",
                    taken_at=START + timedelta(minutes=part),
                    image=number,
                )
            )
    groups = [row.order or "" for row in found]
    strata = [(row.camera or "", *(row.classes or ("NO_DEFECT",))) for row in found]
    sides = split_groups(groups, strata, DEFAULT, seed)
    return [replace(row, side=sides[row.order or ""], group=f"order {row.order}") for row in found]


def cut(found: list[Row]) -> list[Row]:
    """The same pictures with sides cut by time."""
    parts = len({row.part for row in found})
    edges = [START + timedelta(minutes=int(share * parts) // 4 * 4) for share in (0.7, 0.85)]  # between two orders
    names = ("train", "val", "test")
    return [replace(row, side=names[sum(row.taken_at >= edge for edge in edges)]) for row in found]


def on(found: list[Row], side: str) -> list[int]:
    """Numbers of the rows of a side."""
    return [number for number, row in enumerate(found) if row.side == side]
