"""Processes of ours: they end with whoever started them, whatever way that ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TextIO

from app.settings import CHECKOUT, Settings

PATIENCE_S = 10.0  # for a child to end by itself


@contextlib.contextmanager
def child_process(
    command: list[str], current: Settings, story: TextIO | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process of ours that ends with us, whatever way we end."""
    environment = {
        **os.environ,
        "HOLDPOINT_HOME": str(current.home),
        "HOLDPOINT_DATABASE_URL": current.database_url,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH", "")))),
    }
    child = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=story,
        stderr=story,
        start_new_session=True,  # Ctrl+C reaches the parent, which ends its children in order
        preexec_fn=_with_parent(),
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _with_parent() -> Callable[[], None] | None:
    """What a new process does first: ask for SIGTERM when its parent is gone, so that kill -9 leaves no orphan."""
    if sys.platform != "linux":
        return None
    pr_set_pdeathsig = 1
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: a library must not be loaded after it
    parent = os.getpid()

    def ask() -> None:
        prctl(pr_set_pdeathsig, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before we could ask
            os.kill(os.getpid(), signal.SIGTERM)

    return ask


def end_on_signals(ending: threading.Event) -> None:
    """Let SIGTERM and SIGINT set an event, where this is the main thread, which alone may say so."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)


def ended_how(status: int) -> str:
    """A process's end in words."""
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"
