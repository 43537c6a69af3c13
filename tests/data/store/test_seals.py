"""The sealed chain on both stores: whatever is done to it behind Holdpoint's back is found, and named."""

import threading
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from core.errors import Conflict, NotAllowed
from core.plant import AuditEvent
from core.roles import Actor, Role
from core.seals import Head, Key
from data.store import Store, open_store
from data.store.engine.unlocked import unlocked
from data.store.trail.seals import Verified
from tests.data.store.plant import PASSWORD, arrival, file, person, site

KEY = Key(b"k" * 32)
PLANT = Actor("sealer", system=True)


@pytest.fixture
def store(url, clock):
    """A plant whose trail has a few sealed events."""
    opened = open_store(url, clock=clock, key=KEY)
    site(opened)
    file(opened, arrival(1), arrival(2))
    person(opened, "ana")
    opened.people.sign_in("ana", PASSWORD)
    clock.pass_(seconds=1)
    assert opened.seals.seal(KEY) == len(opened.audit.recent())
    yield opened
    opened.close()


@contextmanager
def raw(store: Store):
    """What somebody with the database's own password can do: the triggers are dropped first."""
    with store.database.transaction() as connection, unlocked(connection, "audit_events", "audit_seals"):
        yield lambda text, **values: connection.execute(sa.text(text), values)


def look(store: Store, *heads: Head) -> Verified:
    return store.seals.verify(KEY, heads)


def found(store: Store, *heads: Head) -> list[tuple[str, int | None]]:
    return [(one.kind, one.event) for one in look(store, *heads).problems]


def event(store: Store, action: str) -> AuditEvent:
    return store.audit.recent(action=action)[0]


def test_an_untouched_trail_is_whole(store: Store):
    result = look(store)
    assert result.ok
    assert result.events == result.sealed > 5
    assert result.waiting == 0
    assert [one.seal for one in reversed(store.audit.recent())] == list(range(1, result.sealed + 1))


def test_sealing_goes_on_where_it_stopped_and_changes_nothing_twice(store: Store, clock):
    before = store.seals.head()
    assert store.seals.seal(KEY) == 0
    store.sites.pause("Lyon", "the lamp flickers")
    assert (look(store).waiting, store.seals.waiting()[0]) == (1, 1)
    assert store.seals.seal(KEY) == 1
    after = store.seals.head()
    assert (after.number, after.at) == (before.number + 1, clock.now)
    assert look(store, before, after).ok


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'something else'",
        "at = '2026-03-02 08:00:00.000000'",
        "by_id = 1",
        "by = 'nobody'",
        "action = 'policy forgotten'",
        "subject = 'part 99'",
        "model = 'net-9'",
        "policy = 99",
        "new = NULL",
        "mark = NULL",
    ],
)
def test_an_edited_event_is_found_and_named(store: Store, change: str):
    victim = event(store, "policy approved").id
    with raw(store) as sql:
        sql(
            f"UPDATE audit_events SET {change.replace('by =', chr(34) + 'by' + chr(34) + ' =')} WHERE id = :id",
            id=victim,
        )
    assert found(store) == [("edited", victim)]
    assert f"Event {victim} was edited" in look(store).problems[0].told


def test_a_removed_event_is_found_and_named(store: Store):
    victim = event(store, "policy approved").id
    with raw(store) as sql:
        sql("DELETE FROM audit_events WHERE id = :id", id=victim)
    assert found(store) == [("removed", victim)]


def test_an_event_removed_together_with_its_seal_is_found(store: Store):
    victim = event(store, "policy approved")
    with raw(store) as sql:
        sql("DELETE FROM audit_events WHERE id = :id", id=victim.id)
        sql("DELETE FROM audit_seals WHERE event_id = :id", id=victim.id)
    kinds = found(store)
    assert ("removed", None) in kinds
    assert f"seals {victim.seal} are gone" in " ".join(one.told for one in look(store).problems)


def test_closing_the_gap_after_a_removal_does_not_help(store: Store):
    victim = event(store, "policy approved")
    with raw(store) as sql:
        sql("DELETE FROM audit_events WHERE id = :id", id=victim.id)
        sql("DELETE FROM audit_seals WHERE event_id = :id", id=victim.id)
        for number in range(victim.seal + 1, look(store).sealed + 2):
            sql("UPDATE audit_seals SET number = :n - 1 WHERE number = :n", n=number)
    assert "seal changed" in {kind for kind, _ in found(store)}


