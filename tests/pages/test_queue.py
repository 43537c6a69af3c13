"""The queue's page: it opens, hands the browser its first parts, and leads on to the boxes."""

import json

from app import command_bar
from core.roles import Actor
from data.store import open_store
from models.text.understanding import Slot, Understood
from tests.small_plant import OTHER, SITE


def desk_data(page):
    """What the page handed to its desk."""
    [desk] = [one for one in page.get("bidi_component") if one.proto.component_name == "holdpoint_desk"]
    return json.loads(desk.proto.json)


def test_the_most_urgent_part_comes_first_with_its_reasons_and_scores(app):
    page = app("Ines", "inspector/queue")
    item = desk_data(page)["screen"]["items"][0]
    assert item["part"] == "P-007"
    assert "No policy is approved at this site, so nothing passes by itself." in item["seen"]["reasons"]
    assert item["seen"]["classes"][0]["name"] == "Crack"


def test_the_page_says_whose_desk_it_is_and_takes_parts_for_that_person(app, plant):
    page = app("Ines", "inspector/queue")
    data = desk_data(page)
    assert data["user"] == "Ines"
    held = open_store(plant.url, Actor("Ines")).queue.held()
    assert data["screen"]["tasks"][0]["task"] == held.id


def test_two_people_never_get_the_same_part(app):
    mine = desk_data(app("Ines", "inspector/queue"))["screen"]["tasks"]
    theirs = desk_data(app("Dora", "inspector/queue"))["screen"]["tasks"]
    assert mine
    assert theirs
    assert not {one["task"] for one in mine} & {one["task"] for one in theirs}


def test_the_queue_of_another_site_stays_closed(app):
    page = app("Tomas", "inspector/queue")
    assert {item["site"] for item in desk_data(page)["screen"]["items"]} == {OTHER}


def test_choosing_a_site_asks_for_its_parts_only(app):
    page = app("Dora", "inspector/queue")
    page.selectbox(key="queue.site").set_value(SITE).run()
    screen = desk_data(page)["screen"]
    assert screen["site"] == SITE
    assert {item["site"] for item in screen["items"]} == {SITE}


def test_a_sentence_narrows_the_queue_once_it_is_applied_and_all_parts_come_back(app, monkeypatch):
    monkeypatch.setattr(command_bar, "available", lambda: True)
    said = Understood("cracks since Monday", "notes", "show", 0.9, (), (Slot(0, 6, "defect", "cracks", 0.97),), False,
                      False, 0.0)  # fmt: skip
    monkeypatch.setattr(command_bar, "understood", lambda words: said)
    page = app("Ines", "inspector/queue")
    page.text_input(key="queue.command").set_value("cracks").run()
    assert desk_data(page)["screen"]["narrow"] == {}  # shown, not applied
    assert any("class CRACK" in str(one.value) for one in page.markdown)
    page.button(key="queue.apply").click().run()
    screen = desk_data(page)["screen"]
    assert screen["narrow"] == {"class_id": "CRACK"}
    assert screen["items"]
    assert {item["seen"]["classes"][0]["name"] for item in screen["items"]} == {"Crack"}
    page.button(key="queue.clear").click().run()
    assert desk_data(page)["screen"]["narrow"] == {}


def test_where_the_first_look_is_ones_own_a_class_in_the_sentence_is_left_out_and_that_is_said(app, plant, monkeypatch):
    monkeypatch.setattr(command_bar, "available", lambda: True)
    said = Understood("cracks", "notes", "show", 0.9, (), (Slot(0, 6, "defect", "cracks", 0.97),), False, False, 0.0)
    monkeypatch.setattr(command_bar, "understood", lambda words: said)
    open_store(plant.url).sites.set_blind(SITE, True)
    page = app("Ines", "inspector/queue")
    page.text_input(key="queue.command").set_value("cracks").run()
    page.button(key="queue.apply").click().run()
    assert not page.exception
    assert desk_data(page)["screen"]["narrow"] == {}
    assert any("the first look is your own here" in str(one.value) for one in page.caption)


def test_an_empty_queue_is_said_to_the_desk_in_numbers(app, plant):
    store = open_store(plant.url, Actor("Quentin"))
    while (task := store.queue.lease(site=OTHER)) is not None:
        store.queue.renew(task.id, task.fence, 3000)
        break
    screen = desk_data(app("Tomas", "inspector/queue"))["screen"]
    assert screen["tasks"] == []
    assert screen["counts"]["caught_up"]


def test_a_blind_site_hands_out_pictures_and_facts_only(app, plant):
    open_store(plant.url).sites.set_blind(SITE, True)
    page = app("Ines", "inspector/queue")
    text = json.dumps(desk_data(page)["screen"]["items"])
    assert "small-1" not in text
    assert "heatmap" not in text
    assert "No policy" not in text


def test_boxes_cannot_be_opened_before_the_first_answer_of_a_blind_look(app, plant):
    open_store(plant.url).sites.set_blind(SITE, True)
    page = app("Ines", "inspector/correct")
    assert "the first look is your own" in page.error[0].value
    assert page.title[0].value == "Correct"
    assert any(one.key == "correct.back" for one in page.button)


def test_a_qa_lead_makes_the_first_look_the_inspectors_own(app, plant):
    page = app("Quentin", "quality/policy")
    page.toggle[0].set_value(True).run()
    assert "the first look is the inspectors' own" in page.success[0].value
    assert open_store(plant.url).sites.get(SITE).blind
    page.toggle[0].set_value(False).run()
    assert not open_store(plant.url).sites.get(SITE).blind
