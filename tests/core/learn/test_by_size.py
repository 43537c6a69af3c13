import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.learn.by_size import Drawn, drawn_regions, recall_by_size
from core.records import Region

SIZE = (80, 40)


def heat(row: int, column: int) -> np.ndarray:
    """A map of 8x8 px cells over the 80x40 picture, hot in one of them."""
    values = np.zeros((5, 10), np.float32)
    values[row, column] = 1
    return values


def box(x: float, y: float, width: float, height: float) -> Region:
    return Region(x, y, width, height, "pit")


def by_name(found):
    return {one["size"]: one for one in found["bins"]}


# --- pointing ---------------------------------------------------------------------------------------


def test_the_longer_side_is_the_size():
    (one,) = drawn_regions([box(0, 0, 3, 17)], [], None, SIZE)
    assert one == Drawn(17.0, False)


def test_the_hottest_cell_hits_the_boxes_that_it_touches_and_no_others():
    regions = [box(18, 10, 2, 2), box(24, 8, 8, 8), box(20, 14, 30, 20)]  # the cell spans x 16 to 24, y 8 to 16
    assert [one.hit for one in drawn_regions(regions, [], heat(1, 2), SIZE)] == [True, False, True]


@pytest.mark.parametrize(
    ("proposed", "hit"),
    [
        (box(10, 10, 8, 8), True),
        (box(8, 8, 16, 16), True),  # 64 of 256 px: cut from a coarse map
        (box(17, 17, 8, 8), False),  # a corner
        (box(0, 0, 80, 40), False),  # a box around everything points at nothing
    ],
)
def test_a_proposed_region_must_share_a_tenth_of_the_joint_area(proposed: Region, hit: bool):
    (one,) = drawn_regions([box(10, 10, 8, 8)], [proposed], None, SIZE)
    assert one.hit is hit


def test_a_map_that_shows_nothing_points_nowhere():
    (one,) = drawn_regions([box(0, 0, 80, 40)], [], np.zeros((5, 10), np.float32), SIZE)
    assert one.hit is False


def test_nothing_drawn_is_nothing_to_find():
    assert drawn_regions([], [box(0, 0, 8, 8)], heat(0, 0), SIZE) == ()


# --- recall -----------------------------------------------------------------------------------------


def test_a_region_is_found_where_its_picture_is_stopped_and_the_model_points_at_it():
    scores = [0.9, 0.9, 0.1, 0.2]
    drawn = [[Drawn(5, True)], [Drawn(5, False), Drawn(60, True)], [Drawn(9.9, True)], []]
    found = recall_by_size(scores, [True, True, True, False], list("abcd"), drawn)
    assert found is not None
    assert (found["threshold"], found["false_reject_rate"], found["good"]) == (0.9, 0.0, 1)
    small = by_name(found)["under 10 px"]
    assert (small["n"], small["parts"], small["stopped"], small["found"]) == (3, 3, 2, 1)
    assert small["recall"] == pytest.approx(1 / 3)
    assert by_name(found)["50 to 100 px"]["recall"] == 1
    assert by_name(found)["100 px and more"]["recall"] is None
    assert (found["all"]["n"], found["all"]["found"]) == (4, 2)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("size", "name"),
    [
        (0.5, "under 10 px"),
        (10, "10 to 25 px"),
        (25, "25 to 50 px"),
        (50, "50 to 100 px"),
        (100, "100 px and more"),
        (4000, "100 px and more"),
    ],
)
def test_a_size_on_an_edge_belongs_to_the_larger_bin(size: float, name: str):
    found = recall_by_size([0.9, 0.1], [True, False], ["a", "b"], [[Drawn(size, True)], []])
    assert [one["size"] for one in found["bins"] if one["n"]] == [name]


def test_the_threshold_allows_one_false_reject_in_twenty():
    scores = [0.7, *np.linspace(0.05, 0.6, 19), 0.95]
    defective = [True, *[False] * 20]
    found = recall_by_size(scores, defective, range(21), [[Drawn(5, True)], *[[]] * 20])
    assert found["false_reject_rate"] == pytest.approx(0.05)
    assert found["all"]["recall"] == 1


def test_a_model_that_says_the_same_of_everything_finds_nothing():
    found = recall_by_size([0.5, 0.5], [True, False], ["a", "b"], [[Drawn(5, True)], []])
    assert found["all"]["recall"] == 0
    assert found["threshold"] is None


def test_many_regions_on_one_part_are_no_more_certain_than_one_part():
    many = recall_by_size([0.9, 0.1], [True, False], ["a", "b"], [[Drawn(5, True)] * 50, []])
    one = recall_by_size([0.9, 0.1], [True, False], ["a", "b"], [[Drawn(5, True)], []])
    assert many["all"]["interval"] == one["all"]["interval"]
    assert many["all"]["n"] == 50


@pytest.mark.parametrize("defective", [[True, True], [False, False]])
def test_without_good_pictures_or_without_regions_there_is_no_such_number(defective: list[bool]):
    drawn = [[Drawn(5, True)] if bad else [] for bad in defective]
    assert recall_by_size([0.9, 0.1], defective, ["a", "b"], drawn) is None


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(BadInput, match="2 scores, 2 labels, 1 parts"):
        recall_by_size([0.9, 0.1], [True, False], ["a"], [[], []])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 6),
            st.sampled_from("abcde"),
            st.lists(st.builds(Drawn, st.floats(0.5, 500), st.booleans()), max_size=3),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_region_is_in_one_bin_and_every_rate_in_its_interval(rows):
    scores = [score / 6 for score, _, _ in rows] + [0.5]
    drawn = [regions for _, _, regions in rows] + [[]]
    defective = [bool(regions) for regions in drawn]
    found = recall_by_size(scores, defective, [part for _, part, _ in rows] + ["good"], drawn)
    total = sum(map(len, drawn))
    if not total:
        assert found is None
        return
    for key in ("n", "stopped", "found"):
        assert sum(one[key] for one in found["bins"]) == found["all"][key]
    assert found["all"]["n"] == total
    for one in [*found["bins"], found["all"]]:
        assert one["found"] <= one["stopped"] <= one["n"]
        if one["n"]:
            assert one["interval"][0] <= one["recall"] <= one["interval"][1]
            assert one["stopped_interval"][0] <= one["stopped_recall"] <= one["stopped_interval"][1]
