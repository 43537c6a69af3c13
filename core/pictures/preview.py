"""Small pictures for the screen, from a reduced read: a JPEG is never unpacked at full size for a thumbnail."""

import cv2
import numpy as np

from core.errors import BadInput
from core.pictures import decode as decoding
from core.pictures import headers
from core.pictures.decode import Limits
from core.records import Pixels


def preview(data: bytes, max_side: int, *, limits: Limits = Limits(), quality: int = 85) -> bytes:  # noqa: B008 - frozen
    """Make a JPEG that fits into a square, turned as EXIF says, in the decoder's colours, without any EXIF of its own.

    Only for pictures that have been decoded: whether a file is whole is the decoder's business.

    Args:
        data: the picture's file.
        max_side: of the square; a large JPEG's preview may be up to a quarter smaller.
        limits: what its header may declare.
        quality: of the JPEG, 1 to 100.
    """
    if max_side < 1:
        raise BadInput(f"A preview of {max_side} pixels: give at least 1.")
    header = decoding.inspect(data, limits)
    pixels = decoding.reduced(data, header, max_side)
    if pixels is None:
        pixels = decoding.shrunk(decoding.decode(data, limits).pixels, max_side)
    return _jpeg(pixels, quality)


def crop(
    data: bytes,
    box: tuple[int, int, int, int],
    width: int,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    quality: int = 92,
) -> bytes:
    """Make a JPEG of a part of a picture, in the decoder's pixels: for looking closely without sending all of it.

    Args:
        data: the picture's file.
        box: x, y, width, height in the whole picture's own pixels, upright; what lies outside is cut off.
        width: of the JPEG at most; it is never enlarged.
        limits: what its header may declare.
        quality: of the JPEG, 1 to 100.

    Raises:
        BadInput: when nothing of the picture lies in the box.
    """
    pixels = decoding.decode(data, limits).pixels
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(pixels.shape[1], box[0] + box[2]), min(pixels.shape[0], box[1] + box[3])
    if left >= right or top >= bottom or width < 1:
        raise BadInput(f"The box {box} has nothing of a picture of {pixels.shape[1]}x{pixels.shape[0]} in it.")
    part = pixels[top:bottom, left:right]
    return _jpeg(decoding.shrunk(part, max(1, round(max(part.shape[:2]) * min(1.0, width / part.shape[1])))), quality)


def _jpeg(pixels: Pixels, quality: int) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise headers.damaged("its preview cannot be written")
    return np.asarray(encoded).tobytes()
