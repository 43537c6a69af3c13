"""Boxes in image pixels: overlap, matching, cutting.

Arrays are (n, 4) float: x, y, width, height; x + width is exclusive.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from core.errors import BadInput
from core.records import Region

BoxArray = npt.NDArray[np.floating[Any]]


class Match(NamedTuple):
    """One found box and the true box it stands for."""

    found: int
    true: int
    iou: float


def array_of(regions: Sequence[Region]) -> npt.NDArray[np.float64]:
    """(n, 4) x, y, width, height."""
    return np.array([(r.x, r.y, r.width, r.height) for r in regions], np.float64).reshape(-1, 4)


def overlap(first: BoxArray, second: BoxArray) -> npt.NDArray[np.float64]:
    """(n, m) shared area in square pixels."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, :2] + first[:, None, 2:], second[None, :, :2] + second[None, :, 2:])
    sides: npt.NDArray[np.float64] = np.clip(high - low, 0, None)
    shared: npt.NDArray[np.float64] = sides[..., 0] * sides[..., 1]
    return shared


def iou(first: BoxArray, second: BoxArray) -> npt.NDArray[np.float64]:
    """(n, m) shared area over joint area, in [0, 1]; 0 for two boxes without area."""
    shared = overlap(first, second)
    joint = (first[:, 2] * first[:, 3])[:, None] + (second[:, 2] * second[:, 3])[None, :] - shared
    return np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0)


def match(found: BoxArray, true: BoxArray, at_least: float = 0.5) -> tuple[Match, ...]:
    """Pair boxes one to one so that the pairs, and then their overlap, are as many as can be.

    Pairs below `at_least` do not count.
    """
    overlaps = iou(found, true)
    worth = np.where(overlaps >= at_least, 1 + overlaps / (1 + overlaps.size), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return tuple(
        Match(int(f), int(t), float(overlaps[f, t])) for f, t in zip(rows, columns, strict=True) if worth[f, t] > 0
    )


def match_by_score(found: BoxArray, scores: BoxArray, true: BoxArray, at_least: float = 0.5) -> tuple[Match, ...]:
    """Pair boxes the way average precision counts: the surest first, each taking the best box still free."""
    return pairs_by_score(iou(found, true), scores, at_least)


def pairs_by_score(overlaps: npt.NDArray[np.float64], scores: BoxArray, at_least: float) -> tuple[Match, ...]:
    """The same from (found, true) overlaps, whatever it is that overlaps."""
    free = np.ones(overlaps.shape[1], bool)
    pairs = []
    for f in np.argsort(-np.asarray(scores), kind="stable"):
        candidates = np.where(free, overlaps[f], -1.0)
        if candidates.size and (best := int(candidates.argmax())) is not None and candidates[best] >= at_least:
            free[best] = False
            pairs.append(Match(int(f), best, float(overlaps[f, best])))
    return tuple(pairs)


def clip(region: Region, width: int, height: int) -> Region | None:
    """The part of a box inside the picture; None where nothing is. A mask is left as it is."""
    left, top = min(max(region.x, 0.0), width), min(max(region.y, 0.0), height)
    right, bottom = min(max(region.x + region.width, 0.0), width), min(max(region.y + region.height, 0.0), height)
    if right <= left or bottom <= top:
        return None
    if (left, top, right - left, bottom - top) == (region.x, region.y, region.width, region.height):
        return region
    return replace(region, x=left, y=top, width=right - left, height=bottom - top)


def contains(region: Region, x: float, y: float) -> bool:
    """Whether a point, in pixels, lies in the box; right and bottom edges are outside."""
    return region.x <= x < region.x + region.width and region.y <= y < region.y + region.height


def area_percentage(region: Region, width: int, height: int) -> float:
    """Share of the picture that the box covers, in percent.

    Raises:
        BadInput: the picture has no area.
    """
    if width < 1 or height < 1:
        raise BadInput(f"A picture of {width}x{height} has no area: give its size after orientation.")
    inside = clip(region, width, height)
    return 0.0 if inside is None else 100 * inside.area_px / (width * height)


def inside_tile(region: Region, tile: tuple[float, float, float, float]) -> Region | None:
    """The part of a box inside a tile, in the tile's own pixels; None where they do not meet."""
    x, y, width, height = tile
    left, top = max(region.x, x), max(region.y, y)
    right, bottom = min(region.x + region.width, x + width), min(region.y + region.height, y + height)
    if right <= left or bottom <= top:
        return None
    return replace(region, x=left - x, y=top - y, width=right - left, height=bottom - top, mask=None)


def tile_is_positive(
    regions: BoxArray, tiles: BoxArray, least_px: float = 50.0, least_share: float = 0.25
) -> npt.NDArray[np.bool_]:
    """Which tiles show which regions: at least min(least_px square pixels, least_share of the region) lies in them.

    Returns:
        (n tiles, m regions).
    """
    needed = np.minimum(least_px, least_share * regions[:, 2] * regions[:, 3])
    shared = overlap(tiles, regions)
    shows: npt.NDArray[np.bool_] = (shared >= needed[None, :]) & (shared > 0)
    return shows
