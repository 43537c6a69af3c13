"""Machined surfaces: turned, milled, ground and brushed metal, with holes, slots and edges.

Tones are (h, w) float32, about 0 (black) to 1 (white), before the camera.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from core.records import Floats


@dataclass(frozen=True)
class Hole:
    """A drilled hole, or a slot where it has a length; with a chamfer of nominal size.

    Attributes:
        half_length: from the middle to the centre of either round end; 0 for a round hole.
        angle: of the slot's axis, in radians.
        factor: true radius as a share of the nominal one; 1 is in specification.
        through: the belt or the backlight shows through.
    """

    x: float
    y: float
    radius: float
    half_length: float = 0.0
    angle: float = 0.0
    factor: float = 1.0
    through: float = 0.04
    chamfer: float = 1.24


@dataclass(frozen=True)
class Edge:
    """A line along which burrs grow.

    Attributes:
        points: (n, 2) x, y.
        outward: (n, 2) unit vectors away from the material.
    """

    points: Floats
    outward: Floats


@dataclass
class Surface:
    """A part lying under the camera, still without defects.

    Attributes:
        tone: (h, w) without its holes.
        part: (h, w) bool, where there is material.
        scale: of texture and defects; 1 for a picture of 640 pixels.
    """

    tone: Floats
    part: np.ndarray
    light_xy: tuple[float, float]
    holes: tuple[Hole, ...] = ()
    edges: tuple[Edge, ...] = ()
    scale: float = 1.0
    slots: Mapping[str, float] = field(default_factory=dict)


def cloud(size_wh: tuple[int, int], cells: int, rng: np.random.Generator) -> Floats:
    """Smooth noise of about unit size, with this many lumps along the longer side."""
    width, height = size_wh
    columns = max(2, round(cells * width / max(size_wh)))
    rows = max(2, round(cells * height / max(size_wh)))
    coarse = rng.standard_normal((rows + 1, columns + 1), dtype=np.float32)
    smooth: Floats = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return smooth


def grooves(length: int, rng: np.random.Generator, widths: tuple[float, ...] = (1.0, 3.0, 14.0)) -> Floats:
    """A profile across tool marks: noise of several widths in pixels, about unit size, (length,)."""
    total = np.zeros(length, dtype=np.float32)
    for width in widths:
        raw = rng.standard_normal((1, length), dtype=np.float32)
        smooth = cv2.GaussianBlur(raw, (0, 0), width, borderType=cv2.BORDER_REFLECT)[0]
        total += smooth / (float(smooth.std()) + 1e-6)
    return total / np.float32(np.sqrt(len(widths)))


def brushed(size_wh: tuple[int, int], length_px: int, rng: np.random.Generator) -> Floats:
    """Fine lines along x of about this length, unit size."""
    width, height = size_wh
    raw = rng.standard_normal((height, width // 4 + 2), dtype=np.float32)
    lines: Floats = cv2.blur(raw, (max(3, length_px // 4), 1))
    lines = cv2.resize(lines, (width, height), interpolation=cv2.INTER_LINEAR)
    return lines / np.float32(float(lines.std()) + 1e-6)


def mesh(size_wh: tuple[int, int]) -> tuple[Floats, Floats]:
    """Column and row of every pixel, broadcastable: (1, w) and (h, 1)."""
    width, height = size_wh
    return np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]


def shaft(
    size_wh: tuple[int, int], light_xy: tuple[float, float], rng: np.random.Generator, view_rng: np.random.Generator
) -> Surface:
    """A turned shaft from the side: shoulders, a groove, a keyway, tool marks around it.

    Args:
        size_wh: of the picture.
        light_xy: towards the light.
        rng: of the part; the same in each of its views.
        view_rng: of what differs from view to view.
    """
    width, height = size_wh
    _, y = mesh(size_wh)
    middle = height * (0.5 + float(view_rng.uniform(-0.025, 0.025)))
    radius = height * float(rng.uniform(0.33, 0.38))
    step = width * float(rng.uniform(0.22, 0.32))
    neck = width * float(rng.uniform(0.66, 0.78))
    small = radius * float(rng.uniform(0.74, 0.84))
    radii = np.full(width, radius, dtype=np.float32)
    radii[: int(step)] = small
    radii[int(neck) : int(neck) + 12] = radius * 0.9
    radii = cv2.GaussianBlur(radii[None], (0, 0), 1.2)[0]

    normal = (y - middle) / radii[None, :]  # (h, w), -1 at the top edge, 1 at the bottom edge
    inside = np.abs(normal) < 1
    facing = np.sqrt(np.clip(1 - normal * normal, 0, 1))
    tilt = float(light_xy[1]) * 0.35
    lamp = np.exp(-(((normal - tilt) / 0.16) ** 2)) * 0.55 + np.exp(-(((normal + 0.62) / 0.07) ** 2)) * 0.22
    marks = grooves(width, rng, (0.8, 2.2, 9.0))
    feed = np.sin(np.arange(width, dtype=np.float32) * (2 * np.pi / float(rng.uniform(4.5, 7.5))))
    lines = (marks * 0.7 + feed * 0.5).astype(np.float32)
    body = 0.16 + 0.3 * facing + lamp
    tone = body * (1 + (0.10 * lines)[None, :]) + 0.02 * brushed((width, height), 9, view_rng)
    tone += 0.025 * cloud(size_wh, 5, view_rng)
    slope = np.gradient(radii)
    tone += (np.clip(-slope * light_xy[0], -1, 1) * 0.22)[None, :] * facing
    table = 0.055 + 0.02 * cloud(size_wh, 4, view_rng) + 0.05 * np.exp(-((np.abs(y - middle) - radius) / 60))
    tone = np.where(inside, tone, table).astype(np.float32)

    keyway = Hole(
        x=width * 0.5 + float(view_rng.uniform(-12, 12)),
        y=middle - radius * float(view_rng.uniform(-0.12, 0.12)),
        radius=radius * 0.17,
        half_length=width * 0.085,
        through=0.1,
        chamfer=1.18,
    )
    tops = np.stack([np.arange(width, dtype=np.float32), middle - radii], axis=1)
    bottoms = np.stack([np.arange(width, dtype=np.float32), middle + radii], axis=1)
    up = np.tile(np.asarray([[0, -1]], dtype=np.float32), (width, 1))
    shoulder_y = np.linspace(middle - small, middle + small, 200, dtype=np.float32)
    shoulder = np.stack([np.full(200, int(step), dtype=np.float32), shoulder_y], axis=1)
    left = np.tile(np.asarray([[-1, 0]], dtype=np.float32), (200, 1))
    edges = (Edge(tops, up), Edge(bottoms, -up), Edge(shoulder, left))
    return Surface(tone, inside, light_xy, (keyway,), edges)


def end_face(
    size_wh: tuple[int, int], light_xy: tuple[float, float], rng: np.random.Generator, view_rng: np.random.Generator
) -> Surface:
    """The turned end of a shaft or a flange: rings, a bow-tie of light, a bore and bolt holes."""
    width, height = size_wh
    x, y = mesh(size_wh)
    cx = width * 0.5 + float(view_rng.uniform(-10, 10))
    cy = height * 0.5 + float(view_rng.uniform(-8, 8))
    radius = height * float(rng.uniform(0.43, 0.46))
    dx, dy = np.broadcast_arrays(x - cx, y - cy)
    distance, theta = cv2.cartToPolar(np.ascontiguousarray(dx), np.ascontiguousarray(dy))
    inside = distance < radius
    profile = grooves(4 * height, rng, (2.5, 7.0, 40.0))  # four samples a pixel
    ring = profile[np.clip(distance * 4, 0, 4 * height - 1).astype(np.int32)]
    lit = float(np.arctan2(light_xy[1], light_xy[0]))
    turn = np.abs(np.cos(theta - lit))
    tie = turn**10 * 0.42 + turn**60 * 0.25
    tone = 0.34 + tie + ring * (0.045 + 0.16 * tie) + 0.02 * cloud(size_wh, 6, view_rng)
    step = radius * float(rng.uniform(0.6, 0.7))
    facing = np.cos(theta - lit)
    tone += 0.28 * facing * np.exp(-(((distance - step) / 2.2) ** 2))
    tone += np.where(distance < step, np.float32(-0.04), np.float32(0.02))
    tone += 0.3 * facing * np.exp(-(((distance - radius + 3) / 3.0) ** 2))
    table = 0.06 + 0.02 * cloud(size_wh, 4, view_rng)
    tone = np.where(inside, tone, table).astype(np.float32)

    turnby = float(view_rng.uniform(0, 2 * np.pi))
    count = int(rng.integers(3, 6))
    bolt = radius * float(rng.uniform(0.075, 0.1))
    holes = [Hole(cx, cy, radius * float(rng.uniform(0.19, 0.25)), chamfer=1.14)]
    for k in range(count):
        angle = turnby + 2 * np.pi * k / count
        holes.append(Hole(cx + 0.82 * radius * float(np.cos(angle)), cy + 0.82 * radius * float(np.sin(angle)), bolt))
    return Surface(tone, inside, light_xy, tuple(holes), (circle_edge(cx, cy, radius),))


def plate(
    size_wh: tuple[int, int], light_xy: tuple[float, float], rng: np.random.Generator, view_rng: np.random.Generator
) -> Surface:
    """A milled plate: overlapping arcs of the cutter, a bore, bolt holes and a slot, chamfered edges."""
    width, height = size_wh
    x, y = mesh(size_wh)
    passes = int(rng.integers(2, 4))
    band = height / passes
    cutter = band * float(rng.uniform(0.62, 0.8))
    feed = float(rng.uniform(5.0, 8.0))
    tone = np.empty((height, width), dtype=np.float32)
    lit = float(np.arctan2(light_xy[1], light_xy[0]))
    for k in range(passes):
        top, bottom = round(k * band), round((k + 1) * band)
        rows = y[top:bottom] - (k + 0.5) * band
        bow = np.sqrt(np.clip(cutter * cutter - rows * rows, 1, None))  # (rows, 1)
        along = x - bow if k % 2 == 0 else x + bow
        profile = grooves(2 * (width + 2 * height), rng, (1.6, 4.0, 30.0))
        index = np.clip((along + height) * 2, 0, len(profile) - 1).astype(np.int32)
        slope = np.arctan2(rows, bow)  # direction of the mark's normal
        shine = np.abs(np.cos(slope * (1 if k % 2 == 0 else -1) - lit)) ** 6
        wave = np.sin(along * np.float32(2 * np.pi / feed))
        tone[top:bottom] = 0.40 + 0.2 * shine + (profile[index] * 0.055 + wave * 0.03) * (0.5 + shine)
        tone[max(0, bottom - 2) : bottom] += 0.04
    tone += 0.035 * cloud(size_wh, 4, view_rng) + 0.012 * cloud(size_wh, 60, view_rng)

    margin_x, margin_y = width * float(rng.uniform(0.045, 0.065)), height * float(rng.uniform(0.055, 0.08))
    shift = view_rng.uniform(-5, 5, 2)
    left, right = margin_x + shift[0], width - margin_x + shift[0]
    top_y, bottom_y = margin_y + shift[1], height - margin_y + shift[1]
    inward = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top_y, bottom_y - y))
    inside = inward > 0
    bevel = np.clip(1 - np.abs(inward - 3) / 3, 0, 1)
    sides = np.where(x - left < 8, -light_xy[0], np.where(right - x < 8, light_xy[0], 0.0)) + np.where(
        y - top_y < 8, -light_xy[1], np.where(bottom_y - y < 8, light_xy[1], 0.0)
    )
    tone += (-0.25 * bevel * sides).astype(np.float32)
    table = 0.05 + 0.02 * cloud(size_wh, 4, view_rng)
    tone = np.where(inside, tone, table).astype(np.float32)

    bolt = height * float(rng.uniform(0.036, 0.046))
    inset = height * 0.17
    holes = [Hole(hx, hy, bolt) for hx in (left + inset, right - inset) for hy in (top_y + inset, bottom_y - inset)]
    holes.append(
        Hole(
            (left + right) / 2 - width * 0.12,
            (top_y + bottom_y) / 2,
            height * float(rng.uniform(0.11, 0.14)),
            chamfer=1.16,
        )
    )
    holes.append(
        Hole(
            (left + right) / 2 + width * 0.16,
            (top_y + bottom_y) / 2,
            height * 0.04,
            width * 0.07,
            float(rng.choice([0.0, np.pi / 2])),
        )
    )
    return Surface(tone, inside, light_xy, tuple(holes), rectangle_edges(left, top_y, right, bottom_y))


def strip(
    size_wh: tuple[int, int], light_xy: tuple[float, float], rng: np.random.Generator, view_rng: np.random.Generator
) -> Surface:
    """A ground, punched strip running through: long fine lines, pilot holes, both edges in view."""
    width, height = size_wh
    _, y = mesh(size_wh)
    shine = np.exp(-(((y - height * float(rng.uniform(0.3, 0.7))) / (height * 0.35)) ** 2))
    tone = 0.42 + 0.18 * shine
    tone = tone + 0.045 * brushed(size_wh, int(rng.integers(140, 420)), view_rng)
    tone += (0.03 * grooves(height, rng, (0.8, 3.0)))[:, None] + 0.03 * cloud(size_wh, 9, view_rng)
    top = height * float(rng.uniform(0.06, 0.09)) + 2 * np.sin(np.arange(width) / 310.0)[None, :]
    bottom = height * float(rng.uniform(0.91, 0.94)) + 2 * np.sin(np.arange(width) / 280.0)[None, :]
    inside = (y > top) & (y < bottom)
    rim = np.exp(-(((y - top) / 2.0) ** 2)) - np.exp(-(((y - bottom) / 2.0) ** 2))
    tone += (-0.2 * light_xy[1] * rim).astype(np.float32)
    roller = 0.05 + 0.015 * cloud(size_wh, 12, view_rng)
    tone = np.where(inside, tone, roller).astype(np.float32)

    pitch = float(rng.uniform(190, 240))
    start = float(view_rng.uniform(0.2, 0.8)) * pitch
    rows = float(rng.uniform(0.24, 0.3)) * height
    holes = []
    for k in range(int((width - start) / pitch) + 1):
        hx = start + k * pitch
        if 26 < hx < width - 26:
            holes.append(Hole(hx, rows, height * 0.052))
            if k % 2 == 0:
                holes.append(Hole(hx, height - rows, height * 0.045, height * 0.085))
    columns = np.arange(width, dtype=np.float32)
    up = np.tile(np.asarray([[0, -1]], dtype=np.float32), (width, 1))
    edges = (
        Edge(np.stack([columns, top[0].astype(np.float32)], axis=1), up),
        Edge(np.stack([columns, bottom[0].astype(np.float32)], axis=1), -up),
    )
    return Surface(tone, inside, light_xy, tuple(holes), edges)


SURFACES = {"shaft": shaft, "end_face": end_face, "plate": plate, "strip": strip}


def circle_edge(cx: float, cy: float, radius: float) -> Edge:
    """The rim of a disc, outward."""
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False, dtype=np.float32)
    outward = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Edge(outward * np.float32(radius) + np.asarray([cx, cy], dtype=np.float32), outward)


def hole_edge(hole: Hole) -> Edge:
    """The rim of a hole; away from the material is towards its middle."""
    rim = circle_edge(0, 0, hole.radius * hole.factor)
    points = rim.points.copy()
    points[:, 0] += np.sign(points[:, 0]) * np.float32(hole.half_length)
    cos, sin = np.float32(np.cos(hole.angle)), np.float32(np.sin(hole.angle))
    turn = np.asarray([[cos, sin], [-sin, cos]], dtype=np.float32)
    return Edge(points @ turn + np.asarray([hole.x, hole.y], dtype=np.float32), -(rim.outward @ turn))


def rectangle_edges(left: float, top: float, right: float, bottom: float) -> tuple[Edge, ...]:
    """Four sides, outward."""
    sides = []
    for (x1, y1), (x2, y2), out in (
        ((left, top), (right, top), (0, -1)),
        ((right, top), (right, bottom), (1, 0)),
        ((left, bottom), (right, bottom), (0, 1)),
        ((left, top), (left, bottom), (-1, 0)),
    ):
        n = int(max(abs(x2 - x1), abs(y2 - y1)))
        points = np.stack([np.linspace(x1, x2, n), np.linspace(y1, y2, n)], axis=1).astype(np.float32)
        sides.append(Edge(points, np.tile(np.asarray([out], dtype=np.float32), (n, 1))))
    return tuple(sides)


def reach_of(hole: Hole, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 of everything that drilling this hole can change; whole pixels, x2 and y2 exclusive."""
    outer = hole.radius * max(hole.chamfer, hole.factor) + 6
    reach_x = outer + abs(np.cos(hole.angle)) * hole.half_length
    reach_y = outer + abs(np.sin(hole.angle)) * hole.half_length
    return (
        max(0, int(hole.x - reach_x)),
        max(0, int(hole.y - reach_y)),
        min(size_wh[0], int(np.ceil(hole.x + reach_x)) + 1),
        min(size_wh[1], int(np.ceil(hole.y + reach_y)) + 1),
    )


