"""What a second person sees of a part has no trace of what the first one said."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from app import correcting, desk
from core.audits.facts import Shares
from core.errors import NotAllowed
from core.records import Region, Review, TaskKind, Verdict
from core.roles import Actor, Role
from data.store import open_store
from tests.small_plant import PASSWORD, SITE, make_plant

NOW = datetime.now(UTC)
NOTE = "runs from the third hole to the rim"


@pytest.fixture
def plant(tmp_path):
    made = make_plant(tmp_path / "home", parts=6)
    store = open_store(made.url)
    yield store
    store.close()


def second_look(plant):
    """Ida's screen of a part that Ines failed with a box, a class, a reason and a note of her own."""
    plant.people.add("Ida", PASSWORD, Role.INSPECTOR, [SITE])
    ines, ida = plant.acting_as(Actor("Ines")), plant.acting_as(Actor("Ida"))
    task = ines.queue.lease(site=SITE, now=NOW)
    image = ines.images.of_part(task.part_id)[0]
    box = Region(301.5, 211.5, 77.5, 33.5, "BURR", "BURR")
    said = Review(Verdict.FAIL, "Ines", {image.id: (box,)}, ("CRACK",), 5, NOTE, ("Very small defect",), 4.2)
    ines.reviews.add(task.id, task.revision, task.fence, said, now=NOW)
    plant.queue.send(task.part_id, TaskKind.SECOND_LOOK, now=NOW)
    told = desk.screen(ida, SITE, NOW + timedelta(minutes=1))
    while told["items"][0]["part_id"] != task.part_id:
        one = told["tasks"][0]
        plain = Review(Verdict.PASS, "Ida")
        ida.reviews.add(one["task"], one["revision"], one["fence"], plain, now=NOW)
        told = desk.screen(ida, SITE, NOW + timedelta(minutes=1))
    return ida, told, task.part_id


@pytest.mark.parametrize("shares", [Shares(), Shares(second=0.1)], ids=["nothing set", "second looks drawn"])
def test_nothing_of_the_first_answer_reaches_the_second_persons_screen(plant, shares):
    plant.acting_as(Actor("Quentin")).gold.set_shares(SITE, shares, "to see how far we agree")
    _, told, part_id = second_look(plant)
    item = told["items"][0]
    assert item["part_id"] == part_id
    assert item["seen"] is None
    text = json.dumps(item)
    for trace in ("Ines", "FAIL", NOTE, "third hole", "301.5", "BURR", "Burr", "CRACK", "Very small", "second"):
        assert trace not in text, trace
    assert all(image["regions"] == [] for image in item["images"])


def test_nor_does_it_reach_the_editor_of_boxes(plant, monkeypatch):
    ida, told, _ = second_look(plant)
    monkeypatch.setattr(correcting.context, "store", lambda: ida)
    monkeypatch.setattr(correcting.context, "now", lambda: NOW + timedelta(minutes=1))
    with pytest.raises(NotAllowed, match="first look is your own"):
        desk.in_hand(str(told["tasks"][0]["task"]))


def test_a_blind_screen_does_not_tell_how_old_a_part_is(plant):
    """A part with a known answer may be weeks old among those of today."""
    plant.acting_as(Actor("Quentin")).gold.set_shares(SITE, Shares(gold=0.1), "to know how well we see")
    told = desk.screen(plant.acting_as(Actor("Ines")), SITE, NOW)
    assert "taken" not in json.dumps(told["items"][0])
