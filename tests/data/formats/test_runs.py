import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as oracle

from core.errors import BadInput
from core.pictures.masks import bounds_of, mask_of, pixels_of
from core.records import Polygons, Region, Rle
from data.formats.runs import (
    area_of,
    binary,
    counts_of,
    layers,
    regions_of_mask,
    rle_in_box,
    rle_of,
    rle_of_runs,
)

MASKS = st.tuples(st.integers(1, 20), st.integers(1, 20)).flatmap(lambda hw: arrays(np.bool_, hw))


@given(MASKS)
def test_run_lengths_give_the_mask_back(mask):
    assert (mask_of(rle_of(mask)) == mask).all()
    assert area_of(rle_of(mask)) == mask.sum()


@given(MASKS)
def test_cocos_text_means_what_its_own_library_says(mask):
    packed = oracle.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert (mask_of(Rle(mask.shape, counts_of(packed["counts"].decode()))) == mask).all()


@given(st.text(max_size=40))
def test_a_damaged_text_is_refused_and_never_crashes(text):
    try:
        counts = counts_of(text)
    except BadInput:
        return
    assert all(count >= 0 for count in counts)


@given(MASKS)
def test_severstals_pairs_count_from_one_down_the_columns(mask):
    flat = np.r_[0, mask.ravel(order="F").astype(int), 0]
    starts, ends = np.flatnonzero(np.diff(flat) == 1), np.flatnonzero(np.diff(flat) == -1)
    pairs = [int(n) for pair in zip(starts + 1, ends - starts, strict=True) for n in pair]
    assert (mask_of(rle_of_runs(pairs, mask.shape[1], mask.shape[0])) == mask).all()


@given(MASKS)
def test_the_parts_of_a_mask_are_apart_and_together_are_the_mask(mask):
    regions = regions_of_mask(mask, "x")
    together = np.zeros(mask.shape, int)
    for region in regions:
        own = mask_of(region.mask)
        together += own
        assert bounds_of(region.mask) == (region.x, region.y, region.x + region.width, region.y + region.height)
    assert (together == mask).all()


@given(MASKS, st.integers(0, 5), st.integers(0, 5))
def test_a_mask_in_a_box_is_the_mask_in_the_picture(inside, x, y):
    height, width = inside.shape[0] + y + 3, inside.shape[1] + x + 2
    whole = np.zeros((height, width), bool)
    whole[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    assert rle_in_box(inside, x, y, width, height).counts == rle_of(whole).counts


@given(st.lists(st.tuples(*[st.integers(0, 15)] * 2, *[st.integers(1, 8)] * 2), max_size=8))
def test_no_two_regions_touch_in_one_layer(boxes):
    regions = [Region(x, y, w, h, "x") for x, y, w, h in boxes]
    made = layers(regions, 24, 24)
    found = sorted((r.x, r.y, r.width, r.height) for mask in made for r in regions_of_mask(mask, "x"))
    assert found == sorted((float(x), float(y), float(w), float(h)) for x, y, w, h in boxes)


def test_an_outline_covers_the_pixels_whose_centres_it_holds():
    ring = (2.0, 3.0, 8.0, 3.0, 8.0, 7.0, 2.0, 7.0)
    x, y, own = pixels_of(Region(2, 3, 6, 4, "x", mask=Polygons((ring,))), 20, 20)
    assert (x, y, own.shape, bool(own.all())) == (2, 3, (4, 6), True)


def test_a_sliver_that_holds_no_centre_still_marks_its_box():
    ring = (2.0, 3.0, 8.0, 3.1, 8.0, 3.2)
    _, _, own = pixels_of(Region(2, 3, 6, 0.2, "x", mask=Polygons((ring,))), 20, 20)
    assert own.any()


@pytest.mark.parametrize(
    ("values", "expected"), [((0, 1, 3), (0, 1, 1)), ((0, 255, 255), (0, 1, 1)), ((4, 250, 90), (0, 1, 0))]
)
def test_numbered_and_softened_masks_are_both_understood(values, expected):
    pixels = np.repeat(np.array([values], np.uint8)[..., None], 3, axis=2)
    assert binary(pixels).tolist() == [[bool(one) for one in expected]]
