"""What a camera wrote beside its picture: which way up, when, and how long exposed. Never where."""

import math
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from PIL import Image

from core.records import Exposure

# Whatever Pillow's pure-Python readers raise on a damaged file; anything else is a bug and is let through.
PILLOW_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    struct.error,
)


def read(block: bytes) -> Mapping[int, Any]:
    """Read an EXIF block; what cannot be read counts as not said."""
    if not block:
        return {}
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + block)
    except PILLOW_ERRORS:
        return {}
    return join(exif)


def join(exif: Image.Exif) -> Mapping[int, Any]:
    """Join the main directory with the camera's; positions (GPS) are never read."""
    found: dict[int, Any] = {}
    try:
        found.update(exif)
        found.update(exif.get_ifd(0x8769))
    except PILLOW_ERRORS:
        return found
    return found


def orientation(exif: Mapping[int, Any]) -> int:
    """1 to 8; 1, upright, for anything else."""
    value = exif.get(0x0112)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _number(value: Any) -> float | None:
    if isinstance(value, tuple):
        value = value[0] if value else None
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def exposure(exif: Mapping[int, Any]) -> Exposure:
    """ISO, aperture as an f-number and shutter in seconds; APEX values where the plain ones are missing."""
    aperture, shutter = _number(exif.get(0x829D)), _number(exif.get(0x829A))
    if aperture is None and (apex := _number(exif.get(0x9202))) is not None and apex < 64:
        aperture = round(2 ** (apex / 2), 1)
    if shutter is None and (apex := _number(exif.get(0x9201))) is not None and apex < 64:
        shutter = 2**-apex
    return Exposure(iso=_number(exif.get(0x8827)), aperture=aperture, shutter_s=shutter)


def taken_at(exif: Mapping[int, Any], zone: tzinfo) -> datetime | None:
    """When the shutter opened: the original time, else the digitised one, else the file's; to the millisecond."""
    for time, fraction, offset in ((0x9003, 0x9291, 0x9011), (0x9004, 0x9292, 0x9012), (0x0132, 0x9290, 0x9010)):
        try:
            moment = datetime.strptime(str(exif[time]).strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - zone below
        except (KeyError, ValueError):
            continue
        digits = str(exif.get(fraction, "")).strip("\0 ")
        if digits.isascii() and digits.isdigit():
            moment += timedelta(milliseconds=int(digits[:3].ljust(3, "0")))
        try:
            return moment.replace(tzinfo=_offset(str(exif.get(offset, ""))) or zone).astimezone(UTC)
        except OverflowError:
            continue
    return None


def _offset(text: str) -> tzinfo | None:
    """Read "+02:00"; None for anything else."""
    try:
        return datetime.strptime(text.strip("\0 "), "%z").tzinfo
    except ValueError:
        return None
