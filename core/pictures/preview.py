"""Small pictures for the screen, from a reduced read: a JPEG is never unpacked at full size for a thumbnail."""

import cv2
import numpy as np

from core.errors import BadInput
from core.pictures import decode as decoding
from core.pictures import headers
from core.pictures.decode import Limits


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
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise headers.damaged("its preview cannot be written")
    return np.asarray(encoded).tobytes()
