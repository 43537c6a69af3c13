"""The desk's own words and acts over a real store: what reaches the browser, and what an answer does."""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from app import desk
from app.desk import Answer, Undo
from core.errors import Conflict, NotFound
from core.records import Review, TaskKind, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE, make_plant

NOW = datetime.now(UTC)
ACT = "0b8c1d54-0000-4000-8000-00000000000"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return make_plant(tmp_path_factory.mktemp("plant") / "home", parts=10)


@pytest.fixture
def plant(template, tmp_path):
    for file in template.home.glob("holdpoint.sqlite3*"):
        shutil.copy(file, tmp_path / file.name)
    store = open_store(f"sqlite:///{tmp_path / 'holdpoint.sqlite3'}")
    yield store
    store.close()


@pytest.fixture
def ines(plant):
    return plant.acting_as(Actor("Ines"))


def answer(told, number=0, verdict=Verdict.PASS, act=ACT + "1", **more):
    task = told["tasks"][number]
    return Answer(act, task["task"], task["revision"], task["fence"], verdict, 1.5, **more)


def test_the_screen_holds_the_part_in_hand_and_the_next_ones_whole(ines):
    told = desk.screen(ines, SITE, NOW)
    assert [item["task"] for item in told["items"]] == [task["task"] for task in told["tasks"]]
    assert len(told["items"]) == 1 + desk.AHEAD
    for item in told["items"]:
        assert item["images"][0]["url"].startswith("/img/")
        assert {layer["id"] for layer in item["images"][item["first"]]["layers"]} == {"heatmap", "where"}
        assert item["seen"]["reasons"]


def test_what_the_browser_has_is_not_sent_again(ines):
    first = desk.screen(ines, SITE, NOW)
    have = [f"{task['task']}.{task['revision']}" for task in first["tasks"]]
    again = desk.screen(ines, SITE, NOW, have=have)
    assert again["items"] == []
    assert [one["task"] for one in again["tasks"]] == [one["task"] for one in first["tasks"]]


def test_a_desk_nobody_is_at_takes_nothing(ines):
    told = desk.screen(ines, SITE, NOW, active=False)
    assert told["tasks"] == []
    assert ines.queue.held(NOW) is None
    assert told["counts"]["waiting"] == 10


def test_the_next_part_ahead_is_in_hand_once_the_first_is_answered(ines):
    told = desk.screen(ines, SITE, NOW)
    desk.answer(ines, answer(told), NOW)
    after = desk.screen(ines, SITE, NOW)
    assert after["tasks"][0]["task"] == told["tasks"][1]["task"]
    assert after["counts"]["done"] == 1


def test_parts_ahead_can_be_answered_before_their_turn_comes(ines):
    told = desk.screen(ines, SITE, NOW)
    for number in range(4):
        desk.answer(ines, answer(told, number, act=ACT + str(number)), NOW)
    assert ines.queue.counts(SITE, NOW).done_today == 4


def test_the_same_act_twice_is_one_review(ines):
    told = desk.screen(ines, SITE, NOW)
    given = answer(told, reasons=("Dirt or dust",), note=" smudge ")
    assert desk.answer(ines, given, NOW) == desk.answer(ines, given, NOW)
    [review] = [one for one in ines.reviews.of_part(told["items"][0]["part_id"]) if one.by == "Ines"]
    assert (review.verdict, review.reasons, review.note, review.seconds) == (
        Verdict.PASS, ("Dirt or dust",), "smudge", 1.5)  # fmt: skip


def test_an_undo_that_was_heard_but_not_acknowledged_may_be_asked_again(ines):
    told = desk.screen(ines, SITE, NOW)
    desk.answer(ines, answer(told), NOW)
    undo = Undo(ACT + "2", told["tasks"][0]["task"], told["tasks"][0]["revision"] + 1)
    first = desk.take_back(ines, undo, NOW)
    assert desk.take_back(ines, undo, NOW) == first
    assert first.revision == told["tasks"][0]["revision"] + 2
    assert ines.queue.counts(SITE, NOW).done_today == 0


def test_an_undo_of_what_was_changed_since_is_refused(ines):
    told = desk.screen(ines, SITE, NOW)
    desk.answer(ines, answer(told), NOW)
    with pytest.raises(Conflict, match="already"):
        desk.take_back(ines, Undo(ACT + "2", told["tasks"][0]["task"], 7), NOW)


def test_who_has_a_lost_part_is_told(plant, ines):
    told = desk.screen(ines, SITE, NOW)
    later = NOW + timedelta(seconds=desk.LEASE_SECONDS + 1)
    taken = desk.screen(plant.acting_as(Actor("Quentin")), SITE, later)
    assert taken["tasks"][0]["task"] == told["tasks"][0]["task"]
    lost = desk.screen(ines, SITE, later, showing=told["tasks"][0]["task"])
    assert lost["lost"] == "Quentin has this part now."


