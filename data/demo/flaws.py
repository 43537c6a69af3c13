"""Defects on metal: scratches, burrs, pits, cracks; each painted into a crop of the surface's tone.

A painter changes the tone in place. Which pixels it changed is found by comparing (`drawing.py`), so a region
lies exactly where something can be seen.
"""

from collections.abc import Callable

import cv2
import numpy as np

from core.records import Floats
from data.demo.surfaces import Edge, Surface, hole_edge

Painter = Callable[[Surface, float, np.random.Generator], bool]
_FINE = 4  # bits below the pixel in cv2's drawing


def scratch(surface: Surface, size: float, rng: np.random.Generator) -> bool:
    """A long, nearly straight groove: one flank throws the light up, the other lies dark; often with traces beside it.

    Args:
        surface: its tone is changed.
        size: 0 (hardly to be seen) to 1 (glaring).
        rng: of its course.

    Returns:
        Whether there was room for it.
    """
    start = _somewhere(surface, rng)
    if start is None:
        return False
    length = (34 + 210 * size * float(rng.uniform(0.7, 1.2))) * surface.scale
    heading = _along(surface, start, length, rng)
    path = _walk(start, heading, length, float(rng.normal(0, 0.1)), 0.006, rng)
    width = 1.0 + 1.5 * size * float(rng.uniform(0.5, 1.0))
    strength = (0.17 + 0.33 * size) * float(rng.uniform(0.85, 1.2))
    sign = 1 if rng.random() < 0.75 else -0.85
    normal = np.asarray([-np.sin(heading), np.cos(heading)], dtype=np.float32)
    _groove(surface, path, normal, width, _fade(len(path), rng), strength * sign)
    if size > 0.25 and rng.random() < 0.65:  # what scratches once has more than one tooth
        for k in range(int(rng.integers(1, 4))):
            gap = np.float32((k + 1) * rng.uniform(3.5, 7) * surface.scale)
            first, last = int(len(path) * rng.uniform(0, 0.3)), int(len(path) * rng.uniform(0.6, 1.0))
            beside = path[first:last] + normal * gap
            _groove(surface, beside, normal, width * 0.8, _fade(len(beside), rng), strength * sign * 0.7)
    return True


def pits(surface: Surface, size: float, rng: np.random.Generator) -> bool:
    """One pit or a nest of them: a dark hollow with a rim that shines on the side away from the light."""
    centre = _somewhere(surface, rng)
    if centre is None:
        return False
    count = 1 if size < 0.25 else int(rng.integers(1, 3 + int(10 * size)))
    spread = (3 + 22 * size) * surface.scale
    for _ in range(count):
        x, y = centre + (rng.normal(0, spread, 2) if count > 1 else np.zeros(2))
        radius = (1.7 + 4.8 * size * float(rng.uniform(0.35, 1.0))) * surface.scale
        depth = float(rng.uniform(0.6, 0.9)) * (0.65 + 0.35 * size)
        _pit(surface, float(x), float(y), radius, depth, rng)
    return True


def crack(surface: Surface, size: float, rng: np.random.Generator) -> bool:
    """A thin dark jagged line that thins out, often from an edge or a hole, with finer branches."""
    start = None
    length = (26 + 130 * size * float(rng.uniform(0.6, 1.2))) * surface.scale
    rims = [hole_edge(hole) for hole in surface.holes] + list(surface.edges)
    if rims and rng.random() < 0.55:
        rim = rims[int(rng.integers(len(rims)))]
        k = int(rng.integers(len(rim.points)))
        inward = -rim.outward[k]
        begin = rim.points[k] + inward * 3
        if _on(surface, begin):
            start, heading = begin, float(np.arctan2(inward[1], inward[0]) + rng.normal(0, 0.5))
    if start is None:
        start = _somewhere(surface, rng)
        if start is None:
            return False
        heading = _along(surface, start, length, rng)
    path = _jagged(start, heading, length, rng)
    taper = np.linspace(1, 0.35, len(path), dtype=np.float32) * (0.8 + 0.2 * _fade(len(path), rng))
    width = 0.9 + 1.1 * size
    dark = stroke(surface.tone.shape, path, width, taper)
    for _ in range(int(rng.integers(1, 4)) if size > 0.25 else 0):
        k = int(len(path) * rng.uniform(0.15, 0.8))
        away = heading + float(rng.choice([-1, 1]) * rng.uniform(0.5, 1.0))
        fork = _jagged(path[k], away, length * float(rng.uniform(0.2, 0.4)), rng)
        thin = np.linspace(0.85, 0.25, len(fork), dtype=np.float32)
        dark = np.maximum(dark, stroke(surface.tone.shape, fork, width * 0.75, thin))
    dark *= surface.part
    depth = np.float32(0.5 + 0.42 * size)
    lit = np.roll(dark, (1, 1), axis=(0, 1)) * np.float32(0.10)
    surface.tone += lit * surface.part
    surface.tone -= np.clip(dark * depth, 0, 0.93) * surface.tone
    return True


