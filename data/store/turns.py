"""Whose turn it is to write: writers of all threads and processes pass one by one, in the order they came.

SQLite lets a waiting writer poll, so a busy one can starve the others for as long as it likes. Here a writer first
waits at the gate ("next"), then for the writer before it ("turn"), and lets go of the gate only when it is in. Whoever
has just written has to pass the gate again, behind the one that stands in it. The kernel drops both locks of a killed
process.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_held: set[int] = set()  # descriptors that a forked child must not keep: a lock lives as long as its last copy


def _let_go_in_child() -> None:
    for descriptor in list(_held):
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


class Turns:
    """The two lock files beside one database file."""

    def __init__(self, database: Path) -> None:
        """Nothing is locked or made yet."""
        self._gate = database.with_name(f"{database.name}-next")
        self._turn = database.with_name(f"{database.name}-turn")

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold the turn for the length of the block."""
        turn = _open(self._turn)
        try:
            gate = _open(self._gate)
            try:
                fcntl.flock(gate, fcntl.LOCK_EX)
                fcntl.flock(turn, fcntl.LOCK_EX)
            finally:
                _close(gate)
            yield
        finally:
            _close(turn)


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _held.add(descriptor)
    return descriptor


def _close(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)  # also for a copy that a child may have been forked with
    _held.discard(descriptor)
    os.close(descriptor)
