from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.widgets.canvas import Frame, drawing, frame_for, from_canvas, keyed, new_region, read_back, to_canvas
from core.records import Polygons, Region, Severity

sizes = st.tuples(st.integers(64, 4096), st.integers(64, 4096))
rooms = st.tuples(st.integers(200, 1400), st.integers(150, 900))


@st.composite
def regions_in(draw, size):
    width, height = size
    x1, x2 = sorted(draw(st.tuples(st.floats(0, width), st.floats(0, width)).filter(lambda p: abs(p[0] - p[1]) >= 2)))
    y1, y2 = sorted(draw(st.tuples(st.floats(0, height), st.floats(0, height)).filter(lambda p: abs(p[0] - p[1]) >= 2)))
    return Region(x1, y1, x2 - x1, y2 - y1, "CRACK", "CRACK", key="1")


def corners(region):
    return region.x, region.y, region.x + region.width, region.y + region.height


@given(st.data(), sizes, rooms)
def test_a_region_that_nobody_moved_comes_back_exactly(data, size, room):
    region = data.draw(regions_in(size))
    frame = frame_for(size, room)
    assert from_canvas(to_canvas(region, frame), frame, region) == region


@given(st.data(), sizes, rooms)
def test_a_box_drawn_by_hand_lands_within_half_a_pixel(data, size, room):
    wanted = data.draw(regions_in(size))
    frame = frame_for(size, room)
    made = from_canvas(to_canvas(wanted, frame), frame, replace(new_region("CRACK"), x=-1.0, y=-1.0))
    assert all(abs(a - b) <= 0.5 for a, b in zip(corners(made), corners(wanted), strict=True))


@given(st.data(), sizes, rooms)
def test_screen_and_back_twice_does_not_drift(data, size, room):
    region = data.draw(regions_in(size))
    frame = frame_for(size, room)
    once = from_canvas(to_canvas(region, frame), frame, replace(region, x=-9.0))
    twice = from_canvas(to_canvas(once, frame), frame, replace(region, x=-9.0))
    assert all(abs(a - b) <= 0.02 for a, b in zip(corners(once), corners(twice), strict=True))


@given(sizes, rooms)
def test_the_canvas_fits_its_room_and_keeps_the_proportions(size, room):
    frame = frame_for(size, room)
    across, down = frame.scale_xy
    assert frame.canvas_wh[0] <= room[0] + 1
    assert frame.canvas_wh[1] <= room[1] + 1
    assert abs(across - down) * max(size) <= 1 + max(size) / min(size)


def test_a_box_beyond_the_edge_is_cut_there():
    frame = Frame((100, 80), (200, 160))
    made = from_canvas({"left": -20, "top": 100, "width": 300, "height": 300}, frame, new_region("PIT"))
    assert corners(made) == (0, 50, 100, 80)


def test_a_moved_box_loses_its_mask_and_score_and_keeps_its_class():
    frame = Frame((100, 80), (100, 80))
    before = Region(10, 10, 20, 20, "pit", "PIT", Severity.MINOR, 0.7, Polygons(((10, 10, 30, 10, 30, 30),)), "1")
    moved = from_canvas({"left": 15, "top": 10, "width": 20, "height": 20}, frame, before)
    assert moved == Region(15, 10, 20, 20, "pit", "PIT", Severity.MINOR, None, None, "1")


def test_class_and_severity_stay_with_a_box_through_moves_and_deletions():
    frame = Frame((100, 80), (100, 80))
    before = (Region(0, 0, 10, 10, "A", "A", key="1"), Region(20, 20, 10, 10, "B", "B", Severity.MAJOR, key="2"))
    boxes = [{"label": "2", "left": 40, "top": 20, "width": 10, "height": 10}]
    assert read_back(boxes, before, frame, new_region("C")) == (replace(before[1], x=40, y=20),)


def test_a_new_box_starts_with_the_chosen_class_and_keeps_what_it_was_given_later():
    frame = Frame((100, 80), (100, 80))
    boxes = [{"label": "1", "left": 5, "top": 5, "width": 10, "height": 10}]
    (drawn,) = read_back(boxes, (), frame, new_region("A"))
    assert (drawn.class_id, drawn.key) == ("A", "1")
    named = replace(drawn, class_id="B", name="B")
    assert read_back(boxes, (named,), frame, new_region("A")) == (named,)


def test_two_boxes_drawn_before_the_page_answers_stay_two():
    frame = Frame((100, 80), (100, 80))
    box = {"label": "1", "left": 5, "top": 5, "width": 10, "height": 10}
    drawn = read_back([box, {**box, "left": 50}], (), frame, new_region("A"))
    assert [region.key for region in drawn] == ["1", "1.1"]
    assert read_back([box, {**box, "left": 50}], drawn, frame, new_region("B")) == drawn


def test_a_slip_of_the_mouse_is_no_region():
    frame = Frame((400, 400), (400, 400))
    assert read_back([{"label": "", "left": 5, "top": 5, "width": 0.4, "height": 60}], (), frame, new_region("A")) == ()


@given(st.lists(st.sampled_from(["", "1", "2", "a"]), max_size=8))
def test_keys_are_unique_and_kept_where_they_were(keys):
    given_regions = [Region(0, 0, 5, 5, "A", key=key) for key in keys]
    result = keyed(given_regions)
    assert len({region.key for region in result}) == len(keys)
    assert all(region.key for region in result)


@pytest.mark.parametrize("size", [(64, 64), (256, 1600), (4096, 3072)])
def test_the_drawing_carries_keys_not_names(size):
    objects = drawing([Region(1, 2, 3, 4, "<b>x</b>", key="7")], frame_for(size, (900, 560)), {})["objects"]
    assert [one["label"] for one in objects] == ["7"]
