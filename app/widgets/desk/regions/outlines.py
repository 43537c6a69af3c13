"""Outlines drawn by hand as regions with a mask, and masks that follow their box."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.records import Mask, Polygons

Points = npt.NDArray[np.float64]  # (n, 2) x, y
FINE = 4  # a stroke is painted at this many times the canvas's pixels, for an outline finer than those
CURVE_STEPS = 8
_SMOOTH = 0.75  # of a fine pixel: points that change an outline by less are left out

Box = tuple[float, float, float, float]


def followed(mask: Mask | None, before: Box, after: Box) -> Mask | None:
    """A mask moved and stretched as its box was; run lengths cannot be, and go."""
    if before == after:
        return mask
    if not isinstance(mask, Polygons):
        return None
    across, down = after[2] / before[2], after[3] / before[3]
    return Polygons(
        tuple(
            tuple(
                after[1] + (value - before[1]) * down if i % 2 else after[0] + (value - before[0]) * across
                for i, value in enumerate(ring)
            )
            for ring in mask.rings
        )
    )


def points_of(path: Sequence[Sequence[Any]]) -> Points:
    """The points along a drawn path, curves in short steps.

    Args:
        path: commands as in SVG, absolute: ["M", x, y], ["L", x, y], ["Q", x1, y1, x, y], ["Z"].
    """
    found: list[tuple[float, float]] = []
    for command, *numbers in path:
        values = [float(number) for number in numbers]
        if command in ("M", "L") and len(values) == 2:
            found.append((values[0], values[1]))
        elif command == "Q" and len(values) == 4 and found:
            start, middle, end = np.array(found[-1]), np.array(values[:2]), np.array(values[2:])
            for step in range(1, CURVE_STEPS + 1):
                t = step / CURVE_STEPS
                x, y = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
                found.append((float(x), float(y)))
    return np.array(found, np.float64).reshape(-1, 2)


def is_closed(path: Sequence[Sequence[Any]]) -> bool:
    """Whether a path ends where it began, by its own word."""
    return bool(path) and str(path[-1][0]).upper() == "Z"


def rings_of(drawn: Mapping[str, Any], scale_xy: tuple[float, float], size_wh: tuple[int, int]) -> Polygons | None:
    """What a drawn path covers, in the picture's own pixels; None where that is nothing.

    A closed path covers its inside. An open one is a brush's stroke: it covers what the brush touched, and what it
    went around.

    Args:
        drawn: the canvas's own object, with `points` or with `path` and `strokeWidth`, in canvas pixels.
        scale_xy: canvas pixels for one picture pixel.
        size_wh: of the picture.
    """
    path = drawn.get("path") or []
    if "points" in drawn:
        rings = [np.array([(float(one["x"]), float(one["y"])) for one in drawn["points"]], np.float64)]
    elif is_closed(path):
        rings = [points_of(path)]
    else:
        rings = _painted(points_of(path), float(drawn.get("strokeWidth") or 1.0))
    across, down = scale_xy
    result = []
    for ring in rings:
        inside = np.clip(ring / (across, down), 0, size_wh)
        if len(inside) >= 3 and np.ptp(inside, axis=0).min() > 0:
            result.append(tuple(round(float(value), 2) for value in itertools.chain.from_iterable(inside)))
    return Polygons(tuple(result)) if result else None


def box_of(mask: Polygons) -> Box:
    """The box around all rings: x, y, width, height."""
    points = np.concatenate([np.reshape(ring, (-1, 2)) for ring in mask.rings])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def _painted(points: Points, width: float) -> list[Points]:
    """Outlines of a round brush's stroke, in canvas pixels."""
    if not len(points):
        return []
    margin = width / 2 + 2
    origin = points.min(axis=0) - margin
    size = np.ceil((points.max(axis=0) - origin + margin) * FINE).astype(int)
    ground = np.zeros((size[1], size[0]), np.uint8)
    fine = np.round((points - origin) * FINE).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(ground, [fine], False, 255, max(1, round(width * FINE)), cv2.LINE_8)
    contours, _ = cv2.findContours(ground, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    smooth = [cv2.approxPolyDP(one, _SMOOTH, True).reshape(-1, 2) for one in contours]
    return [(one.astype(np.float64) + 0.5) / FINE + origin for one in smooth]