def burr(surface: Surface, size: float, rng: np.random.Generator) -> bool:
    """Ragged metal pushed over an edge or into a hole: glinting teeth with a dark foot."""
    rims = [hole_edge(hole) for hole in surface.holes]
    rims += list(surface.edges) * 2
    for _ in range(12):
        rim = rims[int(rng.integers(len(rims)))]
        if _burr(surface, rim, size, rng):
            return True
    return False


PAINTERS: dict[str, Painter] = {
    "SURFACE_SCRATCH": scratch,
    "BURR": burr,
    "SURFACE_PIT": pits,
    "CRACK": crack,
}


def stroke(shape: tuple[int, ...], path: Floats, width: float, strength: Floats) -> Floats:
    """A line of varying strength, anti-aliased, (h, w) in [0, 1].

    Args:
        shape: of the picture.
        path: (n, 2) x, y in pixels.
        width: in pixels; a line thinner than one pixel is drawn fainter instead.
        strength: (n,) in [0, 1] along the path.
    """
    height, wide = shape[:2]
    x1, y1 = np.floor(path.min(axis=0) - width - 3).astype(int)
    x2, y2 = np.ceil(path.max(axis=0) + width + 4).astype(int)
    x1, y1, x2, y2 = max(0, x1), max(0, y1), min(wide, x2), min(height, y2)
    drawn = np.zeros((height, wide), dtype=np.float32)
    if x2 <= x1 or y2 <= y1:
        return drawn
    fine = 3  # drawn this many times larger, so that half-pixel widths count
    canvas = np.zeros(((y2 - y1) * fine, (x2 - x1) * fine), dtype=np.uint8)
    points = np.round((path - np.asarray([x1, y1]) + 0.5) * fine * (1 << _FINE)).astype(np.int32)
    thick = max(1, round(width * fine))
    for k in range(0, len(points) - 1, 3):
        piece = points[k : k + 4]
        level = float(strength[k]) * 255
        cv2.polylines(canvas, [piece], False, level, thick, cv2.LINE_AA, _FINE)
    small = cv2.resize(canvas, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA)
    drawn[y1:y2, x1:x2] = small * np.float32(1 / 255)
    return drawn


