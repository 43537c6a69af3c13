"""Many reviewers at one queue: the benchmark's load in small, without its clock, and proof that its check can fail."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from data.store import open_store
from data.tables import tasks
from tests.benchmarks.desk_bare import BareDesks, record
from tests.benchmarks.desk_load import Act, AheadDesk, Desk, Given, Journal, Load, StoreDesk, ahead_desks, faults, run
from tests.benchmarks.desk_plant import counted, fill

TASKS, REVIEWERS = 100, 8


@pytest.mark.parametrize("desks", [None, ahead_desks], ids=["one at a time", "three ahead"])
def test_every_task_is_answered_once_and_by_one(url: str, desks: Callable[[str], Callable[[str], Desk]] | None) -> None:
    store = open_store(url)
    names = fill(store, TASKS, reviewers=REVIEWERS)
    load = Load(names, processes=2) if desks is None else Load(names, processes=2, desks=desks)
    journal = run(url, load)
    assert faults(journal) == []
    assert counted(store, "reviews") == len(journal.of("answer")) == TASKS
    assert counted(store, "tasks", "state = 'done'") == TASKS
    assert len(journal.of("empty")) == REVIEWERS
    assert len({act.who for act in journal.of("answer")}) > 1
    store.close()


class CarelessDesk(StoreDesk):
    """Looks for a task in one transaction and takes it in another, as nobody should."""

    def lease(self) -> Given | None:
        found = self._store.queue.next(1)
        if not found:
            return None
        database = self._store.database
        taken = sa.update(tasks).where(tasks.c.id == found[0].id)
        values = {"leased_by": self._store.actor.name, "leased_until": database.clock() + timedelta(hours=1)}
        with database.transaction() as connection:
            fence = connection.scalar(taken.values(values | {"fence": tasks.c.fence + 1}).returning(tasks.c.fence))
        return Given(found[0].id, found[0].revision, int(fence))


def careless_desks(url: str) -> Callable[[str], Desk]:
    store = open_store(url)
    return lambda name: CarelessDesk(store, name)


def test_a_claim_in_two_steps_does_not_pass(url: str) -> None:
    store = open_store(url)
    names = fill(store, TASKS, reviewers=REVIEWERS)
    journal = run(url, Load(names, processes=2, desks=careless_desks))
    assert any("when" in fault or "Conflict" in fault for fault in faults(journal)), faults(journal)
    store.close()


class ImpatientDesk(AheadDesk):
    """Believes the first free row it cannot lock, as SKIP LOCKED alone would have it."""

    def lease(self) -> Given | None:
        queue = self._store.queue
        counts = queue.counts()
        return None if counts.leased else super().lease()


def impatient_desks(url: str) -> Callable[[str], Desk]:
    store = open_store(url)
    return lambda name: ImpatientDesk(store, name)


def test_being_told_too_early_that_nothing_is_left_does_not_pass(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    names = fill(store, 40, reviewers=REVIEWERS)
    journal = run(sqlite_url, Load(names, processes=2, desks=impatient_desks))
    assert any("nothing is left" in fault for fault in faults(journal))
    store.close()


def test_the_check_sees_each_kind_of_fault() -> None:
    def of(*acts: tuple[str, str, int, float, float]) -> list[str]:
        return faults(Journal([Act(*act) for act in acts]))

    good = ("a", "lease", 1, 0.0, 1.0), ("a", "answer", 1, 2.0, 3.0), ("b", "empty", 0, 0.5, 4.0)
    assert of(*good) == []
    assert "was with" in of(*good, ("b", "lease", 1, 1.0, 1.5))[0]
    assert "answered 2 times" in of(*good, ("b", "answer", 1, 3.0, 3.5))[0]
    assert "nothing is left while 1 tasks waited" in of(*good, ("c", "lease", 2, 5.0, 5.5))[0]
    assert of(*good, ("c", "error: boom", 2, 5.0, 5.5)) == ["error: boom"]


def test_the_bare_driver_sends_what_the_store_sends(url: str) -> None:
    store = open_store(url)
    names = fill(store, 40, reviewers=4)
    script = record(store, names[0])
    assert any(sent.text.startswith("UPDATE tasks SET fence") for sent in script.lease)
    assert any(sent.text.startswith("INSERT INTO reviews") for sent in script.answer)
    journal = run(url, Load(names, processes=1, desks=BareDesks(script)))
    assert faults(journal) == []
    assert len(journal.of("answer")) == 38
    assert counted(store, "reviews") == counted(store, "tasks", "state = 'done'") == 40
    assert counted(store, "labels", "defective") == 40
    by = "SELECT count(DISTINCT task_id) FROM reviews r JOIN tasks t ON t.id = r.task_id AND t.closed_by = r.by"
    with store.database.reading() as connection:
        assert connection.scalar(sa.text(by)) == 40
    store.close()
