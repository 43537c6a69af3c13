"""Defects of boxes that are painted on a face: torn cover, bent box, broken seal, leakage.

What is wrong with a label is drawn with the label (`boxes.py`). Defects of the content do not show on a closed box.
"""

from collections.abc import Callable

import cv2
import numpy as np

from core.records import Floats
from data.demo.boxes import LABEL_AT, TAIL, TAPE, Face, cardboard
from data.demo.surfaces import cloud


def torn(made: Face, size: float, rng: np.random.Generator) -> None:
    """A rip: the dark inside shows, with a pale ragged rim where the paper came off."""
    height, width = made.tone.shape[:2]
    x, y = rng.uniform(0.08, 0.92) * width, rng.uniform(0.1, 0.9) * height
    if made.labelled and x > LABEL_AT[0] - 30 and y > LABEL_AT[1] - 30:
        x = rng.uniform(0.08, 0.45) * width
    n = 44
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    reach = (9 + 48 * size) * (1 + 0.45 * np.sin(angle * 2 + rng.uniform(0, 6)) + 0.09 * rng.standard_normal(n))
    turn = rng.uniform(0, np.pi)
    flat = rng.uniform(0.3, 0.6)
    u, v = reach * np.cos(angle), reach * np.sin(angle) * flat
    ring = np.stack([x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)], axis=1)
    hole = _cover(made.tone, ring)
    rough = cloud((width, height), 90, rng) * 0.09
    rim = cv2.GaussianBlur(cv2.dilate(hole, np.ones((7, 7))), (0, 0), 1.2) - hole
    pale = np.asarray([0.80, 0.70, 0.55], dtype=np.float32) + rough[..., None]
    made.tone += np.clip(rim, 0, 1)[..., None] * 0.85 * (pale - made.tone)
    lip = cv2.GaussianBlur(hole - np.roll(hole, (4, 4), axis=(0, 1)), (0, 0), 1.5)[..., None]
    inside = np.asarray([0.15, 0.105, 0.07], dtype=np.float32) + 0.3 * rough[..., None] - 0.06 * np.clip(lip, 0, 1)
    ribs = 0.035 * np.sin(np.arange(width) * (2 * np.pi / 7))[None, :, None]
    made.tone += hole[..., None] * (inside + ribs - made.tone)


def bent(made: Face, size: float, rng: np.random.Generator) -> None:
    """A crushed corner or edge: the outline gives way and creases run inward."""
    height, width = made.tone.shape[:2]
    corner = rng.integers(2, size=2)
    x = float(corner[0] * width) if rng.random() < 0.75 else float(rng.uniform(0.25, 0.75) * width)
    y = float(corner[1] * height)
    made.bend = (x, y, 34 + 62 * size, 8 + 34 * size)
    inward = np.arctan2(height / 2 - y, width / 2 - x)
    for _ in range(3 + int(5 * size)):
        heading = inward + rng.normal(0, 0.55)
        length = made.bend[2] * rng.uniform(0.5, 1.2)
        along = np.linspace(0.1, 1, 12)[:, None] * length
        crease = np.asarray([x, y]) + along * [np.cos(heading), np.sin(heading)] + rng.normal(0, 1.4, (12, 2))
        line = np.zeros((height, width), dtype=np.uint8)
        cv2.polylines(line, [np.round(crease * 16).astype(np.int32)], False, 255, 2, cv2.LINE_AA, 4)
        dark = cv2.GaussianBlur(line, (0, 0), 1.0)[..., None] * np.float32(1 / 255)
        made.tone -= dark * np.float32(0.16 + 0.2 * size) * made.tone
        made.tone[2:, 2:] += dark[:-2, :-2] * np.float32(0.07)


def broken_seal(made: Face, size: float, rng: np.random.Generator) -> None:
    """The tape is cut or peeled away over a stretch; the seam gapes and torn fibres stay."""
    height, width = made.tone.shape[:2]
    if made.labelled:
        span = 34 + 190 * size * float(rng.uniform(0.7, 1.1))
        start = float(rng.uniform(6, max(8, width - span - 6)))
        rows, columns = (float(TAPE[0]), float(TAPE[1])), (start, start + span)
    else:
        rows = (TAIL[2] * (0.65 - 0.6 * size), TAIL[2] + 2.0)
        columns = (TAIL[0] - 2.0, TAIL[1] + 2.0)
    rows = (max(0.0, rows[0] - 1), rows[1] + 1)
    jag = rng.uniform(-5, 5, (2, 14))
    if made.labelled:
        side = np.linspace(rows[0], rows[1], 14)
        ring = np.concatenate(
            [np.stack([columns[0] + jag[0], side], axis=1), np.stack([columns[1] + jag[1], side], axis=1)[::-1]]
        )
    else:
        across = np.linspace(columns[0], columns[1], 14)
        ring = np.concatenate(
            [
                np.stack([across, np.maximum(rows[0] + jag[0], 0)], axis=1),
                np.stack([across, np.full(14, rows[1])], axis=1)[::-1],
            ]
        )
    bare = _cover(made.tone, ring)[..., None]
    board = cardboard((width, height), np.asarray([0.60, 0.46, 0.31], dtype=np.float32), rng)
    fibre = np.clip(cloud((width, height), 220, rng), 0, 2)[..., None] * 0.05
    made.tone += bare * (board + fibre - made.tone)
    if made.labelled:
        middle = (TAPE[0] + TAPE[1]) / 2
        gap = np.exp(-(((np.arange(height) - middle) / (1.6 + 2.6 * size)) ** 2)).astype(np.float32)
        made.tone -= bare * gap[:, None, None] * 0.82 * made.tone
    edge = np.clip(cv2.GaussianBlur(bare[..., 0], (0, 0), 1.0) - bare[..., 0], 0, 1)[..., None]
    made.tone += edge * 0.5


def leak(made: Face, size: float, rng: np.random.Generator) -> None:
    """A wet stain, darker and browner, with a tide mark."""
    height, width = made.tone.shape[:2]
    x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.15, 0.95) * height
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = 16 + 75 * size
    shape = np.hypot((u - x) / reach, (v - y) / (reach * 0.75)) + 0.2 * cloud((width, height), 12, rng)
    wet = np.clip((1 - shape) / 0.16, 0, 1)[..., None]
    tide = np.exp(-(((shape - 0.98) / 0.05) ** 2))[..., None]
    stain = np.asarray([0.26, 0.33, 0.40], dtype=np.float32) * np.float32(0.55 + 0.5 * size)
    made.tone -= (wet + 0.35 * tide) * stain * made.tone


def _cover(tone: Floats, ring: Floats) -> Floats:
    """A filled outline on the face, anti-aliased, (h, w) in [0, 1]."""
    canvas = np.zeros(tone.shape[:2], dtype=np.uint8)
    cv2.fillPoly(canvas, [np.round(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return canvas * np.float32(1 / 255)


PAINTERS: dict[str, Callable[[Face, float, np.random.Generator], None]] = {
    "TORN_COVER": torn,
    "BENT_BOX": bent,
    "BROKEN_SEAL": broken_seal,
    "LEAKAGE": leak,
}