def distance_to(hole: Hole, box_xyxy: tuple[int, int, int, int]) -> tuple[Floats, Floats, Floats]:
    """Distance in pixels from the hole's axis, and the direction away from it, over a box."""
    x1, y1, x2, y2 = box_xyxy
    x = np.arange(x1, x2, dtype=np.float32)[None, :] - np.float32(hole.x)
    y = np.arange(y1, y2, dtype=np.float32)[:, None] - np.float32(hole.y)
    cos, sin = np.float32(np.cos(hole.angle)), np.float32(np.sin(hole.angle))
    along = x * cos + y * sin
    across = -x * sin + y * cos
    beyond = np.sign(along) * np.maximum(np.abs(along) - np.float32(hole.half_length), 0)
    distance = np.hypot(beyond, across) + np.float32(1e-6)
    out_x = (beyond * cos - across * sin) / distance
    out_y = (beyond * sin + across * cos) / distance
    return distance, out_x, out_y


def drill(tone: Floats, hole: Hole, light_xy: tuple[float, float]) -> None:
    """Draw the hole into the tone: dark inside with a lit wall, and its chamfer.

    The chamfer keeps its nominal size, so a hole too large eats it and a hole too small leaves a broad ring.
    """
    x1, y1, x2, y2 = box = reach_of(hole, (tone.shape[1], tone.shape[0]))
    if x2 <= x1 or y2 <= y1:
        return
    distance, out_x, out_y = distance_to(hole, box)
    radius = np.float32(hole.radius * hole.factor)
    facing = out_x * np.float32(light_xy[0]) + out_y * np.float32(light_xy[1])
    crop = tone[y1:y2, x1:x2]
    ring = _cover(distance - np.float32(hole.radius * hole.chamfer))
    chamfered = np.clip(0.42 - 0.42 * facing, 0.06, 0.98)
    wall = np.clip(distance / radius, 0, 1) ** 4
    inside = np.float32(hole.through) + 0.3 * wall * np.clip(facing, 0, 1) + 0.05 * wall
    crop += ring * (chamfered - crop)
    crop += _cover(distance - radius) * (inside - crop)


def _cover(signed_px: Floats) -> Floats:
    """1 inside, 0 outside, a ramp of one and a half pixels between."""
    covered: Floats = np.clip(0.5 - signed_px / 1.5, 0, 1)
    return covered
