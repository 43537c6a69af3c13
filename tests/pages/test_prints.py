"""The page of printed labels: nothing yet, rules and catalogue, what was read, a person's word on it."""

import pytest

from core.roles import Actor
from core.words.prints import Print, Reading
from data.store import open_store
from data.store.line.print_rows import insert_readings
from tests.small_plant import SITE

PATH = "words/prints"


@pytest.fixture
def held(plant):
    store = open_store(plant.url, Actor("tests", system=True))
    yield store
    store.close()


def told(page) -> str:
    kinds = (page.markdown, page.caption, page.success, page.error, page.info, page.text)
    return " ".join(str(one.value) for kind in kinds for one in kind)


def button(page, key):
    return next(one for one in page.button if one.key == key)


def some_read(held, count: int = 2) -> None:
    """Readings on the first images of the site."""
    prints = (Print("NORDIC TEA", 0.97, (10, 10, 90, 20)), Print("EXP 12/06/2027", 0.91, (10, 40, 90, 20)))
    images = held.images.find(site=SITE, limit=count)
    with held.database.transaction() as connection:
        insert_readings(connection, [(one.id, Reading(prints, "rapidocr", None, 480.0)) for one in images],
                        held.database.clock())  # fmt: skip


def test_before_anything_is_asked_the_page_says_what_to_do(app):
    page = app("Dora", PATH)
    assert not page.exception
    words = told(page)
    assert "No catalogue yet" in words
    assert "Nothing was read yet" in words


def test_rules_are_set_with_a_reason_and_shown(app, held):
    page = app("Quentin", PATH)
    key = f"prints.{SITE}.bracket"
    button(page, f"{key}.save").click().run()
    assert "need a reason" in told(page)
    page.text_input(key=f"{key}.reason.0").set_value("old tea was found").run()
    page.number_input(key=f"{key}.short").set_value(30).run()
    button(page, f"{key}.save").click().run()
    assert not page.exception
    assert "a date that is good for 30 days more" in told(page)
    (kept,) = held.prints.rules(SITE)
    assert kept.rules.short_days == 30
    assert kept.by == "Quentin"
    page.text_input(key=f"{key}.reason.1").set_value("the printer is gone").run()
    button(page, f"{key}.off").click().run()
    assert held.prints.rules(SITE)[0].rules is None


def test_who_may_not_set_rules_is_told_so(app, held):
    page = app("Ines", PATH)
    page.text_input(key=f"prints.{SITE}.bracket.reason.0").set_value("x").run()
    button(page, f"prints.{SITE}.bracket.save").click().run()
    assert not page.exception
    assert "may not" in told(page)
    assert held.prints.rules(SITE) == []


def test_a_person_says_whether_readings_are_right(app, held):
    some_read(held)
    page = app("Ines", PATH)
    assert not page.exception
    assert "NORDIC TEA" in told(page)
    for right in (True, False):
        (waiting,) = held.prints.unchecked(SITE)
        button(page, f"prints.{'right' if right else 'wrong'}.{waiting.id}").click().run()
        assert not page.exception
    (share,) = held.prints.accuracy(SITE)
    assert (share.right, share.checked) == (1, 2)
    assert "Every reading has been looked at" in told(page)
