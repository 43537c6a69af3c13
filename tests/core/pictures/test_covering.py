"""Covered places are filled, whole, wherever a picture is shown from."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.pictures.covering import (
    FILL,
    Cover,
    Covering,
    cover_file,
    cover_jpeg,
    covering_document,
    covering_of,
    filled,
)

NOISE = np.random.default_rng(3).integers(60, 255, (120, 160, 3), dtype=np.uint8)
BOXES = st.tuples(st.floats(-50, 200), st.floats(-50, 150), st.floats(1, 250), st.floats(1, 200))


def cover(*box):
    return Cover("face", box, "a test")


@given(BOXES)
def test_every_pixel_of_a_box_is_filled_and_the_given_picture_stays(box):
    before = NOISE.copy()
    made = filled(NOISE, [cover(*box)])
    x, y, width, height = box
    inside = made[max(0, int(y)) : max(0, int(np.ceil(y + height))), max(0, int(x)) : max(0, int(np.ceil(x + width)))]
    assert (inside == FILL).all()
    assert (before == NOISE).all()


@given(BOXES, st.floats(0, 100), st.floats(0, 80), st.sampled_from([0.25, 0.5, 1.0, 2.0]))
def test_a_part_of_a_picture_is_filled_where_the_whole_one_is(box, left, top, scale):
    whole = filled(NOISE, [cover(*box)])
    part = filled(NOISE[int(top) :, int(left) :], [cover(*box)], origin=(int(left), int(top)))
    assert (part == whole[int(top) :, int(left) :]).all()
    small = cv2.resize(NOISE, None, fx=scale, fy=scale)
    shown = filled(small, [cover(*box)], scale=(scale, scale))
    x, y, width, height = (value * scale for value in box)
    inside = shown[max(0, int(y)) : max(0, int(y + height)), max(0, int(x)) : max(0, int(x + width))]
    assert (inside == FILL).all()


def test_a_jpeg_without_a_place_in_it_is_the_very_same_bytes():
    data = cv2.imencode(".jpg", NOISE)[1].tobytes()
    assert cover_jpeg(data, [], (0, 0, 160, 120)) is data
    assert cover_jpeg(data, [cover(500, 500, 10, 10)], (0, 0, 160, 120)) is data
    made = cv2.imdecode(np.frombuffer(cover_jpeg(data, [cover(40, 30, 50, 40)], (0, 0, 160, 120)), np.uint8), 1)
    assert np.abs(made[40:60, 50:80].astype(int) - np.array(FILL[::-1])).max() < 10
    with pytest.raises(BadInput):
        cover_jpeg(b"no picture", [cover(1, 1, 5, 5)], (0, 0, 160, 120))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp", ".odd"])
def test_a_file_of_every_kind_is_covered_and_says_nothing_of_its_own(suffix):
    from PIL import Image

    exif = Image.Exif()
    exif[0x013B] = "Anna Lindqvist"
    import io

    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, "JPEG", quality=95, exif=exif)
    made = cover_file(buffer.getvalue(), suffix, [cover(40, 30, 50, 40)])
    assert b"Lindqvist" not in made
    pixels = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(pixels[35:65, 45:85].astype(int) - np.array(FILL)).max() < 14


def test_a_turned_picture_is_covered_where_it_is_upright():
    import io

    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, "PNG", exif=exif)
    made = cover_file(buffer.getvalue(), ".png", [cover(10, 100, 40, 30)])
    pixels = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert pixels.shape[:2] == (160, 120)
    assert (pixels[105:125, 15:45] == FILL).all()


def test_what_was_found_comes_back_from_its_document():
    one = Covering((cover(1.0, 2.0, 3.0, 4.0),), None, ("text", "faces"))
    assert covering_of(covering_document(one)) == one
    failed = Covering((), "why", ())
    assert covering_of(covering_document(failed)) == failed
    assert one.counts == {"face": 1}
