"""A process beside the web server that scores pictures for pages, one at a time, so that no page waits for a net."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Lock, Thread
from typing import ParamSpec, TypeVar

from core.errors import ModelError

P = ParamSpec("P")
T = TypeVar("T")
MOST_WAITING = 32


class Scorer:
    """Runs functions in one child process, in turn; the child is started on first use and again if it dies."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one function in the child and wait for it.

        Raises:
            ModelError: too many wait already, or the child died.
        """
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise ModelError("Too many pictures are waiting to be scored: try again in a moment.")
            self._waiting += 1
        try:
            answer = self._submit(function, *args, **kwargs)
            return answer.result()
        except BrokenProcessPool as error:
            raise ModelError("The scoring process ended: it may have run out of memory. Try again.") from error
        finally:
            with self._lock:
                self._waiting -= 1

    def start(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run a function in the child some time soon; its answer and its failure are nobody's concern."""
        self._submit(function, *args, **kwargs)

    def close(self) -> None:
        """End the child."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Hand over to the child; one that is found dead is replaced first."""
        with self._lock:
            if self._pool is not None:
                try:
                    return self._pool.submit(function, *args, **kwargs)
                except BrokenProcessPool:
                    self._pool.shutdown(wait=False)
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, spawn, initializer=_end_with_parent)
            return self._pool.submit(function, *args, **kwargs)


def _end_with_parent() -> None:
    """The child's first act; nothing else would tell it that its server was killed, and it would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
