"""What lies on good parts and is no defect: dust, fingerprints, oil, tool marks, engraved numbers.

A model that has not learned these raises false alarms, and so does a tired inspector.
"""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.records import Floats
from data.demo.surfaces import Surface, cloud


def dust(surface: Surface, rng: np.random.Generator) -> None:
    """Small bright or dull specks and a lint or two, with soft edges."""
    height, width = surface.tone.shape
    layer = np.zeros((height, width), dtype=np.float32)
    for _ in range(int(rng.integers(4, 22))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(layer, (x, y), int(rng.integers(0, 2)), float(rng.uniform(0.04, 0.15)), -1, cv2.LINE_AA)
    if rng.random() < 0.4:
        from_x, from_y = rng.uniform(0, width), rng.uniform(0, height)
        t = np.linspace(0, 1, 24)
        curl = np.stack(
            [
                from_x + 26 * t + 6 * np.sin(4 * t + rng.uniform(0, 6)),
                from_y + rng.uniform(-16, 16) * t + 5 * np.cos(6 * t),
            ],
            axis=1,
        )
        cv2.polylines(layer, [np.round(curl * 16).astype(np.int32)], False, 0.1, 1, cv2.LINE_AA, 4)
    layer = cv2.GaussianBlur(layer, (0, 0), 0.9)
    surface.tone += layer


def fingerprint(surface: Surface, rng: np.random.Generator) -> None:
    """Whorled ridges in an oval, a little duller than the metal."""
    height, width = surface.tone.shape
    side = int(min(height * 0.5, 120 * surface.scale))
    x0, y0 = int(rng.integers(0, max(1, width - side))), int(rng.integers(0, max(1, height - side)))
    v, u = np.mgrid[0:side, 0:side].astype(np.float32)
    u, v = u / side - 0.5, v / side - 0.5
    bend = cloud((side, side), 4, rng) * 0.035
    whorl = np.hypot(u + 0.08, (v + 0.05) * 0.8) + bend + 0.1 * u * v
    ridges = 0.5 + 0.5 * np.sin(whorl * float(rng.uniform(115, 150)))
    oval = np.clip(1.25 - np.hypot(u / 0.36, v / 0.47) ** 3, 0, 1)
    patch = oval * (ridges * 0.75 + 0.25) * np.clip(0.7 + 0.5 * cloud((side, side), 5, rng), 0.1, 1)
    crop = surface.tone[y0 : y0 + side, x0 : x0 + side]
    crop -= patch * np.float32(rng.uniform(0.05, 0.13)) * crop * surface.part[y0 : y0 + side, x0 : x0 + side]


def oil(surface: Surface, rng: np.random.Generator) -> None:
    """A film of oil or a dried drop: an irregular patch, smoother and darker, with a faint rim."""
    height, width = surface.tone.shape
    side = int(min(height * 0.8, float(rng.uniform(50, 170)) * surface.scale))
    x0, y0 = int(rng.integers(0, max(1, width - side))), int(rng.integers(0, max(1, height - side)))
    v, u = np.mgrid[0:side, 0:side].astype(np.float32)
    shape = np.hypot(u / side - 0.5, v / side - 0.5) * 2.6 + cloud((side, side), 4, rng) * 0.12
    patch = np.clip((0.95 - shape) / 0.12, 0, 1)
    rim = np.exp(-(((shape - 0.95) / 0.06) ** 2))
    on = surface.part[y0 : y0 + side, x0 : x0 + side]
    crop = surface.tone[y0 : y0 + side, x0 : x0 + side]
    smooth = cv2.GaussianBlur(crop, (0, 0), 2.2)
    film = np.float32(rng.uniform(0.05, 0.16))
    crop += on * (patch * (0.6 * (smooth - crop) - film * crop) - rim * film * 0.5 * crop)


def chatter(surface: Surface, rng: np.random.Generator) -> None:
    """Regular tool marks across a stretch of the surface."""
    height, width = surface.tone.shape
    x0 = int(rng.integers(0, max(1, width - 80)))
    span = int(rng.uniform(60, 180) * surface.scale)
    y0 = int(rng.uniform(0.1, 0.6) * height)
    tall = int(rng.uniform(0.15, 0.4) * height)
    u = np.arange(min(span, width - x0), dtype=np.float32)[None, :]
    v = np.arange(min(tall, height - y0), dtype=np.float32)[:, None]
    wave = np.sin((u + v * float(rng.uniform(-0.3, 0.3))) * np.float32(2 * np.pi / float(rng.uniform(5, 10))))
    window = np.sin(np.pi * u / u.shape[1]) * np.sin(np.pi * v / v.shape[0])
    crop = surface.tone[y0 : y0 + v.shape[0], x0 : x0 + u.shape[1]]
    crop += (
        wave * window * np.float32(rng.uniform(0.03, 0.07)) * surface.part[y0 : y0 + v.shape[0], x0 : x0 + u.shape[1]]
    )


def engraving(surface: Surface, rng: np.random.Generator, text: str) -> None:
    """A number scribed or lasered into the metal."""
    height, width = surface.tone.shape
    letters = lettering(text, round(17 * surface.scale))
    rows, columns = letters.shape
    for _ in range(30):
        x, y = int(rng.integers(10, max(11, width - columns - 10))), int(rng.integers(10, max(11, height - rows - 10)))
        clear = all(
            hole.x + hole.radius * 1.3 + hole.half_length < x
            or hole.x - hole.radius * 1.3 - hole.half_length > x + columns
            or hole.y + hole.radius * 1.3 + hole.half_length < y
            or hole.y - hole.radius * 1.3 - hole.half_length > y + rows
            for hole in surface.holes
        )
        part = surface.part[y : y + rows, x : x + columns]
        if clear and part.shape == letters.shape and part.all():
            crop = surface.tone[y : y + rows, x : x + columns]
            crop -= letters * np.float32(rng.uniform(0.3, 0.5)) * crop
            return


MARKS: dict[str, Callable[[Surface, np.random.Generator], None]] = {
    "dust": dust,
    "fingerprint": fingerprint,
    "oil": oil,
    "chatter": chatter,
}


@lru_cache(maxsize=64)
def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font; nothing needs to be installed."""
    return ImageFont.load_default(size_px)


def lettering(text: str, size_px: int) -> Floats:
    """The text as a coverage map, (h, w) in [0, 1], cropped."""
    left, top, right, bottom = font(size_px).getbbox(text)
    paper = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2), 0)
    ImageDraw.Draw(paper).text((1 - left, 1 - top), text, fill=255, font=font(size_px))
    return np.asarray(paper, dtype=np.float32) / np.float32(255)
