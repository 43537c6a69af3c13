"""What is left when the power goes, or a process is killed: everything that was acknowledged, and whole."""

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from pysqlite3 import dbapi2

from data.store import open_store
from data.store.engine import checkpoints
from data.tables import reviews, tasks
from tests.benchmarks.desk_load import StoreDesk
from tests.benchmarks.desk_plant import fill
from tests.data.store.power import Disk, Event, watch

ANSWERS, PEOPLE = 24, 3


def reviewing(folder: str, told: str, lie: str) -> None:
    """In a process of its own: reviewers answer on a disk that is watched; what they were told is noted in between."""
    disk = Disk()
    checkpoints.PAGES = 60  # so that the log is carried over and begun anew while they answer
    checkpoints.LIMIT_PAGES = 120
    kept = watch(disk, lambda path: lie != "lost syncs")
    store = open_store(f"sqlite:///{folder}/desk.sqlite3")
    if lie == "synchronous normal":
        sa.event.listen(store.database.engine, "connect", lambda one, _: one.execute("PRAGMA synchronous=NORMAL"))
        store.close()  # what was opened before
    names = fill(store, ANSWERS, reviewers=PEOPLE)

    def review(name: str) -> None:
        desk = StoreDesk(store, name)
        while (task := desk.lease()) is not None:
            desk.answer(task)
            disk.events.append(Event("told", data=str(task.id).encode()))

    threads = [threading.Thread(target=review, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Path(told).write_bytes(pickle.dumps(disk.events))
    assert kept
    os._exit(0)  # no tidy end: the power is gone anyway


def _watched(tmp_path: Path, lie: str = "") -> Disk:
    (tmp_path / "run").mkdir()
    code = f"from tests.data.store.test_power import reviewing; reviewing({str(tmp_path / 'run')!r}, *sys.argv[1:])"
    subprocess.run(
        [sys.executable, "-c", f"import sys; {code}", str(tmp_path / "events"), lie],
        env=os.environ | {"PYTHONPATH": "."}, check=True, timeout=240,
    )  # fmt: skip
    return Disk(pickle.loads((tmp_path / "events").read_bytes()))


def _found(folder: Path) -> tuple[set[int], list[str]]:
    """The tasks whose answer a store still has, and what is not whole in it."""
    engine = sa.create_engine(f"sqlite:///{folder / 'desk.sqlite3'}", module=dbapi2)
    try:
        with engine.connect() as connection:
            wrong = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
            wrong += [str(row) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
            answered = set(connection.scalars(sa.select(reviews.c.task_id)))
            done = set(connection.scalars(sa.select(tasks.c.id).where(tasks.c.state == "done")))
            told = set(connection.scalars(sa.text("SELECT part_id FROM outbox WHERE topic = 'review'")))
    except sa.exc.DatabaseError as error:
        return set(), [f"cannot be read: {error.orig}"]
    finally:
        engine.dispose()
    if not answered == done == told:
        wrong.append(f"half an answer: {(answered ^ done) | (answered ^ told)}")
    return answered, wrong


def _lost(disk: Disk, tmp_path: Path, cuts: int) -> tuple[int, list[str]]:
    """How many of the cuts lost an acknowledged answer, and what was not whole after any of them."""
    chance = random.Random(2026)
    first = next(place for place, event in enumerate(disk.events) if event.what == "told")
    moments = sorted({chance.randint(first, len(disk.events)) for _ in range(cuts)} | {len(disk.events)})
    losses, wrong = 0, []
    for number, moment in enumerate(moments):
        told = {int(event.data) for event in disk.events[:moment] if event.what == "told"}
        found, bad = _found(disk.after(moment, tmp_path / f"cut-{number}", chance if number % 2 else None))
        losses += bool(told - found)
        wrong += bad
    return losses, wrong


def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    disk = _watched(tmp_path)
    assert sum(event.what == "told" for event in disk.events) == ANSWERS
    assert any(event.what == "write" and event.path.endswith(".sqlite3") for event in disk.events[-400:])
    assert _lost(disk, tmp_path, 24) == (0, [])


@pytest.mark.parametrize("lie", ["lost syncs", "synchronous normal"])
def test_the_same_without_syncs_does_lose(tmp_path: Path, lie: str) -> None:
    disk = _watched(tmp_path, lie)
    losses, _ = _lost(disk, tmp_path, 8)
    assert losses > 0


def test_a_killed_reviewer_leaves_whole_answers_and_all_that_were_acknowledged(url: str) -> None:
    store = open_store(url)
    fill(store, 200, reviewers=4)
    code = (
        "import json, sys, threading\n"
        "from data.store import open_store\n"
        "from tests.benchmarks.desk_load import StoreDesk\n"
        f"store = open_store({url!r})\n"
        "def review(name):\n"
        "    desk = StoreDesk(store, name)\n"
        "    while (task := desk.lease()) is not None:\n"
        "        desk.answer(task)\n"
        "        sys.stdout.write(json.dumps(task.id) + '\\n'); sys.stdout.flush()\n"
        "for number in range(4):\n"
        "    threading.Thread(target=review, args=(f'inspector-{number:03}',)).start()\n"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "."}
    )
    assert killed.stdout is not None
    told = []
    for line in killed.stdout:
        told.append(json.loads(line))
        if len(told) == 20:
            killed.send_signal(signal.SIGKILL)
    killed.wait()
    with store.database.reading() as connection:
        answered = list(connection.scalars(sa.select(reviews.c.task_id)))
        done = set(connection.scalars(sa.select(tasks.c.id).where(tasks.c.state == "done")))
        outbox = set(connection.scalars(sa.text("SELECT part_id FROM outbox WHERE topic = 'review'")))
    assert len(answered) == len(set(answered))
    assert set(told) <= set(answered)
    assert set(answered) == done == outbox
    store.close()
