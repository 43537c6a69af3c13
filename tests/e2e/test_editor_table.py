"""The own editor's table beside its picture: the two are in step, regions are copied, and each item starts clean."""

import pytest
from playwright.sync_api import expect

from app.widgets.desk.regions import Owner, Source
from core.records import Region, Severity
from tests.editor_page import LAID, LARGE, ONE, TWO, sheet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]


def test_the_table_and_the_picture_choose_together(open_editor, theme):
    editor = open_editor(theme=theme)
    rows = editor.page.locator("tr[data-key]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(".61")
    expect(rows.first).to_contain_text("small-1")
    rows.nth(1).click()
    expect(editor.stage).to_have_attribute("data-selected", "m2")
    expect(editor.stage).to_be_focused()
    editor.click(700, 750)
    expect(editor.page.locator("tr[data-key=m1]")).to_have_class("open")
    editor.page.get_by_label("Severity of region 1").select_option("major")
    editor.told(1)
    assert editor.regions[0]["severity"] == "major"
    options = editor.page.get_by_label("Severity of region 1").locator("option").all_inner_texts()
    assert options == ["not said", "major", "critical"]
    editor.page.get_by_role("button", name="Remove region 1").click()
    editor.told(2)
    assert [one["key"] for one in editor.regions] == ["m2"]


def test_copying_from_a_source_replaces_and_can_be_undone(open_editor):
    reviewed = Region(90, 90, 300, 200, "CRACK", "CRACK", Severity.MAJOR, None, None, "i1")
    sources = (Source("the model", "small-1", (ONE, TWO)), Source("the last review", "Tomas", (reviewed,)))
    laid = sheet(LARGE, standing=(reviewed,), sources=sources, model="small-1")
    editor = open_editor(laid, (reviewed,))
    expect(editor.page.locator("tr[data-key=i1]")).to_contain_text("Tomas")
    editor.page.get_by_role("button", name="Replace what is drawn by 2 regions of the model").click()
    editor.told(1)
    assert [one["key"] for one in editor.regions] == ["m1", "m2"]
    editor.press("Control+z")
    editor.told(2)
    assert [one["key"] for one in editor.regions] == ["i1"]


def test_a_rerun_changes_nothing_and_another_item_starts_clean(open_editor):
    editor = open_editor()
    editor.press("Tab", "2")
    editor.told(1)
    editor.give(LAID, (ONE,))  # Python is behind: what is drawn here counts
    expect(editor.page.locator("tr[data-key]")).to_have_count(2)
    other = sheet(LARGE, item="8.2.1.1.4", owner=Owner("Ines", 2, 1, 4), standing=(TWO,))
    editor.give(other, (TWO,))
    expect(editor.page.locator("tr[data-key]")).to_have_count(1)
    expect(editor.stage).to_have_attribute("data-selected", "")
    editor.press("Control+z")
    expect(editor.page.locator(".said")).to_contain_text("Nothing to undo")
    editor.press("Tab", "2")
    editor.press("3")
    editor.told(2)
    assert editor.payload["item"] == "8.2.1.1.4"
    assert [one["key"] for one in editor.regions] == ["m2"]
