"""The whole desk in any order: leases, tasks ahead, reviews, undo, lapses, giving back and second looks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.errors import Conflict
from core.records import Review, Task, TaskKind, Verdict
from core.roles import Actor
from data.store import Store, open_store
from data.tables import reviews, tasks
from tests.benchmarks.desk_plant import people as hire
from tests.conftest import _run, _with_database
from tests.data.store.plant import arrival, file, site

PEOPLE = ("inspector-000", "inspector-001", "inspector-002")
people = st.sampled_from(PEOPLE)
choice = st.integers(0, 10**6)


class Desk(RuleBasedStateMachine):
    """What must hold: a task is in one person's hands, what is acknowledged is stored once, nothing gets stuck."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.number = 0
        self.seen: dict[str, list[Task]] = {name: [] for name in PEOPLE}  # what each was ever given, stale ones too
        self.stored: dict[int, tuple[int, str]] = {}  # acknowledged review: task and who
        self.undone: set[int] = set()
        self.acts: list[tuple[str, Task, str, int]] = []  # who, task, act, review
        self.store = self.fresh()
        site(self.store)
        hire(self.store, len(PEOPLE))

    def fresh(self) -> Store:
        raise NotImplementedError

    def as_(self, name: str) -> Store:
        return self.store.acting_as(Actor(name))

    def rows(self) -> dict[int, Any]:
        """Every task as the store has it."""
        with self.store.database.reading() as connection:
            return {row.id: row for row in connection.execute(sa.select(tasks))}

    def doubted(self, who: str, row: Any) -> bool:
        """Whether the task is a second look at this person's own answer."""
        said = [one.by for one in self.store.reviews.of_part(row.part_id)]
        return row.kind == TaskKind.SECOND_LOOK and who in said

    def held(self, row: Any) -> bool:
        return row.leased_by is not None and row.leased_until > self.now

    @rule()
    def a_part_is_held(self) -> None:
        self.number += 1
        file(self.store, arrival(self.number), now=self.now)

    @rule(seconds=st.sampled_from((1, 20, 31, 290, 301)))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(who=people)
    def somebody_leases(self, who: str) -> None:
        before = self.rows()
        task = self.as_(who).queue.lease(seconds=300, now=self.now)
        if task is None:
            self.nothing_was_left_for(who, before)
            return
        row = before[task.id]
        assert row.state == "open"
        assert not self.doubted(who, row)
        if self.held(row) and row.leased_by != who:
            assert row.ahead, "a task was taken out of somebody's hands"
            self.nothing_was_left_for(who, before, but_ahead=True)
        assert (task.fence == row.fence) if row.leased_by == who else (task.fence > row.fence)
        assert (task.leased_by, task.ahead) == (who, False)
        self.seen[who].append(task)

    def nothing_was_left_for(self, who: str, rows: dict[int, Any], but_ahead: bool = False) -> None:
        for row in rows.values():
            if row.state != "open" or self.doubted(who, row):
                continue
            assert row.leased_by != who, "somebody was sent away from their own task"
            assert self.held(row), "somebody was sent away while a task waited"
            assert but_ahead or not row.ahead, "somebody was sent away while another only had it ahead"

    @rule(who=people, n=st.integers(0, 3))
    def somebody_has_tasks_ahead(self, who: str, n: int) -> None:
        before = self.rows()
        ahead = self.as_(who).queue.lease_ahead(n, now=self.now)
        mine = [row for row in before.values() if row.state == "open" and row.leased_by == who and self.held(row)]
        if all(row.ahead for row in mine):
            assert ahead == []
            return
        had = sorted((row for row in mine if row.ahead), key=lambda row: (row.leased_at, row.rank, row.id))
        kept = [row.id for row in had if not self.doubted(who, row)][:n]
        assert [task.id for task in ahead][: len(kept)] == kept, "the order changed"
        free = [row for row in before.values() if row.state == "open" and not self.held(row)]
        assert len(ahead) == min(n, len(kept) + sum(not self.doubted(who, row) for row in free))
        for task in ahead:
            row = before[task.id]
            assert not self.held(row) or row.leased_by == who
            assert task.ahead
            assert (task.fence == row.fence) if row.leased_by == who else (task.fence > row.fence)
        self.seen[who] += ahead

    @precondition(lambda self: any(self.seen.values()))
    @rule(who=people, which=choice, verdict=st.sampled_from(Verdict))
    def somebody_answers_something_they_have_seen(self, who: str, which: int, verdict: Verdict) -> None:
        if not self.seen[who]:
            return
        task = self.seen[who][-1 - which % min(4, len(self.seen[who]))]
        row = self.rows()[task.id]
        good = (row.state, row.leased_by, row.fence, row.revision) == ("open", who, task.fence, task.revision)
        act = f"act-{len(self.acts):08}"
        try:
            found = self.send(who, task, verdict, act)
        except Conflict:
            assert not good, "an answer under a good lease was refused"
            return
        assert good, "an answer without a lease was saved"
        assert found not in self.stored
        self.stored[found] = (task.id, who)
        self.acts.append((who, task, act, found))

    def send(self, who: str, task: Task, verdict: Verdict, act: str) -> int:
        review = Review(verdict, who)
        return self.as_(who).reviews.add(task.id, task.revision, task.fence, review, now=self.now, act=act)

    @precondition(lambda self: self.acts)
    @rule(which=choice, verdict=st.sampled_from(Verdict))
    def a_browser_sends_an_act_again(self, which: int, verdict: Verdict) -> None:
        who, task, act, found = self.acts[which % len(self.acts)]
        assert self.send(who, task, verdict, act) == found

    @precondition(lambda self: self.stored)
    @rule(which=choice)
    def somebody_undoes_their_answer(self, which: int) -> None:
        review_id = sorted(self.stored)[which % len(self.stored)]
        _, who = self.stored[review_id]
        try:
            task = self.as_(who).reviews.undo(review_id=review_id, now=self.now)
        except Conflict:
            return
        assert review_id not in self.undone
        self.undone.add(review_id)
        self.seen[who].append(task)

    @rule(who=people, ahead=st.booleans())
    def somebody_gives_back(self, who: str, ahead: bool) -> None:
        queue = self.as_(who).queue
        if ahead:
            queue.release_ahead(now=self.now)
        elif self.seen[who]:
            queue.release(self.seen[who][-1].id, self.seen[who][-1].fence, now=self.now)
        mine = [row for row in self.rows().values() if row.state == "open" and row.leased_by == who]
        assert not (ahead and any(row.ahead for row in mine))

    @invariant()
    def each_has_one_task_in_hand_at_most(self) -> None:
        in_hand = [row.leased_by for row in self.rows().values() if self.held(row) and not row.ahead]
        assert len(in_hand) == len(set(in_hand))

    @invariant()
    def what_was_acknowledged_is_stored_once(self) -> None:
        with self.store.database.reading() as connection:
            rows = connection.execute(sa.select(reviews.c.id, reviews.c.task_id, reviews.c.by, reviews.c.undoes)).all()
        assert {row.id: (row.task_id, row.by) for row in rows if row.undoes is None} == self.stored
        assert sorted(row.undoes for row in rows if row.undoes is not None) == sorted(self.undone)

    @invariant()
    def the_counts_add_up(self) -> None:
        waiting = [row for row in self.rows().values() if row.state == "open"]
        for who in PEOPLE:
            counts = self.as_(who).queue.counts(now=self.now)
            in_no_hand = [row for row in waiting if not self.held(row) or row.ahead]
            not_theirs = [row for row in in_no_hand if self.doubted(who, row)]
            assert sum(counts.kinds.values()) == len(waiting)
            assert counts.waiting + counts.leased + counts.ahead == len(waiting) - len(not_theirs)
            assert counts.all_caught_up == (len(in_no_hand) == len(not_theirs))

    def teardown(self) -> None:
        """Whatever has happened, people who come back a day later can finish everything."""
        self.now += timedelta(days=1)
        for _ in range(2):
            for who in PEOPLE:
                while (task := self.as_(who).queue.lease(now=self.now)) is not None:
                    self.send(who, task, Verdict.PASS, f"last-{who}-{task.id}-{task.revision}")
        left = [row for row in self.rows().values() if row.state == "open"]
        assert all(self.doubted(who, row) for row in left for who in PEOPLE), "a task cannot be reached"
        self.store.close()


def _machine(fresh) -> type[Desk]:
    class Machine(Desk):
        def fresh(self) -> Store:
            return fresh()

    return Machine


@pytest.mark.parametrize(("kind", "examples", "steps"), [("sqlite", 14, 30), ("postgresql", 4, 25)])
def test_the_desk_keeps_its_promises(
    kind: str, examples: int, steps: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    made = 0

    def fresh() -> Store:
        nonlocal made
        made += 1
        if kind == "sqlite":
            path = tmp_path / f"{made}.sqlite3"
            path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
            return open_store(f"sqlite:///{path}")
        server = request.getfixturevalue("postgresql_server")
        _run(server, f"CREATE DATABASE desk_{made} TEMPLATE holdpoint_template STRATEGY FILE_COPY")
        return open_store(_with_database(server, f"desk_{made}"))

    run_state_machine_as_test(
        _machine(fresh),
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
