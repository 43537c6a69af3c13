"""Faces in a picture, by the cascade of local binary patterns that comes inside scikit-image: no download.

It finds upright faces that look into the camera. Profiles, faces turned by more than about 15 degrees, small and hidden
ones it misses; where people may stand in the picture, a camera that cannot see them is the better answer.

Source: Liao et al. 2007, Learning Multi-scale Block Local Binary Patterns for Face Recognition; the trained cascade is
OpenCV's `lbpcascade_frontalface`.
"""

from functools import cache
from typing import TYPE_CHECKING, Final

import cv2

from core.errors import ModelError
from core.pictures.covering import FACE, Cover
from core.records import Pixels

if TYPE_CHECKING:
    from skimage.feature import Cascade

NAME: Final = "faces: LBP cascade"
SIDE: Final = 640  # longest side that is looked at, in pixels
LEAST: Final = 24  # smallest face at that size; the cascade's own window
NEIGHBOURS: Final = 3  # overlapping finds that make a face
FOREHEAD: Final = 0.25  # of the find, added on every side: the cascade's window ends at brow and chin


def faces(pixels: Pixels) -> tuple[Cover, ...]:
    """Where faces are.

    Args:
        pixels: (h, w, 3) RGB, upright.

    Raises:
        ModelError: the finder failed; nobody can say that there is no face.
    """
    scale = min(1.0, SIDE / max(pixels.shape[:2]))
    small = pixels if scale == 1.0 else cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    least = min(small.shape[:2])
    if least < LEAST:
        return ()
    try:
        found = _cascade().detect_multi_scale(
            img=small, scale_factor=1.2, step_ratio=1.5, min_size=(LEAST, LEAST), max_size=(least, least),
            min_neighbor_number=NEIGHBOURS,
        )  # fmt: skip
    except (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"Faces could not be looked for ({type(error).__name__}: {error}).") from error
    return tuple(Cover(FACE, _grown(one, scale), NAME) for one in found)


@cache
def _cascade() -> "Cascade":
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())  # type: ignore[no-untyped-call]


def _grown(found: dict[str, int], scale: float) -> tuple[float, float, float, float]:
    """A find in the picture's own pixels, with forehead, ears and chin."""
    width, height = found["width"] / scale, found["height"] / scale
    return (
        found["c"] / scale - FOREHEAD * width,
        found["r"] / scale - FOREHEAD * height,
        (1 + 2 * FOREHEAD) * width,
        (1 + 2 * FOREHEAD) * height,
    )
