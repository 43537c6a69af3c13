"""Whose turn it is to write: the processes on one SQLite file pass one by one, in the order they came.

SQLite lets a waiting writer poll, so a busy one can starve the others for as long as it likes. Here a writer first
waits at the gate ("next"), then for the writer before it ("turn"), and lets go of the gate only when it is in. Whoever
has just written has to pass the gate again, behind the one that stands in it. The kernel drops both locks of a killed
process. One that is merely stopped keeps them, so nobody waits for longer than a limit.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Busy

WAIT_S = 30.0

_held: set[int] = set()  # descriptors that a forked child must not keep: a lock lives as long as its last copy


def _let_go_in_child() -> None:
    for descriptor in list(_held):
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


class Turns:
    """The two lock files beside one database file."""

    def __init__(self, database: Path, limit_s: float = WAIT_S) -> None:
        """Nothing is locked or made yet."""
        self._gate = database.with_name(f"{database.name}-next")
        self._turn = database.with_name(f"{database.name}-turn")
        self._limit_s = limit_s
        self._state = threading.Lock()
        self._forsaken: list[_Wait] = []

    @contextmanager
    def take(self, seconds: float | None = None) -> Iterator[None]:
        """Hold the turn for the length of the block.

        Args:
            seconds: how long to wait for it; the limit where none is given.

        Raises:
            Busy: when it was not to be had in that time.
        """
        gate, turn = _open(self._gate), _open(self._turn)
        if not (_at_once(gate) and _at_once(turn)):
            _close(turn)
            turn = self._in_time(gate, self._limit_s if seconds is None else seconds)
        else:
            _close(gate)
        try:
            yield
        finally:
            _close(turn)

    def _in_time(self, gate: int, seconds: float) -> int:
        """The kernel's wait for a lock has no limit, so a thread stands in it, and this one waits for the thread.

        A thread that was given up still stands there; the next to come takes over its place instead of starting one.

        Args:
            gate: the open gate, locked already where nobody else stood in it.
            seconds: to wait.
        """
        with self._state:
            wait = self._forsaken.pop() if self._forsaken else None
            if wait is not None:
                wait.wanted = True
        if wait is not None:
            _close(gate)
        else:
            wait = _Wait(gate)
            threading.Thread(target=self._stand, args=(wait,), name="holdpoint-turn", daemon=True).start()
        if not wait.over.wait(seconds):
            with self._state:
                if not wait.over.is_set():
                    wait.wanted = False
                    self._forsaken.append(wait)
                    raise Busy(
                        f"{self._holder()} has been writing to the store for more than {seconds:g} s: nothing was "
                        "saved, try again. If it hangs, it has to be ended."
                    )
        if wait.error is not None:
            raise wait.error
        return wait.turn

    def _stand(self, wait: "_Wait") -> None:
        """Wait at the gate and for the turn, for as long as it takes."""
        turn = -1
        try:
            try:
                turn = _open(self._turn)
                fcntl.flock(wait.gate, fcntl.LOCK_EX)
                fcntl.flock(turn, fcntl.LOCK_EX)
            finally:
                _close(wait.gate)
        except OSError as error:
            wait.error = error
        with self._state:
            if not wait.wanted:
                self._forsaken.remove(wait)
                if turn >= 0:
                    _close(turn)
            wait.turn = turn
            wait.over.set()

    def _holder(self) -> str:
        """Who has the turn, as far as the kernel tells."""
        try:
            inode = self._turn.stat().st_ino
            for line in Path("/proc/locks").read_text().splitlines():  # 1: FLOCK ADVISORY WRITE 4711 fd:00:1234 0 EOF
                words = line.split()
                if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode) and words[4] not in ("0", "-1"):
                    return f"Process {words[4]}"
        except (OSError, IndexError):
            pass  # not Linux, or not allowed to look
        return "Another process"


class _Wait:
    """One thread's stand in the kernel's line.

    Attributes:
        gate: where it stands.
        over: set when it has the turn, or has failed.
        turn: the locked descriptor.
        wanted: somebody still waits for it.
    """

    def __init__(self, gate: int) -> None:
        self.gate = gate
        self.over = threading.Event()
        self.turn = -1
        self.wanted = True
        self.error: OSError | None = None


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _held.add(descriptor)
    return descriptor


def _at_once(descriptor: int) -> bool:
    """Lock it if nobody else has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)  # also for a copy that a child may have been forked with
    _held.discard(descriptor)
    os.close(descriptor)
