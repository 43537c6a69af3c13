"""Carrying the write-ahead log over into the database file while nobody waits for it.

SQLite does this within some unlucky person's commit, every 1,000 pages, and takes several times as long as the commit.
Here a thread of its own does it beside the writers. Its own limit stays in force at eight times as much, should that
thread never get so far.
"""

import threading
from contextlib import suppress

import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy.engine import Connection, Engine

from core.errors import Busy
from data.store.engine.turns import Turns

PAGES = 1000
LIMIT_PAGES = 8 * PAGES
_TURN_S = 1.0


class Checkpoints:
    """The one checkpoint that this process may have under way on one SQLite file."""

    def __init__(self, engine: Engine, turns: Turns) -> None:
        """Nothing is under way."""
        self._engine = engine
        self._turns = turns
        self._state = threading.Lock()
        self._thread: threading.Thread | None = None

    def after(self, connection: Connection) -> None:
        """Look how long the log is, on a connection that has just committed; start where it is long. Never fails."""
        with suppress(sqlite.Error):
            _, pages, done = _pragma(connection.connection.driver_connection, "NOOP")
            if pages - done >= PAGES:
                self._start()

    def wait(self, seconds: float) -> None:
        """Let the one under way come to its end."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _start(self) -> None:
        with self._state:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="holdpoint-checkpoint", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        """Write it over beside the writers; only once in a while hold them back, so that the log begins anew."""
        with suppress(Busy, sa.exc.DBAPIError, sqlite.Error):  # the next commit tries again, SQLite's limit stays
            pooled = self._engine.raw_connection()
            try:
                _, pages, _ = _pragma(pooled.driver_connection, "PASSIVE")
                if pages > LIMIT_PAGES // 2:
                    with self._turns.take(_TURN_S):
                        _pragma(pooled.driver_connection, "PASSIVE")
            finally:
                pooled.close()


def _pragma(connection: object, mode: str) -> tuple[int, int, int]:
    """Whether it was busy, the pages in the log, and those carried over; -1 pages without a log."""
    found: tuple[int, int, int] = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()  # type: ignore[attr-defined]
    return found
