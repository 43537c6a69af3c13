"""Demo pictures as the files that a camera would deliver."""

from datetime import UTC, datetime
from io import BytesIO

from PIL import Image

from core.records import Exposure, Pixels

_EXIF = 0x8769
_MODEL, _TAKEN, _MILLISECONDS, _OFFSET = 0x0110, 0x9003, 0x9291, 0x9011
_ISO, _APERTURE, _SHUTTER = 0x8827, 0x829D, 0x829A


def encoded(
    pixels: Pixels, camera: str = "", taken_at: datetime | None = None, exposure: Exposure | None = None
) -> bytes:
    """A JPEG with what the camera writes into it; the same picture and facts give the same bytes."""
    exif = Image.Exif()
    if camera:
        exif[_MODEL] = camera
    facts = exif.get_ifd(_EXIF)
    if taken_at is not None:
        at = taken_at.astimezone(UTC)
        facts[_TAKEN], facts[_MILLISECONDS], facts[_OFFSET] = f"{at:%Y:%m:%d %H:%M:%S}", f"{at:%f}"[:3], "+00:00"
    if exposure is not None:
        facts |= {_ISO: round(exposure.iso or 0), _APERTURE: exposure.aperture, _SHUTTER: exposure.shutter_s}
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92, exif=exif)
    return file.getvalue()
