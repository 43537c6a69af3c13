"""The own editor by its keys: classes, severities, nudges, undo and save; a text field keeps its own."""

import pytest
from playwright.sync_api import expect

from tests.editor_page import LAID, LARGE, box, sheet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]


def test_digits_name_the_chosen_region_and_the_next_one(open_editor, theme):
    editor = open_editor(theme=theme)
    editor.press("2")
    editor.drag((1200, 300), (1700, 900))
    editor.told(1)
    assert editor.regions[-1]["class"] == "SURFACE_PIT"
    editor.press("3")
    editor.told(2)
    assert editor.regions[-1]["class"] == "SURFACE_SCRATCH"
    expect(editor.page.locator("tr.open select").first).to_have_value("SURFACE_SCRATCH")
    editor.press("9")
    expect(editor.page.locator(".said")).to_contain_text("no class 9")


def test_shift_and_a_digit_give_a_severity_that_the_class_has_and_no_other(open_editor):
    editor = open_editor()
    editor.press("Shift+Digit2")
    expect(editor.page.locator(".said")).to_contain_text("Choose a region first")
    editor.press("Tab", "Shift+Digit3")
    editor.told(1)
    assert (editor.regions[0]["severity"], editor.regions[0]["score"]) == ("critical", None)
    editor.press("Shift+Digit1")
    expect(editor.page.locator(".said")).to_contain_text("Crack is never minor")
    assert editor.regions[0]["severity"] == "critical"
    editor.press("Shift+Digit0")
    editor.told(2)
    assert editor.regions[0]["severity"] is None


def test_a_class_that_does_not_have_the_severity_drops_it(open_editor):
    editor = open_editor()
    editor.press("Tab", "Tab", "1")
    editor.told(1)
    assert (editor.regions[1]["class"], editor.regions[1]["severity"]) == ("CRACK", None)


def test_tab_goes_round_and_after_escape_twice_leaves_the_picture(open_editor):
    editor = open_editor()
    for key, chosen in (
        ("Tab", "m1"),
        ("Tab", "m2"),
        ("Tab", "m1"),
        ("Shift+Tab", "m2"),
        ("Escape", ""),
        ("Tab", "m1"),
    ):
        editor.press(key)
        expect(editor.stage).to_have_attribute("data-selected", chosen)
    editor.press("Escape", "Escape", "Tab")
    expect(editor.stage).not_to_be_focused()
    expect(editor.stage).to_have_attribute("data-selected", "")


def test_arrows_nudge_by_one_and_ten_pixels_and_one_step_back_undoes_the_run(open_editor, theme):
    editor = open_editor(theme=theme)
    editor.press("Tab", "ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowUp", "ArrowUp")
    editor.told(1)
    editor.page.wait_for_function("window.said.at(-1)[1].regions[0].y === 590")
    assert box(editor.regions[0]) == (492, 590, 400, 300)
    editor.press("Control+z")
    editor.page.wait_for_function("window.said.at(-1)[1].regions[0].x === 500")
    assert editor.regions[0]["score"] == 0.61


def test_arrows_move_the_picture_when_nothing_is_chosen(open_editor):
    editor = open_editor()
    before = editor.place
    editor.press("ArrowRight", "ArrowDown")
    after = editor.place
    assert (after[1] - before[1], after[2] - before[2]) == (-60, -60)
    assert editor.regions == []


def test_delete_and_backspace_remove_and_undo_brings_back_with_the_same_key(open_editor):
    editor = open_editor()
    editor.press("Tab", "Delete")
    editor.told(1)
    assert [one["key"] for one in editor.regions] == ["m2"]
    editor.press("Tab", "Backspace")
    editor.told(2)
    assert editor.regions == []
    editor.press("Control+z", "Control+z")
    editor.told(4)
    assert [one["key"] for one in editor.regions] == ["m1", "m2"]
    assert editor.regions[0]["score"] == 0.61
    editor.press("Control+Shift+z")
    editor.told(5)
    assert [one["key"] for one in editor.regions] == ["m2"]


def test_fifty_steps_and_more_can_be_taken_back_and_done_again(open_editor):
    editor = open_editor()
    editor.press("Tab")
    for step in range(60):
        editor.press("2" if step % 2 == 0 else "3")
    editor.told(60)
    for _ in range(60):
        editor.press("Control+z")
    editor.told(120)
    assert (editor.regions[0]["class"], editor.regions[0]["score"]) == ("CRACK", 0.61)
    editor.press("Control+z")
    expect(editor.page.locator(".said")).to_contain_text("Nothing to undo")
    for _ in range(60):
        editor.press("Control+y")
    editor.told(180)
    assert editor.regions[0]["class"] == "SURFACE_SCRATCH"


def test_keys_rest_while_a_text_field_has_the_focus(open_editor):
    editor = open_editor()
    editor.press("Tab")
    note = editor.page.get_by_label("Note", exact=True)
    note.click()
    note.type("2 f Delete")
    editor.press("Backspace", "Delete", "ArrowLeft", "Control+z", "Enter", "Escape")
    assert editor.regions == []
    assert editor.asked == []
    expect(editor.stage).to_have_attribute("data-selected", "m1")
    expect(note).not_to_have_value("")


def test_keys_that_are_used_go_no_further_and_the_pages_own_do(open_editor):
    editor = open_editor()
    editor.page.evaluate("window.heard = []; document.addEventListener('keydown', (one) => window.heard.push(one.key))")
    editor.press("Tab", "2", "f", "Escape", "s", "b", "F1")
    assert editor.page.evaluate("window.heard") == ["s", "b", "F1"]


def test_enter_tells_once_what_is_drawn_and_asks_where_nothing_is(open_editor):
    editor = open_editor()
    editor.page.keyboard.down("Enter")
    editor.page.keyboard.down("Enter")  # held down: it repeats
    editor.page.keyboard.up("Enter")
    entered = editor.page.evaluate("window.said.filter(([name]) => name === 'enter').map(([, said]) => said)")
    assert [one["item"] for one in entered] == [LAID.item]
    assert entered[0]["stamp"]
    editor.press("Tab", "Delete", "Tab", "Delete", "Enter")
    expect(editor.page.locator(".said")).to_contain_text("No region is drawn")
    assert editor.page.evaluate("window.said.filter(([name]) => name === 'enter').length") == 1


def test_enter_goes_on_when_only_another_picture_of_the_part_has_regions(open_editor):
    editor = open_editor(sheet(LARGE, others=2), ())
    editor.press("Enter")
    editor.page.wait_for_function("window.said.some(([name]) => name === 'enter')")
