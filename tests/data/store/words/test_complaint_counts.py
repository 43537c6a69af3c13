"""Counts of complaints, and notices that two people stand for, on both databases."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.errors import BadInput, Conflict, NotAllowed
from core.records import TaskKind, Verdict
from core.roles import WORKER, Role
from core.watch.alarms import RETRIES_S
from core.words.complaints.notices import Draft, NoticeState
from core.words.complaints.patterns import Group
from core.words.complaints.records import ComplaintKind, Reading, Sight, Told
from data.store.words.complaints import Understood
from tests.data.store.plant import answer, arrival, file, person, site

TODAY = date(2026, 3, 2)  # a Monday
SINCE = TODAY - timedelta(days=60)
DRAFT = Draft("seller", "Nordic", "Lyon: complaints about seller Nordic", "9 of 100", {"images": [1]})


def made(number: int, days_ago: int, intents=("damaged",), **more) -> Understood:
    one = Told(f"R-{number}", TODAY - timedelta(days=days_ago), "words", **more)
    return Understood(one, {}, Reading(intents, 0.9, {}, None, "text", False))


@pytest.fixture
def plant(store, clock):
    """Parts of five weeks and one week ago: those below .3 pass, the others are held or fail."""
    site(store, timezone="Europe/Paris")
    clock.pass_(days=-35)
    for number in range(1, 5):
        order, mill = f"O-{number % 2}", f"mill {number % 2}"
        file(store, arrival(number, 0.05, order=order, machine=mill, line="A"))
    file(store, arrival(5, 0.5), arrival(6, 0.95))
    ana = person(store, "ana")
    answer(ana, ana.queue.lease({TaskKind.TRIAGE}, "Lyon"), Verdict.PASS)
    clock.pass_(days=28)
    file(store, arrival(7, 0.05, order="O-1", machine="mill 1", line="A"))
    clock.pass_(days=7)
    store.complaints.keep("Lyon", [
        made(1, 20, part="part-1", seller="Nordic"), made(2, 19, part="part-1", seller="Nordic"),
        made(3, 2, part="part-2", seller="Nordic", kind=ComplaintKind.RETURN),
        made(4, 1, ("wrong_size",), part="part-7", seller="Baltic"),
        made(5, 1, shipped_on=TODAY - timedelta(days=30), batch="B-1"), made(6, 1),
    ], "test")  # fmt: skip
    return store


def test_a_complaint_counts_in_the_week_its_part_left_and_a_part_counts_once(plant):
    found = plant.complaint_counts.weeks("Lyon", SINCE, TODAY, 28)
    by_week = {one.start: one for one in found.weeks}
    old, new = by_week[TODAY - timedelta(days=35)], by_week[TODAY - timedelta(days=7)]
    assert (old.left, old.stopped, old.decided) == (5, 1, 6)
    assert (old.complaints, old.returns) == (1, 0)  # the second is of the same part, the return came too late
    assert (new.left, new.complaints) == (1, 1)
    assert by_week[TODAY - timedelta(days=35) + timedelta(days=0)].told == 1
    assert found.not_placed == 1
    wider = plant.complaint_counts.weeks("Lyon", SINCE, TODAY, 60)
    assert {one.start: one.told for one in wider.weeks}[TODAY - timedelta(days=35)] == 3  # with the one of a day


def test_groups_count_what_left_and_of_it_what_was_complained_about(plant):
    found = plant.complaint_counts.groups("Lyon", SINCE)
    assert Group("order", "O-1", 2, 3) in found
    assert Group("order", "O-0", 1, 2) in found
    assert Group("machine", "mill 1", 2, 3) in found
    assert Group("line", "A", 3, 5) in found
    assert Group("seller", "Nordic", 3, 3, "damaged") in found
    assert Group("seller", "Baltic", 0, 1, "damaged") in found
    assert not [one for one in found if one.about == "seller" and not one.what]
    plant.complaint_counts.set_volumes("Lyon", {("seller", "Nordic"): 40, ("seller", "Baltic"): 900})
    plant.complaint_counts.set_volumes("Lyon", {("seller", "Nordic"): 50})
    found = plant.complaint_counts.groups("Lyon", SINCE)
    assert Group("seller", "Nordic", 2, 50) in found  # two parts, three complaints
    assert Group("seller", "Baltic", 1, 900) in found
    with pytest.raises(BadInput):
        plant.complaint_counts.set_volumes("Lyon", {("shop", "x"): 1})


def test_the_complaints_and_pictures_behind_a_name(plant):
    references, images = plant.complaint_counts.about("Lyon", "seller", "Nordic", SINCE)
    assert references == ["R-3", "R-2", "R-1"]
    assert len(images) == 2
    references, _ = plant.complaint_counts.about("Lyon", "order", "O-1", SINCE)
    assert references == ["R-4", "R-2", "R-1"]
    assert plant.complaint_counts.about("Lyon", "seller", "Baltic", SINCE, "damaged") == ([], [])


def test_escapes_are_those_whose_pictures_show_it(plant):
    lea = person(plant, "lea", Role.QA_LEAD)
    for one in plant.complaints.find("Lyon"):
        if one.part_id is not None:
            lea.complaints.answer(one.id, Sight.VISIBLE if one.told.reference != "R-4" else Sight.NOT_VISIBLE)
    found = plant.complaint_counts.leavers("Lyon", SINCE)
    assert sorted(one.delay for one in found.escaped) == [15, 16, 33]
    assert len({one.part_id for one in found.escaped}) == 2
    assert (sum(found.left.values()), sum(found.passed.values())) == (6, 5)


def test_changes_are_those_of_model_and_policy(plant):
    found = [what for _, what in plant.complaint_counts.changes("Lyon", SINCE)]
    assert "policy approved" in found


@pytest.fixture
def two(plant):
    return person(plant, "lea", Role.QA_LEAD), person(plant, "max", Role.QA_LEAD)


def test_who_drafts_does_not_approve(plant, two):
    lea, max_ = two
    drafted = lea.complaint_notices.draft("Lyon", DRAFT)
    assert lea.complaint_notices.draft("Lyon", DRAFT).id == drafted.id
    with pytest.raises(NotAllowed, match="somebody else"):
        lea.complaint_notices.approve(drafted.id, ["quality"], "right")
    for channels, reason in (([], "right"), (["quality"], " ")):
        with pytest.raises(BadInput):
            max_.complaint_notices.approve(drafted.id, channels, reason)
    assert plant.complaint_notices.messages(drafted.id) == []
    done = max_.complaint_notices.approve(drafted.id, ["quality", "seller", "quality"], "it is right")
    assert (done.state, done.decided_by) == (NoticeState.APPROVED, "max")
    assert [one.channel for one in plant.complaint_notices.messages(drafted.id)] == ["quality", "seller"]
    with pytest.raises(Conflict, match="max has approved"):
        max_.complaint_notices.decline(drafted.id, "no")
    event = next(one for one in plant.audit.recent(5) if one.action == "notice approved")
    assert event.new["body"] == DRAFT.body


def test_a_declined_notice_sends_nothing_and_can_be_drafted_again(plant, two):
    lea, max_ = two
    first = lea.complaint_notices.draft("Lyon", DRAFT)
    lea.complaint_notices.decline(first.id, "too early")
    assert plant.acting_as(WORKER).complaint_notices.due(datetime(2030, 1, 1, tzinfo=UTC)) == []
    assert max_.complaint_notices.draft("Lyon", DRAFT).id != first.id


def test_a_message_that_failed_is_tried_later_and_later_and_its_end_is_on_record(plant, two, clock):
    lea, max_ = two
    drafted = lea.complaint_notices.draft("Lyon", DRAFT)
    max_.complaint_notices.approve(drafted.id, ["quality"], "right")
    worker = plant.acting_as(WORKER)
    for attempt in range(len(RETRIES_S) + 1):
        [message] = worker.complaint_notices.due(clock())
        assert worker.complaint_notices.take(message, clock(), 60)
        assert not worker.complaint_notices.take(message, clock(), 60)
        worker.complaint_notices.went(message, "no answer", clock())
        if attempt < len(RETRIES_S):
            assert worker.complaint_notices.due(clock()) == []
            clock.pass_(seconds=RETRIES_S[attempt])
    [message] = plant.complaint_notices.messages(drafted.id)
    assert (message.state, message.error) == ("given up", "no answer")
    assert "notice could not be sent" in [one.action for one in plant.audit.recent(3)]
    assert lea.complaint_notices.again(drafted.id) == 1
    [message] = worker.complaint_notices.due(clock())
    worker.complaint_notices.went(message, "", clock())
    assert plant.complaint_notices.messages(drafted.id)[0].state == "sent"
    assert "notice sent" in [one.action for one in plant.audit.recent(3)]
    assert lea.complaint_notices.again(drafted.id) == 0
