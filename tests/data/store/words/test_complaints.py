"""Complaints: kept once, linked by numbers, answered by people, and what follows from it, on both databases."""

from datetime import date, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from core.audits.estimates import estimate
from core.errors import BadInput, Conflict, NotFound
from core.records import TaskKind, Verdict
from core.roles import Role
from core.words.complaints.records import ActKind, ActState, ComplaintState, Field, Passed, Reading, Sight, Told
from data import tables
from data.store.words.complaints import ACT_TOPIC, Understood, Which
from tests.data.store.plant import answer, arrival, file, person, site

TODAY = date(2026, 3, 2)


def told(number: int = 1, **more) -> Told:
    known = {"reference": f"R-{number}", "told_on": TODAY, "text": "the mug came cracked"} | more
    return Told(**known)


def understood(number: int = 1, intents=("damaged",), aside: bool = False, **more) -> Understood:
    fields = {"defect": Field("cracked", 0.9), "item": Field("mug", 0.7)}
    reading = Reading(() if aside else intents, 0.8, {} if aside else fields, "CRACK", "text", True, aside)
    return Understood(told(number, **more), {"name": 1}, reading)


@pytest.fixture
def plant(store, clock):
    """Lyon with three parts of a week ago: one that passed by itself, one that is held, one that failed."""
    site(store, timezone="Europe/Paris")
    clock.pass_(days=-7)
    for number, score in ((1, 0.05), (2, 0.5), (3, 0.95)):
        file(store, arrival(number, score, order=f"O-{number}", machine="mill 1", line="A"))
    clock.pass_(days=7)
    return store


@pytest.fixture
def lea(plant):
    return person(plant, "lea", Role.QA_LEAD)


def keep(store, *made: Understood) -> list[int]:
    return list(store.complaints.keep("Lyon", made, "test").new)


def test_a_complaint_is_kept_once_and_linked_by_its_numbers(plant):
    kept = plant.complaints.keep("Lyon", [understood(1, part="part-1"), understood(2, order="O-2"), understood(3)], "t")
    assert (len(kept.new), kept.linked, kept.known) == (3, 2, ())
    again = plant.complaints.keep("Lyon", [understood(1, part="part-2"), understood(4)], "t")
    assert (len(again.new), again.known) == (1, ("R-1",))
    first, second, third = (plant.complaints.get(number) for number in kept.new)
    assert (first.linked_how, second.linked_how, third.part_id) == ("part", "order", None)
    assert first.told == told(1, part="part-1")
    assert first.covered == {"name": 1}
    assert first.reading.said("defect") == "cracked"
    counts = plant.complaints.counts("Lyon")
    assert (counts[Which.ALL], counts[Which.TO_ANSWER], counts[Which.NO_PART], counts[Which.TO_CONFIRM]) == (4, 2, 2, 4)
    assert [one.told.reference for one in plant.complaints.find("Lyon", reference="R-2")] == ["R-2"]


def test_what_is_still_to_come_is_refused_whole(plant):
    with pytest.raises(BadInput, match="still to come"):
        plant.complaints.keep("Lyon", [understood(1), understood(2, told_on=TODAY + timedelta(days=2))], "t")
    assert plant.complaints.counts("Lyon")[Which.ALL] == 0


def test_a_visible_defect_of_a_part_that_passed_is_an_escape_with_its_delay(plant, lea):
    [number] = keep(plant, understood(1, part="part-1", shipped_on=TODAY - timedelta(days=5)))
    made = lea.complaints.answer(number, Sight.VISIBLE, "clearly")
    assert made.escape
    assert (made.passage.how, made.passage.model, made.passage.policy) == (Passed.MODEL, "net-1", 1)
    assert (made.delay_days, made.answered_by, made.state) == (5, "lea", ComplaintState.ANSWERED)
    [report] = plant.reported.escapes("Lyon")
    assert (report.escape.reference, report.escape.part, report.source) == ("complaint R-1", "part-1", "complaint")
    with plant.database.reading() as connection:
        kinds = connection.scalars(sa.select(tables.tasks.c.kind).where(tables.tasks.c.part_id == made.part_id)).all()
    assert kinds == [TaskKind.LABEL]
    actions = [one.action for one in plant.audit.recent(20)]
    assert {"complaint answered", "sent to labelling", "escape reported", "complaint kept"} <= set(actions)


