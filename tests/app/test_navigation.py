"""The menu of each role: its own pages to choose from, the others' addresses known and shown nowhere."""

import pytest

from app import navigation
from core.errors import NotAllowed
from core.roles import Role


@pytest.fixture
def drawn(monkeypatch):
    """The pages that Streamlit is given, all sections together."""
    given = []

    def keep(sections, position):
        given.extend(page for pages in sections.values() for page in pages)
        return given[0]

    monkeypatch.setattr(navigation.st, "navigation", keep)
    monkeypatch.setattr(navigation.st, "Page", lambda _what, **given: given)  # a real one wants a running page
    return given


@pytest.mark.parametrize("role", list(Role))
def test_the_menu_shows_a_roles_own_pages_and_no_other(drawn, role):
    navigation.navigation(role)
    shown = [page["url_path"] for page in drawn if page.get("visibility", "visible") == "visible"]
    assert sorted(shown) == sorted(one.url for one in navigation.pages_for(role))
    hidden = {page["url_path"] for page in drawn if page.get("visibility") == "hidden"}
    assert hidden == {one.url for one in navigation.PAGES} - {one.url for one in navigation.pages_for(role)}


@pytest.mark.parametrize("role", list(Role))
def test_every_page_of_others_is_refused_by_name(role):
    for entry in navigation.PAGES:
        if entry not in navigation.pages_for(role):
            with pytest.raises(NotAllowed, match=f"The page {entry.title} is not for the role {role.spoken}"):
                navigation.refuse(entry, role)
