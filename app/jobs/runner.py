"""The worker: runs jobs one at a time, each in a process of its own, and keeps the plant's clockwork going.

A job's process may crash, be killed or eat its memory without taking the worker along. A worker that is killed loses
nothing either: its job goes to the next one after a while, and every job can be started again where it was.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.jobs.intake.line import Progress
from app.jobs.processes import child_process, end_on_signals, ended_how
from app.jobs.quality.facts import FactsKeeper
from app.jobs.science.detectors.queued import DETECTOR_KINDS
from app.jobs.science.pipelines import clock as pipeline_clock
from app.jobs.upkeep import backups, retention
from app.jobs.upkeep.sealing import Sealer, open_plant
from app.jobs.words import covering
from app.settings import Settings, settings
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
JOB_PATIENCE_S = 5.0  # for a job to end by itself; less than whoever ends the worker has for the worker
CANCEL_PATIENCE_S = 60.0  # for a cancelled job to come to its next step
CONFLICT = 75  # a job's process found that the job is somebody else's by now

Run = Callable[["Store", Settings, Mapping[str, Any], Progress], Any]


class Ended(BaseException):
    """A job was cancelled or its worker shuts down; no error, so nothing in between handles it."""


# --- what a job does ------------------------------------------------------------------------------------------------


def _ingest(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.intake.ingest import ingest

    return ingest(store, current, progress=progress, **given).to_json()


def _import(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.intake.imports import import_labels

    more = {**given, "source": Path(given["source"])}
    return import_labels(store, current, progress=progress, **more).to_json()


def _export(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.exports import export_labels

    times = {
        name: datetime.fromisoformat(given[name]) for name in ("since", "until", "as_of") if given.get(name) is not None
    }
    more = {**given, **times, "dest": Path(given["dest"])}
    return export_labels(store, current, progress=progress, **more).to_json()


def _dataset(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.datasets import build_dataset

    made = build_dataset(store, current, progress=progress, **given)
    return {
        "name": made["name"],
        "hash": made["hash"],
        "images": len(made["items"]),
        "certificate": made["certificate"]["result"],
    }


def _suspects(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.suspects import find_suspects

    made = find_suspects(store, current, progress=progress, **given)
    return {"site": made["site"], "labels": made["labels"], **made["counts"]}


def _train(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.train import train

    return train(store, current, progress=progress, **given)


def _pipeline(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.pipelines.running import run_pipeline

    return run_pipeline(store, current, progress=progress, **given)


def _evaluate(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.evaluate import evaluate

    return evaluate(store, current, progress=progress, **given)


def _gate(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.gate import run_gate, told

    return told(run_gate(store, current, progress=progress, **given))


def _select(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.select import select

    return select(store, current, progress=progress, **given)


def _backtest(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.backtest import backtest, measure_arms

    play = backtest if "dataset" in given else measure_arms
    done = play(store, current, progress=progress, **given)
    return {name: done[name] for name in ("dataset", "pictures", "groups", "seeds", "target", "full", "seconds")}


def _novelty(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.novelty.memories import fit_novelty

    return fit_novelty(store, current, progress=progress, **given)


def _few_labels(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.novelty.few_labels import few_labels

    return few_labels(store, current, progress=progress, **given)


def _proposals(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.novelty.memories import propose_classes

    return propose_classes(store, current, progress=progress, **given)


def _complaints(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.words.complaints import import_upload

    return import_upload(store, current, progress=progress, **given)


def _ask(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    """Put a large labelling batch into the queue."""
    progress(0, 0, "opening tasks")
    return {"selection": store.selections.send(int(given["selection"])).id}


def _heatmaps(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.heatmaps import measure_heatmaps

    return measure_heatmaps(store, current, progress=progress, **given)


def _looks(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.looks import compare_looks
    from core.pictures.tiling import look_from

    chosen = given.get("looks")
    more = {**given, "looks": None if chosen is None else [look_from(one) for one in chosen]}
    return compare_looks(store, current, progress=progress, **more)


def _notes(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.words.notes import label_notes

    return label_notes(store, progress=progress, **given)


def _reread(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    """Read the file of one quarantined picture again, from where the store knows it to be."""
    from app.jobs.intake.ingest import ingest

    image = store.quarantine.to_read_again(int(given["image"]))
    plant = store.acting_as(WORKER)  # a QA lead may restore, not file at will: the worker files this one picture
    return ingest(plant, current, [image.path], image.site, progress=progress).to_json()


def _retention(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    return retention.clean(store, current, progress=progress, **given)


def _backup(store: "Store", current: Settings, _given: Mapping[str, Any], progress: Progress) -> Any:
    """Into the plant's own folder and nowhere else: a job's arguments come from a page."""
    told = backups.backup(store, current, current.backups, progress=progress)
    if store.actor == WORKER:
        told["deleted"] = [str(one) for one in backups.prune(store, current)]
    return told


def _covering(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    return covering.cover(store, current, progress=progress, **given)


KINDS: Mapping[str, Run] = {
    "ingest": _ingest,
    "import": _import,
    "export": _export,
    "dataset": _dataset,
    "suspects": _suspects,
    "train": _train,
    "pipeline": _pipeline,
    "evaluate": _evaluate,
    "gate": _gate,
    "heatmaps": _heatmaps,
    "looks": _looks,
    "select": _select,
    "ask": _ask,
    "novelty": _novelty,
    "proposals": _proposals,
    "fewlabels": _few_labels,
    **DETECTOR_KINDS,
    "backtest": _backtest,
    "notes": _notes,
    "complaints": _complaints,
    "reread": _reread,
    "retention": _retention,
    "backup": _backup,
    covering.KIND: _covering,
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
    end_on_signals(teller.stopping)
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
    clockwork = Clockwork(held, now, current)
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
    current: Settings = field(default_factory=settings)
    _swept: float = float("-inf")
    _looked: float = float("-inf")
    _before: int | None = None

    def tick(self) -> None:
        """Close parts that have waited too long, begin what is due; every half minute look at some files."""
        self.store.parts.close_due(self.now())
        if time.monotonic() - self._looked >= pipeline_clock.EVERY_S:
            self._looked = time.monotonic()
            pipeline_clock.look(self.store, self.current, self.now())
        if time.monotonic() - self._swept >= SWEEP_S:
            self._swept = time.monotonic()
            self.sweep()
            retention.submit_when_due(self.store, self.now())
            backups.submit_when_due(self.store, self.current, self.now())
            covering.submit_when_due(self.store, self.now())

    def sweep(self) -> None:
        """Try the files again that were missing or changed, and look at the next of all the others."""
        from app.jobs.intake.ingest import recheck

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
        child_process([sys.executable, "-m", "app.jobs.runner", str(job.id), worker], current, story) as child,
    ):
        told = None
        while child.poll() is None:
            going_on = store.jobs.beat(worker, job.id, now())
            clockwork.tick()
            if told is None and (ending.is_set() or not going_on):
                told = time.monotonic()
                if ending.is_set():
                    child.terminate()
            if told is not None and time.monotonic() - told > (
                JOB_PATIENCE_S if ending.is_set() else CANCEL_PATIENCE_S
            ):
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
        error = f"The job's process ended unexpectedly ({ended_how(status)}): the story is in {log}."
        store.jobs.fail(job.id, error, worker, now())


def main(arguments: list[str]) -> int:
    """A worker without arguments; one job of a worker with its number and the worker's name."""
    current = settings()
    store = open_plant(current, WORKER)
    if arguments:
        return run_job(store, current, store.jobs.get(int(arguments[0])), arguments[1])
    from app.jobs.quality.alarms import (
        Watcher,  # what it computes with takes half a second that no job's process has to pay
    )
    from app.jobs.science.shadow import ShadowKeeper

    ending = threading.Event()
    end_on_signals(ending)
    with (
        Sealer(store, current),
        FactsKeeper(store, current),
        Watcher(store, current),
        ShadowKeeper(store, current),
    ):
        work(store, current, stop=ending)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
