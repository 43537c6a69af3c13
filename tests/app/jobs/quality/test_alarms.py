"""A look at a site: what raises an alarm, what that sets off, and that the very next decision obeys."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.jobs.quality import alarms
from app.settings import Settings
from core.records import Outcome, Verdict
from core.watch.alarms import AlarmState
from core.watch.rules import DEFAULTS, RuleKind, Step
from data.store import Store, open_store
from tests.app.jobs.quality.watched_plant import Plant
from tests.data.store.plant import arrival, file


@pytest.fixture
def current(tmp_path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def plant(store: Store, current: Settings) -> Plant:
    return Plant(store, current)


def miss_some(plant: Plant, n: int = 6) -> None:
    plant.send(n, 0.1)
    plant.judge(Verdict.FAIL)
    plant.look()


def test_missed_defects_found_by_audits_pause_auto_pass_and_the_next_pass_becomes_hold(plant: Plant) -> None:
    [before] = plant.send(1, 0.1)
    assert plant.store.parts.decision(before).outcome is Outcome.PASS
    plant.judge(Verdict.PASS)
    miss_some(plant)
    [alarm] = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.MISSES]
    assert alarm.paused
    assert "100%" in alarm.text
    other = open_store(str(plant.store.database.engine.url))  # as another process sees it
    [after] = [one.part_id for one in file(other, arrival(9_001, 0.1), now=plant.now)]
    decision = other.parts.decision(after)
    other.close()
    assert decision.outcome is Outcome.HOLD
    assert [reason.code for reason in decision.reasons] == ["paused"]


def test_it_stays_so_until_one_asks_with_a_reason_and_another_agrees(plant: Plant) -> None:
    miss_some(plant)
    asked = plant.lea.requests.ask_resume("Lyon", "lamp replaced", plant.now)
    assert plant.paused()
    plant.max.requests.agree(asked.number, "checked sixty parts", plant.now)
    [part] = plant.send(1, 0.1)
    assert plant.store.parts.decision(part).outcome is Outcome.PASS


def test_clean_audits_raise_nothing(plant: Plant) -> None:
    for _ in range(5):
        plant.send(20, 0.1)
        plant.judge(Verdict.PASS)
        assert plant.look() == []
    assert plant.figure(RuleKind.MISSES)["more"]["audited"] == 100
    assert not plant.paused()


def test_good_parts_that_fail_are_seen_and_pause_where_the_rule_says_so(plant: Plant) -> None:
    plant.set_rule(RuleKind.FALSE_REJECTS, steps=(*DEFAULTS[RuleKind.FALSE_REJECTS].steps, Step.PAUSE))
    plant.send(12, 0.95)
    plant.judge(Verdict.PASS)
    plant.look()
    assert RuleKind.FALSE_REJECTS in plant.open_kinds
    assert RuleKind.OVERRIDES in plant.open_kinds
    assert RuleKind.MISSES not in plant.open_kinds
    assert plant.paused()


def test_an_alarm_that_is_open_is_not_raised_twice_but_pauses_again_after_a_resume(plant: Plant) -> None:
    miss_some(plant)
    plant.max.requests.agree(plant.lea.requests.ask_resume("Lyon", "try", plant.now).number, "try", plant.now)
    miss_some(plant)
    [alarm] = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.MISSES]
    assert [one.what for one in plant.store.alarms.history(alarm.id)].count("raised") == 1
    assert "again" in [one.what for one in plant.store.alarms.history(alarm.id)]
    assert plant.paused()


def test_a_closed_alarm_begins_anew(plant: Plant) -> None:
    miss_some(plant)
    [alarm] = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.MISSES]
    plant.lea.alarms.close(alarm.id, "a bad batch", plant.now)
    assert plant.look() == []
    assert plant.figure(RuleKind.MISSES)["level"] < 0.01
    miss_some(plant)
    assert RuleKind.MISSES in plant.open_kinds


def test_a_rule_that_is_off_raises_nothing(plant: Plant) -> None:
    before = plant.store.alarms.rules("Lyon")[RuleKind.MISSES]
    made = plant.lea.alarms.set_rule("Lyon", replace(before, on=False), "quiet", before.number, plant.now)
    assert made.waits
    plant.max.alarms.approve_rule("Lyon", RuleKind.MISSES, made.number, "agreed", plant.now)
    miss_some(plant)
    assert RuleKind.MISSES not in plant.open_kinds


def test_every_kind_of_rule_has_a_figure_after_a_look(plant: Plant) -> None:
    plant.send(5, 0.1, line="line B")
    plant.look()
    assert {one["kind"] for one in plant.store.alarms.figures("Lyon")} == {str(kind) for kind in RuleKind} - {
        "gate",
        "pipeline",
    }


def test_a_slow_line_a_slow_engine_and_unsure_scores_are_seen(plant: Plant) -> None:
    plant.set_rule(RuleKind.SPEED, limit=1000.0)
    for _ in range(12):
        plant.number += 1
        slow = arrival(plant.number, 0.45, line="line B")
        slow = replace(slow, prediction=replace(slow.prediction, milliseconds=900.0))
        file(plant.store, slow, now=plant.now)
        for _ in range(15):
            plant.number += 1
            one = arrival(plant.number, 0.45)
            file(plant.store, replace(one, prediction=replace(one.prediction, milliseconds=900.0)), now=plant.now)
        plant.look()
    seen = {RuleKind.THROUGHPUT, RuleKind.LATENCY, RuleKind.SPEED, RuleKind.CONFIDENCE}
    assert seen <= plant.open_kinds
    [line] = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.THROUGHPUT]
    assert line.subject == "line B"
    assert not plant.paused()


def test_an_engine_that_fails_is_seen(plant: Plant) -> None:
    for _ in range(3):
        plant.number += 1
        broken = replace(arrival(plant.number, None), error="out of memory")
        file(plant.store, broken, now=plant.now)
        plant.look()
    assert RuleKind.AVAILABILITY in plant.open_kinds


def test_labelled_pictures_that_are_imported_are_no_engine_that_fails(plant: Plant) -> None:
    plant.store.arrivals.file("Lyon", [arrival(1, None), arrival(2, None)], close_parts=False, now=plant.now)
    plant.look()
    assert plant.figure(RuleKind.AVAILABILITY)["n"] == 0


def test_a_camera_that_falls_silent_while_others_send_is_seen(plant: Plant) -> None:
    plant.send(1, 0.1, camera="cam 1")
    plant.send(1, 0.1, camera="cam 2")
    plant.look()
    for _ in range(4):
        plant.pass_(minutes=10)
        plant.send(1, 0.1, camera="cam 2")
        plant.look()
    [alarm] = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.STALLED]
    assert alarm.subject == "cam 1"
    assert len(plant.store.alarms.history(alarm.id)) == 1 + len(plant.store.alarms.told(alarm.id))


def test_a_part_that_waits_too_long_is_seen(plant: Plant) -> None:
    plant.send(1, 0.5)
    plant.look()
    assert RuleKind.BACKLOG not in plant.open_kinds
    plant.pass_(hours=9)
    plant.look()
    assert RuleKind.BACKLOG in plant.open_kinds


def test_pictures_that_change_at_one_camera_are_seen_there_only(plant: Plant) -> None:
    for camera in ("cam 1", "cam 2"):
        plant.send(210, 0.1, camera=camera)
    plant.look()
    for _ in range(3):
        for camera, sharpness in (("cam 1", 50.0), ("cam 2", 5.0)):
            for _ in range(20):
                plant.number += 1
                one = arrival(plant.number, 0.1, camera=camera)
                file(plant.store, replace(one, quality=replace(one.quality, sharpness=sharpness)), now=plant.now)
        plant.look()
    found = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.DRIFT]
    assert [one.subject for one in found] == ["cam 2"]
    assert plant.figure(RuleKind.DRIFT, "cam 2")["more"]["distances"]["sharpness"] > 0.9


def test_an_alarm_opens_records_with_what_was_measured(plant: Plant) -> None:
    every = (Step.PAUSE, Step.NOTIFY, Step.INVESTIGATE, Step.PROPOSE, Step.RECALIBRATE, Step.RETRAIN, Step.SCALE_UP)
    plant.set_rule(RuleKind.MISSES, steps=every)
    plant.send(10, 0.2)
    plant.judge(Verdict.PASS)
    miss_some(plant)
    [alarm] = [one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.MISSES]
    found = {one.kind: one.document for one in plant.store.alarms.follow_ups(alarm_id=alarm.id)}
    assert set(found) == {Step.INVESTIGATE, Step.PROPOSE, Step.RECALIBRATE, Step.RETRAIN, Step.SCALE_UP}
    assert {one["feature"] for one in found[Step.INVESTIGATE]["differences"]} >= {"sharpness", "score", "confidence"}
    assert not set(found[Step.INVESTIGATE]["train_images"]) & set(found[Step.INVESTIGATE]["site_images"])
    assert "policy approved" in {one["what"] for one in found[Step.INVESTIGATE]["changes"]}
    [proposed] = found[Step.PROPOSE]["policies"]
    policy = next(one for one in plant.store.policies.history("Lyon") if one.number == proposed["number"])
    assert not policy.approved
    assert policy.pass_below == pytest.approx(0.1)
    assert plant.store.policies.in_force("Lyon").pass_below == 0.3
    assert found[Step.RECALIBRATE]["confusion"]["fn"] == 6
    assert found[Step.RECALIBRATE]["gap"] > 0
    assert "are needed to fit scores anew" in found[Step.RECALIBRATE]["refit"]["trouble"]
    assert plant.store.requests.waiting("Lyon", plant.now) == []  # the worker never counts as one of two people
    assert found[Step.RETRAIN]["labels"] == 16
    assert found[Step.SCALE_UP]["waiting"] == 0
    for one in plant.store.alarms.follow_ups(alarm_id=alarm.id):
        plant.lea.alarms.finish(one.id, "looked at", plant.now)
    assert plant.store.alarms.follow_ups("Lyon") == []
    assert plant.store.alarms.get(alarm.id).state is AlarmState.OPEN


def test_two_workers_that_look_at_once_write_one_look(plant: Plant) -> None:
    plant.send(6, 0.1)
    plant.judge(Verdict.FAIL)
    begun = plant.store.watching.begin("Lyon")
    plant.look()
    assert plant.store.watching.keep("Lyon", begun.revision, begun.states, [], [], plant.now) is None
    assert len([one for one in plant.store.alarms.find("Lyon") if one.kind is RuleKind.MISSES]) == 1


def test_a_look_is_not_due_before_its_minute(plant: Plant) -> None:
    looked = plant.store.watching.begin("Lyon").looked_at
    assert alarms.look(plant.store, plant.current, "Lyon", looked + timedelta(seconds=20), 60.0) == []
    assert plant.store.watching.begin("Lyon").looked_at == looked


def test_the_worker_watches_by_itself_and_ends_when_told(plant: Plant) -> None:
    plant.send(6, 0.1)
    plant.judge(Verdict.FAIL)
    raised = threading.Event()
    later = plant.now + timedelta(minutes=2)

    def clock() -> datetime:
        if plant.store.alarms.find("Lyon"):
            raised.set()
        return later

    with alarms.Watcher(plant.store, plant.current, clock) as watcher:
        assert raised.wait(60)
    assert not any(thread.is_alive() for thread in watcher._threads)
