"""The page of complaints: nothing yet, a case from its words to its acts, the trend, what stands out, notices."""

import json
from datetime import datetime, timedelta

import pytest

from app.jobs.runner import KINDS
from app.jobs.words.complaints import import_complaints
from app.settings import settings
from core.roles import Actor
from core.words.complaints.notices import Draft
from core.words.complaints.records import ActState, Sight
from data.store import open_store
from data.store.words.complaints import Which
from tests.small_plant import SITE

PATH = "words/complaints"
HEAD = "id,told_on,text,order,item,part,seller\n"


@pytest.fixture
def held(plant):
    store = open_store(plant.url, Actor("tests", system=True))
    yield store
    store.close()


@pytest.fixture
def told(held):
    """Three complaints of today: with a part, with an order of several, and about something else."""
    day = held.reported.today(SITE)
    rows = [
        f"R-1,{day},The bracket came cracked. **bold** <b>x</b> =cmd,,,P-001,Nordic",
        f"R-2,{day},It is the wrong size,55120,bracket,,Nordic",
        f"R-3,{day},what is the weather in paris,,,,",
    ]
    data = (HEAD + "\n".join(rows) + "\n").encode()
    import_complaints(held, settings(), SITE, "x.csv", data, held.database.clock())
    return {one.told.reference: one for one in held.complaints.find(SITE)}


def words(page) -> str:
    kinds = (page.markdown, page.caption, page.success, page.error, page.info, page.text, page.warning)
    return " ".join(str(one.value) for kind in kinds for one in kind)


def button(page, key):
    return next(one for one in page.button if one.key == key)


def tab(page, name: str):
    page.session_state["complaints.part"] = name
    return page.run()


def which(page, one: Which):
    page.session_state["complaints.which"] = one
    return page.run()


def test_before_anything_was_told_the_page_says_what_to_do(app):
    page = app("Quentin", PATH)
    assert not page.exception
    assert "Nothing here" in words(page)
    for name in ("Trend", "Patterns", "Notices"):
        page = tab(page, name)
        assert not page.exception
    assert "No notice yet" in words(page)


def test_a_case_shows_the_words_plainly_and_the_model_only_after_the_answer(app, told):
    page = app("Quentin", PATH)
    assert not page.exception
    shown = words(page)
    assert "The bracket came cracked. **bold** <b>x</b> =cmd" in [one.value for one in page.text]
    assert "What the model said shows with your answer." in shown
    assert "Passed by" not in shown


def test_an_answer_by_key_is_kept_with_how_the_part_got_out(app, told, held):
    page = app("Quentin", PATH)
    one = told["R-1"]
    page.text_input(key=f"complaints.note.{one.id}").set_value("seen at once").run()
    button(page, f"complaints.sight.VISIBLE.{one.id}").click().run()
    assert not page.exception
    made = held.complaints.get(one.id)
    assert (made.sight, made.answered_by, made.note) == (Sight.VISIBLE, "Quentin", "seen at once")
    assert "Caught by" in words(page)  # the small plant lets nothing go by itself
    page.run()
    assert "Complaint R" in words(page)  # it left its list, and stays in view


def test_fields_are_corrected_and_acts_confirmed_by_a_person_only(app, told, held):
    one = told["R-1"]
    [act] = held.complaints.acts(one.id)
    page = app("Quentin", PATH)
    key = f"complaints.fields.{one.id}.open"
    page.text_input(key=f"{key}.size").set_value("10 mm").run()
    button(page, f"{key}.save").click().run()
    made = held.complaints.get(one.id).reading
    assert (made.said("size"), made.confirm) == ("10 mm", False)
    [act] = held.complaints.acts(one.id)
    assert act.state is ActState.PROPOSED
    button(page, f"complaints.act.{act.id}").click().run()
    assert not page.exception
    assert held.complaints.acts(one.id)[0].state is ActState.CONFIRMED
    assert [event.payload["act"] for event in held.outbox.pending(1000, "corrective act")] == [str(act.kind)]


