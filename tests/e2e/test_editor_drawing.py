"""The own editor of regions in a real browser, alone, on 12 megapixels: drawing, moving and resizing by hand."""

import pytest
from playwright.sync_api import expect

from core.records import Polygons, Region
from tests.editor_page import LAID, LARGE, ONE, box, sheet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]


def test_a_drag_on_empty_ground_draws_to_half_a_pixel_of_what_is_shown(open_editor, theme):
    editor = open_editor(theme=theme)
    scale, left, top = editor.place
    stage = editor.stage.bounding_box()
    editor.drag((1200, 300), (1700, 900))
    editor.told(1)
    on_screen = [round(value) for value in (*editor.at(1200, 300), *editor.at(1700, 900))]
    drawn = box(editor.regions[-1])
    assert drawn[0] == pytest.approx(1200, abs=0.5)
    assert drawn[1] == pytest.approx(300, abs=0.5)
    assert drawn[0] + drawn[2] == pytest.approx(1700, abs=0.5)
    assert drawn[1] + drawn[3] == pytest.approx(900, abs=0.5)
    assert all(value == int(value) for value in drawn)
    assert scale < 0.25
    assert on_screen[0] > stage["x"] + left
    assert on_screen[1] > stage["y"] + top
    expect(editor.page.locator("tr.open")).to_have_count(1)
    assert not editor.errors


def test_the_others_come_back_untouched_to_the_last_digit(open_editor):
    editor = open_editor()
    editor.drag((1200, 300), (1700, 900))
    editor.told(1)
    assert [box(one) for one in editor.regions[:2]] == [(500, 600, 400, 300), (2000.25, 1800.75, 200.5, 100.25)]
    assert [(one["key"], one["score"], one["severity"]) for one in editor.regions[:2]] == [
        ("m1", 0.61, None), ("m2", 0.4, "minor"),
    ]  # fmt: skip


def test_inside_a_region_a_drag_moves_it_and_its_score_goes(open_editor, theme):
    editor = open_editor(theme=theme)
    editor.drag((700, 750), (1000, 1250))
    editor.told(1)
    moved = editor.regions[0]
    assert box(moved) == pytest.approx((800, 1100, 400, 300), abs=1)
    assert (moved["key"], moved["class"], moved["score"], moved["by"]) == ("m1", "CRACK", None, "you")


def test_a_region_cannot_be_moved_out_of_the_picture(open_editor):
    editor = open_editor()
    editor.drag((700, 750), (-200, 100))
    editor.told(1)
    assert box(editor.regions[0]) == (0, 0, 400, 300)


def test_a_grip_or_an_edge_resizes_and_the_other_sides_stay_exactly(open_editor, theme):
    editor = open_editor(theme=theme)
    editor.click(2100, 1850)
    expect(editor.stage).to_have_attribute("data-selected", "m2")
    editor.press("0", "Tab", "Tab")  # one to one, and there
    editor.drag((2200.75, 1901), (2300, 2000))
    editor.told(1)
    x, y, width, height = box(editor.regions[1])
    assert (x, y) == (2000.25, 1800.75)
    assert x + width == pytest.approx(2300, abs=1)
    assert y + height == pytest.approx(2000, abs=1)
    editor.drag((2150, 1800.75), (2150, 1700))
    editor.told(2)
    x, y, width, height = box(editor.regions[1])
    assert x == 2000.25
    assert y == pytest.approx(1700, abs=1)
    assert y + height == pytest.approx(2000, abs=1)


def test_with_shift_a_drag_draws_on_top_of_a_region(open_editor):
    editor = open_editor()
    editor.drag((600, 650), (700, 750), keys="Shift")
    editor.told(1)
    assert len(editor.regions) == 3
    assert box(editor.regions[0]) == (500, 600, 400, 300)


def test_a_click_is_no_region_and_chooses_what_lies_below_at_the_second_time(open_editor):
    large = Region(400, 500, 900, 900, "A", "SURFACE_PIT", key="big")
    editor = open_editor(LAID, (ONE, large))
    editor.click(700, 750)
    expect(editor.stage).to_have_attribute("data-selected", "m1")  # the smaller one first
    editor.click(700, 750)
    expect(editor.stage).to_have_attribute("data-selected", "big")
    editor.click(3000, 2500)
    expect(editor.stage).to_have_attribute("data-selected", "")
    assert editor.regions == []  # nothing to tell Python


def test_one_finger_draws(open_editor):
    editor = open_editor(touch=True)
    touch = editor.page.context.new_cdp_session(editor.page)
    points = [editor.at(1200, 300), editor.at(1450, 600), editor.at(1700, 900)]
    for kind, point in zip(("touchStart", "touchMove", "touchMove"), points, strict=True):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": point[0], "y": point[1]}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    editor.told(1)
    assert box(editor.regions[-1]) == pytest.approx((1200, 300, 500, 600), abs=4)


def test_an_outline_follows_its_box(open_editor):
    masked = Region(
        1000, 1000, 400, 200, "pit", "SURFACE_PIT", mask=Polygons(((1000, 1000, 1400, 1000, 1400, 1200),)), key="1"
    )
    editor = open_editor(sheet(LARGE, standing=(masked,)), (masked,))
    editor.press("Tab", "Shift+ArrowRight")
    editor.told(1)
    assert editor.regions[0]["rings"] == [[1010, 1000, 1410, 1000, 1410, 1200]]