def test_looking_back_goes_twenty_answers_and_says_when_there_are_no_more(ines):
    told = desk.screen(ines, SITE, NOW)
    for number in range(3):
        desk.answer(ines, answer(told, number, act=ACT + str(number)), NOW + timedelta(seconds=number))
    names = [desk.back(ines, skip, NOW)["part"] for skip in range(3)]
    assert names == [item["part"] for item in reversed(told["items"][:3])]
    assert desk.back(ines, 0, NOW)["verdict"] == "PASS"
    with pytest.raises(NotFound, match="no answer of yours"):
        desk.back(ines, 3, NOW)


# ---- the first look


def ask_for_every_kind(plant):
    """Parts of one picture each, alike but for the reason why somebody is asked about them."""
    plant.sites.set_blind(SITE, True)
    quentin = plant.acting_as(Actor("Quentin"))
    tops = [one for one in plant.images.find(site=SITE, limit=50) if one.capture.part != "P-009"]
    for kind, image in zip((TaskKind.AUDIT, TaskKind.GOLD, TaskKind.LABEL), tops, strict=False):
        plant.queue.send(image.part_id, kind, now=NOW)
    for number in range(2):  # the first one has two pictures, the second one
        told = desk.screen(quentin, SITE, NOW)
        desk.answer(quentin, answer(told, verdict=Verdict.UNSURE, act=f"{ACT}{number}"), NOW)
    quentin.queue.release_ahead(NOW)


def without_ids(told):
    """What reached the browser with everything that names this very part or picture taken out."""
    text = json.dumps(told, sort_keys=True)
    text = re.sub(r'"(part|part_id|task|revision|fence|id)": ("[^"]*"|\d+|null)', r'"\1": 0', text)
    text = re.sub(r"/img/\d+", "/img/0", text)
    text = re.sub(r"v=[0-9a-f]{12}", "v=0", text)
    text = re.sub(r"Part P-\d+", "Part P", text)
    text = re.sub(r'\["part", "[^"]*"\]', '["part", ""]', text)
    return re.sub(r'\["taken", "[^"]*"\]', '["taken", ""]', text)


def everything_ahead(store):
    """Every task of the queue as it is fetched ahead, by kind; each part is in it but once for each of its tasks."""
    found = {}
    for number in range(30):
        told = desk.screen(store, SITE, NOW + timedelta(seconds=number))
        if not told["tasks"]:
            break
        for task, item in zip(told["tasks"], told["items"], strict=True):
            found.setdefault(store.queue.task(task["task"]).kind, []).append(item)
        desk.answer(store, answer(told, act=f"{ACT}{number:02d}"), NOW + timedelta(seconds=number))
    return found


def test_before_a_first_answer_no_kind_of_task_can_be_told_from_another(plant, ines):
    ask_for_every_kind(plant)
    found = everything_ahead(ines)
    assert set(found) == {TaskKind.TRIAGE, TaskKind.AUDIT, TaskKind.GOLD, TaskKind.LABEL, TaskKind.SECOND_LOOK}
    single = {kind: {without_ids(item) for item in items if len(item["images"]) == 1} for kind, items in found.items()}
    assert len(set().union(*single.values())) == 1
    assert all(single.values())


def test_a_blind_look_has_nothing_of_model_reasons_or_others(plant, ines):
    plant.sites.set_blind(SITE, True)
    text = json.dumps(desk.screen(ines, SITE, NOW))
    for word in ("small-1", "heatmap", "where", "score", "policy", "import:test", "CRACK", "Crack", "HOLD", "urgency"):
        assert word not in text


def test_the_answer_opens_the_part_to_whoever_gave_it_and_to_nobody_else(plant, ines):
    plant.sites.set_blind(SITE, True)
    told = desk.screen(ines, SITE, NOW)
    assert told["items"][0]["seen"] is None
    review_id = desk.answer(ines, answer(told, first=True), NOW)
    opened = desk.item_of(ines, told["items"][0]["part_id"], None, NOW)
    assert opened["seen"]["reasons"]
    review = ines.reviews.of_part(told["items"][0]["part_id"])[-1]
    assert (review.id, review.source) == (review_id, {"first_look": True})
    task = desk.take_back(ines, Undo(ACT + "2", told["tasks"][0]["task"], 1), NOW)
    assert not desk.case_of(task.part_id, task, ines).blind
    assert desk.case_of(task.part_id, task, plant.acting_as(Actor("Quentin"))).blind


def test_a_changed_answer_leaves_the_first_one_on_record(plant, ines):
    plant.sites.set_blind(SITE, True)
    told = desk.screen(ines, SITE, NOW)
    part_id = told["items"][0]["part_id"]
    desk.answer(ines, answer(told, first=True), NOW)
    task = desk.take_back(ines, Undo(ACT + "2", told["tasks"][0]["task"], 1), NOW)
    desk.answer(ines, Answer(ACT + "3", task.id, task.revision, task.fence, Verdict.FAIL), NOW)
    said = [one for one in ines.reviews.of_part(part_id, undone=True) if one.by == "Ines"]
    assert [(one.verdict, bool(one.source)) for one in said] == [(Verdict.PASS, True), (Verdict.FAIL, False)]
    assert [one.verdict for one in ines.reviews.of_part(part_id) if one.by == "Ines"] == [Verdict.FAIL]
    assert ines.queue.counts(SITE, NOW).done_today == 1