def _burr(surface: Surface, rim: Edge, size: float, rng: np.random.Generator) -> bool:
    total = len(rim.points)
    step = float(np.linalg.norm(rim.points[1] - rim.points[0])) + 1e-6
    span = min(total - 2, max(4, int((10 + 80 * size * float(rng.uniform(0.5, 1.1))) * surface.scale / step)))
    first = int(rng.integers(total - span))
    points, outward = rim.points[first : first + span], rim.outward[first : first + span]
    middle = points[span // 2]
    height, width = surface.tone.shape
    if not (12 < middle[0] < width - 12 and 12 < middle[1] < height - 12):
        return False
    envelope = np.clip(np.sin(np.linspace(0, np.pi, span, dtype=np.float32)), 0, 1) ** 0.5
    teeth = (
        np.abs(_rough(span, max(1.0, 2.2 / step), rng)) * 0.75 + np.abs(_rough(span, max(1.0, 6 / step), rng)) * 0.45
    )
    reach = (1.6 + 6.5 * size) * surface.scale * envelope * np.clip(teeth, 0.12, 2.2)
    tips = points + outward * reach[:, None]
    roots = points - outward * np.float32(1.2)
    body = _fill(surface.tone.shape, np.concatenate([tips, roots[::-1]]))
    foot = _fill(
        surface.tone.shape,
        np.concatenate([points - outward * np.float32(1.5), (points - outward * (2.5 + 0.35 * reach)[:, None])[::-1]]),
    )
    facing = float(np.clip(outward[span // 2] @ np.asarray(surface.light_xy), -1, 1))
    shine = 0.5 + 0.24 * facing + 0.2 * size
    glint = shine + 0.18 * rng.standard_normal(surface.tone.shape, dtype=np.float32)
    surface.tone += body * np.float32(0.62 + 0.35 * size) * (glint - surface.tone)
    surface.tone -= foot * np.float32(0.15 + 0.3 * size) * surface.tone
    return True


def _pit(surface: Surface, x: float, y: float, radius: float, depth: float, rng: np.random.Generator) -> None:
    reach = int(radius * 1.8) + 3
    height, width = surface.tone.shape
    x1, x2 = max(0, int(x) - reach), min(width, int(x) + reach + 1)
    y1, y2 = max(0, int(y) - reach), min(height, int(y) + reach + 1)
    if x2 <= x1 or y2 <= y1:
        return
    dx = np.arange(x1, x2, dtype=np.float32)[None, :] - np.float32(x)
    dy = np.arange(y1, y2, dtype=np.float32)[:, None] - np.float32(y)
    stretch, turn = float(rng.uniform(0.7, 1.0)), float(rng.uniform(0, np.pi))
    u = dx * np.float32(np.cos(turn)) + dy * np.float32(np.sin(turn))
    v = (-dx * np.float32(np.sin(turn)) + dy * np.float32(np.cos(turn))) / np.float32(stretch)
    angle = np.arctan2(v, u)
    wobble = (
        1 + 0.16 * np.sin(2 * angle + float(rng.uniform(0, 6))) + 0.1 * np.sin(5 * angle + float(rng.uniform(0, 6)))
    )
    distance = np.hypot(u, v) / (np.float32(radius) * wobble)
    hollow = np.clip((1.15 - distance) / 0.4, 0, 1)
    facing = (dx * surface.light_xy[0] + dy * surface.light_xy[1]) / (np.hypot(dx, dy) + 1)
    rim = np.exp(-(((distance - 1.15) / 0.28) ** 2)) * np.clip(-facing, -0.4, 1)
    on = surface.part[y1:y2, x1:x2]
    crop = surface.tone[y1:y2, x1:x2]
    crop += (on * (-hollow * np.float32(depth) * crop + rim * np.float32(0.34 * depth))).astype(np.float32)


def _groove(surface: Surface, path: Floats, normal: Floats, width: float, pressure: Floats, strength: float) -> None:
    """A lit and a dark flank side by side; a negative strength lights the other one."""
    lit = stroke(surface.tone.shape, path, width, pressure)
    dark = stroke(surface.tone.shape, path + normal * np.float32(width * 0.9), width, pressure)
    surface.tone += surface.part * (lit * np.float32(strength) - dark * np.float32(strength * 0.55))


def _walk(start: Floats, heading: float, length: float, bend: float, jitter: float, rng: np.random.Generator) -> Floats:
    """Points one pixel apart that turn by `bend` in all and by chance, (n, 2)."""
    n = max(4, int(length))
    angle = heading + np.linspace(0, bend, n) + np.cumsum(rng.normal(0, jitter, n))
    return _path(start, angle)


def _jagged(start: Floats, heading: float, length: float, rng: np.random.Generator) -> Floats:
    """Points one pixel apart in short straight pieces that zigzag about the heading and never turn back, (n, 2)."""
    n = max(4, int(length))
    pieces = n // 3 + 1
    sides = np.where(np.arange(pieces) % 2 == 0, 1.0, -1.0) * rng.choice([-1, 1])
    turns = heading + np.linspace(0, float(rng.normal(0, 0.3)), pieces) + sides * np.abs(rng.normal(0.45, 0.3, pieces))
    return _path(start, turns.repeat(rng.integers(3, 9, pieces))[:n])


def _path(start: Floats, angle: np.ndarray) -> Floats:
    steps = np.stack([np.cos(angle), np.sin(angle)], axis=1)[:-1]
    path: Floats = (np.asarray(start) + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])).astype(np.float32)
    return path


def _fade(n: int, rng: np.random.Generator) -> Floats:
    """Pressure along a stroke: low at the ends, wavering between."""
    along = np.sin(np.linspace(0.12, np.pi - 0.12, n)) ** 0.6
    waver = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, 7), rng.uniform(0.45, 1.0, 7))
    faded: Floats = (along * waver).astype(np.float32)
    return faded


def _rough(n: int, width: float, rng: np.random.Generator) -> Floats:
    raw = rng.standard_normal((1, n + 16), dtype=np.float32)
    smooth: Floats = cv2.GaussianBlur(raw, (0, 0), width)[0, 8 : 8 + n]
    return smooth / np.float32(float(smooth.std()) + 1e-6)


def _fill(shape: tuple[int, ...], ring: Floats) -> Floats:
    """A filled outline, anti-aliased, (h, w) in [0, 1]."""
    canvas = np.zeros(shape[:2], dtype=np.uint8)
    cv2.fillPoly(canvas, [np.round(ring * (1 << _FINE)).astype(np.int32)], 255, cv2.LINE_AA, _FINE)
    return canvas * np.float32(1 / 255)


def _on(surface: Surface, point: Floats) -> bool:
    height, width = surface.tone.shape
    x, y = int(point[0]), int(point[1])
    return 8 <= x < width - 8 and 8 <= y < height - 8 and bool(surface.part[y, x])


def _along(surface: Surface, start: Floats, length: float, rng: np.random.Generator) -> float:
    """A heading in which a line of this length mostly stays on the material, where a dozen tries found one."""
    heading = 0.0
    for _ in range(12):
        heading = float(rng.uniform(0, 2 * np.pi))
        way = np.asarray([np.cos(heading), np.sin(heading)], dtype=np.float32) * np.float32(length)
        if all(_on(surface, start + way * np.float32(share)) for share in (0.3, 0.6, 0.85)):
            break
    return heading


def _somewhere(surface: Surface, rng: np.random.Generator) -> Floats | None:
    """A point on the material and away from holes; None where forty tries found none."""
    height, width = surface.tone.shape
    for _ in range(40):
        point = np.asarray([rng.uniform(14, width - 14), rng.uniform(14, height - 14)], dtype=np.float32)
        free = all(
            np.hypot(point[0] - hole.x, point[1] - hole.y) > hole.radius * 1.4 + hole.half_length + 6
            for hole in surface.holes
        )
        if free and _on(surface, point):
            return point
    return None
