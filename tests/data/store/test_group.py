"""Group commit: threads that write at once share the disk's time, never each other's fate."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
import sqlalchemy as sa

from core.errors import Busy
from data.store import Store, open_store
from data.store.engine.database import Database
from data.store.engine.group import MOST_WORKS, Group
from data.store.engine.turns import Turns
from data.tables import workers


class Watched:
    """A file store whose commits are counted, and whose first work can be held up so that others gather behind it."""

    def __init__(self, url: str) -> None:
        self.store = open_store(url)
        self.database: Database = self.store.database
        self.commits = 0
        sa.event.listen(self.database.engine, "commit", lambda _: setattr(self, "commits", self.commits + 1))

    def names(self) -> set[str]:
        with self.database.reading() as connection:
            return set(connection.scalars(sa.select(workers.c.name)))

    def together(self, *works) -> list[object]:
        """Run works in threads of their own, all of them waiting before the first one goes on."""
        group = self.database.group
        assert group is not None
        outcomes: list[object] = [None] * len(works)

        def run(place: int) -> None:
            try:
                with self.database.transaction() as connection:
                    if place == 0:
                        _until(lambda: len(group._waiting) == len(works) - 1)
                    works[place](connection)
                outcomes[place] = "kept"
            except Exception as error:  # noqa: BLE001 - the test looks at it
                outcomes[place] = error

        threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
        threads[0].start()
        _until(lambda: group._taken)
        for thread in threads[1:]:
            thread.start()
        for thread in threads:
            thread.join(60)
        return outcomes


@pytest.fixture
def watched(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr("data.store.engine.group.LONGEST_S", 60.0)  # a slow machine; how long is another test's
    return Watched(sqlite_url)


def _until(true) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.001)


def _write(name: str):
    def work(connection: sa.Connection) -> None:
        at = sa.func.coalesce(None, "2026-03-02 09:00:00.000000")
        connection.execute(sa.insert(workers).values(name=name, heartbeat_at=at))

    return work


def _write_and_fail(name: str):
    def work(connection: sa.Connection) -> None:
        _write(name)(connection)
        raise ValueError(name)

    return work


def test_works_that_wait_share_a_commit(watched: Watched) -> None:
    works = [_write(f"w{number}") for number in range(8)]
    assert watched.together(*works) == ["kept"] * 8
    assert watched.names() == {f"w{number}" for number in range(8)}
    assert watched.commits <= 2


def test_a_group_is_bounded(watched: Watched) -> None:
    works = [_write(f"w{number}") for number in range(2 * MOST_WORKS)]
    assert watched.together(*works) == ["kept"] * len(works)
    assert len(watched.names()) == 2 * MOST_WORKS
    assert watched.commits >= 2


def test_a_group_ends_in_time_for_other_processes(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.store.engine.group.LONGEST_S", 0.0)
    assert watched.together(*(_write(f"w{number}") for number in range(4))) == ["kept"] * 4
    assert watched.commits == 4


@pytest.mark.parametrize("failing", [0, 1, 3])
def test_one_that_fails_is_undone_alone(watched: Watched, failing: int) -> None:
    works = [(_write_and_fail if number == failing else _write)(f"w{number}") for number in range(4)]
    outcomes = watched.together(*works)
    assert [str(one) for one in outcomes] == [f"w{n}" if n == failing else "kept" for n in range(4)]
    assert watched.names() == {f"w{number}" for number in range(4)} - {f"w{failing}"}


def test_a_refusal_of_the_database_undoes_one_alone_too(watched: Watched) -> None:
    outcomes = watched.together(_write("a"), _write("b"), _write("a"), _write("c"))
    assert [one for one in outcomes if one != "kept"] == [outcomes[2]] or isinstance(outcomes[2], str)
    refused = [one for one in outcomes if isinstance(one, sa.exc.IntegrityError)]
    assert len(refused) == 1
    assert watched.names() == {"a", "b", "c"}


def test_nobody_is_told_before_the_commit(watched: Watched) -> None:
    seen: list[set[str]] = []
    group = watched.database.group
    assert group is not None

    def slow(connection: sa.Connection) -> None:
        _write("last")(connection)
        time.sleep(0.05)
        seen.append(watched.names())

    told: list[set[str]] = []

    def first(connection: sa.Connection) -> None:
        _write("first")(connection)

    def act() -> None:
        with watched.database.transaction() as connection:
            _until(lambda: len(group._waiting) == 1)
            first(connection)
        told.append(watched.names())

    def other() -> None:
        with watched.database.transaction() as connection:
            slow(connection)

    threads = [threading.Thread(target=act), threading.Thread(target=other)]
    threads[0].start()
    _until(lambda: group._taken)
    threads[1].start()
    for thread in threads:
        thread.join(60)
    assert seen == [set()]  # while the second worked, the first was not on the disk
    assert told == [{"first", "last"}]  # and was told only when both were


def test_when_the_commit_fails_everybody_hears_of_it(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_connection: object) -> None:
        raise sqlite.OperationalError("database or disk is full")

    monkeypatch.setattr(watched.database.engine.dialect, "do_commit", full)
    outcomes = watched.together(*(_write(f"w{number}") for number in range(3)))
    assert all(isinstance(one, (Busy, sqlite.OperationalError, sa.exc.OperationalError)) for one in outcomes), outcomes
    monkeypatch.undo()
    assert watched.names() == set()
    assert watched.together(_write("later")) == ["kept"]


def test_when_sqlite_gives_the_whole_transaction_up_nobody_is_told_of_success(watched: Watched) -> None:
    def lost(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does by itself on a full disk
        raise ValueError("lost")

    outcomes = watched.together(_write("a"), lost, _write("c"))
    assert isinstance(outcomes[0], Busy)
    assert "kept" not in outcomes[:2]
    assert watched.names() == ({"c"} if outcomes[2] == "kept" else set())
    assert watched.together(_write("later")) == ["kept"]


def test_many_threads_write_much_and_nothing_is_lost(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    told: list[str] = []

    def write(who: int) -> None:
        for number in range(10):
            try:
                with store.database.transaction() as connection:
                    (_write_and_fail if number % 3 == 2 else _write)(f"{who}-{number}")(connection)
                told.append(f"{who}-{number}")
            except ValueError:
                pass

    threads = [threading.Thread(target=write, args=(who,)) for who in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    with store.database.reading() as connection:
        assert set(connection.scalars(sa.select(workers.c.name))) == set(told)
    assert len(told) == 12 * 7


STOPPED = """
import sys, time
from pathlib import Path
from data.store.engine.turns import Turns
with Turns(Path(sys.argv[1])).take():
    print("in", flush=True)
    time.sleep(600)
