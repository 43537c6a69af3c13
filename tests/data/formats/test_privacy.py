import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from data.formats.privacy import without_place


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Kamerawerk"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (45.0, 45.0, 12.25)
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return exif.tobytes()


def saved(kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)).save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_gps_goes_and_everything_else_stays(kind: str):
    data = saved(kind, exif=exif_block())
    clean = without_place(data)
    assert len(clean) == len(data)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(clean)) as after:
        assert before.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert not after.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert after.getexif()[0x010F] == "Kamerawerk"
        assert after.convert("RGB").tobytes() == before.convert("RGB").tobytes()
    assert without_place(clean) == clean


def test_a_tiff_is_blanked_where_it_is():
    data = exif_block()[6:]
    clean = without_place(data)
    assert clean != data
    assert len(clean) == len(data)
    assert b"Kamerawerk" in clean
    assert without_place(clean) == clean


def test_words_of_xmp_are_blanked_in_place():
    xmp = b'<x exif:GPSLatitude="45,45.2N" tiff:Make="K"><exif:GPSLongitude>4,50E</exif:GPSLongitude></x>'
    data = saved("JPEG", xmp=xmp)
    clean = without_place(data)
    assert len(clean) == len(data)
    assert b"45,45.2N" not in clean
    assert b"4,50E" not in clean
    assert b'tiff:Make="K"' in clean


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_picture_without_a_place_stays_the_same_to_the_byte(kind: str):
    assert without_place(saved(kind)) == saved(kind)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF    WEBP", b"II*\0", b"MM\0*", b""]),
)
def test_damaged_files_are_left_alone_and_nothing_is_raised(tail: bytes, head: bytes):
    assert isinstance(without_place(head + tail), bytes)


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_flipped_byte_in_exif_raises_nothing(at: int, value: int):
    data = bytearray(saved("JPEG", exif=exif_block()))
    data[20 + at % (len(data) - 20)] = value
    assert len(without_place(bytes(data))) == len(data)
