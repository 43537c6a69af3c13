"""Many reviewers at one queue, and what has to be true afterwards.

Each reviewer is a thread of one of several processes, leases and answers through a `Desk`, and writes down what it was
told and when. `faults` reads those journals: clocks of one machine are one clock.
"""

import multiprocessing
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from queue import Empty
from typing import Any, Protocol

from core.records import Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.benchmarks.desk_plant import SITE

PATIENCE_S = 600
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Given:
    """A task in somebody's hands, as far as a desk's `answer` needs it."""

    id: int
    revision: int
    fence: int


class Desk(Protocol):
    """One reviewer's way to the queue."""

    def lease(self) -> Given | None: ...

    def answer(self, task: Given) -> None: ...


class StoreDesk:
    """Through the project's own functions, as the page goes."""

    def __init__(self, store: Any, name: str) -> None:
        self._store = store.acting_as(Actor(name))

    def lease(self) -> Given | None:
        task = self._store.queue.lease(site=SITE)
        return None if task is None else Given(task.id, task.revision, task.fence)

    def answer(self, task: Given) -> None:
        review = Review(Verdict.FAIL, "", classes=("CRACK",), seconds=3.5)
        self._store.reviews.add(task.id, task.revision, task.fence, review)


class AheadDesk(StoreDesk):
    """The same with three tasks ahead, as the page keeps them."""

    def lease(self) -> Given | None:
        found = super().lease()
        if found is not None:
            self._store.queue.lease_ahead(site=SITE)
        return found


def store_desks(url: str) -> Callable[[str], Desk]:
    store = open_store(url)
    return lambda name: StoreDesk(store, name)


def ahead_desks(url: str) -> Callable[[str], Desk]:
    store = open_store(url)
    return lambda name: AheadDesk(store, name)


@dataclass(frozen=True)
class Act:
    """One call: who, what, about which task, from when to when on the machine's monotonic clock."""

    who: str
    what: str  # lease, answer, empty, or error: with its text
    task: int
    began: float
    ended: float

    @property
    def ms(self) -> float:
        return 1000 * (self.ended - self.began)


@dataclass(frozen=True)
class Load:
    """How many reviewers in how many processes, how long they think, when they stop.

    Attributes:
        think_s: drawn evenly between the two before each answer; (0, 0) saturates the store.
        seconds: stop after so long; None when nothing is left.
        desks: a module-level function of this package's: URL to a maker of desks.
    """

    names: Sequence[str]
    processes: int = 5
    think_s: tuple[float, float] = (0.0, 0.0)
    seconds: float | None = None
    desks: Callable[[str], Callable[[str], Desk]] = store_desks


@dataclass
class Journal:
    """Everything that happened, in no order."""

    acts: list[Act] = field(default_factory=list)
    began: float = 0.0

    def of(self, *what: str) -> list[Act]:
        return [act for act in self.acts if act.what in what]

    @property
    def seconds(self) -> float:
        """From the first act to the end of the last answer."""
        return max((act.ended for act in self.of("answer")), default=self.began) - self.began


def run(url: str, load: Load) -> Journal:
    """Start the processes, let all begin at once, gather what they say."""
    said, ready, go = _SPAWN.Queue(), _SPAWN.Semaphore(0), _SPAWN.Event()
    shares = [list(load.names[number :: load.processes]) for number in range(load.processes)]
    workers = [_SPAWN.Process(target=_work, args=(url, load, share, said, ready, go), daemon=True) for share in shares]
    for worker in workers:
        worker.start()
    try:
        for _ in workers:
            if not ready.acquire(timeout=PATIENCE_S):
                raise TimeoutError("a reviewing process did not start")
        began = time.monotonic()
        go.set()
        journal = Journal(began=began)
        for _ in workers:
            try:
                journal.acts += said.get(timeout=PATIENCE_S + (load.seconds or 0))
            except Empty:
                raise TimeoutError("a reviewing process did not end") from None
    finally:
        for worker in workers:
            worker.join(10)
            if worker.is_alive():
                worker.kill()
    return journal


def _work(url: str, load: Load, names: list[str], said: Any, ready: Any, go: Any) -> None:
    desk_of = load.desks(url)
    acts: list[Act] = []
    threads = [
        threading.Thread(target=_review, args=(desk_of, name, load, acts, go), name=name, daemon=True)
        for name in names
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    ready.release()
    for thread in threads:
        thread.join()
    said.put(acts)


def _review(desk_of: Callable[[str], Desk], name: str, load: Load, acts: list[Act], go: Any) -> None:
    desk, chance = desk_of(name), random.Random(name)
    go.wait()
    until = None if load.seconds is None else time.monotonic() + load.seconds
    if load.think_s[1]:
        time.sleep(chance.uniform(0, load.think_s[1]))  # people do not begin on the same beat
    while until is None or time.monotonic() < until:
        began, task = time.monotonic(), 0
        what = "lease"
        try:
            given = desk.lease()
            task, what = (0, "empty") if given is None else (given.id, "lease")
            acts.append(Act(name, what, task, began, time.monotonic()))
            if given is None:
                return
            if load.think_s[1]:
                time.sleep(chance.uniform(*load.think_s))
            began = time.monotonic()
            desk.answer(given)
            acts.append(Act(name, "answer", task, began, time.monotonic()))
        except Exception as error:  # noqa: BLE001 - whatever it is belongs into the journal, which is then refused
            acts.append(Act(name, f"error: {error!r}"[:300], task, began, time.monotonic()))
            return


def faults(journal: Journal) -> list[str]:
    """What must not be: errors, a task with two people at once, answered twice, "empty" while one waited."""
    found = sorted({act.what for act in journal.acts if act.what.startswith("error")})
    answered: dict[int, list[Act]] = defaultdict(list)
    leased: dict[int, list[Act]] = defaultdict(list)
    for act in journal.acts:
        if act.what == "answer":
            answered[act.task].append(act)
        elif act.what == "lease":
            leased[act.task].append(act)
    for task, acts in leased.items():
        acts.sort(key=lambda act: act.ended)
        for one, other in pairwise(acts):
            if one.who != other.who and not any(act.began < other.ended for act in answered[task]):
                found.append(f"task {task} was with {one.who} when {other.who} got it")
    found += [f"task {task} was answered {len(acts)} times" for task, acts in answered.items() if len(acts) > 1]
    first_asked = {task: min(act.began for act in acts) for task, acts in leased.items()}
    last = max(first_asked.values(), default=0.0)
    for act in journal.of("empty"):
        if act.ended < last:
            waited = sum(1 for began in first_asked.values() if act.ended < began)
            found.append(f"{act.who} was told that nothing is left while {waited} tasks waited")
    return found


def spread(acts: Sequence[Act]) -> dict[str, float]:
    """Median, 99th percentile and longest, in milliseconds."""
    times = sorted(act.ms for act in acts)
    if not times:
        return {}
    at = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    return {name: round(times[min(len(times) - 1, int(share * len(times)))], 1) for name, share in at.items()}
