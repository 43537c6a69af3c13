"""The worker: runs jobs one at a time, each in a process of its own, and keeps the plant's clockwork going.

A job's process may crash, be killed or eat its memory without taking the worker along. A worker that is killed loses
nothing either: its job goes to the next one after a while, and every job can be started again where it was.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO
from uuid import uuid4

from app.jobs.line import Progress, quiet
from app.settings import CHECKOUT, Settings, settings
from core.errors import BadInput, Conflict, HoldpointError, NotFound
from core.plant import Job
from core.records import ImageState
from core.roles import COMMAND_LINE, WORKER, Actor

if TYPE_CHECKING:
    from data.store import Store

TICK_S = 0.5
BEAT_S = 5.0
SWEEP_S = 30.0
SWEEP_IMAGES = 200
SAY_S = 1.0
PATIENCE_S = 10.0  # for a child to end by itself
CONFLICT = 75  # a job's process found that the job is somebody else's by now

Run = Callable[["Store", Settings, Mapping[str, Any], Progress], Any]


class Ended(BaseException):
    """A job was cancelled or its worker shuts down; no error, so nothing in between handles it."""


# --- what a job does ------------------------------------------------------------------------------------------------


def _ingest(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.ingest import ingest

    return ingest(store, current, progress=progress, **given).to_json()


def _import(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.imports import import_labels

    more = {**given, "source": Path(given["source"])}
    return import_labels(store, current, progress=progress, **more).to_json()


def _export(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.exports import export_labels

    times = {
        name: datetime.fromisoformat(given[name]) for name in ("since", "until", "as_of") if given.get(name) is not None
    }
    more = {**given, **times, "dest": Path(given["dest"])}
    return export_labels(store, current, progress=progress, **more).to_json()


def _dataset(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.datasets import build_dataset

    made = build_dataset(store, current, progress=progress, **given)
    return {"name": made["name"], "hash": made["hash"], "images": len(made["items"])}


def _train(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.train import train

    return train(store, current, progress=progress, **given)


def _evaluate(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.evaluate import evaluate

    return evaluate(store, current, progress=progress, **given)


def _looks(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.looks import compare_looks
    from core.pictures.tiling import look_from

    chosen = given.get("looks")
    more = {**given, "looks": None if chosen is None else [look_from(one) for one in chosen]}
    return compare_looks(store, current, progress=progress, **more)


def _reread(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    """Read the file of one quarantined picture again, from where the store knows it to be."""
    from app.jobs.ingest import ingest

    image = store.quarantine.to_read_again(int(given["image"]))
    plant = store.acting_as(WORKER)  # a QA lead may restore, not file at will: the worker files this one picture
    return ingest(plant, current, [image.path], image.site, progress=progress).to_json()


KINDS: Mapping[str, Run] = {
    "ingest": _ingest,
    "import": _import,
    "export": _export,
    "dataset": _dataset,
    "train": _train,
    "evaluate": _evaluate,
    "looks": _looks,
    "reread": _reread,
}


# --- one job, in its own process ------------------------------------------------------------------------------------


@dataclass
class Teller:
    """A job's progress callback: tells the store about once a second, and ends the job when it has to end.

    Attributes:
        stopping: set from outside when the process has to end.
    """

    store: "Store"
    job: int
    worker: str
    clock: Callable[[], float] = time.monotonic
    stopping: threading.Event = field(default_factory=threading.Event)
    _last: float = float("-inf")

    def __call__(self, done: int, total: int, message: str) -> None:
        """Raise Ended once the job is cancelled, taken over, or its process has to end."""
        if self.stopping.is_set():
            raise Ended
        now = self.clock()
        if now - self._last < SAY_S and done < total:
            return
        self._last = now
        if not self.store.jobs.progress(self.job, done, total, message[:500], worker=self.worker):
            raise Ended


def run_job(store: "Store", current: Settings, job: Job, worker: str, kinds: Mapping[str, Run] = KINDS) -> int:
    """Run a claimed job to its end, in the name of whoever asked for it.

    Returns:
        The exit status of its process: 0 where the store knows how it ended.
    """
    teller = Teller(store, job.id, worker)
    _end_on_signals(teller.stopping)
    try:
        run = kinds.get(job.kind)
        if run is None:
            raise NotFound(f"This version runs no jobs of kind '{job.kind}'.")
        try:
            result = run(store.acting_as(actor_of(store, job)), current, job.arguments, teller)
        except TypeError as error:
            if "unexpected keyword" in str(error) or "missing" in str(error):
                raise BadInput(f"The job's arguments do not fit: {error}.") from error
            raise
        store.jobs.finish(job.id, result, worker)
    except Ended:
        if teller.stopping.is_set():
            return 0  # the worker gives it back
        with contextlib.suppress(Conflict):
            store.jobs.stopped(job.id, worker)
    except Conflict as error:
        if store.jobs.get(job.id).worker != worker:
            return CONFLICT
        store.jobs.fail(job.id, str(error), worker)
    except HoldpointError as error:
        store.jobs.fail(job.id, str(error), worker)
    return 0


def actor_of(store: "Store", job: Job) -> Actor:
    """Whoever asked for the job, with no more rights than they have now."""
    if job.by in {person.name for person in store.people.all()}:
        return Actor(job.by)
    return WORKER if job.by in (COMMAND_LINE.name, WORKER.name) else Actor(job.by)


# --- the worker -----------------------------------------------------------------------------------------------------


def work(
    store: "Store",
    current: Settings,
    once: bool = False,
    *,
    stop: threading.Event | None = None,
    name: str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Claim jobs, run them, and in between close parts whose time is up and look after files.

    Args:
        store: of the plant.
        current: settings.
        once: return when no job waits.
        stop: set to end; a running job is given back.
        name: of this worker.
        now: the clock.
    """
    ending = stop or threading.Event()
    worker = name or f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"
    held = store.acting_as(WORKER)
    clockwork = Clockwork(held, now)
    beaten = float("-inf")
    while not ending.is_set():
        clockwork.tick()
        if time.monotonic() - beaten >= BEAT_S:
            held.jobs.beat(worker, now=now())
            beaten = time.monotonic()
        job = held.jobs.claim(worker, now())
        if job is not None:
            _supervise(held, current, job, worker, ending, clockwork, now)
        elif once:
            return
        else:
            ending.wait(TICK_S)