"""


def test_a_writer_that_hangs_is_not_waited_for_for_ever(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    hanging = subprocess.Popen([sys.executable, "-c", STOPPED, str(path)], stdout=subprocess.PIPE)
    try:
        assert hanging.stdout is not None
        assert hanging.stdout.readline() == b"in\n"
        store = open_store(sqlite_url)
        assert store.database.group is not None
        store.database.group._limit_s = 0.5
        before = threading.active_count()
        for _ in range(3):
            with pytest.raises(Busy, match=rf"Process {hanging.pid} has been writing"):
                store.sites.add("Lyon")
        assert threading.active_count() <= before + 1  # who gave up leaves one place in the line, not many
        assert store.sites.all() == []  # reading goes on
    finally:
        hanging.kill()
        hanging.wait()
    store.database.group._limit_s = 60
    store.sites.add("Lyon")  # and so does writing, once it has gone


def test_a_turn_that_came_too_late_is_given_back(tmp_path: Path) -> None:
    first, second = Turns(tmp_path / "db"), Turns(tmp_path / "db")
    with first.take(), pytest.raises(Busy), second.take(0.05):
        pass
    with first.take(60):
        pass
    with second.take(60), pytest.raises(Busy), first.take(0.05):
        pass


def test_a_thread_that_waits_behind_a_hanging_one_is_not_kept_either(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    group = store.database.group
    assert isinstance(group, Group)
    inside, leave = threading.Event(), threading.Event()

    def hang() -> None:
        with store.database.transaction():
            inside.set()
            leave.wait(60)

    hanging = threading.Thread(target=hang)
    hanging.start()
    assert inside.wait(60)
    group._limit_s = 0.05
    with pytest.raises(Busy):
        store.sites.add("Lyon")
    group._limit_s = 60
    leave.set()
    hanging.join(60)
    store.sites.add("Lyon")


def test_a_postgresql_client_does_not_wait_for_ever_either(postgresql_url: str) -> None:
    store: Store = open_store(postgresql_url + "&options=-c%20lock_timeout%3D100ms" if "?" in postgresql_url
                              else postgresql_url + "?options=-c%20lock_timeout%3D100ms")  # fmt: skip
    store.sites.add("Lyon")
    with store.database.transaction() as holding:
        holding.execute(sa.text("LOCK TABLE sites IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Busy, match="try again"):
            store.sites.add("Oslo")
    assert [one.name for one in store.sites.all()] == ["Lyon"]
    store.close()


def test_the_log_is_carried_over_beside_the_writers(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.store.engine.checkpoints.PAGES", 20)
    store = open_store(sqlite_url)
    assert store.database.group is not None
    for number in range(60):
        with store.database.transaction() as connection:
            _write(f"w{number}" + "x" * 4000)(connection)
    store.database.group.close()
    with store.database.engine.connect() as connection:
        _, pages, done = connection.exec_driver_sql("PRAGMA wal_checkpoint(NOOP)").one()
        assert done > 0 or pages == 0
        assert pages - done < 100
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 8000
