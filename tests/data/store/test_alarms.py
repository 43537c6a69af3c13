"""Rules and alarms in the store, on both databases: two people, nothing overwritten, one query for the status bar."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.decide.labels import IMPORT
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.records import Review, Verdict
from core.roles import WORKER, Role
from core.watch.alarms import AlarmState, Raised
from core.watch.rules import DEFAULTS, RuleKind, Step
from data.store import Store
from tests.data.store.plant import answer, arrival, file, person, site

MISSES = DEFAULTS[RuleKind.MISSES]


@pytest.fixture
def lea(store: Store) -> Store:
    site(store)
    return person(store, "lea", Role.QA_LEAD)


@pytest.fixture
def max_(store: Store, lea: Store) -> Store:
    return person(store, "max", Role.QA_LEAD)


def raise_one(store: Store, kind: RuleKind = RuleKind.MISSES, **more: object) -> int:
    worker = store.acting_as(WORKER)
    begun = worker.watching.begin("Lyon")
    one = Raised(kind, "", 0, "More than 1% pass.", {"value": 0.02}, False, **more)
    [alarm_id] = worker.watching.keep("Lyon", begun.revision, {"figures": []}, [one], [], store.database.clock())
    return alarm_id


def test_without_anybodys_word_the_rules_are_those_that_come_with_holdpoint(lea: Store) -> None:
    assert lea.alarms.rules("Lyon") == DEFAULTS
    assert lea.alarms.rule_history("Lyon") == []


def test_a_stricter_rule_is_in_force_at_once_and_numbered(store: Store, lea: Store) -> None:
    made = lea.alarms.set_rule("Lyon", replace(MISSES, limit=0.005), "a safety part", 0)
    assert (made.number, made.by, made.waits) == (1, "lea", False)
    assert lea.alarms.rules("Lyon")[RuleKind.MISSES] == made
    event = store.audit.recent(site="Lyon")[0]
    assert (event.by, event.action, event.old["limit"], event.new["limit"]) == ("lea", "alarm rule set", 0.01, 0.005)


@pytest.mark.parametrize("changes", [
    {"limit": 0.02}, {"on": False}, {"rate": 0.01}, {"steps": (Step.NOTIFY,)}, {"limit": 0.001, "steps": ()},
])  # fmt: skip
def test_whatever_is_looser_waits_for_a_second_person(lea: Store, max_: Store, changes: dict) -> None:
    made = lea.alarms.set_rule("Lyon", replace(MISSES, **changes), "too nervous", 0)
    assert made.waits
    assert lea.alarms.rules("Lyon")[RuleKind.MISSES] == MISSES
    with pytest.raises(NotAllowed, match="somebody else"):
        lea.alarms.approve_rule("Lyon", RuleKind.MISSES, 1, "fine")
    with pytest.raises(BadInput, match="reason"):
        max_.alarms.approve_rule("Lyon", RuleKind.MISSES, 1, " ")
    approved = max_.alarms.approve_rule("Lyon", RuleKind.MISSES, 1, "agreed")
    assert lea.alarms.rules("Lyon")[RuleKind.MISSES] == approved
    assert not approved.waits
    with pytest.raises(Conflict):
        max_.alarms.approve_rule("Lyon", RuleKind.MISSES, 1, "again")


def test_of_two_people_who_change_a_rule_at_once_the_second_is_told(lea: Store, max_: Store) -> None:
    lea.alarms.set_rule("Lyon", replace(MISSES, limit=0.005), "stricter", 0)
    with pytest.raises(Conflict, match="lea has changed this rule"):
        max_.alarms.set_rule("Lyon", replace(MISSES, limit=0.002), "stricter still", 0)
    assert lea.alarms.rules("Lyon")[RuleKind.MISSES].limit == 0.005


def test_an_older_looser_rule_cannot_slip_in_behind_a_newer_one(lea: Store, max_: Store) -> None:
    lea.alarms.set_rule("Lyon", replace(MISSES, limit=0.05), "loose", 0)
    lea.alarms.set_rule("Lyon", replace(MISSES, limit=0.005), "strict", 0)
    with pytest.raises(Conflict, match="propose this one again"):
        max_.alarms.approve_rule("Lyon", RuleKind.MISSES, 1, "fine")
    with pytest.raises(NotFound):
        max_.alarms.approve_rule("Lyon", RuleKind.MISSES, 9, "fine")
    with pytest.raises(BadInput):
        lea.alarms.set_rule("Lyon", MISSES, " ", 2)


def test_an_alarm_goes_from_open_over_acknowledged_to_closed_and_keeps_its_history(store: Store, lea: Store) -> None:
    alarm = raise_one(store)
    assert [one.id for one in lea.alarms.find("Lyon")] == [alarm]
    lea.alarms.acknowledge(alarm)
    with pytest.raises(Conflict):
        lea.alarms.acknowledge(alarm)
    with pytest.raises(BadInput):
        lea.alarms.close(alarm, " ")
    lea.alarms.close(alarm, "lamp")
    assert lea.alarms.get(alarm).state is AlarmState.CLOSED
    assert [(one.what, one.by, one.note) for one in lea.alarms.history(alarm)] == [
        ("raised", "worker", "More than 1% pass."), ("acknowledged", "lea", ""), ("closed", "lea", "lamp"),
    ]  # fmt: skip
    with pytest.raises(Conflict):
        lea.alarms.close(alarm, "again")
    assert [one.action for one in store.audit.recent(3)] == ["alarm closed", "alarm acknowledged", "alarm raised"]
    assert lea.alarms.find("Lyon") == []
    assert [one.id for one in lea.alarms.find("Lyon", closed=True)] == [alarm]


def test_about_one_thing_at_most_one_alarm_is_open(store: Store, lea: Store) -> None:
    raise_one(store)
    worker = store.acting_as(WORKER)
    begun = worker.watching.begin("Lyon")
    one = Raised(RuleKind.MISSES, "", 0, "again", {}, False)
    assert worker.watching.keep("Lyon", begun.revision, {"figures": []}, [one], [], store.database.clock()) == []
    assert len(lea.alarms.find("Lyon")) == 1


def test_a_follow_up_is_closed_with_a_word_once(store: Store, lea: Store) -> None:
    alarm = raise_one(store, follow_ups=[(Step.RETRAIN, "train", {"labels": 3})])
    [one] = lea.alarms.follow_ups("Lyon")
    assert (one.kind, one.alarm, one.document) == (Step.RETRAIN, alarm, {"labels": 3})
    lea.alarms.finish(one.id, "trained net-2")
    with pytest.raises(Conflict, match="trained net-2"):
        lea.alarms.finish(one.id, "again")
    [closed] = lea.alarms.follow_ups("Lyon", closed=True)
    assert (closed.closed_by, closed.note, closed.open) == ("lea", "trained net-2", False)
    asked = lea.alarms.ask("Lyon", Step.INVESTIGATE, "look at the lamp")
    assert [one.id for one in lea.alarms.follow_ups("Lyon")] == [asked]
    with pytest.raises(BadInput):
        lea.alarms.ask("Lyon", Step.PAUSE, "now")


def test_a_point_of_a_checklist_is_checked_off_once_and_says_by_whom(store: Store, lea: Store, max_: Store) -> None:
    checks = {"checks": [{"key": "exposure", "says": "as it was?"}]}
    alarm = raise_one(store, follow_ups=[(Step.INVESTIGATE, "look", checks)])
    [one] = lea.alarms.follow_ups("Lyon")
    lea.alarms.check_off(one.id, "exposure")
    assert [(event.what, event.by) for event in lea.alarms.history(alarm)][-1] == ("looked at: exposure", "lea")
    with pytest.raises(Conflict, match="already"):
        max_.alarms.check_off(one.id, "exposure")
    with pytest.raises(NotFound):
        max_.alarms.check_off(one.id, "colour")
    max_.alarms.finish(one.id, "lamp")
    with pytest.raises(Conflict, match="closed"):
        lea.alarms.check_off(one.id, "exposure")


def test_what_is_found_out_later_changes_nothing_that_was_written(store: Store, lea: Store) -> None:
    raise_one(store, follow_ups=[(Step.RETRAIN, "train", {"labels": 3})])
    [one] = lea.alarms.follow_ups("Lyon")
    store.acting_as(WORKER).watching.add_document(one.id, {"labels": 99, "more": 1})
    assert lea.alarms.follow_ups("Lyon")[0].document == {"labels": 3, "more": 1}


def test_the_status_bar_asks_one_query_for_all_sites(store: Store, lea: Store) -> None:
    file(store, arrival(1, 0.5))
    raise_one(store)
    store.sites.add("Bern")
    asked = []
    sa.event.listen(store.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    bern, lyon = lea.alarms.status()
    assert sum("alarms" in statement for statement in asked) == 1
    assert len([one for one in asked if one.lstrip().upper().startswith("SELECT")]) == 2  # who asks, and the answer
    assert (lyon.site, lyon.passing, lyon.paused, lyon.alarms, lyon.backlog) == ("Lyon", True, None, 1, 1)
    assert (bern.passing, bern.alarms, bern.backlog) == (False, 0, 0)


def test_the_status_bar_tells_nobody_of_a_site_they_were_not_given(store: Store, lea: Store) -> None:
    store.sites.add("Bern")
    assert [one.site for one in person(store, "ina", Role.INSPECTOR, ["Bern"]).alarms.status()] == ["Bern"]


def test_of_the_pictures_of_a_part_the_first_one_starts_it(store: Store, lea: Store, clock) -> None:
    worker = store.acting_as(WORKER)
    image, review, _ = worker.watching.marks("Lyon")
    views = (("a", "top"), ("a", "side"), ("b", "top"))
    file(store, *(arrival(n, 0.1, part=part, view=view) for n, (part, view) in enumerate(views, start=1)))
    seen = worker.watching.stream("Lyon", image, review, clock(), clock()).pictures
    assert [one.starts for one in seen] == [True, False, True]
    file(store, arrival(4, 0.1, part="b", view="side"))
    [late] = worker.watching.stream("Lyon", seen[-1].id, review, clock(), clock()).pictures
    assert not late.starts


def test_a_stream_holds_what_has_come_since_and_no_import(store: Store, lea: Store, clock) -> None:
    worker = store.acting_as(WORKER)
    image, review, _ = worker.watching.marks("Lyon")
    file(store, arrival(1, 0.9, line="B"))
    store.arrivals.file("Lyon", [arrival(2, None)], close_parts=False)
    told = Review(Verdict.PASS, f"{IMPORT}set", {2: ()}, source={"source": "set"})
    store.reviews.imported("Lyon", [(2, told)])
    facts = worker.watching.stream("Lyon", image, review, clock() - timedelta(hours=1), clock())
    [one] = facts.pictures
    assert (one.line, one.camera, one.score, one.failed, one.features["sharpness"]) == ("B", "cam 1", 0.9, False, 50)
    assert facts.labels == []
    again = worker.watching.stream("Lyon", facts.image, facts.review, clock(), clock())
    assert list(again.pictures) == []


def test_decided_parts_come_with_what_people_said_last(store: Store, lea: Store, clock) -> None:
    worker = store.acting_as(WORKER)
    ana = person(store, "ana")
    file(store, arrival(1, 0.5), arrival(2, 0.6), arrival(3, 0.1))
    answer(ana, ana.queue.lease(), Verdict.FAIL)
    task = ana.queue.lease()
    answer(ana, task, Verdict.FAIL)
    ana.reviews.undo(task.id)
    answer(ana, ana.queue.lease(), Verdict.PASS)
    found = worker.watching.decided("Lyon", 0, 0, 0, 0.0, clock())
    assert sorted(str(one.part.defective) for one in found.decided) == ["False", "True"]
    assert found.passes == 1  # the one that passed unasked


def test_a_leavers_name_gives_way_in_rules_and_alarms(store: Store, lea: Store) -> None:
    lea.alarms.set_rule("Lyon", replace(MISSES, limit=0.005), "stricter", 0)
    alarm = raise_one(store)
    lea.alarms.close(alarm, "lamp")
    store.people.disable("lea")
    becomes = store.people.replace_name("lea")
    assert store.alarms.rules("Lyon")[RuleKind.MISSES].by == becomes
    assert store.alarms.history(alarm)[-1].by == becomes
