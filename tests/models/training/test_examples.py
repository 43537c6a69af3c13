import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.pictures.tiling import tiles
from core.records import Polygons, Region, Rle, Severity
from models.training.examples import Example, TileRule, areas, example_of, labels_of, tile_labels

ITEM = {
    "path": "a/b.png",
    "sha256": "ab",
    "split": "val",
    "group": "g1",
    "site": "Lyon",
    "part": "p1",
    "view": "top",
    "width": 40,
    "height": 30,
    "defective": True,
    "probability": None,
    "classes": ["PIT"],
    "regions": [
        {"x": 1, "y": 2, "width": 3, "height": 4, "name": "pit", "class_id": "PIT", "severity": "minor", "mask": None}
    ],
}


def box(x, y, width, height, mask=None):
    return Region(float(x), float(y), float(width), float(height), "pit", "PIT", mask=mask)


def labelled(regions, rule=None, size=(300, 100), tile=100, stride=100):
    labels = labels_of(regions, size, size)
    return tile_labels(labels, tiles(*size, tile, stride), rule or TileRule(), 1.0)


def test_a_manifests_item_becomes_an_example():
    example = example_of(json.loads(json.dumps(ITEM)))
    assert (example.part, example.view, example.group) == ("Lyon/p1", "top", "g1")
    assert example.regions == (Region(1.0, 2.0, 3.0, 4.0, "pit", "PIT", Severity.MINOR),)
    assert example.target == 1.0


@pytest.mark.parametrize(
    ("written", "mask"),
    [
        ({"size": [2, 3], "counts": [1, 2, 3]}, Rle((2, 3), (1, 2, 3))),
        ({"rings": [[0, 0, 2, 0, 2, 2]]}, Polygons(((0.0, 0.0, 2.0, 0.0, 2.0, 2.0),))),
    ],
)
def test_masks_of_a_manifest_are_read(written, mask):
    item = {**ITEM, "regions": [{**ITEM["regions"][0], "mask": written}]}
    assert example_of(item).regions[0].mask == mask


def test_an_item_without_its_size_is_refused():
    with pytest.raises(BadInput, match=r"width.*build the dataset again"):
        example_of({k: v for k, v in ITEM.items() if k != "width"})


@pytest.mark.parametrize(
    ("defective", "probability", "regions", "placed"),
    [
        (False, None, (), True),
        (True, None, (box(0, 0, 9, 9),), True),
        (True, None, (), False),
        (False, 0.0, (), True),
        (False, 1 / 3, (), False),
    ],
)
def test_places_are_known_of_good_pictures_and_of_drawn_ones(defective, probability, regions, placed):
    assert Example("p", "s", "train", "g", defective, 9, 9, probability, (), regions).placed is placed


def test_fifty_pixels_or_a_quarter_of_the_region_make_a_tile_defective():
    # 10x10 across the border of two tiles: 60 px in one; 40 in the other, which is more than a quarter
    assert labelled([box(94, 10, 10, 10)])[:, 0].tolist() == [True, True, False]
    # 20x20: 40 px of 400 are neither 50 px nor a quarter
    assert labelled([box(98, 10, 20, 20)])[:, 0].tolist() == [False, True, False]
    # 60 px of 400 are more than 50 px
    assert labelled([box(97, 10, 20, 20)])[:, 0].tolist() == [True, True, False]


def test_the_tile_rule_can_be_set():
    strict = TileRule(pixels=1000, share=1.0)
    assert labelled([box(94, 10, 10, 10)], strict)[:, 0].tolist() == [False, False, False]
    assert labelled([box(10, 10, 10, 10)], strict)[:, 0].tolist() == [True, False, False]


@pytest.mark.parametrize(("pixels", "share"), [(0, 0.25), (50, 0), (50, 1.5)])
def test_a_tile_rule_that_flags_everything_or_nothing_is_refused(pixels, share):
    with pytest.raises(BadInput, match="tile rule"):
        TileRule(pixels, share)


def test_the_rule_counts_the_pictures_own_pixels_at_any_working_scale():
    region = [box(188, 20, 24, 24)]  # 12 of its 24 columns in either tile: 288 px
    full = tile_labels(labels_of(region, (400, 200), (400, 200)), tiles(400, 200, 200, 200), TileRule(), 1.0)
    half = tile_labels(labels_of(region, (400, 200), (200, 100)), tiles(200, 100, 100, 100), TileRule(), 4.0)
    assert full.tolist() == half.tolist() == [[True], [True]]


@given(
    st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(1, 12), st.integers(1, 8)),
)
@settings(deadline=None)
def test_a_box_a_polygon_and_a_mask_of_the_same_place_mark_the_same_pixels(place):
    x, y, w, h = place
    size = (64, 40)
    filled = np.zeros((40, 64), np.uint8)
    filled[y : y + h, x : x + w] = 1
    flat = filled.ravel(order="F").astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    rle = Rle((40, 64), tuple([0, *counts] if flat[0] else counts))
    ring = Polygons(((x, y, x + w - 1, y, x + w - 1, y + h - 1, x, y + h - 1),))
    for region in (box(x, y, w, h), box(x, y, w, h, rle), box(x, y, w, h, ring)):
        assert (labels_of([region], size, size) == filled).all()


def test_a_hair_crack_does_not_vanish_at_half_scale():
    assert areas(labels_of([box(10, 10, 1, 60)], (200, 200), (50, 50)))[0] > 0


def test_a_picture_without_regions_has_no_defective_tile():
    assert labelled([]).shape == (3, 0)


def test_areas_are_by_region_in_order():
    assert areas(labels_of([box(0, 0, 4, 4), box(10, 10, 2, 3)], (40, 40), (40, 40))).tolist() == [16, 6]
