"""How a demo camera sees: its lamp, lens, colour, noise and exposure."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from core.records import Exposure, Floats, Pixels


@dataclass(frozen=True)
class Camera:
    """One camera of the demo plant with its own light.

    Attributes:
        lamp_xy: where the lamp's brightest spot falls, in shares of width and height.
        lamp: how much brighter the spot is than the rest; 0 is even light.
        light_xy: direction towards the light in the picture; edges facing it shine.
        vignette: share of light lost in the corners.
        tint_rgb: colour of lamp and sensor; (1, 1, 1) is neutral.
        softness_px: sigma of the lens blur.
        noise: standard deviation of the noise at mid grey, in shares of full scale.
        size_wh: of its pictures.
        grey: a monochrome sensor, three equal channels.
    """

    name: str
    lamp_xy: tuple[float, float]
    lamp: float
    light_xy: tuple[float, float]
    vignette: float
    tint_rgb: tuple[float, float, float]
    softness_px: float
    noise: float
    iso: float
    aperture: float
    shutter_s: float
    size_wh: tuple[int, int] = (640, 480)
    grey: bool = False

    def exposure(self, stops: float = 0.0) -> Exposure:
        """What the camera writes down when it exposes this many stops more."""
        return Exposure(self.iso, self.aperture, self.shutter_s * 2.0**stops)


@dataclass(frozen=True)
class Mishap:
    """What goes wrong at the camera now and then; nothing by default.

    Attributes:
        blur_px: sigma of a focus or motion blur.
        stops: light too much or too little.
        cover: share of the picture that something in front of the lens hides, from the left.
    """

    blur_px: float = 0.0
    stops: float = 0.0
    cover: float = 0.0


STEADY = Mishap()


@lru_cache(maxsize=32)
def illumination(camera: Camera, size_wh: tuple[int, int]) -> Floats:
    """Light over the picture, (h, w), about 1 in the middle."""
    width, height = size_wh
    y, x = np.mgrid[0:48, 0:64].astype(np.float32)
    u, v = x / 63, y / 47
    lamp = np.exp(-(((u - camera.lamp_xy[0]) / 0.42) ** 2) - ((v - camera.lamp_xy[1]) / 0.5) ** 2)
    corner = ((u - 0.5) ** 2 + (v - 0.5) ** 2) / 0.5
    field = (1 + camera.lamp * (lamp - 0.45)) * (1 - camera.vignette * corner)
    light: Floats = cv2.resize(field.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    light.flags.writeable = False
    return light


def soften(tone: Floats, camera: Camera) -> Floats:
    """Blur as the lens does; before defects are compared with the clean surface."""
    softened: Floats = cv2.GaussianBlur(tone, (0, 0), camera.softness_px)
    return softened


def expose(
    tone: Floats, camera: Camera, rng: np.random.Generator, stops: float = 0.0, mishap: Mishap = STEADY
) -> Pixels:
    """Turn tones into the picture that the camera delivers.

    Args:
        tone: (h, w) for bare metal or (h, w, 3) for coloured things, about 0 to 1.
        camera: whose light, colour and noise.
        rng: of the noise alone; the same generator gives the same noise over any scene.
        stops: exposure more or less than usual.
        mishap: what goes wrong with this one picture.
    """
    height, width = tone.shape[:2]
    light = illumination(camera, (width, height)) * np.float32(2.0 ** (stops + mishap.stops))
    if mishap.blur_px:
        tone = cv2.GaussianBlur(tone, (0, 0), mishap.blur_px)
    if mishap.cover:
        tone = tone.copy()
        edge = round(width * mishap.cover)
        tone[:, :edge] = 0.03
    seen = tone * (light if tone.ndim == 2 else light[..., None])
    np.clip(seen, 0, 4, out=seen)
    seen = _film(seen)
    grain = rng.standard_normal(tone.shape, dtype=np.float32)
    seen += grain * (np.sqrt(seen * 1.6 + 0.2) * np.float32(camera.noise))
    if tone.ndim == 2:
        index = np.clip(seen * 1023, 0, 1023).astype(np.uint16)
        grey: Pixels = _tints(camera)[index]
        return grey
    seen *= np.asarray(camera.tint_rgb, dtype=np.float32)
    coloured: Pixels = np.clip(seen * 255 + 0.5, 0, 255).astype(np.uint8)
    return coloured


def _film(seen: Floats) -> Floats:
    """Straight up to 0.8, then a shoulder that reaches 1 slowly: highlights keep some drawing."""
    knee = np.float32(0.8)
    over = np.maximum(seen - knee, 0)
    filmed: Floats = np.minimum(seen, knee) + np.float32(0.2) * (1 - np.exp(-over / np.float32(0.35)))
    return filmed


@lru_cache(maxsize=32)
def _tints(camera: Camera) -> Pixels:
    """Grey level (1024) to RGB."""
    tint = np.ones(3) if camera.grey else np.asarray(camera.tint_rgb)
    levels = np.linspace(0, 255, 1024)[:, None] * tint
    table: Pixels = np.clip(levels + 0.5, 0, 255).astype(np.uint8)
    return table
