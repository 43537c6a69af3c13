"""Retention and the leaving of people, on both stores."""

import pytest
import sqlalchemy as sa

from core.errors import BadInput, Conflict
from core.records import ImageState, Verdict
from core.retention import DataClass
from core.roles import Role
from core.seals import Key
from data.columns import METADATA
from data.store import Store, open_store
from data.store.engine.unlocked import unlocked
from data.store.people.leaving import name_columns
from tests.data.store.plant import answer, arrival, file, person, site

KEY = Key(b"k" * 32)


@pytest.fixture
def store(url, clock):
    opened = open_store(url, clock=clock, key=KEY)
    site(opened)
    yield opened
    opened.close()


def review_all(store: Store, name: str = "ines") -> Store:
    """Answer every task, so that none is open."""
    ines = person(store, name)
    while (task := ines.queue.lease()) is not None:
        answer(ines, task, Verdict.PASS)
    return ines


def test_a_rule_is_a_number_of_days_that_makes_sense_and_leaves_a_trace(store: Store):
    assert store.upkeep.rules() == {}
    store.upkeep.set_rule(DataClass.ORIGINALS, 90)
    assert store.upkeep.rules() == {DataClass.ORIGINALS: 90}
    for kind, days in ((DataClass.ORIGINALS, 3), (DataClass.AUDIT, 30), (DataClass.PREVIEWS, 0)):
        with pytest.raises(BadInput, match="choose"):
            store.upkeep.set_rule(kind, days)
    store.upkeep.set_rule(DataClass.ORIGINALS, None)
    assert store.upkeep.rules() == {}
    assert [(one.old["days"], one.new["days"]) for one in store.audit.recent(action="retention set")] == [
        (90, None),
        (None, 90),
    ]


def test_only_old_pictures_without_an_open_task_may_go(store: Store, clock):
    file(store, arrival(1), arrival(2, score=0.1))  # the first is held, the second passes
    clock.pass_(days=100)
    file(store, arrival(3, score=0.1))
    before = clock.pass_(days=1)
    before = before.replace(day=1)
    assert [one.id for one in store.upkeep.old_images(before)] == [2]
    review_all(store)
    assert [one.id for one in store.upkeep.old_images(before)] == [1, 2]


def test_a_picture_whose_file_a_younger_one_needs_stays(store: Store, clock):
    file(store, arrival(1, score=0.1))
    clock.pass_(days=100)
    before = clock.now
    clock.pass_(days=1)
    again = arrival(2, score=0.1)
    file(store, type(again)(**{**again.__dict__, "path": arrival(1).path}))
    assert store.upkeep.old_images(before) == []


def test_a_picture_that_a_dataset_names_stays(store: Store, clock):
    file(store, arrival(1, score=0.1), arrival(2, score=0.1))
    store.datasets.add("first", {"items": [{"path": arrival(1).path}]}, "0" * 64)
    clock.pass_(days=100)
    assert [one.id for one in store.upkeep.old_images(clock.now)] == [2]


def test_a_deleted_picture_keeps_its_decision_and_says_why_it_is_gone(store: Store, clock):
    (filed,) = file(store, arrival(1, score=0.1))
    decided = store.parts.decision(filed.part_id)
    clock.pass_(days=100)
    gone = store.upkeep.forget_images([filed.image_id, 999], clock.now, 90)
    assert [one.id for one in gone] == [filed.image_id]
    image = store.images.get(filed.image_id)
    assert (image.state, "deleted after 90 days" in image.state_note) == (ImageState.MISSING, True)
    assert store.parts.decision(filed.part_id) == decided
    assert store.queue.counts().waiting == 0
    assert store.audit.recent(1)[0].action == "picture deleted"
    assert store.upkeep.forget_images([filed.image_id], clock.now, 90) == []


def test_a_task_that_was_opened_meanwhile_holds_the_picture_back(store: Store, clock):
    (filed,) = file(store, arrival(1, score=0.1))
    clock.pass_(days=100)
    (old,) = store.upkeep.old_images(clock.now)
    store.queue.send(filed.part_id)
    assert store.upkeep.forget_images([old.id], clock.now, 90) == []


def test_old_rows_of_the_trail_go_and_the_chain_still_holds(store: Store, clock):
    file(store, arrival(1), arrival(2, score=0.1))
    clock.pass_(days=400)
    review_all(store)
    store.seals.seal(KEY)
    old = store.upkeep.delete_events(clock.now, 365)
    store.seals.seal(KEY)
    assert len(old.events) > 5
    result = store.seals.verify(KEY)
    assert (result.problems, result.deleted) == ((), len(old.events))
    assert store.audit.recent(action="audit events deleted")[0].new["count"] == len(old.events)
    assert store.upkeep.delete_events(clock.now, 365).events == ()
    assert min(one.id for one in store.audit.recent(1000)) > max(old.events)