def test_an_escape_never_enters_the_audits_estimate(plant, lea, clock):
    """Not by the complaint, and not by the label that follows from it: nobody drew the part by chance."""
    since = clock() - timedelta(days=30)

    def estimated():
        facts = lea.auditing.facts("Lyon", since, clock() + timedelta(days=1))
        return facts.settled, estimate(facts.cells, facts.settled, np.random.default_rng(1), eyes=facts.eyes)

    before = estimated()
    [number] = keep(plant, understood(1, part="part-1"))
    lea.complaints.answer(number, Sight.VISIBLE)
    ana = person(plant, "ana")
    answer(ana, ana.queue.lease({TaskKind.LABEL}, "Lyon"), Verdict.FAIL)
    assert estimated() == before


@pytest.mark.parametrize(("sight", "part"), [(Sight.NOT_VISIBLE, "part-1"), (Sight.CANNOT_TELL, "part-1"),
                                              (Sight.VISIBLE, "part-2"), (Sight.VISIBLE, "part-3")])  # fmt: skip
def test_what_nobody_could_see_and_what_was_stopped_is_no_escape(plant, lea, sight, part):
    [number] = keep(plant, understood(1, part=part))
    made = lea.complaints.answer(number, sight)
    assert not made.escape
    assert plant.reported.escapes("Lyon") == []
    if sight is Sight.VISIBLE:
        assert made.passage.how is Passed.CAUGHT


def test_an_answer_can_be_changed_and_its_report_is_taken_back_once(plant, lea):
    [number] = keep(plant, understood(1, part="part-1"))
    lea.complaints.answer(number, Sight.VISIBLE)
    lea.complaints.answer(number, Sight.NOT_VISIBLE)
    lea.complaints.answer(number, Sight.CANNOT_TELL)
    [report] = plant.reported.escapes("Lyon")
    assert report.taken_back_by == "lea"
    assert plant.complaints.get(number).sight is Sight.CANNOT_TELL
    lea.complaints.answer(number, Sight.VISIBLE)
    assert [one.taken_back_by for one in plant.reported.escapes("Lyon")] == [None, "lea"]


def test_two_complaints_about_one_part_are_one_escape(plant, lea):
    first, second = keep(plant, understood(1, part="part-1"), understood(2, part="part-1"))
    lea.complaints.answer(first, Sight.VISIBLE)
    lea.complaints.answer(second, Sight.VISIBLE)
    assert len(plant.reported.escapes("Lyon")) == 1
    lea.complaints.answer(first, Sight.CANNOT_TELL)  # the other one still stands for the part
    assert [one.taken_back_by for one in plant.reported.escapes("Lyon")] == [None]
    lea.complaints.answer(second, Sight.CANNOT_TELL)
    assert [one.taken_back_by for one in plant.reported.escapes("Lyon")] == ["lea"]
    lea.complaints.answer(second, Sight.VISIBLE)
    found = plant.complaint_counts.leavers("Lyon", TODAY - timedelta(days=30))
    assert {one.part_id for one in found.escaped} == {plant.parts.find("Lyon", "part-1").id}
    assert sum(found.left.values()) == sum(found.passed.values()) == 1


def test_who_passed_it_is_told_to_whoever_sets_policies_and_to_that_person_alone(plant, lea, clock):
    clock.pass_(days=-6)
    ana, ben = person(plant, "ana"), person(plant, "ben")
    answer(ana, ana.queue.lease({TaskKind.TRIAGE}, "Lyon"), Verdict.PASS)
    clock.pass_(days=6)
    [number] = keep(plant, understood(1, part="part-2"))
    made = lea.complaints.answer(number, Sight.VISIBLE)
    assert (made.passage.how, made.passage.inspector) == (Passed.INSPECTOR, "ana")
    assert ana.complaints.get(number).passage.inspector == "ana"
    assert ben.complaints.get(number).passage.inspector == ""
    assert "an inspector" in ben.complaints.get(number).passage.sentence


def test_without_a_part_there_is_no_picture_to_speak_of(plant, lea):
    [number] = keep(plant, understood(1))
    with pytest.raises(Conflict, match="link one first"):
        lea.complaints.answer(number, Sight.VISIBLE)
    with pytest.raises(NotFound, match="no part 'nine'"):
        lea.complaints.link_to(number, "nine")
    assert lea.complaints.link_to(number, "part-1").linked_how == "person"
    lea.complaints.answer(number, Sight.VISIBLE)
    moved = lea.complaints.link_to(number, "part-3")
    assert (moved.sight, moved.state) == (None, ComplaintState.OPEN)
    assert plant.reported.escapes("Lyon")[0].taken_back_by == "lea"
    assert lea.complaints.link_to(number, "").part_id is None


