import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import BadInput, QuarantineReason, Unreadable
from core.pictures.decode import Limits, decode
from core.pictures.preview import crop, preview


def encoded(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def scene(width, height):
    coarse = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def opened(data):
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "JPEG"
    return np.asarray(picture.convert("RGB"))


@given(st.integers(1, 700), st.integers(1, 700), st.integers(1, 400), st.sampled_from(["JPEG", "PNG"]))
@settings(deadline=None, max_examples=40)
def test_a_preview_fits_and_keeps_its_shape(width, height, max_side, kind):
    shown = opened(preview(encoded(scene(width, height), kind), max_side))
    longer = min(max_side, max(width, height))
    assert int(0.75 * longer) <= max(shown.shape[:2]) <= longer
    scale = max(shown.shape[:2]) / max(width, height)
    assert abs(shown.shape[0] - max(1, height * scale)) <= 1.5
    assert abs(shown.shape[1] - max(1, width * scale)) <= 1.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_preview_is_turned_like_the_picture(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(scene(960, 640), "JPEG", exif=exif, quality=95)
    shown, whole = opened(preview(data, 120)), decode(data).pixels
    expected = cv2.resize(whole, shown.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_colours_are_those_of_the_decoder(mode, kind):
    data = encoded(scene(640, 480).convert(mode), kind)
    shown = opened(preview(data, 80))
    expected = cv2.resize(decode(data).pixels, (80, 60), interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(int) - expected).mean() < 4


def test_a_small_picture_is_not_blown_up():
    assert opened(preview(encoded(scene(30, 20), "PNG"), 500)).shape == (20, 30, 3)


def test_a_preview_carries_no_place_and_no_camera():
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    exif.get_ifd(0x8825)[2] = (45.0, 46.0, 2.0)
    data = preview(encoded(scene(300, 200), "JPEG", exif=exif), 100)
    assert b"Exif" not in data


def test_a_bomb_is_refused_here_too():
    with pytest.raises(Unreadable) as caught:
        preview(encoded(scene(300, 200), "PNG"), 100, limits=Limits(pixels=100))
    assert caught.value.reason is QuarantineReason.TOO_LARGE


def test_a_preview_of_nothing_is_refused():
    with pytest.raises(BadInput, match="at least 1"):
        preview(encoded(scene(30, 20), "PNG"), 0)


@given(
    st.tuples(st.integers(0, 250), st.integers(0, 150), st.integers(1, 400), st.integers(1, 400)), st.integers(1, 500)
)
@settings(deadline=None, max_examples=40)
def test_a_crop_shows_its_box_as_far_as_the_picture_goes_and_never_larger_than_it_is(box, width):
    x, y, wide, high = box
    shown = opened(crop(encoded(scene(300, 200), "PNG"), box, width))
    across, down = min(300, x + wide) - x, min(200, y + high) - y
    scale = min(1.0, width / across)
    assert abs(shown.shape[1] - max(1, across * scale)) <= 1.5
    assert abs(shown.shape[0] - max(1, down * scale)) <= 1.5


def test_a_crop_at_full_size_has_the_decoders_own_pixels():
    data = encoded(scene(300, 200), "PNG")
    shown = opened(crop(data, (100, 50, 128, 96), 128))
    assert np.abs(shown.astype(int) - decode(data).pixels[50:146, 100:228]).mean() < 2


def test_a_crop_is_upright_as_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(crop(encoded(scene(300, 200), "JPEG", exif=exif), (0, 0, 400, 400), 400)).shape[:2] == (300, 200)


def test_a_crop_of_nothing_is_refused():
    with pytest.raises(BadInput, match="has nothing"):
        crop(encoded(scene(30, 20), "PNG"), (64, 64, 10, 10), 100)
