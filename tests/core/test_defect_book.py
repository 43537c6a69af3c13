import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.defect_book import ExampleKind, checked_box, checked_really, with_margin
from core.errors import BadInput

SIZE = (640, 400)


@given(st.floats(0, 600), st.floats(0, 380), st.floats(1, 40), st.floats(1, 20))
def test_what_lies_around_a_box_holds_the_box_and_stays_inside_the_picture(x, y, width, height):
    left, top, wide, high = with_margin((x, y, width, height), SIZE)
    assert 0 <= left <= x
    assert 0 <= top <= y
    assert x + width <= left + wide <= SIZE[0]
    assert y + height <= top + high <= SIZE[1]


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 5), (-1, 0, 5, 5), (636, 0, 5, 5), (0, 396, 5, 5), (0, 0, 5), (0, 0, float("nan"), 5)]
)
def test_a_box_without_area_or_beyond_the_picture_is_refused(box):
    with pytest.raises(BadInput):
        checked_box(box, SIZE)


def test_only_a_counter_example_is_really_something_else():
    assert checked_really(ExampleKind.GOOD, "CRACK", "BURR", ("CRACK", "BURR")) is None
    assert checked_really(ExampleKind.COUNTER, "CRACK", "BURR", ("CRACK", "BURR")) == "BURR"
