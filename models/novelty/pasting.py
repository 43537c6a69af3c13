"""Defects that nobody has seen: pieces cut from a good picture and pasted elsewhere in it.

A piece is a block or a thin scar, turned and lit a little otherwise. A head that tells such pictures from good ones has
learned what does not belong, not what any defect looks like.

Source: Li et al. 2021, "CutPaste", sections 2.2 and 2.3.
"""

import cv2
import numpy as np

from core.records import Pixels

BLOCK = (0.02, 0.15)  # of the picture's area
SCAR_WIDTH, SCAR_LENGTH = (2, 16), (10, 40)  # px of a picture of 256
LIGHT = 0.1  # of the brightness, either way


def pasted(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A copy of a picture with one piece of itself somewhere else; scars and blocks are as likely.

    Args:
        pixels: (h, w, 3).
        rng: draws.
    """
    height, width = pixels.shape[:2]
    high, wide = _scar(height, width, rng) if rng.random() < 0.5 else _block(height, width, rng)
    high, wide = min(high, max(1, height - 1)), min(wide, max(1, width - 1))
    y, x = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
    piece = np.clip(pixels[y : y + high, x : x + wide] * rng.uniform(1 - LIGHT, 1 + LIGHT), 0, 255).astype(np.float32)
    angle = float(rng.uniform(-45, 45))
    turned, shape = _turned(piece, angle)
    turned, shape = turned[:height, :width], shape[:height, :width]
    to_y, to_x = (int(rng.integers(0, most + 1)) for most in (height - len(turned), width - turned.shape[1]))
    made: Pixels = pixels.copy()
    place = made[to_y : to_y + len(turned), to_x : to_x + turned.shape[1]]
    place[shape] = turned[shape].astype(np.uint8)
    return made


def _block(height: int, width: int, rng: np.random.Generator) -> tuple[int, int]:
    area = rng.uniform(*BLOCK) * height * width
    ratio = float(np.exp(rng.uniform(np.log(0.3), np.log(3.3))))
    return max(1, round((area * ratio) ** 0.5)), max(1, round((area / ratio) ** 0.5))


def _scar(height: int, width: int, rng: np.random.Generator) -> tuple[int, int]:
    unit = max(height, width) / 256
    return max(1, round(rng.integers(*SCAR_LENGTH) * unit)), max(1, round(rng.integers(*SCAR_WIDTH) * unit))


def _turned(piece: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """The piece turned about its middle in a box that holds all of it, and where in the box it is."""
    high, wide = piece.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1.0)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    across, down = int(np.ceil(wide * cosine + high * sine)), int(np.ceil(wide * sine + high * cosine))
    turn[:, 2] += (across / 2 - wide / 2, down / 2 - high / 2)
    shape = cv2.warpAffine(np.ones((high, wide), np.uint8), turn, (across, down), flags=cv2.INTER_NEAREST)
    return cv2.warpAffine(piece, turn, (across, down), borderMode=cv2.BORDER_REPLICATE), shape.astype(bool)
