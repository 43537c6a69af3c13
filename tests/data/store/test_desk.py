"""The whole desk against a small model of it: leases, reviews, undo, lapses and second looks in any order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.errors import Conflict
from core.records import Review, Task, TaskKind, Verdict
from core.roles import Actor, Role
from data.store import Store, open_store
from tests.data.store.conftest import _run, _with_database
from tests.data.store.plant import PASSWORD, arrival, file, site

PEOPLE = ("ana", "ben", "eve")
people = st.sampled_from(PEOPLE)


class Desk(RuleBasedStateMachine):
    """What must hold: a task is in one person's hands, an answer is saved once, nothing is lost."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.number = 0
        self.seen: dict[str, Task] = {}  # the last task each person was given, perhaps long ago
        self.hands: dict[int, tuple[str, int, datetime]] = {}  # task: who, fence, until
        self.answers: list[tuple[int, str]] = []  # (task, who) that stand, oldest first
        self.parts: set[int] = set()
        self.store = self.fresh()
        site(self.store)
        for name in PEOPLE:
            self.store.people.add(name, PASSWORD, Role.INSPECTOR)

    def fresh(self) -> Store:
        raise NotImplementedError

    def as_(self, name: str) -> Store:
        return self.store.acting_as(Actor(name))

    @rule()
    def a_part_is_held(self) -> None:
        self.number += 1
        [filed] = file(self.store, arrival(self.number), now=self.now)
        self.parts.add(filed.part_id)

    @rule(seconds=st.integers(1, 400))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(who=people)
    def somebody_leases(self, who: str) -> None:
        task = self.as_(who).queue.lease(seconds=300, now=self.now)
        if task is None:
            return
        before = self.hands.get(task.id)
        if before is not None:
            holder, fence, until = before
            assert holder == who or until <= self.now, "a task was taken out of somebody's hands"
            same = holder == who and until > self.now
            assert task.fence == fence if same else task.fence > fence
        for other, (holder, _, _) in list(self.hands.items()):
            if holder == who and other != task.id:
                del self.hands[other]  # given back, although its fence stays
        self.hands[task.id] = (who, task.fence, task.leased_until)
        self.seen[who] = task

    @precondition(lambda self: self.seen)
    @rule(who=people, verdict=st.sampled_from(Verdict))
    def somebody_answers_what_they_last_saw(self, who: str, verdict: Verdict) -> None:
        task = self.seen.get(who)
        if task is None:
            return
        mine = self.hands.get(task.id)
        allowed = mine is not None and mine[:2] == (who, task.fence)
        try:
            self.as_(who).reviews.add(task.id, task.revision, task.fence, Review(verdict, who), now=self.now)
        except Conflict:
            assert not allowed, "an answer under a good lease was refused"
            return
        assert allowed, "an answer without a lease was saved"
        del self.hands[task.id]
        self.answers.append((task.id, who))

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def somebody_undoes_their_answer(self, data: st.DataObject) -> None:
        task_id, who = data.draw(st.sampled_from(self.answers))
        try:
            task = self.as_(who).reviews.undo(task_id=task_id, now=self.now)
        except Conflict:
            return
        self.answers.remove((task_id, who))
        for other, (holder, _, _) in list(self.hands.items()):
            if holder == who:
                del self.hands[other]
        self.hands[task.id] = (who, task.fence, task.leased_until)
        self.seen[who] = task

    @invariant()
    def every_held_part_is_waiting_or_answered(self) -> None:
        for part_id in self.parts:
            said = self.store.reviews.of_part(part_id)
            last = said[-1].verdict if said else Verdict.UNSURE
            label = self.store.labels.get(self.store.images.of_part(part_id)[0].id)
            assert (label is not None) == any(one.verdict is not Verdict.UNSURE for one in _last_words(said))
            if last is Verdict.UNSURE:
                counts = self.store.queue.counts(now=self.now)
                assert counts.waiting + counts.leased > 0
        assert len(self.answers) == sum(len(self.store.reviews.of_part(part_id)) for part_id in self.parts)

    @invariant()
    def nobody_gets_a_second_look_at_their_own_doubt(self) -> None:
        for who, task in self.seen.items():
            if task.kind is TaskKind.SECOND_LOOK and task.id in self.hands and self.hands[task.id][0] == who:
                said = self.store.reviews.of_part(task.part_id)
                assert who not in [one.by for one in said]

    def teardown(self) -> None:
        self.store.close()


def _last_words(said):
    return list({one.by: one for one in said}.values())


def _machine(fresh) -> type[Desk]:
    class Machine(Desk):
        def fresh(self) -> Store:
            return fresh()

    return Machine


@pytest.mark.parametrize(("kind", "examples", "steps"), [("sqlite", 12, 30), ("postgresql", 3, 20)])
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
        _run(server, f"CREATE DATABASE desk_{made} TEMPLATE holdpoint_template")
        return open_store(_with_database(server, f"desk_{made}"))

    run_state_machine_as_test(
        _machine(fresh),
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
