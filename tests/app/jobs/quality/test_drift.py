"""Drift of what pictures look like, from the line to the alarm, and what is beside it on the page."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.settings import Settings
from core.records import Outcome
from core.watch.embedding import GATHERED
from core.watch.rules import DEFAULTS, RuleKind, Step
from data.store import Store
from tests.app.jobs.quality.watched_plant import Plant
from tests.data.store.plant import arrival, file

WIDE = 64
RNG = np.random.default_rng(20)
MIDDLE, WAY = RNG.gamma(2.0, 0.5, WIDE), RNG.normal(0, 0.3, WIDE)


@pytest.fixture
def plant(store: Store, tmp_path: Path) -> Plant:
    return Plant(store, Settings(home=tmp_path))


def send(plant: Plant, n: int, camera: str, shift: float = 0.0, **changes: object) -> list[int]:
    """File n good parts whose pictures look as they do, or otherwise."""
    made = []
    for _ in range(n):
        plant.number += 1
        one = arrival(plant.number, 0.1, camera=camera)
        looks = MIDDLE + RNG.normal(shift, 1) * WAY + RNG.normal(0, 0.05, WIDE)
        given = {"embedding": looks.astype(np.float32), **changes}
        made.append(replace(one, prediction=replace(one.prediction, **given)))
    return [one.part_id for one in file(plant.store, *made, now=plant.now)]


def watched(plant: Plant) -> None:
    for camera in ("cam 1", "cam 2"):
        send(plant, GATHERED, camera)
    plant.look()
    for _ in range(4):
        for camera, shift in (("cam 1", 0.0), ("cam 2", 3.0)):
            send(plant, 30, camera, shift)
        plant.look()


def test_pictures_that_look_otherwise_at_one_camera_raise_an_alarm_there_with_pictures(plant: Plant) -> None:
    began = plant.now
    watched(plant)
    [alarm] = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.DRIFT]
    assert alarm.subject == "cam 2"
    assert "most of all embedding" in alarm.text
    assert alarm.evidence["more"]["began"] > began.isoformat()
    [document] = [
        one.document for one in plant.store.alarms.follow_ups(alarm_id=alarm.id) if one.kind is Step.INVESTIGATE
    ]
    cameras = {one.capture.camera for one in plant.store.images.many(
        [*document["before_images"], *document["after_images"]]).values()}  # fmt: skip
    assert cameras == {"cam 2"}
    assert len(document["before_images"]) == len(document["after_images"]) == 12
    assert document["distances"]["embedding"] > document["distances"]["sharpness"]
    assert not plant.paused()  # the rule as it comes tells people and investigates


def test_the_alarm_pauses_auto_pass_where_the_rule_says_so(plant: Plant) -> None:
    plant.set_rule(RuleKind.DRIFT, steps=(*DEFAULTS[RuleKind.DRIFT].steps, Step.PAUSE))
    watched(plant)
    assert plant.paused()
    [part] = send(plant, 1, "cam 1")
    assert plant.store.parts.decision(part).outcome is Outcome.HOLD


def test_a_closed_alarm_takes_the_camera_as_it_is_now_for_usual(plant: Plant) -> None:
    watched(plant)
    [alarm] = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.DRIFT]
    plant.look()
    plant.lea.alarms.close(alarm.id, "new lamps, as planned", now=plant.now)
    plant.look()
    for _ in range(25):
        send(plant, 30, "cam 2", 3.0)
        plant.look()
    assert RuleKind.DRIFT not in plant.open_kinds
    assert plant.figure(RuleKind.DRIFT, "cam 2")["more"]["distances"]["embedding"] < 0.2


@pytest.mark.parametrize("bad", [None, np.full(8, np.nan, np.float32), np.array(["x"]), np.zeros((2, 2), np.float32)])
def test_an_embedding_that_cannot_be_kept_changes_no_decision_and_stops_nothing(plant: Plant, bad: object) -> None:
    [part] = send(plant, 1, "cam 1", embedding=bad)
    assert plant.store.parts.decision(part).outcome is Outcome.PASS  # as its score alone has it
    plant.look()
    [held] = send(plant, 1, "cam 1", embedding=bad, score=0.5)
    assert plant.store.parts.decision(held).outcome is Outcome.HOLD
    assert plant.store.watching.stream("Lyon", 0, 0, plant.now, plant.now).pictures[-1].sketch is None


def test_only_embeddings_of_the_model_in_use_are_compared(plant: Plant) -> None:
    send(plant, 1, "cam 1", model="net-0")
    send(plant, 1, "cam 1")
    seen = plant.store.watching.stream("Lyon", 0, 0, plant.now, plant.now).pictures
    assert [one.sketch is None for one in seen] == [True, False]