@dataclass
class Clockwork:
    """What has to happen by itself, whether or not a job runs."""

    store: "Store"
    now: Callable[[], datetime]
    _swept: float = float("-inf")
    _before: int | None = None

    def tick(self) -> None:
        """Close parts that have waited too long; every half minute look at some files."""
        self.store.parts.close_due(self.now())
        if time.monotonic() - self._swept >= SWEEP_S:
            self._swept = time.monotonic()
            self.sweep()

    def sweep(self) -> None:
        """Try the files again that were missing or changed, and look at the next of all the others."""
        from app.jobs.ingest import recheck

        for state in (ImageState.MISSING, ImageState.CHANGED):
            for image in self.store.images.find(state=state, limit=SWEEP_IMAGES):
                recheck(self.store, image, self.now())
        some = self.store.images.find(state=ImageState.OK, limit=SWEEP_IMAGES, before=self._before)
        for image in some:
            recheck(self.store, image, self.now(), thorough=False)
        self._before = some[-1].id if len(some) == SWEEP_IMAGES else None


def _supervise(
    store: "Store",
    current: Settings,
    job: Job,
    worker: str,
    ending: threading.Event,
    clockwork: Clockwork,
    now: Callable[[], datetime],
) -> None:
    """Run one job in a child, beating for it; a child that dies without a word failed its job."""
    log = current.home / "logs" / f"job-{job.id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("a") as story,
        _child([sys.executable, "-m", "app.jobs.runner", str(job.id), worker], current, story) as child,
    ):
        told = None
        while child.poll() is None:
            going_on = store.jobs.beat(worker, job.id, now())
            clockwork.tick()
            if told is None and (ending.is_set() or not going_on):
                told = time.monotonic()
                if ending.is_set():
                    child.terminate()
            if told is not None and time.monotonic() - told > PATIENCE_S * (1 if ending.is_set() else 6):
                child.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(TICK_S if told is not None else 2 * TICK_S)
        status = child.returncode
    after = store.jobs.get(job.id)
    if after.state.value != "running" or after.worker != worker:
        return
    if ending.is_set():
        store.jobs.give_back(job.id, worker)
    elif after.cancel:
        store.jobs.stopped(job.id, worker, now())
    else:
        died = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        store.jobs.fail(job.id, f"The job's process ended unexpectedly ({died}): the story is in {log}.", worker, now())


# --- everything together --------------------------------------------------------------------------------------------


def run_all(current: Settings, host: str, port: int, say: Callable[[str], None], progress: Progress = quiet) -> int:
    """The web app and the worker, until interrupted; the demo plant first where the store is empty.

    Returns:
        The exit status of the web app, or 0 when it was ended from outside.

    Raises:
        BadInput: the port is taken, or the address is not this machine's.
    """
    _check_port(host, port)
    _fill_if_empty(current, say, progress)
    ending = threading.Event()
    _end_on_signals(ending)
    web_command = [
        sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "app" / "main.py"),
        "--server.port", str(port), "--server.address", host, "--server.headless", "true",
    ]  # fmt: skip
    worker_command = [sys.executable, "-m", "app.jobs.runner"]
    with _child(web_command, current) as web, contextlib.ExitStack() as later:
        said = False
        worker: subprocess.Popen[bytes] | None = None
        started = float("-inf")
        while web.poll() is None and not ending.is_set():
            if not said and _answers(host, port):
                said = True
                say(f"Holdpoint is at http://{host}:{port} (Ctrl+C ends it).")
            # The page first: the worker's start would slow it down on a small machine.
            if (said and worker is None) or (worker is not None and worker.poll() is not None):
                if worker is not None and time.monotonic() - started < PATIENCE_S:
                    say("The worker ended at once; it is tried again.")
                    ending.wait(PATIENCE_S)
                started = time.monotonic()
                worker = later.enter_context(_child(worker_command, current))
            ending.wait(TICK_S / 2)
    return 0 if ending.is_set() else int(web.returncode)


def _fill_if_empty(current: Settings, say: Callable[[str], None], progress: Progress) -> None:
    from data.store import open_store

    current.home.mkdir(parents=True, exist_ok=True)
    store = open_store(current.database_url)
    if store.sites.all():
        return
    from app.jobs.demo import demo

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
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    with contextlib.suppress(OSError), socket.create_connection((reachable, port), 0.2):
        return True
    return False


@contextlib.contextmanager
def _child(command: list[str], current: Settings, story: TextIO | None = None) -> "Iterator[subprocess.Popen[bytes]]":
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
    return lambda: prctl(pr_set_pdeathsig, signal.SIGTERM)


def _end_on_signals(ending: threading.Event) -> None:
    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)


def main(arguments: list[str]) -> int:
    """A worker without arguments; one job of a worker with its number and the worker's name."""
    from data.store import open_store

    current = settings()
    store = open_store(current.database_url, WORKER)
    if arguments:
        return run_job(store, current, store.jobs.get(int(arguments[0])), arguments[1])
    ending = threading.Event()
    _end_on_signals(ending)
    work(store, current, stop=ending)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