def test_a_part_that_came_after_the_complaint_cannot_be_it(plant, lea, clock):
    [number] = keep(plant, understood(1))
    clock.pass_(days=9)
    file(plant, arrival(9, 0.05))
    with pytest.raises(BadInput, match="cannot be it"):
        lea.complaints.link_to(number, "part-9")


def test_corrections_confirm_the_fields_and_propose_anew(plant, lea):
    [number] = keep(plant, understood(1, part="part-1"))
    assert [one.kind for one in lea.complaints.acts(number)] == [ActKind.REWORK]
    made = lea.complaints.correct(number, {"size": "XL", "defect": ""}, "wrong_size", None)
    assert not made.reading.confirm
    assert made.reading.fields["size"] == Field("XL", None, "person")
    assert [one.kind for one in lea.complaints.acts(number)] == [ActKind.RELABEL]
    assert plant.complaints.counts("Lyon")[Which.TO_CONFIRM] == 0
    with pytest.raises(BadInput):
        lea.complaints.correct(number, {}, "late", "NONE")


def test_what_is_about_something_else_is_set_aside_and_can_come_back(plant, lea):
    [aside, open_] = keep(plant, understood(1, aside=True), understood(2, part="part-1"))
    assert lea.complaints.get(aside).state is ComplaintState.ASIDE
    assert lea.complaints.acts(aside) == []
    lea.complaints.correct(aside, {}, "damaged", None)
    assert lea.complaints.get(aside).state is ComplaintState.OPEN
    with pytest.raises(BadInput):
        lea.complaints.put_aside(open_, " ")
    lea.complaints.put_aside(open_, "a question")
    assert lea.complaints.acts(open_) == []
    assert plant.complaints.counts("Lyon")[Which.ASIDE] == 1


def test_an_act_is_done_only_when_a_person_confirms_it_and_once(plant, lea):
    [number] = keep(plant, understood(1, part="part-1"))
    pending = [one for one in plant.outbox.pending() if one.topic == ACT_TOPIC]
    assert pending == []
    [act] = lea.complaints.acts(number)
    assert lea.complaints.confirm_act(act.id, "today").state is ActState.CONFIRMED
    [event] = [one for one in plant.outbox.pending() if one.topic == ACT_TOPIC]
    assert event.payload["act"] == "rework"
    assert event.payload["part"] == "part-1"
    assert event.part_id == plant.complaints.get(number).part_id
    with pytest.raises(Conflict, match="lea has confirmed"):
        lea.complaints.confirm_act(act.id)
    lea.complaints.correct(number, {}, "wrong_size", None)
    assert [(one.kind, one.state) for one in lea.complaints.acts(number)] == [
        (ActKind.REWORK, ActState.CONFIRMED), (ActKind.RELABEL, ActState.PROPOSED)
    ]  # fmt: skip
    relabel = lea.complaints.acts(number)[1]
    with pytest.raises(BadInput):
        lea.complaints.decline_act(relabel.id, "")
    assert lea.complaints.decline_act(relabel.id, "was right").state is ActState.DECLINED
    assert "corrective act declined" in [one.action for one in plant.audit.recent(5)]


def test_to_notify_drafts_a_notice_without_the_customers_words(plant, lea):
    [number] = keep(plant, understood(1, ("expired",), part="part-1", text="=cmd() <b>my words</b>"))
    notify = next(one for one in lea.complaints.acts(number) if one.kind is ActKind.NOTIFY)
    lea.complaints.confirm_act(notify.id)
    [notice] = plant.complaint_notices.find("Lyon")
    assert (notice.draft.about, notice.draft.name, notice.drafted_by) == ("complaint", "R-1", "lea")
    assert "my words" not in notice.draft.body + notice.draft.title
    assert plant.complaint_notices.messages(notice.id) == []


def test_a_leavers_name_gives_way_in_complaints_too(plant, lea):
    [number] = keep(plant, understood(1, part="part-1"))
    lea.complaints.answer(number, Sight.VISIBLE)
    plant.people.disable("lea")
    plant.people.replace_name("lea")
    assert plant.complaints.get(number).answered_by != "lea"
