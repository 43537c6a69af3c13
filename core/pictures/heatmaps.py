"""Maps of a picture put together from the maps of its tiles, and the spots that stand out in them.

A map spans the whole picture whatever its number of cells; cell (0, 0) is the top left corner.
"""

from math import ceil
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.errors import BadInput
from core.pictures.tiling import Boxes
from core.records import Floats, Grid

_NEIGHBOURS = np.ones((3, 3), int)


class Spot(NamedTuple):
    """One connected place above a threshold.

    Attributes:
        x, y, width, height: in picture pixels, cut at the picture's edge.
        score: the map's largest value in it.
        peak_x, peak_y: where that is, in picture pixels.
    """

    x: float
    y: float
    width: float
    height: float
    score: float
    peak_x: float
    peak_y: float


def map_shape(width: int, height: int, cell: int) -> tuple[int, int]:
    """(rows, columns) of a map with cells of about this many working pixels."""
    return max(1, ceil(height / cell)), max(1, ceil(width / cell))


def stitch(tile_maps: Floats, boxes: Boxes, working_wh: tuple[int, int], shape: tuple[int, int]) -> Floats:
    """Put tile maps together: read between cells, weighed by the distance to the tile's edge where tiles overlap.

    A tile knows least at its own edge, where its net saw padding; the weights leave no seam.

    Args:
        tile_maps: (n, gh, gw), one per box.
        boxes: (n, 4) x, y, width, height in working pixels, covering the picture.
        working_wh: size of the picture at working scale.
        shape: (rows, columns) of the result.

    Returns:
        (rows, columns) float32.

    Raises:
        BadInput: maps and boxes differ in number, or leave a cell uncovered.
    """
    if len(tile_maps) != len(boxes) or len(boxes) == 0:
        raise BadInput(f"{len(tile_maps)} tile maps for {len(boxes)} tiles: give one for each.")
    maps = np.asarray(tile_maps, np.float32)
    down = {y: _reach(y, h, shape[0], working_wh[1], maps.shape[1]) for y, h in {(int(b[1]), int(b[3])) for b in boxes}}
    across = {
        x: _reach(x, w, shape[1], working_wh[0], maps.shape[2]) for x, w in {(int(b[0]), int(b[2])) for b in boxes}
    }
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for tile_map, (x, y, _, _) in zip(maps, boxes.tolist(), strict=True):
        rows, read_rows, weigh_rows = down[y]
        columns, read_columns, weigh_columns = across[x]
        total[rows, columns] += read_rows @ tile_map @ read_columns.T
        weight[rows, columns] += np.outer(weigh_rows, weigh_columns)
    if not weight.all():
        raise BadInput("The tiles leave part of the picture uncovered: cut it with core.pictures.tiling.")
    stitched: Floats = total / weight
    return stitched


def _reach(start: int, size: int, cells: int, length: int, places: int) -> tuple[slice, Floats, Floats]:
    """How one tile is read along one axis.

    Returns:
        The map cells whose middle lies in the tile, (cells, places) reading weights that already hold the
        tile's weight at each cell, and that weight by itself.
    """
    middles = (np.arange(cells) + 0.5) * length / cells
    first = int(np.searchsorted(middles, start, side="left"))
    last = int(np.searchsorted(middles, start + size, side="left"))
    within = (middles[first:last] - start) / size  # (0, 1) across the tile
    window = np.minimum(within, 1 - within) + 1e-3
    read = _between(within * places - 0.5, places) * window[:, None]
    return slice(first, last), read.astype(np.float32), window.astype(np.float32)


def _between(positions: npt.NDArray[np.float64], places: int) -> npt.NDArray[np.float64]:
    """(n, places) weights that read a line of values at fractional positions, the last value beyond its ends."""
    held = np.clip(positions, 0, places - 1)
    left = np.minimum(held.astype(np.int64), max(0, places - 2))
    read = np.zeros((len(positions), places))
    here = np.arange(len(positions))
    read[here, left] = 1 - (held - left)
    if places > 1:
        read[here, left + 1] = held - left
    return read


def resized(values: Floats, shape: tuple[int, int], part: tuple[float, float] = (1.0, 1.0)) -> Floats:
    """Read a map at another number of cells, between its own.

    Args:
        values: (gh, gw).
        shape: (rows, columns) wanted.
        part: (down, across) share of the map to read, from its top left corner; a whole picture fills only
            part of its square tile.
    """
    down = _between((np.arange(shape[0]) + 0.5) / shape[0] * part[0] * values.shape[0] - 0.5, values.shape[0])
    across = _between((np.arange(shape[1]) + 0.5) / shape[1] * part[1] * values.shape[1] - 0.5, values.shape[1])
    read: Floats = (down @ values @ across.T).astype(np.float32)
    return read