def test_where_a_policy_audits_the_first_look_is_blind_without_being_asked_for(plant, ines):
    proposed = plant.acting_as(Actor("Quentin")).policies.propose(SITE, 0.2, 0.9, "audits", audit_pass=0.1)
    plant.policies.approve(SITE, proposed.number, "agreed")
    assert desk.screen(ines, SITE, NOW)["items"][0]["blind"]


@pytest.mark.parametrize("kind", [TaskKind.SECOND_LOOK, TaskKind.AUDIT, TaskKind.GOLD], ids=str)
def test_where_one_look_goes_back_to_what_was_answered_every_first_look_is_blind(plant, ines, kind):
    quentin = plant.acting_as(Actor("Quentin"))
    told = desk.screen(quentin, SITE, NOW)
    if kind is TaskKind.SECOND_LOOK:
        desk.answer(quentin, answer(told, verdict=Verdict.UNSURE), NOW)
    else:
        plant.queue.send(told["items"][0]["part_id"], kind, now=NOW)
    quentin.queue.release_ahead(NOW)
    again = desk.screen(ines, SITE, NOW)["items"]
    assert len(again) == 1 + desk.AHEAD
    assert all(item["blind"] and item["seen"] is None for item in again)


def test_when_the_last_second_look_is_answered_everything_shows_again(plant, ines):
    quentin = plant.acting_as(Actor("Quentin"))
    desk.answer(quentin, answer(desk.screen(quentin, SITE, NOW), verdict=Verdict.UNSURE), NOW)
    quentin.queue.release_ahead(NOW)
    task = ines.queue.lease(kinds=[TaskKind.SECOND_LOOK], now=NOW)
    assert desk.case_of(task.part_id, task, ines).blind
    ines.reviews.add(task.id, task.revision, task.fence, Review(Verdict.PASS, "Ines"), now=NOW)
    assert not desk.screen(ines, SITE, NOW)["items"][0]["blind"]


def test_beside_an_opened_part_nothing_is_said_of_parts_that_are_yet_to_come(plant, ines):
    plant.sites.set_blind(SITE, True)
    quentin = plant.acting_as(Actor("Quentin"))
    for number in range(9):  # all but the last: nothing but their audits is left of them
        desk.answer(quentin, answer(desk.screen(quentin, SITE, NOW), act=f"{ACT}{number}"), NOW)
    for part_id in {one.part_id for one in plant.images.find(site=SITE, limit=50)}:
        plant.queue.send(part_id, TaskKind.AUDIT, now=NOW)
    quentin.queue.release_ahead(NOW)
    told = desk.screen(ines, SITE, NOW)
    desk.answer(ines, answer(told, first=True), NOW)
    opened = desk.item_of(ines, told["items"][0]["part_id"], None, NOW)["seen"]
    assert (opened["others"], opened["good"]) == ([], None)


def test_elsewhere_everything_shows_at_once(ines):
    assert all(item["seen"] for item in desk.screen(ines, SITE, NOW)["items"])


def test_the_pictures_beside_are_of_other_parts_of_the_same_camera_with_their_reviews(plant, ines):
    told = desk.screen(ines, SITE, NOW)["items"][0]
    quentin = plant.acting_as(Actor("Quentin"))
    for number in range(2):
        desk.answer(quentin, answer(desk.screen(quentin, SITE, NOW), act=f"{ACT}{number}"), NOW)
    seen = desk.item_of(ines, told["part_id"], ines.queue.held(NOW), NOW)["seen"]
    assert len(seen["others"]) == 4
    assert {one["verdict"] for one in seen["others"]} == {"", "PASS"}
    assert not any(told["part"] in one["alt"] for one in seen["others"])
    assert seen["good"].startswith("/img/")


def test_beside_a_part_nothing_is_told_of_what_others_said_about_parts_that_are_yet_to_come(plant, ines):
    seen = desk.screen(ines, SITE, NOW)["items"][0]["seen"]  # an import has labelled three of those that wait
    assert {one["verdict"] for one in seen["others"]} == {""}
    assert seen["good"] is None


def test_text_from_cameras_reaches_the_browser_as_text_of_one_line(plant, ines):
    part_id = desk.screen(ines, SITE, NOW)["items"][0]["part_id"]
    task = ines.queue.held(NOW)
    ines.reviews.add(task.id, 0, task.fence, Review(Verdict.FAIL, "Ines", note="<img src=x>\n\u202eevil"), now=NOW)
    [said] = [one for one in desk.item_of(ines, part_id, None, NOW)["seen"]["earlier"] if one["by"] == "Ines"]
    assert said["why"] == "<img src=x> evil"
