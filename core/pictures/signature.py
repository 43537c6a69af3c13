"""What a picture looks like from afar: a few grey levels that survive another size, another quality, another format."""

import cv2
import numpy as np
import numpy.typing as npt

from core.records import Pixels

SIDE = 24
LENGTH = SIDE * SIDE
VERSION = 1  # kept with every signature: another way of making it is another number

Signature = npt.NDArray[np.uint8]  # (LENGTH,)


def signature(pixels: Pixels) -> Signature:
    """Mean grey levels of a grid of 24 by 24 cells over the whole picture, row by row.

    Args:
        pixels: (h, w, 3).
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8).reshape(LENGTH)
