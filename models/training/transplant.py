"""Defects on other parts: what was drawn on one picture, set into the window of a good one.

A few dozen defective parts are soon known by their own marks; a defect that also appears on parts that were good a
moment ago has to be known by itself. Pieces of good pictures are set in the same way, so that a seam is no sign.

Source: the idea of Ghiasi et al. 2021, "Simple copy-paste"; and of Li et al. 2021, "CutPaste".
"""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.training.examples import BEYOND
from models.training.sampling import Window

MARGIN = 6  # px around a region that come along, fading out
LEAST = 0.5  # of a piece has to fall on the picture
LARGEST = 0.25  # of a window: larger regions are the picture, not a mark on it


def transplanted(good: Window, donor: Window, shape: npt.NDArray[np.bool_]) -> Window:
    """The good window with a piece of the donor's; defective where the donor is.

    Args:
        good: a window without a defect.
        donor: what the piece is cut from.
        shape: (size, size); true where the piece is. The window stays as it is where the piece
            is too large, empty, or mostly beyond either picture.
    """
    core = shape.astype(np.uint8)
    beyond = (good.marked.numpy() == BEYOND) | (donor.marked.numpy() == BEYOND)
    core[beyond] = 0
    if not shape.any() or core.mean() > LARGEST or core.sum() < LEAST * shape.sum():
        return good
    side = 2 * MARGIN + 1
    grown = cv2.dilate(core, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    alpha = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), MARGIN / 2)[..., None]
    ring = (cv2.dilate(grown, np.ones((side, side), np.uint8)) > 0) & (grown == 0) & ~beyond
    if not ring.any():
        return good
    here, there = good.pixels.numpy().astype(np.float32), donor.pixels.numpy().astype(np.float32)
    lit = there - there[ring].mean(0) + here[ring].mean(0)  # as light as what it is set into
    mixed = torch.from_numpy(np.clip(here * (1 - alpha) + lit * alpha, 0, 255).astype(np.uint8))
    if not donor.defect:
        return replace(good, pixels=mixed)
    marked = np.where(good.marked.numpy() == BEYOND, BEYOND, core).astype(np.uint8)
    return Window(mixed, donor.defect, donor.class_index, torch.from_numpy(marked))
