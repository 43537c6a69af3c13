"""The demo plant: draw it, run it through the product's own line, and let simulated inspectors work on it.

Nothing is written into the store behind its back: pictures are files that the line decodes, scores and decides,
and answers are leased and given like anybody's. Only the clock is another: history happens at its own time.
"""

import json
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.demo_plant import prepare
from app.jobs.line import Line, Origin, Progress, Wanted, decoders, quiet
from app.jobs.sources import Naming, Source
from app.settings import Settings
from core.errors import BadInput, Conflict
from core.plant import Filed
from core.records import ImageState, Outcome, Region, Task, Verdict
from core.roles import Actor
from core.taxonomy import Taxonomy
from data.demo.inspectors import answer
from data.demo.plan import PlannedPart, Shot, live_parts, parts, taken
from data.demo.plant import SITES, Worker, inspectors_at

if TYPE_CHECKING:
    from data.store import Store

Taken = list[tuple[bytes, tuple[Region, ...]]]

_AHEAD = 12  # parts drawn before they are needed
_SEEN_TODAY = 0.10  # of today's parts are followed by an inspector's answer
_DOUBT_TODAY = 0.25  # in the middle of a shift more is left for a second person, so that second looks wait
_SLIP = 0.015  # of the answers are taken back and given anew


def demo(
    store: "Store",
    settings: Settings,
    images: int = 300,
    seed: int = 1,
    progress: Progress = quiet,
    *,
    now: datetime | None = None,
    drawers: int = 1,
) -> dict[str, Any]:
    """Make the demo plant, or as much of it as is missing.

    Run again, it changes nothing; interrupted, it goes on where it was; with more images it adds parts.

    Args:
        store: bound to a process of the plant.
        settings: `home` takes the pictures.
        images: pictures in all.
        seed: of parts, defects and people.
        progress: told after every part.
        now: where the plant's history ends; only heard by the first run.
        drawers: processes that draw ahead.

    Returns:
        {images, parts, known, quarantined: {reason: n}, decisions: {outcome: n}, reviews, waiting, seconds}; the
        plan's pictures and parts, those of them that were there before, and what this run added.

    Raises:
        Conflict: there is a demo plant of another seed here.
    """
    started = time.monotonic()
    memo = _memo(settings.home / "demo" / "plan.json", seed, images, now or datetime.now(UTC))
    planned = parts(seed, max(images, memo.images), memo.anchor)
    prepare(store, memo.anchor)
    tally = _Tally()
    if memo.done < max(images, memo.images):
        inspectors = _Inspectors(store, planned, memo.seed, memo.anchor)
        with _plant(store, settings) as plant, _drawn(planned, drawers) as pictures:
            for count, (part, shots) in enumerate(pictures, start=1):
                _run_part(plant, inspectors, part, shots, tally)
                progress(count, len(planned), f"parts, today's shift{'' if part.today else ' to come'}")
        _write_memo(settings.home / "demo" / "plan.json", replace(memo, images=images, done=max(images, memo.done)))
    else:
        tally.known = sum(len(part.shots) for part in planned)
    return {
        "images": sum(len(part.shots) for part in planned),
        "parts": len(planned),
        "known": tally.known,
        "quarantined": dict(sorted(tally.quarantined.items())),
        "decisions": {outcome.value: tally.decisions[outcome] for outcome in Outcome},
        "reviews": tally.reviews,
        "waiting": store.queue.counts().waiting,
        "seconds": round(time.monotonic() - started, 1),
    }


