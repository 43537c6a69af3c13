"""The same statements straight through the driver: what the databases alone would take.

A lease and an answer are recorded once on the store, statement by statement with its values, and sent again about
other tasks by other people. SQLite's writers pass the same gate and commit with the same `synchronous=FULL`, each
transaction by itself.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite

from core.records import Review, Verdict
from core.roles import Actor
from data.store import Store
from data.store.engine.turns import Turns
from tests.benchmarks.desk_load import Given
from tests.benchmarks.desk_plant import SITE


@dataclass(frozen=True)
class Sent:
    """One statement as the driver got it."""

    text: str
    values: Any
    many: bool


@dataclass(frozen=True)
class Script:
    """What a lease and an answer sent, about which task, by whom and as which review."""

    lease: tuple[Sent, ...]
    answer: tuple[Sent, ...]
    task: int
    name: str
    user: int
    review: int


def record(store: Store, name: str) -> Script:
    """Lease and answer one task, writing down what is sent; once before, so that nothing is sent for the first time."""
    acting = store.acting_as(Actor(name))
    said: list[Sent] = []

    def note(_c: Any, _cursor: Any, text: str, values: Any, _context: Any, many: bool) -> None:
        said.append(Sent(text, values, many))

    review = Review(Verdict.FAIL, "", classes=("CRACK",), seconds=3.5)
    for number in range(2):
        if number:
            sa.event.listen(store.database.engine, "before_cursor_execute", note)
        task = acting.queue.lease(site=SITE)
        if task is None:
            raise RuntimeError("the store to record from has no task left")
        leasing = len(said)
        review_id = acting.reviews.add(task.id, task.revision, task.fence, review)
    sa.event.remove(store.database.engine, "before_cursor_execute", note)
    lease, answer = (
        tuple(one for one in some if not one.text.startswith("BEGIN")) for some in (said[:leasing], said[leasing:])
    )
    return Script(lease, answer, task.id, name, _user(name), review_id)


def _user(name: str) -> int:
    return int(name.rpartition("-")[2]) + 500_001


class BareDesk:
    """One reviewer with a connection of their own."""

    def __init__(self, script: Script, connect: Callable[[], Any], name: str, turns: Turns | None) -> None:
        self._script = script
        self._connection = connect()
        self._turns = turns
        self._names = {script.name: name}
        self._numbers = {script.user: _user(name)}

    def lease(self) -> Given | None:
        found: Given | None = None
        for sent, rows in self._run(self._script.lease, {}):
            if sent.text.startswith("UPDATE tasks SET fence"):
                found = Given(rows[0][0], 0, 0) if rows else None
        return found

    def answer(self, task: Given) -> None:
        self._run(self._script.answer, {self._script.task: task.id})

    def _run(self, script: tuple[Sent, ...], numbers: dict[int, int]) -> list[tuple[Sent, Any]]:
        if self._turns is None:
            return self._transaction(script, numbers)
        with self._turns.take():
            return self._transaction(script, numbers)

    def _transaction(self, script: tuple[Sent, ...], numbers: dict[int, int]) -> list[tuple[Sent, Any]]:
        numbers = self._numbers | numbers
        cursor, found = self._connection.cursor(), []
        cursor.execute("BEGIN IMMEDIATE" if self._turns is not None else "BEGIN")
        try:
            for sent in script:
                values = self._meant(sent.values, numbers)
                if sent.text.startswith("SELECT pg_advisory"):
                    values = {"key": self._numbers[self._script.user]}  # a lock of one's own
                (cursor.executemany if sent.many else cursor.execute)(sent.text, values)
                rows = cursor.fetchall() if cursor.description else None
                found.append((sent, rows))
                if sent.text.startswith("INSERT INTO reviews") and rows:
                    numbers = numbers | {self._script.review: rows[0][0]}
                if sent.text.startswith("UPDATE tasks SET fence") and rows:
                    numbers = numbers | {self._script.task: rows[0][0]}
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")
        return found

    def _meant(self, value: Any, numbers: dict[int, int]) -> Any:
        """The recorded value with this person's name and this task's number in it."""
        if isinstance(value, bool) or value is None or isinstance(value, float):
            return value
        if isinstance(value, int):
            return numbers.get(value, value)
        if isinstance(value, str):
            for before, after in self._names.items():
                value = value.replace(before, after)
            for number, other in numbers.items():
                if number > 100_000:
                    value = value.replace(str(number), str(other))
            return value
        if isinstance(value, dict):
            return {key: self._meant(one, numbers) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._meant(one, numbers) for one in value)
        if hasattr(value, "obj"):  # psycopg's wrapper around JSON
            wrapped = copy(value)
            wrapped.obj = self._meant(value.obj, numbers)
            return wrapped
        return value


@dataclass(frozen=True)
class BareDesks:
    """For `Load.desks`: makes desks that send a script; pickled into each process."""

    script: Script

    def __call__(self, url: str) -> Callable[[str], BareDesk]:
        target = sa.make_url(url)
        if target.get_backend_name() != "sqlite":
            conninfo = target.set(drivername="postgresql").render_as_string(hide_password=False)
            return lambda name: BareDesk(self.script, lambda: _postgresql(conninfo), name, None)
        path = Path(str(target.database))
        turns = Turns(path)
        return lambda name: BareDesk(self.script, lambda: _sqlite(path), name, turns)


def _sqlite(path: Path) -> Any:
    connection = sqlite.connect(str(path), isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in ("busy_timeout=30000", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32768"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _postgresql(conninfo: str) -> Any:
    connection = psycopg.connect(conninfo, autocommit=True)
    connection.prepare_threshold = 5
    return connection
