"""The pages quality/audits and quality/inspectors, on the small plant."""

import pytest

from core.audits.facts import Shares
from core.records import Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import PASSWORD, SITE


@pytest.fixture
def store(plant):
    opened = open_store(plant.url)
    yield opened
    opened.close()


def answered_twice(store):
    """Ines and Ida answer every held part of Lyon, and do not always agree."""
    lead = store.acting_as(Actor("Quentin"))
    lead.gold.set_shares(SITE, Shares(second=0.5), "agreement")
    store.people.add("Ida", PASSWORD, store.acting_as(Actor("Ines")).people.me().role, [SITE])
    for who in ("Ines", "Ida"):
        person = store.acting_as(Actor(who))
        while (task := person.queue.lease(site=SITE)) is not None:
            verdict = Verdict.FAIL if (task.part_id + (who == "Ida") * (task.part_id % 4 == 0)) % 2 else Verdict.PASS
            person.reviews.add(task.id, task.revision, task.fence, Review(verdict, who))


def words(page):
    found = [*page.markdown, *page.caption, *page.info, *page.warning, *page.success, *page.error, *page.subheader]
    return "\n".join(str(one.value) for one in found)


def test_a_site_that_audits_nothing_is_told_so(app):
    page = app("Quentin", "quality/audits")
    assert not page.exception
    assert "audits no passes" in page.warning[0].value
    assert "Not restated for inspectors' own error" in words(page)


def test_a_rate_that_the_rules_make_nought_claims_no_interval(app):
    page = app("Quentin", "quality/audits")
    rates = {one.label: one.value for one in page.metric}
    assert rates["Miss rate"] == rates["Escape rate"] == "none"  # at this site nothing passes by itself
    assert "Nothing passed by itself in this time" in words(page)
    assert "0% to 0%" not in words(page)


def test_the_planner_says_how_many_audits_a_claim_takes(app):
    page = app("Quentin", "quality/audits")
    assert "you need 299 clean audits of defective items" in words(page)
    page.number_input(key="audits.limit").set_value(2.0).run()
    assert "under 2% at 95% you need 149 clean audits" in words(page)


def test_a_time_without_decisions_says_what_to_do(app):
    page = app("Quentin", "quality/audits")
    page.selectbox(key="audits.site").set_value("Turin").run()
    assert not page.exception


def test_a_site_where_no_part_has_two_answers_says_how_to_get_them(app):
    page = app("Quentin", "quality/inspectors")
    assert not page.exception
    assert "No part has two answers yet" in words(page)


def test_agreement_shows_when_two_people_have_answered(app, store):
    answered_twice(store)
    page = app("Quentin", "quality/inspectors")
    assert not page.exception
    table = page.dataframe[0].value
    assert table["question"][0] == "good or defective"
    assert table["parts"][0] > 1


def test_nobody_is_named_until_a_person_is_chosen(app, store):
    answered_twice(store)
    page = app("Quentin", "quality/inspectors")
    assert "Ines" not in words(page)
    assert page.selectbox(key="inspectors.person").value is None
    page.selectbox(key="inspectors.person").set_value("Ines").run()
    assert not page.exception
    assert "of defective parts and passes" in words(page)


def test_shares_are_set_with_a_reason(app, store):
    page = app("Quentin", "quality/inspectors")
    gold, second = page.number_input[0], page.number_input[1]
    gold.set_value(3.0)
    second.set_value(10.0)
    next(one for one in page.button if one.label == "Set").click().run()
    assert "Say in a sentence why" in page.error[0].value
    page.number_input[0].set_value(3.0)
    page.number_input[1].set_value(10.0)
    next(one for one in page.text_input if one.label == "Why").set_value("to know how well we see")
    next(one for one in page.button if one.label == "Set").click().run()
    assert page.success
    assert store.gold.shares(SITE) == Shares(0.03, 0.1)


def test_a_gold_item_is_made_by_a_parts_name_and_retired_again(app, store):
    answered_twice(store)
    part = store.parts.get(store.images.find(site=SITE, limit=1)[0].part_id)
    store.acting_as(Actor("Quentin")).gold.add(part.id, True, "measured", ["CRACK"])
    page = app("Quentin", "quality/inspectors")
    assert "measured" in words(page)
    item = store.gold.items(SITE)[0]
    page.text_input(key=f"inspectors.retire.{item.id}").set_value("not so sure any more")
    page.button(key=f"inspectors.retire.{item.id}.do").click().run()
    assert page.success
    assert store.gold.items(SITE) == []
