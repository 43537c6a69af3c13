"""What the own editor keeps in the browser: for one person, one revision and one lease, and no longer."""

import pytest
from playwright.sync_api import expect

from app.widgets.desk.regions import Owner
from tests.editor_page import LAID, LARGE, ONE, TWO, sheet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]


def draft_keys(editor):
    return sorted(key for key in editor.draft if key.startswith("holdpoint.draft:"))


def reopened(editor, laid, regions=(ONE, TWO)):
    """The same browser after a reload of the page."""
    editor.page.reload()
    editor.open(laid, regions)
    return editor


def test_a_draft_outlives_a_reload_and_can_be_discarded(open_editor):
    editor = open_editor()
    editor.drag((1200, 300), (1700, 900))
    editor.told(1)
    assert draft_keys(editor) == ["holdpoint.draft:Ines:1:1:3"]
    reopened(editor, LAID)
    expect(editor.page.locator(".offered")).to_contain_text("restored: 3 regions")
    editor.told(1)
    assert len(editor.regions) == 3
    editor.page.get_by_role("button", name="Discard the draft").click()
    editor.told(3)
    assert [one["key"] for one in editor.regions] == ["m1", "m2"]
    assert draft_keys(editor) == []
    editor.press("Control+z")
    editor.page.wait_for_function("window.said.at(-1)[1].regions.length === 3")


def test_nudges_are_kept_at_once_though_python_hears_of_them_later(open_editor):
    editor = open_editor()
    editor.press("Tab", "ArrowRight")
    assert '"x":501' in editor.draft["holdpoint.draft:Ines:1:1:3"]


def test_another_person_at_the_same_browser_sees_nothing_of_it(open_editor):
    editor = open_editor()
    editor.press("Tab", "Delete")
    editor.told(1)
    theirs = sheet(LARGE, standing=(ONE, TWO), owner=Owner("Tomas", 1, 1, 3))
    reopened(editor, theirs)
    expect(editor.page.locator("tr[data-key]")).to_have_count(2)
    expect(editor.page.locator(".offered")).to_be_hidden()
    assert editor.regions == []
    reopened(editor, LAID)  # and it is still there for whoever it belongs to
    expect(editor.page.locator("tr[data-key]")).to_have_count(1)


def test_a_draft_ends_when_the_revision_has_moved_and_the_person_is_told(open_editor):
    editor = open_editor()
    editor.press("Tab", "Delete")
    editor.told(1)
    newer = sheet(LARGE, item="7.1.2.1.3", standing=(ONE, TWO), owner=Owner("Ines", 1, 2, 3))
    reopened(editor, newer)
    expect(editor.page.locator("tr[data-key]")).to_have_count(2)
    expect(editor.page.locator(".said")).to_contain_text("answered since")
    assert draft_keys(editor) == []


def test_a_draft_ends_when_its_save_is_acknowledged(open_editor):
    editor = open_editor()
    editor.press("Tab", "Delete")
    editor.told(1)
    other = sheet(LARGE, item="8.2.1.1.4", standing=(), owner=Owner("Ines", 2, 1, 4), saved=((1, 1),))
    reopened(editor, other, ())
    assert draft_keys(editor) == []


def test_a_draft_says_when_what_it_started_from_has_changed(open_editor):
    editor = open_editor()
    editor.press("Tab", "Delete")
    editor.told(1)
    changed = sheet(LARGE, standing=(TWO,), model="small-2")
    reopened(editor, changed, (TWO,))
    assert draft_keys(editor) == ["holdpoint.draft:Ines:1:1:3"]
    newer = sheet(LARGE, standing=(ONE,), model="small-2")
    reopened(editor, newer, (ONE,))
    expect(editor.page.locator(".offered")).to_contain_text("changed since")


def test_drafts_of_the_parts_other_pictures_are_told_and_discarded_together(open_editor):
    editor = open_editor()
    editor.press("Tab", "Delete")
    editor.told(1)
    second = sheet(LARGE, item="7.1.1.1.4", owner=Owner("Ines", 1, 1, 4), elsewhere=(3,), others=2)
    reopened(editor, second, ())
    expect(editor.page.locator(".offered")).to_contain_text("Also on 1 other picture")
    editor.told(1)
    assert [one["key"] for one in editor.payload["others"]["3"]] == ["m2"]
    editor.page.get_by_role("button", name="Discard the draft").click()
    editor.page.wait_for_function("window.said.at(-1)[1].others[3] === null")
    assert draft_keys(editor) == []


def test_what_is_back_to_what_the_store_has_is_no_draft(open_editor):
    editor = open_editor()
    editor.press("Tab", "Delete", "Control+z")
    editor.told(2)
    assert draft_keys(editor) == []
