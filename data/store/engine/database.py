"""One database, SQLite or PostgreSQL, with transactions that mean the same on both."""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any

import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import BadInput, Busy
from data.migrations import HEAD, upgrade
from data.store.engine.checkpoints import LIMIT_PAGES
from data.store.engine.group import Group
from data.store.engine.turns import WAIT_S, Turns

SAFE_WAL = (3, 51, 3)  # before it, two writers could corrupt a WAL file
BUSY_MS = 30_000
_LOCK = sa.text("SELECT pg_advisory_xact_lock(:key)")
_GIVE_UP = {"55P03", "40P01", "40001"}  # PostgreSQL: lock not available, deadlock, cannot be put in order
_SERVER_LIMITS = f"-c lock_timeout={WAIT_S:.0f}s -c idle_in_transaction_session_timeout={10 * WAIT_S:.0f}s"


def utc_now() -> datetime:
    """The clock of the store; tests give another."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Database:
    """An engine, its clock and, for SQLite, the writers of this process.

    Attributes:
        draw: the chance that picks audited parts; uniform in [0, 1).
    """

    engine: Engine
    clock: Callable[[], datetime]
    group: Group | None
    draw: Callable[[], float] = SystemRandom().random

    @property
    def is_sqlite(self) -> bool:
        """Whether the truth is one local file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write: everything in the block is kept, or nothing is. Keep it short, decide before you enter.

        On SQLite the blocks of several threads may share one commit; each still sees its own success or failure.

        Raises:
            Busy: when a turn to write, or a lock, was not to be had in time.
        """
        if self.group is not None:
            with self.group.work() as connection:
                yield connection
            return
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _GIVE_UP:
                raise Busy("Another process is writing to the same things: nothing was saved, try again.") from error
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read: the whole block sees one moment."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def one_at_a_time(self, connection: Connection, *what: object) -> None:
        """Let no other transaction that names the same thing run beside this one.

        SQLite has one writer anyway; PostgreSQL takes an advisory lock that ends with the transaction.
        """
        if not self.is_sqlite:
            digest = hashlib.sha256(repr(what).encode()).digest()
            key = int.from_bytes(digest[:8], "big", signed=True)
            connection.execute(_LOCK, {"key": key})

    def facts(self) -> dict[str, str]:
        """What is really in force, for `doctor`."""
        with self.reading() as connection:
            if not self.is_sqlite:
                version = str(connection.scalar(sa.text("SHOW server_version")))
                return {"database": f"PostgreSQL {version}", "schema": HEAD}
            pragma = {
                name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar())
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        facts = {"database": f"SQLite {sqlite.sqlite_version}", "schema": HEAD, **pragma}
        if sqlite.sqlite_version_info < SAFE_WAL:
            wanted = ".".join(map(str, SAFE_WAL))
            facts["warning"] = (
                f"SQLite {sqlite.sqlite_version} can corrupt a write-ahead log with two writers, so the slower "
                f"rollback journal is used: install a pysqlite3 that carries {wanted} or newer."
            )
        return facts

    def close(self) -> None:
        """Close every idle connection."""
        if self.group is not None:
            self.group.close()
        self.engine.dispose()


def open_database(url: str, clock: Callable[[], datetime] = utc_now) -> Database:
    """Connect and bring the schema up to date, whoever else does the same at this moment.

    Args:
        url: "sqlite:///PATH" or "postgresql+psycopg://...".
        clock: gives aware UTC.

    Raises:
        BadInput: for a URL of neither kind.
    """
    try:
        target = make_url(url)
    except sa.exc.ArgumentError as error:
        raise BadInput(f"'{url}' is no database URL: give sqlite:///PATH or postgresql+psycopg://...") from error
    if target.get_backend_name() == "sqlite":
        database = _sqlite(target, clock)
    elif target.get_backend_name() == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
        database = Database(_postgresql(target), clock, None)
    else:
        raise BadInput(f"A {target.get_backend_name()} database is not supported: use SQLite or PostgreSQL.")
    _migrate(database)
    return database


def _engine(url: URL, **more: Any) -> Engine:
    refuse_nan = partial(json.dumps, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return sa.create_engine(url, json_serializer=refuse_nan, json_deserializer=_json_of, **more)


def _json_of(text: str | bytes) -> Any:
    """Most lists and objects of the store are empty: to tell so is quicker than to parse them."""
    return [] if text == "[]" else {} if text == "{}" else json.loads(text)


def _postgresql(url: URL) -> Engine:
    """A client that is stopped while it writes loses its transaction to the server's limits, and nobody hangs."""
    given = " ".join([_SERVER_LIMITS, *url.normalized_query.get("options", ())])
    url = url.difference_update_query(["options"])
    return _engine(url, pool_size=8, max_overflow=24, pool_pre_ping=True, connect_args={"options": given})


def _sqlite(url: URL, clock: Callable[[], datetime]) -> Database:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise BadInput("The store needs a file, not memory: give sqlite:///PATH.")
    path = Path(url.database).expanduser().resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # what it holds is nobody else's business
    engine = _engine(url.set(database=str(path)), module=sqlite, pool_size=8, max_overflow=56)
    to_wal = threading.Lock()

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver guesses
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        with to_wal:
            cursor.execute(f"PRAGMA journal_mode={'WAL' if sqlite.sqlite_version_info >= SAFE_WAL else 'DELETE'}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA wal_autocheckpoint={LIMIT_PAGES}")  # the last resort: see checkpoints
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-32768")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return Database(engine, clock, Group(engine, Turns(path)))


def _migrate(database: Database) -> None:
    """Run what is missing; the first of several processes does it and the others find it done."""
    with database.reading() as connection:
        if _version(connection) == HEAD:
            return
    with database.transaction() as connection:
        database.one_at_a_time(connection, "schema")
        if _version(connection) != HEAD:
            upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)
