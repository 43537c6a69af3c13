from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from core.errors import BadInput
from core.pictures.boxes import (
    area_percentage,
    array_of,
    clip,
    contains,
    inside_tile,
    iou,
    match,
    match_by_score,
    overlap,
    tile_is_positive,
)
from core.records import Region


def region(x, y, width, height):
    return Region(x, y, width, height, name="SCRATCH")


box = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20))
boxes = st.lists(box, max_size=4).map(lambda rows: np.array(rows, float).reshape(-1, 4))


def painted(row):
    canvas = np.zeros((60, 60), bool)
    x, y, w, h = (int(v) for v in row)
    canvas[y : y + h, x : x + w] = True
    return canvas


@given(boxes, boxes)
def test_overlap_and_iou_are_those_of_painted_boxes(first, second):
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            both, either = (painted(a) & painted(b)).sum(), (painted(a) | painted(b)).sum()
            assert overlap(first, second)[i, j] == both
            assert_allclose(iou(first, second)[i, j], both / either)


@given(boxes, boxes, st.sampled_from([0.1, 0.33, 0.5]))
def test_matching_finds_as_many_pairs_as_any_assignment(found, true, least):
    pairs = match(found, true, least)
    assert all(p.iou >= least for p in pairs)
    assert len({p.found for p in pairs}) == len({p.true for p in pairs}) == len(pairs)
    overlaps = iou(found, true) >= least
    few, many = sorted([len(found), len(true)])
    table = overlaps if len(found) <= len(true) else overlaps.T
    best = max(
        (sum(bool(table[i, p]) for i, p in enumerate(order)) for order in permutations(range(many), few)), default=0
    )
    assert len(pairs) == best


def test_the_surest_box_takes_the_truth_first():
    found, true = np.array([[0, 0, 10, 10], [0, 0, 10, 9]], float), np.array([[0, 0, 10, 10]], float)
    assert [p.found for p in match_by_score(found, np.array([0.2, 0.9]), true)] == [1]
    assert [p.found for p in match(found, true)] == [0]


def test_nothing_matches_nothing():
    empty = array_of([])
    assert match(empty, empty) == match_by_score(empty, np.array([]), empty) == ()


def test_a_box_without_area_overlaps_with_nothing():
    assert iou(np.array([[3.0, 3, 0, 0]]), np.array([[3.0, 3, 0, 0]])).tolist() == [[0.0]]


def test_85_by_12_in_380_squared_is_seven_tenths_of_a_percent():
    assert area_percentage(region(100, 200, 85, 12), 380, 380) == pytest.approx(0.7063712, abs=1e-6)


def test_area_counts_only_what_is_inside_the_picture():
    assert area_percentage(region(-50, 0, 100, 100), 100, 100) == 50
    assert area_percentage(region(200, 0, 10, 10), 100, 100) == 0
    with pytest.raises(BadInput):
        area_percentage(region(0, 0, 1, 1), 0, 10)


def test_clipping_keeps_what_is_inside_and_drops_what_is_not():
    whole = region(1, 2, 3, 4)
    assert clip(whole, 10, 10) is whole
    assert clip(region(-2, 8, 5, 5), 10, 10) == region(0, 8, 3, 2)
    assert clip(region(10, 0, 5, 5), 10, 10) is None


def test_the_right_and_bottom_edges_lie_outside():
    assert contains(region(1, 1, 2, 2), 1, 1)
    assert not contains(region(1, 1, 2, 2), 3, 1)


def test_a_region_is_seen_in_the_tiles_own_pixels():
    assert inside_tile(region(90, 10, 20, 5), (100, 0, 50, 50)) == region(0, 10, 10, 5)
    assert inside_tile(region(0, 0, 5, 5), (100, 0, 50, 50)) is None


def test_a_tile_is_positive_from_50_square_pixels_or_a_quarter_of_a_small_region():
    tile = np.array([[0.0, 0, 256, 256]])
    regions = np.array([[251, 0, 100, 10], [252, 0, 100, 10], [254, 0, 4, 4], [255, 0, 8, 1], [300, 0, 9, 9]], float)
    assert tile_is_positive(regions, tile).tolist() == [[True, False, True, False, False]]