def test_swapped_events_are_found_and_named(store: Store):
    one, other = event(store, "policy proposed").id, event(store, "policy approved").id
    with raw(store) as sql:
        for old, new in ((one, -1), (other, one), (-1, other)):
            sql("UPDATE audit_events SET id = :new WHERE id = :old", old=old, new=new)
    assert found(store) == [("swapped", min(one, other)), ("swapped", max(one, other))]


COLUMNS = 'at, "by", by_id, action, subject, site_id, old, new, reason, model, policy'


@pytest.mark.parametrize("sealed", [False, True], ids=["before the sealer came by", "after it"])
def test_an_inserted_event_is_found_and_named(store: Store, sealed: bool):
    with raw(store) as sql:
        sql(f"INSERT INTO audit_events ({COLUMNS}) SELECT {COLUMNS} FROM audit_events WHERE action = 'policy approved'")
    if sealed:
        store.seals.seal(KEY)
    forged = event(store, "policy approved").id
    assert found(store) == [("inserted", forged)]


def test_a_copy_with_its_mark_is_found_even_where_the_index_was_dropped(store: Store):
    original = event(store, "policy approved").id
    with raw(store) as sql:
        sql("DROP INDEX uq_audit_events_mark")
        sql(f"INSERT INTO audit_events ({COLUMNS}, mark) SELECT {COLUMNS}, mark FROM audit_events WHERE id = :id",
            id=original)  # fmt: skip
    store.seals.seal(KEY)
    (problem,) = look(store).problems
    assert problem.kind == "inserted"
    assert f"copy of event {original}" in problem.told


def test_a_changed_seal_is_found_and_named_and_no_other_is_suspected(store: Store):
    victim = event(store, "policy approved").id
    with raw(store) as sql:
        sql("UPDATE audit_seals SET content = :hex WHERE event_id = :id", hex="0" * 64, id=victim)
    kinds = found(store)
    assert ("seal changed", victim) in kinds
    assert {event for _, event in kinds} == {victim}


def test_a_seal_with_another_value_is_found_and_the_next_one_is_not_suspected(store: Store):
    victim = event(store, "policy approved").id
    with raw(store) as sql:
        sql("UPDATE audit_seals SET seal = :hex WHERE event_id = :id", hex="0" * 64, id=victim)
    assert found(store) == [("seal changed", victim)]


def test_a_tail_that_was_cut_off_is_found_by_a_head_kept_elsewhere(store: Store):
    head = store.seals.head()
    with raw(store) as sql:
        for table, column in (("audit_events", "id"), ("audit_seals", "event_id")):
            sql(f"DELETE FROM {table} WHERE {column} > :id", id=head.event - 3)
    assert found(store) == []  # the chain alone cannot tell
    assert found(store, head) == [("cut off", None)]
    assert "3 events were cut" in look(store, head).problems[0].told


def test_a_chain_that_was_cut_is_not_continued_as_if_nothing_had_happened(store: Store):
    seen = store.seals.head()
    with raw(store) as sql:
        sql("DELETE FROM audit_events")
        sql("DELETE FROM audit_seals")
    store.sites.pause("Lyon", "why")
    with pytest.raises(Conflict, match="it was cut"):
        store.seals.seal(KEY, seen)
    store.seals.seal(KEY)  # somebody who seals without having seen it
    for _ in range(seen.number):
        store.sites.pause("Lyon", "why")
    store.seals.seal(KEY)
    assert ("cut off", store.audit.recent()[1].id) in found(store, seen)


def test_nobody_seals_with_another_key_and_none_is_believed(store: Store):
    other = Key(b"o" * 32)
    store.sites.pause("Lyon", "why")
    with pytest.raises(Conflict, match="another key"):
        store.seals.seal(other)
    assert {one.kind for one in store.seals.verify(other).problems} >= {"seal changed", "inserted"}


def test_an_event_that_waits_too_long_for_its_seal_is_a_finding(store: Store, clock):
    store.sites.pause("Lyon", "why")
    assert look(store).ok
    clock.pass_(minutes=2)
    assert found(store) == [("not sealed", store.audit.recent()[0].id)]