def live(
    store: "Store",
    settings: Settings,
    rate: float = 24.0,
    minutes: float | None = None,
    seed: int = 1,
    progress: Progress = quiet,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Keep feeding parts through the stages at conveyor rate, view by view, until stopped or interrupted.

    Nothing is deleted.

    Args:
        store: with a demo plant.
        settings: `home` takes the pictures.
        rate: parts a minute over all lines.
        minutes: after which no further part comes; None goes on for ever.
        seed: of the parts.
        progress: told after every picture: pictures so far, of 0.
        now: the clock.
        sleep: waits for it.
        stopped: asked before each picture.

    Returns:
        {images, parts, decisions: {outcome: n}, late}: `late` is the longest delay behind the conveyor in seconds.
    """
    if not 0 < rate <= 600:
        raise BadInput(f"{rate} parts a minute: give a rate above 0 and up to 600.")
    prepare(store, now())
    tally, late, names = _Tally(), 0.0, set[str]()
    with ExitStack() as stack:
        plant = stack.enter_context(_plant(store, settings))
        plant.warm_up()
        start = now()
        until = None if minutes is None else start + timedelta(minutes=minutes)
        pictures = stack.enter_context(_drawn(_until(live_parts(seed, start, rate), until), 1))
        stack.enter_context(suppress(KeyboardInterrupt))
        for due, part, shot, data in _in_time(pictures):
            while not stopped() and (wait := (due - now()).total_seconds()) > 0:
                sleep(min(wait, 1.0))
            if stopped():
                break
            plant.clock = now()
            late = max(late, (plant.clock - due).total_seconds())
            filed = plant.take(part, [(shot, data)])
            names.add(part.name)
            tally.files(filed)
            tally.decided(store, [*(one.part_id for one in filed), *(d.part_id for d in store.parts.close_due(now()))])
            progress(tally.images, 0, f"pictures of {len(names)} parts, {late:.1f} s behind the conveyor at most")
    return {
        "images": tally.images,
        "parts": len(names),
        "decisions": {outcome.value: tally.decisions[outcome] for outcome in Outcome},
        "late": round(late, 1),
    }


@dataclass(frozen=True)
class _Memo:
    """What the first run has settled, and how far the plant has come."""

    seed: int
    images: int
    anchor: datetime
    done: int = 0


def _memo(path: Path, seed: int, images: int, now: datetime) -> _Memo:
    if path.exists():
        facts = json.loads(path.read_text())
        memo = _Memo(facts["seed"], facts["images"], datetime.fromisoformat(facts["anchor"]), facts["done"])
        if memo.seed != seed:
            raise Conflict(
                f"The demo plant in {path.parent.parent} was made with seed {memo.seed}, not {seed}: "
                "give that seed, or another HOLDPOINT_HOME."
            )
        return memo
    memo = _Memo(seed, images, now.astimezone(UTC).replace(microsecond=0))
    _write_memo(path, memo)
    return memo


def _write_memo(path: Path, memo: _Memo) -> None:
    facts = {"seed": memo.seed, "images": memo.images, "anchor": memo.anchor.isoformat(), "done": memo.done}
    _write(path, json.dumps(facts, indent=1).encode() + b"\n")


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(data)
    draft.replace(path)


@contextmanager
def _drawn(planned: Iterable[PlannedPart], drawers: int) -> Iterator[Iterator[tuple[PlannedPart, Taken]]]:
    """Every part with its pictures, drawn ahead by other processes."""
    context = get_context("spawn")
    with ProcessPoolExecutor(max(1, drawers), context, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:

        def results() -> Iterator[tuple[PlannedPart, Taken]]:
            ahead: deque[tuple[PlannedPart, Future[Taken]]] = deque()
            for part in planned:
                ahead.append((part, pool.submit(draw_part, part)))
                if len(ahead) >= _AHEAD:
                    first, drawing = ahead.popleft()
                    yield first, drawing.result()
            while ahead:
                first, drawing = ahead.popleft()
                yield first, drawing.result()

        try:
            yield results()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def draw_part(part: PlannedPart) -> Taken:
    """All files of a part, and what is truly on them; runs in a child process."""
    import cv2

    cv2.setNumThreads(1)
    return [taken(part, shot) for shot in part.shots]


class _Plant:
    """The lines of all sites, under one clock."""

    def __init__(self, store: "Store", settings: Settings, stack: ExitStack) -> None:
        self.store = store
        self.clock = datetime.now(UTC)
        self._folder = settings.home / "demo" / "pictures"
        pool = stack.enter_context(decoders(settings))
        self._lines = {
            site.name: stack.enter_context(Line(store, settings, site.name, now=lambda: self.clock, pool=pool))
            for site in SITES
        }

    def warm_up(self) -> None:
        """Open every model before the conveyor starts."""
        for line in self._lines.values():
            line.take([])

    def take(self, part: PlannedPart, shots: Sequence[tuple[Shot, bytes]]) -> list[Filed]:
        """Put the files where the cameras put them, and have them filed."""
        wanted = []
        for shot, data in shots:
            path = self._folder / shot.file
            if not path.exists():
                _write(path, data)
            line = part.line
            wanted.append(
                Wanted(
                    Source(str(path), path),
                    Naming(part.name, shot.view.name, shot.scene.camera.name, line.name, part.order),
                    Origin(line=line.name, machine=part.machine, part_type=line.part.name),
                )
            )
        return self._lines[part.line.site].take(wanted)


@contextmanager
def _plant(store: "Store", settings: Settings) -> Iterator[_Plant]:
    with ExitStack() as stack:
        yield _Plant(store, settings, stack)


class _Tally:
    """What has happened in this run."""

    def __init__(self) -> None:
        self.images = self.known = self.reviews = 0
        self.quarantined: Counter[str] = Counter()
        self.decisions: Counter[Outcome] = Counter()

    def files(self, filed: Iterable[Filed]) -> None:
        """Count what was filed."""
        for one in filed:
            if one.outcome == "known":
                self.known += 1
            elif one.outcome == "quarantined":
                self.quarantined[one.reason] += 1
            else:
                self.images += 1

    def decided(self, store: "Store", part_ids: Iterable[int | None]) -> None:
        """Count the first decision of each part that has one."""
        wanted = {part_id for part_id in part_ids if part_id is not None}
        self.decisions.update(decision.outcome for decision in store.parts.decisions(wanted).values())


def _run_part(plant: _Plant, inspectors: "_Inspectors", part: PlannedPart, shots: Taken, tally: _Tally) -> None:
    """One part at its own time: file, decide, and in the past also review."""
    plant.clock = part.taken_at(part.shots[-1]) + timedelta(seconds=1.5)
    filed = plant.take(part, [(shot, data) for shot, (data, _) in zip(part.shots, shots, strict=True)])
    plant.clock += timedelta(seconds=part.line.part.time_out_s + 1)
    plant.store.parts.close_due(now=plant.clock)
    tally.files(filed)
    if any(one.outcome != "known" for one in filed):
        tally.decided(plant.store, (one.part_id for one in filed))
    inspectors.saw(part, shots)
    if not part.today:
        tally.reviews += inspectors.clear(part, plant.clock)
    elif any(one.outcome != "known" for one in filed):
        tally.reviews += inspectors.pass_by(part, plant.clock)


class _Inspectors:
    """Simulated people who lease and answer like real ones."""

    def __init__(self, store: "Store", planned: Sequence[PlannedPart], seed: int, until: datetime) -> None:
        self._store = store
        self._until = until
        self._planned = {part.name: part for part in planned}
        self._truth: dict[str, Taken] = {}
        self._taxonomies: dict[str, Taxonomy] = {site.name: store.sites.get(site.name).taxonomy for site in SITES}
        self._seed = seed

    def saw(self, part: PlannedPart, shots: Taken) -> None:
        """Remember what is truly on a part of which an answer may still be asked."""
        self._truth[part.name] = [(b"", regions) for _, regions in shots]

    def clear(self, part: PlannedPart, decided_at: datetime) -> int:
        """Answer everything that is open about the past at the part's site; second looks go to a second person."""
        answered, when = 0, decided_at
        workers = inspectors_at(part.line.site)
        first = int(np.random.default_rng([self._seed, part.number, 31]).integers(len(workers)))
        for turn in range(2 * len(workers)):
            worker = workers[(first + turn) % len(workers)]
            rng = np.random.default_rng([self._seed, part.number, 32, turn])
            asked = when + timedelta(minutes=float(rng.lognormal(2.2, 0.8)))
            while (task := self._lease(worker, part.line.site, asked)) is not None:
                if self._part_of(task).today:
                    self._store.acting_as(Actor(worker.name)).queue.release(task.id, task.fence, now=asked)
                    break
                when = asked = self._answer(worker, task, asked, rng, alone=turn == 0)
                answered += 1
        return answered

    def pass_by(self, part: PlannedPart, decided_at: datetime) -> int:
        """During today's shift somebody answers the most urgent task now and then."""
        rng = np.random.default_rng([self._seed, part.number, 33])
        if rng.random() >= _SEEN_TODAY or decided_at > self._until - timedelta(minutes=10):
            return 0
        workers = inspectors_at(part.line.site)
        worker = workers[int(rng.integers(len(workers)))]
        when = decided_at + timedelta(minutes=float(rng.uniform(0.5, 2.0)))
        task = self._lease(worker, part.line.site, when)
        if task is None:
            return 0
        self._answer(replace(worker, doubt=_DOUBT_TODAY), task, when, rng, alone=True)
        return 1

    def _lease(self, worker: Worker, site: str, when: datetime) -> Task | None:
        queue = self._store.acting_as(Actor(worker.name)).queue
        return queue.lease(site=site, now=when) if queue.next(1, site=site, now=when) else None

    def _part_of(self, task: Task) -> PlannedPart:
        return self._planned[self._store.parts.get(task.part_id).name]

    def _answer(self, worker: Worker, task: Task, when: datetime, rng: np.random.Generator, alone: bool) -> datetime:
        """Look at the part's pictures and say what one sees; now and then the wrong key is pressed first.

        Returns:
            When it was done.
        """
        store = self._store.acting_as(Actor(worker.name))
        part = self._part_of(task)
        truth = self._truth.get(part.name) or draw_part(part)
        by_file = {shot.file.rsplit("/", 1)[1]: regions for shot, (_, regions) in zip(part.shots, truth, strict=True)}
        images = store.images.of_part(task.part_id)
        there = {image.id: by_file[Path(image.path).name] for image in images}
        sizes = {image.id: (image.width, image.height) for image in images if image.state is ImageState.OK}
        review = answer(worker, there, sizes, self._taxonomies[task.site], rng, alone)
        done = when + timedelta(seconds=review.seconds or 0)
        if rng.random() < _SLIP and review.verdict is not Verdict.UNSURE:
            wrong = Verdict.FAIL if review.verdict is Verdict.PASS else Verdict.PASS
            slip = replace(review, verdict=wrong, regions={}, note="", sure=None)
            store.reviews.add(task.id, task.revision, task.fence, slip, now=done)
            task = store.reviews.undo(task_id=task.id, now=done + timedelta(seconds=2))
            done += timedelta(seconds=5)
        store.reviews.add(task.id, task.revision, task.fence, review, now=done)
        return done


def _until(coming: Iterable[PlannedPart], until: datetime | None) -> Iterator[PlannedPart]:
    for part in coming:
        if until is not None and part.at >= until:
            return
        yield part


def _in_time(pictures: Iterable[tuple[PlannedPart, Taken]]) -> Iterator[tuple[datetime, PlannedPart, Shot, bytes]]:
    """The pictures of overlapping parts in the order in which they are taken."""
    waiting: list[tuple[datetime, int, PlannedPart, Shot, bytes]] = []
    count = 0
    for part, shots in pictures:
        while waiting and waiting[0][0] <= part.at:
            due, _, of, shot, data = heappop(waiting)
            yield due, of, shot, data
        for shot, (data, _) in zip(part.shots, shots, strict=True):
            heappush(waiting, (part.taken_at(shot), count, part, shot, data))
            count += 1
    while waiting:
        due, _, of, shot, data = heappop(waiting)
        yield due, of, shot, data
