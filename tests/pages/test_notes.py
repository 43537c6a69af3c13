"""The page of notes: empty, waiting for a person, functions, checks, versions, new names, files."""

import json

import pytest

from app.jobs.words import notes as jobs
from core.roles import Actor
from core.words.labelling.registry import LabelRules, with_entry
from data.store import open_store
from tests.small_plant import SITE

PATH = "words/notes"
TEXTS = [
    "burrs on line 3 since Monday", "Jordan was seen twice near station 4", "dents on the housings at dock 2",
    "three boxes were rejected on line 5", "happy birthday",
]  # fmt: skip


@pytest.fixture
def held(plant):
    store = open_store(plant.url, Actor("tests", system=True))
    yield store
    store.close()


@pytest.fixture
def some(held, monkeypatch):
    """Notes, labelled."""
    monkeypatch.setattr(jobs, "text_model_there", lambda: False)
    rows = [{"text": text, "cleared": True} for text in [*TEXTS, "we saw Jordan by the wall of line 4"]]
    jobs.import_notes(held, "n.jsonl", "\n".join(json.dumps(row) for row in rows).encode(), SITE)
    jobs.label_notes(held, SITE)
    return held


def told(page) -> str:
    kinds = (page.markdown, page.caption, page.success, page.error, page.info, page.text)
    return " ".join(str(one.value) for kind in kinds for one in kind)


def view(page, name):
    page.session_state["notes.view"] = name
    return page.run()


def button(page, part):
    return next(one for one in page.button if one.key and part in one.key)


def test_before_any_note_the_page_says_what_to_do(app):
    page = app("Dora", PATH)
    assert not page.exception
    assert "No file was read yet" in told(page)
    assert "No note yet" in told(view(page, "Notes"))


@pytest.mark.parametrize("name", ["Waiting", "Notes", "Functions", "Check by hand", "Versions", "New names", "Files"])
@pytest.mark.parametrize("who", ["Ines", "Quentin", "Vera"])
def test_every_view_opens_for_everybody(app, some, who, name):
    page = view(app(who, PATH), name)
    assert not page.exception
    assert not page.error


def test_a_name_in_doubt_is_answered_by_a_person(app, some):
    page = view(app("Ines", PATH), "Waiting")
    assert "AMBIGUOUS" in told(page)
    button(page, ".brand").click().run()
    assert not page.exception
    (answered,) = [one for one in some.notes.find(SITE) if one.overrides]
    (said,) = answered.overrides
    assert (said.label, said.by) == ("brand", "Ines")
    assert said.start not in {one.start for one in answered.counts.waiting}


def test_who_only_looks_on_is_asked_nothing(app, some):
    page = view(app("Vera", PATH), "Waiting")
    assert not any(one.key and one.key.startswith("notes.say") for one in page.button)


def test_notes_show_their_labels_by_word(app, some):
    words = told(view(app("Ines", PATH), "Notes"))
    assert "defect" in words
    assert "set aside: no known pattern" in words
    assert "Jordan" not in words


def test_a_note_is_checked_as_it_is_or_as_it_should_be(app, some):
    page = view(app("Ines", PATH), "Check by hand")
    (drawn,) = some.notes.to_check(SITE)
    button(page, f"notes.check.{drawn.id}.right").click().run()
    (drawn,) = some.notes.to_check(SITE)
    page.text_area(key=f"notes.check.{drawn.id}.lines").set_value("nonsense").run()
    button(page, f"notes.check.{drawn.id}.fix").click().run()
    assert "Line 1" in told(page)
    page.text_area(key=f"notes.check.{drawn.id}.lines").set_value("").run()
    button(page, f"notes.check.{drawn.id}.fix").click().run()
    assert not page.exception
    assert len(some.notes.checks(SITE)) == 2


def test_rules_are_changed_with_a_reason_and_leave_a_job(app, some):
    page = view(app("Quentin", PATH), "Functions")
    key = f"notes.rules.{SITE}.0"
    page.number_input(key=f"{key}.limit").set_value(0.8).run()
    button(page, f"{key}.save").click().run()
    assert "needs a reason" in told(page)
    page.text_input(key=f"{key}.why").set_value("too many wrong ones").run()
    button(page, f"{key}.save").click().run()
    assert not page.exception
    assert some.notes.rules(SITE).rules.limit == 0.8
    assert [job.kind for job in some.jobs.recent()] == ["notes"]


def test_the_difference_of_two_versions_is_shown(app, some):
    some.notes.set_rules(SITE, with_entry(LabelRules(), "location", "wall"), "a wall is a place")
    jobs.label_notes(some, SITE)
    page = view(app("Quentin", PATH), "Versions")
    assert not page.exception
    assert "1 of 6 notes differ" in told(page)
    button(page, "notes.fresh").click().run()
    assert some.jobs.recent()[0].arguments == {"site": SITE, "fresh": True}


def test_a_new_name_goes_onto_a_list_with_one_click(app, some):
    rows = [{"text": f"the zorbium is late at station {n}", "cleared": True} for n in range(1, 9)]
    old = [{"text": f"burrs on line {n}", "cleared": True} for n in range(6, 30)]
    jobs.import_notes(some, "m.jsonl", "\n".join(json.dumps(row) for row in [*old, *rows]).encode(), SITE)
    jobs.label_notes(some, SITE)
    page = view(app("Quentin", PATH), "New names")
    assert "zorbium" in told(page)
    page.selectbox(key=f"notes.emerging.{SITE}.zorbium").set_value("product").run()
    button(page, "zorbium.add").click().run()
    assert not page.exception
    assert some.notes.rules(SITE).rules.entries == {"product": ("zorbium",)}
    assert some.jobs.recent()[0].kind == "notes"


def test_markdown_and_addresses_in_a_note_stay_words(app, some):
    row = {"text": "burrs on line 3 ![x](http://evil.example/x.png) <b>bold</b> :red[hot]", "cleared": True}
    jobs.import_notes(some, "m.jsonl", json.dumps(row).encode(), SITE)
    jobs.label_notes(some, SITE)
    words = told(view(app("Ines", PATH), "Notes"))
    assert "](http" not in words
    assert "<b>" not in words.replace("\\<b\\>", "")
