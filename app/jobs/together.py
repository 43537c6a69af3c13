"""The web app and its worker together, as `holdpoint run` opens them."""

import contextlib
import http.client
import socket
import sys
import threading
import time
from collections.abc import Callable

from app.jobs.intake.line import Progress, quiet
from app.jobs.processes import PATIENCE_S, child_process, end_on_signals, ended_how
from app.jobs.upkeep.sealing import open_plant
from app.settings import CHECKOUT, Settings
from core.errors import BadInput, HoldpointError

LOOK_S = 0.25  # how often the two are looked at
ANSWER_S = 2.0  # for the web app to answer while it starts


def run_all(current: Settings, host: str, port: int, say: Callable[[str], None], progress: Progress = quiet) -> None:
    """The web app and the worker, until interrupted; the demo plant first where the store is empty.

    A worker that dies is said and started again. Whatever ends this process, even kill -9, ends both.

    Raises:
        BadInput: the port is taken, or the address is not this machine's.
        HoldpointError: the web app ended by itself.
    """
    _check_port(host, port)
    _fill_if_empty(current, say, progress)
    ending = threading.Event()
    end_on_signals(ending)
    web_command = [
        sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "app" / "main.py"),
        "--server.port", str(port), "--server.address", host, "--server.headless", "true",
    ]  # fmt: skip
    worker_command = [sys.executable, "-m", "app.jobs.runner"]
    with child_process(web_command, current) as web:
        while web.poll() is None and not ending.is_set() and not _answers(host, port):
            ending.wait(LOOK_S)
        if web.poll() is None and not ending.is_set():
            say(f"Holdpoint is at http://{host}:{port} (Ctrl+C ends it).")
        # The page first: the worker's start would slow it down on a small machine.
        while web.poll() is None and not ending.is_set():
            started = time.monotonic()
            with child_process(worker_command, current) as worker:
                while web.poll() is None and worker.poll() is None and not ending.is_set():
                    ending.wait(LOOK_S)
                if ending.is_set() and web.poll() is None:
                    web.terminate()  # both at once: the worker's end may take seconds
            if worker.returncode is not None and web.poll() is None and not ending.is_set():
                again = max(0.0, PATIENCE_S - (time.monotonic() - started))
                when = f"in {again:.0f} s" if again else "now"
                say(f"The worker ended by itself ({ended_how(worker.returncode)}); it is started again {when}.")
                ending.wait(again)
        status = web.poll()
    if not ending.is_set() and status is not None:
        raise HoldpointError(
            f"The web app ended by itself ({ended_how(status)}), so the worker was ended, too: start both again."
        )


def _fill_if_empty(current: Settings, say: Callable[[str], None], progress: Progress) -> None:
    store = open_plant(current)
    if store.sites.all():
        return
    from app.jobs.demo.making import demo

    say("The store is empty: making the demo plant.")
    demo(store, current, progress=progress)
    store.close()


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadInput(
                f"Port {port} at {host} cannot be used ({error.strerror}): give another with --port."
            ) from error


def _answers(host: str, port: int) -> bool:
    """Whether the web app answers, whatever it says; a port that is open may still be loading."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    asking = http.client.HTTPConnection(reachable, port, timeout=ANSWER_S)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(asking):
        asking.request("GET", "/_stcore/health")
        asking.getresponse()
        return True
    return False
