from hypothesis import given
from hypothesis import strategies as st

from app.widgets.desk.regions.drawable import LOCKS, OUTLINE, frame_for, from_canvas, next_label, read, show, to_canvas
from core.records import Polygons, Region
from tests.editor_page import sheet

sizes = st.tuples(st.integers(64, 4096), st.integers(64, 4096))
rooms = st.tuples(st.integers(200, 1400), st.integers(150, 900))
MASKED = Region(10, 10, 20, 20, "pit", "SURFACE_PIT", mask=Polygons(((10, 10, 30, 10, 30, 30),)), key="1")


@given(sizes, rooms)
def test_the_canvas_fits_its_room_and_keeps_the_proportions(size, room):
    frame = frame_for(size, room)
    across, down = frame.scale_xy
    assert frame.canvas_wh[0] <= room[0] + 1
    assert frame.canvas_wh[1] <= room[1] + 1
    assert abs(across - down) * max(size) <= 1 + max(size) / min(size)


@given(sizes, rooms, st.data())
def test_screen_and_back_twice_does_not_drift(size, room, data):
    x, y = data.draw(st.floats(0, size[0] - 10)), data.draw(st.floats(0, size[1] - 10))
    region, frame = Region(x, y, 9, 8, "A", "A", key="1"), frame_for(size, room)
    elsewhere = Region(-9, -9, 1, 1, "A", "A", key="1")
    once = from_canvas(to_canvas(region, frame), frame, elsewhere)
    twice = from_canvas(to_canvas(once, frame), frame, elsewhere)
    assert abs(once.x - twice.x) <= 0.02
    assert abs(once.width - twice.width) <= 0.02


def test_boxes_carry_numbers_and_never_names_or_keys():
    drawn = show(sheet((640, 400)), [Region(1, 2, 3, 4, "<b>x</b>", key="a-key-of-a-file")])
    assert [one["label"] for one in drawn["objects"]] == ["1"]


def test_a_mask_is_shown_but_not_read_as_another_region():
    laid = sheet((640, 400))
    objects = show(laid, [MASKED])["objects"]
    assert [one["type"] for one in objects] == ["Path", "LabeledRect"]
    assert read(laid, [MASKED], {"item": laid.item, "objects": objects}) == (MASKED,)


def test_an_outline_becomes_a_region_with_its_bounds_and_its_mask():
    laid = sheet((900, 530), room_wh=(450, 265))
    drawn = {"type": "Polygon", "points": [{"x": 10, "y": 10}, {"x": 60, "y": 10}, {"x": 10, "y": 40}]}
    (made,) = read(laid, [], {"item": laid.item, "fresh": "d-9", "objects": [drawn]})
    assert (made.x, made.y, made.width, made.height) == (20, 20, 100, 60)
    assert made.mask == Polygons(((20, 20, 120, 20, 20, 80),))
    assert (made.class_id, made.key) == (laid.new_class, "d-9-path.1")


def test_two_boxes_drawn_before_the_page_answers_stay_two():
    laid = sheet((640, 400))
    box = {"type": "LabeledRect", "label": "1", "left": 5, "top": 5, "width": 40, "height": 40}
    first, second = read(laid, [], {"item": laid.item, "fresh": "d", "objects": [box, {**box, "left": 90}]})
    assert first.key != second.key


def test_the_next_label_is_one_that_no_box_has():
    assert next_label((), []) == "1"
    assert next_label((MASKED,), [{"label": "1"}, {"label": "4"}, {"label": "x"}, {}]) == "5"


def test_boxes_stand_still_while_the_canvas_tells_of_outlines_only():
    (box,) = show(sheet((640, 400), tool=OUTLINE), [Region(1, 2, 3, 4, "A", key="1")])["objects"]
    assert all(box[lock] for lock in LOCKS)