def test_what_was_there_before_the_first_seal_is_taken_over_but_nothing_later(url, clock):
    old = open_store(url, clock=clock)  # a version before the key
    site(old)
    old.seals.seal(KEY)
    marked = open_store(url, clock=clock, key=KEY)
    marked.sites.pause("Lyon", "why")
    marked.seals.seal(KEY)
    assert look(marked).ok
    old.sites.pause("Lyon", "by a tool without the key")
    marked.seals.seal(KEY)
    assert found(marked) == [("inserted", marked.audit.recent()[0].id)]
    old.close()
    marked.close()


def test_several_processes_seal_one_chain(store: Store, url):
    for number in range(30):
        store.sites.pause("Lyon", f"reason {number}")
    stores = [open_store(url, PLANT, key=KEY) for _ in range(4)]
    done: list[int] = []
    threads = [threading.Thread(target=lambda one=one: done.append(one.seals.seal(KEY))) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for one in stores:
        one.close()
    assert sum(done) == 30
    assert look(store).ok


def test_an_event_that_becomes_visible_late_is_sealed_in_its_turn(store: Store, clock):
    """On PostgreSQL a transaction may take its id early and be kept late."""
    if store.database.is_sqlite:
        pytest.skip("SQLite numbers events in the order in which they are kept")
    slow = store.database.engine.connect()
    with slow.begin():
        from data.store.trail.audit import entry, record

        record(slow, entry(clock.now, "slow", "late", "part 1"))
        store.sites.pause("Lyon", "quick")
        assert store.seals.seal(KEY) == 1
        assert look(store).ok
    slow.close()
    assert store.seals.seal(KEY) == 1
    late, quick = event(store, "late"), event(store, "auto-PASS paused")
    assert late.id < quick.id
    assert late.seal > quick.seal
    assert look(store).ok


def test_numbers_of_transactions_that_were_rolled_back_are_explained(store: Store, clock):
    from data.store.trail.audit import entry, record

    with store.database.engine.connect() as connection, connection.begin() as transaction:
        record(connection, entry(clock.now, "x", "never", "part 1"))
        transaction.rollback()
    store.sites.pause("Lyon", "why")
    store.seals.seal(KEY)
    result = look(store)
    assert result.ok
    assert result.unused == (0 if store.database.is_sqlite else 1)


def test_an_event_removed_before_it_was_sealed_leaves_a_gap_on_sqlite(store: Store):
    if not store.database.is_sqlite:
        pytest.skip("PostgreSQL leaves such gaps by itself")
    store.sites.pause("Lyon", "first")
    store.sites.pause("Lyon", "second")
    with raw(store) as sql:
        sql("DELETE FROM audit_events WHERE id = (SELECT max(id) - 1 FROM audit_events)")
    store.seals.seal(KEY)
    assert [kind for kind, _ in found(store)] == ["removed"]


def test_a_leavers_name_is_replaced_and_the_chain_still_holds(store: Store):
    file(store, arrival(3))
    assert "ana" in {one.by for one in store.audit.recent()}
    store.people.disable("ana")
    becomes = store.people.replace_name("ana")
    store.seals.seal(KEY)
    assert look(store).ok
    assert becomes in {one.by for one in store.audit.recent()}
    with store.database.reading() as connection:
        for table in sa.inspect(connection).get_table_names():
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"')):
                assert not any(value == "ana" or str(value).endswith(" ana") for value in row), table


def test_the_trail_names_people_by_number_wherever_it_can(store: Store):
    with store.database.reading() as connection:
        rows = connection.execute(sa.text('SELECT "by", by_id, subject FROM audit_events')).all()
    number = next(row.by_id for row in rows if row.by_id is not None)
    assert not any("ana" in row.by or "person ana" in row.subject for row in rows)
    assert (f"person {number}") in {row.subject for row in rows}
    assert {one.by for one in store.audit.recent(by="ana")} == {"ana"}


def test_only_the_plants_own_processes_seal_and_only_who_may_read_the_trail_checks_it(store: Store):
    ana = store.acting_as(Actor("ana"))
    with pytest.raises(NotAllowed):
        ana.seals.seal(KEY)
    with pytest.raises(NotAllowed):
        ana.seals.verify(KEY)
    quentin = person(store, "quentin", Role.QA_LEAD)
    assert quentin.seals.verify(KEY).sealed > 0


def test_the_key_is_in_no_table(store: Store):
    secret = (KEY.secret, KEY.secret.hex(), KEY.secret.decode())
    with store.database.reading() as connection:
        for table in sa.inspect(connection).get_table_names():
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"')):
                assert not any(one in (value, str(value)) for value in row for one in secret)
    assert "kkk" not in repr(KEY)