def test_a_part_is_chosen_among_those_that_an_order_leads_to(app, told, held):
    page = which(app("Ines", PATH), Which.NO_PART)
    one = told["R-2"]
    assert "choose the one that is meant" in words(page)
    page.selectbox(key=f"complaints.part.{one.id}.None").set_value("P-002").run()
    button(page, f"complaints.part.{one.id}.None.link").click().run()
    assert not page.exception
    assert held.complaints.get(one.id).part_id == held.parts.find(SITE, "P-002").id


def test_a_case_is_set_aside_with_a_reason_and_taken_in_again(app, told, held):
    page = app("Ines", PATH)
    one = told["R-1"]
    page.text_input(key=f"complaints.aside.{one.id}").set_value("a question").run()
    button(page, f"complaints.aside.{one.id}.now").click().run()
    assert held.complaints.counts(SITE)[Which.ASIDE] == 2
    page = which(page, Which.ASIDE)
    assert not page.exception


def test_the_keys_go_on_and_back(app, told):
    page = which(app("Quentin", PATH), Which.ALL)
    first = next(one.value for one in page.text)
    button(page, "complaints.next").click().run()
    assert next(one.value for one in page.text) != first
    button(page, "complaints.before").click().run()
    assert next(one.value for one in page.text) == first


def test_a_viewer_sees_and_changes_nothing(app, told, held):
    page = app("Vera", PATH)
    assert not page.exception
    keys = [one.key for one in page.button]
    assert not [key for key in keys if key.startswith(("complaints.sight", "complaints.act", "complaints.take"))]
    assert all(one.disabled for one in page.text_input if one.key.startswith("complaints.fields"))


def test_the_trend_and_what_complaints_prove_are_drawn(app, told):
    page = tab(app("Quentin", PATH), "Trend")
    assert not page.exception
    page.date_input(key="complaints.since").set_value((datetime.now() - timedelta(days=20)).date()).run()  # noqa: DTZ005
    assert not page.exception
    shown = words(page)
    assert "What complaints prove about escapes" in shown or "No part has left in this time" in shown


def test_what_stands_out_is_drafted_and_somebody_else_approves_it(app, told, held, plant):
    secrets = plant.home / "secrets"
    secrets.mkdir(exist_ok=True)
    path = secrets / "channels.json"
    path.write_text(json.dumps({"hosts": {}, "channels": [{"name": "quality", "url": "json://localhost:9/x"}]}))
    path.chmod(0o600)
    made = held.acting_as(Actor("Quentin")).complaint_notices.draft(SITE, Draft("order", "1", "T *x*", "9 of 10", {}))
    page = tab(app("Quentin", PATH), "Notices")
    assert "somebody else has to approve it" in words(page)
    assert f"complaints.notice.{made.id}.approve" not in [one.key for one in page.button]
    page = tab(app("Ada", PATH), "Notices")
    key = f"complaints.notice.{made.id}"
    page.text_input(key=f"{key}.reason").set_value("it is right").run()
    button(page, f"{key}.approve").click().run()
    assert not page.exception
    [message] = held.complaint_notices.messages(made.id)
    assert (message.channel, message.state) == ("quality", "waiting")
    assert "quality: waiting" in words(page)


def test_a_file_goes_to_the_worker_and_its_bad_rows_are_listed(app, held, plant):
    day = held.reported.today(SITE)
    page = app("Quentin", PATH)
    page.file_uploader(key=f"complaints.file.{SITE}").set_value(
        ("in.csv", (HEAD + f"R-9,{day},the lid came cracked,,,P-001,\nR-8,never,x,,,,\n").encode(), "text/csv")
    ).run()
    button(page, "complaints.take").click().run()
    assert not page.exception
    [job] = held.jobs.recent(kind="complaints")
    made = KINDS["complaints"](held, settings(), dict(job.arguments), lambda *_: None)
    assert (made["new"], len(made["bad"])) == (1, 1)
    assert list((plant.home / "uploads").glob("complaints-*")) == []