def test_rows_about_an_open_task_stay_and_are_missed_when_somebody_takes_them(store: Store, clock):
    held, _passed = file(store, arrival(1), arrival(2, score=0.1))
    clock.pass_(days=400)
    store.sites.pause("Lyon", "a young event")
    store.seals.seal(KEY)
    old = store.upkeep.delete_events(clock.now, 365)
    store.seals.seal(KEY)
    (kept,) = [one for one in store.audit.recent(100) if one.subject == f"part {held.part_id}"]
    assert kept.id in old.kept
    assert store.seals.verify(KEY).ok
    with store.database.transaction() as connection, unlocked(connection, "audit_events"):
        connection.execute(sa.text("DELETE FROM audit_events WHERE id = :id"), {"id": kept.id})
    assert [(one.kind, one.event) for one in store.seals.verify(KEY).problems] == [("removed", kept.id)]


def test_a_deletion_that_holdpoint_did_not_write_explains_nothing(store: Store, clock):
    store.sites.pause("Lyon", "why")
    store.seals.seal(KEY)
    victim = store.audit.recent(2)[1]
    with store.database.transaction() as connection, unlocked(connection, "audit_events"):
        connection.execute(sa.text("DELETE FROM audit_events WHERE id = :id"), {"id": victim.id})
        connection.execute(
            sa.text(
                'INSERT INTO audit_events (at, "by", action, subject, reason, new) VALUES '
                "('2026-03-02 09:00:00.000000', 'x', 'audit events deleted', 'audit trail', '', "
                '\'{"through": 1000, "kept": [], "count": 1}\')'
            )
        )
    assert ("removed", victim.id) in [(one.kind, one.event) for one in store.seals.verify(KEY).problems]


def test_without_the_key_no_row_of_the_trail_is_deleted(url, clock):
    keyless = open_store(url, clock=clock)
    with pytest.raises(BadInput, match="key"):
        keyless.upkeep.delete_events(clock.now, 365)
    keyless.close()


@pytest.mark.parametrize("change", ["audit_events SET id = id", "audit_seals SET number = number"])
def test_append_only_tables_are_protected_again_after_a_deletion(store: Store, clock, change: str):
    clock.pass_(days=400)
    store.seals.seal(KEY)
    assert store.upkeep.delete_events(clock.now, 365).events
    with store.database.transaction() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.execute(sa.text(f"UPDATE {change}"))


def test_the_newest_event_stays_so_that_no_number_is_used_twice(store: Store, clock):
    clock.pass_(days=400)
    store.seals.seal(KEY)
    newest = store.audit.recent(1)[0].id
    assert newest not in store.upkeep.delete_events(clock.now, 365).events
    store.seals.seal(KEY)
    assert [one.id for one in store.audit.recent(9)] == [newest + 1, newest]
    assert store.seals.verify(KEY).ok


def test_a_leaver_is_a_number_in_every_table_and_stays_so(store: Store):
    file(store, arrival(1), arrival(2))
    ines = review_all(store)
    assert {one.by for one in store.reviews.of_part(1)} == {"ines"}
    with pytest.raises(Conflict, match="disable it first"):
        store.people.replace_name("ines")
    store.people.disable("ines")
    becomes = store.people.replace_name("ines")
    assert {one.by for one in store.reviews.of_part(1)} == {becomes}
    assert {one.by for one in store.audit.recent(action="reviewed")} == {becomes}
    with pytest.raises(Conflict, match="has left"):
        store.people.enable(becomes)
    with pytest.raises(BadInput):
        store.people.add(becomes, "kettle orbit velvet nine", Role.INSPECTOR)
    assert ines.actor.name not in [one.name for one in store.people.all()]


def test_every_column_that_names_a_person_is_known_to_the_leaving():
    known = {(table, column) for table, columns in name_columns().items() for column in columns}
    assert {("reviews", "by"), ("policies", "proposed_by"), ("tasks", "leased_by"), ("jobs", "by")} <= known
    texts = {(table.name, column.name) for table in METADATA.sorted_tables for column in table.columns
             if isinstance(column.type, sa.String)}  # fmt: skip
    suspicious = {one for one in texts if any(word in one[1] for word in ("person", "user", "who", "author", "_by"))}
    assert suspicious <= known
