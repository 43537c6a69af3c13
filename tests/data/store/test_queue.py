"""Leasing: the most urgent first, one at a time, lapsing by itself."""

import pytest
import sqlalchemy as sa

from core.errors import BadInput, Conflict, NotAllowed
from core.records import TaskKind, Verdict
from core.roles import Role
from data.store import Store, open_store
from tests.data.store.plant import answer, arrival, file, person, site


@pytest.fixture
def ana(store: Store) -> Store:
    site(store)
    return person(store, "ana")


@pytest.fixture
def ben(store: Store, ana: Store) -> Store:
    return person(store, "ben")


def test_an_empty_queue_gives_nothing(ana: Store) -> None:
    assert ana.queue.lease() is None
    assert ana.queue.counts().waiting == 0


def test_the_most_urgent_comes_first(store: Store, ana: Store) -> None:
    filed = file(store, arrival(1, 0.4), arrival(2, 0.7), arrival(3, 0.5))
    ahead = ana.queue.next(3)
    assert [task.part_id for task in ahead] == [filed[1].part_id, filed[2].part_id, filed[0].part_id]
    task = ana.queue.lease()
    assert (task.part_id, task.leased_by, task.fence) == (filed[1].part_id, "ana", 1)


def test_what_has_waited_long_overtakes_a_higher_risk(store: Store, ana: Store, clock) -> None:
    [old] = file(store, arrival(1, 0.4))
    clock.pass_(hours=4)
    file(store, arrival(2, 0.75))
    assert ana.queue.lease().part_id == old.part_id


def test_whoever_comes_back_gets_the_same_task(store: Store, ana: Store, clock) -> None:
    file(store, arrival(1), arrival(2))
    first = ana.queue.lease(seconds=60)
    clock.pass_(seconds=30)
    again = ana.queue.lease(seconds=60)
    assert (again.id, again.fence) == (first.id, first.fence)
    assert again.leased_until > first.leased_until
    assert ana.queue.held().id == first.id


def test_two_people_never_get_the_same_task(store: Store, ana: Store, ben: Store) -> None:
    file(store, arrival(1), arrival(2))
    assert {ana.queue.lease().id, ben.queue.lease().id} == {task.id for task in (ana.queue.held(), ben.queue.held())}
    assert ana.queue.held().id != ben.queue.held().id
    counts = ana.queue.counts("Lyon")
    assert (counts.waiting, counts.leased) == (0, 2)


def test_a_lease_lapses_by_itself_and_the_old_one_cannot_save(store: Store, ana: Store, ben: Store, clock) -> None:
    file(store, arrival(1))
    first = ana.queue.lease(seconds=60)
    assert ben.queue.lease() is None
    clock.pass_(seconds=60)
    second = ben.queue.lease()
    assert (second.id, second.fence) == (first.id, first.fence + 1)
    with pytest.raises(Conflict, match="ben has this part now"):
        answer(ana, first)
    answer(ben, second, Verdict.PASS)
    with pytest.raises(Conflict, match="ben has answered this at 09:01 with PASS"):
        answer(ana, first)


def test_a_lapsed_lease_that_nobody_took_still_saves(store: Store, ana: Store, clock) -> None:
    file(store, arrival(1))
    task = ana.queue.lease(seconds=60)
    clock.pass_(minutes=10)
    answer(ana, task)


def test_a_task_given_back_is_anybodys(store: Store, ana: Store, ben: Store) -> None:
    file(store, arrival(1))
    task = ana.queue.lease()
    ben.queue.release(task.id, task.fence)  # not ben's to give
    assert ben.queue.lease() is None
    ana.queue.release(task.id, task.fence)
    assert ben.queue.lease().id == task.id


def test_a_lease_can_be_renewed_while_it_is_held(store: Store, ana: Store, ben: Store, clock) -> None:
    file(store, arrival(1))
    task = ana.queue.lease(seconds=60)
    clock.pass_(seconds=50)
    ana.queue.renew(task.id, task.fence, 60)
    clock.pass_(seconds=50)
    assert ben.queue.lease() is None
    clock.pass_(seconds=60)
    ben.queue.lease()
    with pytest.raises(Conflict):
        ana.queue.renew(task.id, task.fence)


