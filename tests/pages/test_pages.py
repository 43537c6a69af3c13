"""Promises that hold for every page of the list."""

import pytest

from app import context
from app.navigation import PAGES, PAGES_FOLDER, pages_for
from core.roles import Role, allowed
from data.store import open_store
from tests.small_plant import PASSWORD, SITE

PEOPLE = {
    Role.INSPECTOR: "Ines",
    Role.QA_LEAD: "Quentin",
    Role.DATA_SCIENTIST: "Dora",
    Role.ADMIN: "Ada",
    Role.VIEWER: "Vera",
}
WHO_SEES = [(entry, PEOPLE[role]) for entry in PAGES for role in Role if allowed(role, entry.action)]
WHO_DOES_NOT = [(entry, PEOPLE[role]) for entry in PAGES for role in Role if not allowed(role, entry.action)]


def _name(value):
    return getattr(value, "path", value)


def test_the_list_names_every_page_file_and_no_other():
    files = {str(path.relative_to(PAGES_FOLDER).with_suffix("")) for path in PAGES_FOLDER.rglob("*.py")}
    assert {entry.path for entry in PAGES} == {name for name in files if not name.endswith("__init__")}


def test_addresses_are_unique_and_every_page_has_its_help():
    assert len({entry.url for entry in PAGES}) == len(PAGES)
    assert all(len(entry.help) > 80 for entry in PAGES)


def test_every_role_has_a_front_page():
    for role in Role:
        assert pages_for(role)[0].path == "home"


@pytest.mark.parametrize(("entry", "who"), WHO_SEES, ids=_name)
def test_a_page_opens_under_its_own_title_for_whoever_may_see_it(app, entry, who):
    page = app(who, entry.path)
    assert not page.exception
    assert not page.error
    assert page.title[0].value == entry.title


@pytest.mark.parametrize("entry", PAGES, ids=_name)
def test_a_page_shows_nothing_to_who_is_signed_out(app, entry):
    page = app(None, entry.path)
    assert page.title[0].value == "Signed out"
    assert not page.button
    assert not page.text


@pytest.mark.parametrize(("entry", "who"), WHO_DOES_NOT, ids=_name)
def test_a_page_is_not_there_for_another_role(app, entry, who):
    with pytest.raises(ValueError, match="navigation page"):
        app(who, entry.path)


@pytest.mark.parametrize(("entry", "who"), WHO_DOES_NOT, ids=_name)
def test_a_page_that_is_run_for_the_wrong_role_all_the_same_refuses(app, entry, who, monkeypatch):
    monkeypatch.setattr("app.navigation.pages_for", lambda role: list(PAGES))
    page = app(who, entry.path)
    assert f"The page {entry.title} is not for the role" in page.error[0].value
    assert "ask an administrator" in page.error[0].value
    assert not page.title


@pytest.mark.parametrize("path", ["home", "inspector/queue", "admin/quarantine", "science/models", "science/taxonomy"])
def test_an_empty_plant_says_what_to_do_next(tmp_path, monkeypatch, open_page, path):
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path))
    store = open_store(f"sqlite:///{tmp_path / 'holdpoint.sqlite3'}")
    store.people.add("Dora", PASSWORD, Role.DATA_SCIENTIST, None)
    page = open_page(store.people.sign_in("Dora", PASSWORD), path)
    assert not page.exception
    assert not page.error
    assert page.caption or page.info


def test_home_says_of_auto_pass_what_the_bar_on_every_page_says(app, plant):
    store = open_store(plant.url)
    store.sites.pause(SITE, "the camera was knocked")
    store.close()
    context._statuses.clear()
    page = app("Ada")
    table = next(one.value for one in page.dataframe if "auto-PASS" in one.value)
    assert table.set_index("site").loc[SITE, "auto-PASS"] == "paused: the camera was knocked"
    assert any("auto-PASS paused" in one.value for one in page.markdown)