def to_grid(values: Floats, scale: float = 1.0) -> Grid:
    """Eight bits a cell; a value at or above `scale` is 255.

    One scale for all pictures of a model, from its card: a clean picture must not glow.
    """
    return Grid(np.round(np.clip(values / scale, 0, 1) * 255).astype(np.uint8))


def from_grid(grid: Grid) -> Floats:
    """(rows, columns) in [0, 1]."""
    return (grid.values / np.float32(255)).astype(np.float32)


def upsample(grid: Grid, width: int, height: int) -> Floats:
    """(height, width) in [0, 1], for an overlay or a pointing test."""
    return resized(from_grid(grid), (height, width))


def scale_for(clean_peaks: Floats, defective_peaks: Floats) -> float:
    """The value to show at full strength, from the largest map value of each picture.

    Half of the defective pictures reach it, and 95 of 100 clean ones stay under a third of it.

    Raises:
        BadInput: no picture at all.
    """
    wanted = [1e-6]
    if clean_peaks.size:
        wanted.append(3 * float(np.quantile(clean_peaks, 0.95)))
    if defective_peaks.size:
        wanted.append(float(np.median(defective_peaks)))
    if len(wanted) == 1:
        raise BadInput("No picture to scale the heatmap by: give clean or defective ones.")
    return max(wanted)


def spots_of(
    values: Floats, picture_wh: tuple[int, int], threshold: float, limit: int = 50, least_cells: int = 1
) -> tuple[Spot, ...]:
    """Connected places of at least `threshold`, the strongest first.

    A box's edge lies where the map crosses the threshold between two cells, so it is finer than the cells.

    Raises:
        BadInput: a threshold that every empty map would pass.
    """
    if not threshold > 0:
        raise BadInput(f"A region threshold of {threshold}: take one above 0.")
    labels, count = ndimage.label(values >= threshold, structure=_NEIGHBOURS)
    if count == 0:
        return ()
    numbers = np.arange(1, count + 1)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    peaks = np.asarray(ndimage.maximum(values, labels, numbers))
    boxes = ndimage.find_objects(labels)
    kept = [int(i) for i in np.argsort(-peaks, kind="stable") if sizes[i] >= least_cells][:limit]
    return tuple(_spot(values, labels, i + 1, boxes[i], picture_wh, threshold) for i in kept)


def _spot(
    values: Floats,
    labels: npt.NDArray[np.int32],
    number: int,
    box: tuple[slice, slice],
    picture_wh: tuple[int, int],
    threshold: float,
) -> Spot:
    """One labelled place as a box."""
    own = np.where(labels[box] == number, values[box], -np.inf)
    row, column = np.unravel_index(int(own.argmax()), own.shape)
    top, bottom = _edges(values[:, box[1]].max(axis=1), own.max(axis=1), box[0], threshold)
    left, right = _edges(values[box[0], :].max(axis=0), own.max(axis=0), box[1], threshold)
    wide, high = picture_wh[0] / values.shape[1], picture_wh[1] / values.shape[0]
    return Spot(
        x=left * wide,
        y=top * high,
        width=(right - left) * wide,
        height=(bottom - top) * high,
        score=float(own.max()),
        peak_x=(box[1].start + int(column) + 0.5) * wide,
        peak_y=(box[0].start + int(row) + 0.5) * high,
    )


def _edges(line: Floats, own: Floats, cells: slice, threshold: float) -> tuple[float, float]:
    """Where a place begins and ends along one axis, in cells from the map's edge.

    `line` is the map's largest value at each cell of the whole axis, `own` the place's over `cells`.
    """
    first, last = cells.start, cells.stop - 1
    before = 0.0 if first == 0 else first + 0.5 - _crossing(float(own[0]), float(line[first - 1]), threshold)
    after = (
        float(len(line))
        if last == len(line) - 1
        else last + 0.5 + _crossing(float(own[-1]), float(line[last + 1]), threshold)
    )
    return before, after


def _crossing(inside: float, outside: float, threshold: float) -> float:
    """How far from an inside cell's middle towards the next one the map falls to the threshold, in [0.1, 1]."""
    if outside >= threshold:  # the next cell belongs to another place: stop half way
        return 0.5
    return max(0.1, (inside - threshold) / (inside - outside))  # never a box without area