def test_asking_for_something_else_gives_the_old_task_back(store: Store, ana: Store, ben: Store) -> None:
    filed = file(store, arrival(1), arrival(2, 0.1))
    store.queue.send(filed[1].part_id, TaskKind.LABEL)
    triage = ana.queue.lease([TaskKind.TRIAGE])
    label = ana.queue.lease([TaskKind.LABEL])
    assert label.kind is TaskKind.LABEL
    assert ben.queue.lease([TaskKind.TRIAGE]).id == triage.id


def test_people_see_only_the_sites_they_were_given(store: Store, ana: Store) -> None:
    site_b = store.sites.add("Oslo").name
    eve = person(store, "eve", sites=["Oslo"])
    file(store, arrival(1))
    assert eve.queue.lease() is None
    assert eve.queue.counts().waiting == 0
    with pytest.raises(NotAllowed):
        eve.queue.lease(site="Lyon")
    [filed] = file(store, arrival(1), at=site_b)
    assert eve.queue.lease().part_id == filed.part_id
    assert ana.queue.lease(site="Lyon").site == "Lyon"


def test_a_part_sent_twice_has_one_task(store: Store, ana: Store) -> None:
    [filed] = file(store, arrival(1, 0.1))
    first = ana.queue.send(filed.part_id, reason="looks odd")
    assert ana.queue.send(filed.part_id).id == first.id
    assert ana.queue.counts().kinds == {"triage": 1}


def test_done_today_counts_from_midnight_at_the_site(store: Store, ana: Store, clock) -> None:
    store.sites.set_timezone("Lyon", "Europe/Paris")
    file(store, arrival(1), arrival(2), arrival(3))
    answer(ana, ana.queue.lease())
    task = ana.queue.lease()
    answer(ana, task)
    assert ana.queue.counts("Lyon").done_today == 2
    ana.reviews.undo(task_id=task.id)
    assert ana.queue.counts("Lyon").done_today == 1
    clock.pass_(hours=14)  # 23:00 UTC is midnight in Paris
    assert ana.queue.counts("Lyon").done_today == 0


def test_previous_lists_what_can_be_undone(store: Store, ana: Store, ben: Store, clock) -> None:
    file(store, *(arrival(number) for number in range(4)))
    done = []
    for worker in (ana, ana, ben):
        task = worker.queue.lease()
        answer(worker, task)
        done.append(task.id)
        clock.pass_(seconds=5)
    assert [task.id for task in ana.queue.previous()] == [done[1], done[0]]
    ana.reviews.undo(task_id=done[1])
    assert [task.id for task in ana.queue.previous()] == [done[0]]


def test_a_held_part_is_never_withdrawn(store: Store, ana: Store) -> None:
    lead = person(store, "lea", Role.QA_LEAD)
    [held, passed] = file(store, arrival(1), arrival(2, 0.1))
    with pytest.raises(Conflict, match="released by a review"):
        lead.queue.withdraw(ana.queue.next(1)[0].id, "no time")
    task = store.queue.send(passed.part_id, TaskKind.LABEL)
    lead.queue.withdraw(task.id, "not needed")
    assert ana.queue.counts().kinds == {"triage": 1}
    assert held.part_id == ana.queue.lease().part_id


@pytest.mark.parametrize("seconds", [0, -1, 10**6])
def test_a_lease_has_a_sensible_length(ana: Store, seconds: float) -> None:
    with pytest.raises(BadInput):
        ana.queue.lease(seconds=seconds)


def test_the_queue_is_read_from_its_index(sqlite_url: str) -> None:
    store = open_store(sqlite_url)  # PostgreSQL plans by statistics that a small table does not have
    site(store)
    asked: list[tuple[str, object]] = []
    sa.event.listen(
        store.database.engine, "before_cursor_execute", lambda *said: asked.append((said[2], said[3])), named=False
    )
    for lessee in (person(store, "ana"), person(store, "ben", sites=["Lyon"])):
        asked.clear()
        lessee.queue.lease()
        [claim] = [said for said in asked if said[0].startswith("UPDATE tasks SET fence")]
        with store.database.engine.connect() as connection:
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {claim[0]}", claim[1]).all())
        assert "tasks USING INDEX ix_tasks_rank" in plan or "tasks USING INDEX ix_tasks_site_rank" in plan
        assert "ix_reviews_part" in plan
        assert plan.count("TEMP B-TREE") <= 3  # of the few leased ones: in hand, ahead, and ahead of others
