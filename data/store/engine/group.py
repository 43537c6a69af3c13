"""Group commit: what several threads write at once reaches the disk in one go.

A commit with `synchronous=FULL` waits for the disk. While one thread waits, others come; the next to have the turn
begins one transaction, does its work and passes the connection on, and the last one commits for all. Each work but the
first stands in a savepoint of its own, so that one that fails is undone alone. Nobody is told of success, nor of a
failure that may rest on what another in the group wrote, before the commit.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from core.errors import Busy
from data.store.engine.checkpoints import Checkpoints
from data.store.engine.turns import WAIT_S, Turns

MOST_WORKS = 16
LONGEST_S = 0.010  # after which no further work joins, so that other processes get their turn


class Group:
    """The writing threads of one process on one SQLite file."""

    def __init__(self, engine: Engine, turns: Turns, limit_s: float = WAIT_S) -> None:
        """Nobody writes yet."""
        self._engine = engine
        self._turns = turns
        self._checkpoints = Checkpoints(engine, turns)
        self._limit_s = limit_s
        self._state = threading.Lock()
        self._waiting: deque[_Place] = deque()
        self._taken = False

    @contextmanager
    def work(self) -> Iterator[Connection]:
        """Write: the block is kept whole or not at all, and it is kept when this returns.

        Raises:
            Busy: when the turn to write was not to be had in time; the block was not entered.
        """
        batch = self._enter()
        kept = False
        try:
            yield batch.connection
            kept = True
        finally:
            self._leave(batch, kept)

    def close(self) -> None:
        """Let what goes on beside the writers come to its end."""
        self._checkpoints.wait(self._limit_s)

    def _enter(self) -> "_Batch":
        """Wait for this thread's place; then the running batch goes on with it, or a new one begins."""
        until = monotonic() + self._limit_s
        place = _Place()
        with self._state:
            waits = self._taken
            if waits:
                self._waiting.append(place)
            self._taken = True
        if waits and not place.called.wait(self._limit_s):
            with self._state:
                if not place.called.is_set():
                    self._waiting.remove(place)
                    raise Busy("Others here have been writing to the store for too long: nothing was saved, try again.")
        batch = place.batch
        try:
            if batch is None:
                return _Batch(self._engine, self._turns, max(0.0, until - monotonic()))
            batch.join()
        except BaseException:
            if batch is None:
                self._call_next()
            else:
                batch.lost = True
                self._leave(batch, kept=False)
            raise
        return batch

    def _leave(self, batch: "_Batch", kept: bool) -> None:
        """Pass the connection on, or end the batch; return when all of it is on the disk."""
        batch.settle(kept)
        following = None
        with self._state:
            if self._waiting and batch.may_grow():
                following = self._waiting.popleft()
        if following is not None:
            following.call(batch)
            batch.over.wait()
        else:
            try:
                batch.end(self._checkpoints)
            finally:
                self._call_next()
                batch.over.set()
        if kept and batch.lost:
            raise Busy("The store could not write this down: nothing was saved, try again.") from batch.error

    def _call_next(self) -> None:
        with self._state:
            following = self._waiting.popleft() if self._waiting else None
            self._taken = following is not None
        if following is not None:
            following.call(None)


class _Place:
    """One thread's place in the line."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.batch: _Batch | None = None

    def call(self, batch: "_Batch | None") -> None:
        self.batch = batch
        self.called.set()


class _Batch:
    """One transaction and those who write in it, one after the other.

    Attributes:
        over: set when it is on the disk or has failed.
        lost: nothing of it was kept.
        error: why.
    """

    def __init__(self, engine: Engine, turns: Turns, limit_s: float) -> None:
        """Take the turn and begin."""
        self.over = threading.Event()
        self.lost = False
        self.error: BaseException | None = None
        self._works = 1
        with ExitStack() as stack:
            stack.enter_context(turns.take(limit_s))
            self._began = monotonic()
            connection = stack.enter_context(engine.connect())
            self.connection = connection.execution_options(begin="BEGIN IMMEDIATE")
            self._transaction = self.connection.begin()
            self._open = stack.pop_all()

    def join(self) -> None:
        """One more work begins."""
        self._works += 1
        self.connection.exec_driver_sql("SAVEPOINT work")

    def settle(self, kept: bool) -> None:
        """The work that ran last is done, or undone."""
        if self.lost or (self._works == 1 and kept):
            return
        if self._works == 1:
            self.lost = True  # nobody else is in it: the whole transaction goes
            return
        try:
            if not kept:
                self.connection.exec_driver_sql("ROLLBACK TO work")
            self.connection.exec_driver_sql("RELEASE work")
        except sa.exc.DBAPIError as error:  # SQLite has rolled back everything: the disk is full or fails
            self.lost, self.error = True, error

    def may_grow(self) -> bool:
        """Whether one more may join."""
        return not self.lost and self._works < MOST_WORKS and monotonic() - self._began < LONGEST_S

    def end(self, checkpoints: Checkpoints) -> None:
        """Commit, or roll back what is lost; give connection and turn back."""
        with self._open:
            if self.lost:
                self._transaction.rollback()
                return
            try:
                self._transaction.commit()
            except BaseException as error:
                self.lost, self.error = True, error
                self.connection.invalidate(error)  # or the pool would hand it out inside the open transaction
                raise
            checkpoints.after(self.connection)
