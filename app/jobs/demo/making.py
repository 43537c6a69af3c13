"""The demo plant: draw it, run it through the product's own line, and let simulated inspectors work on it.

Nothing is written into the store behind its back: pictures are files that the line decodes, scores and decides,
and answers are leased and given like anybody's. Only the clock is another: history happens at its own time.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from app.jobs.demo.book import open_book
from app.jobs.demo.complaints import complaints_of_the_plant
from app.jobs.demo.notes import notes_of_the_plant
from app.jobs.demo.people import Inspectors
from app.jobs.demo.pictures import Taken, drawn_ahead, in_time
from app.jobs.demo.plant import prepare, settle
from app.jobs.intake.line import Line, Origin, Progress, Wanted, decoders, quiet
from app.jobs.intake.sources import Naming, Source
from app.settings import Settings
from core.errors import BadInput, Conflict
from core.plant import Filed
from core.records import Outcome
from data.demo.plan import PlannedPart, Shot, live_parts, parts, seed_of
from data.demo.plant import SITES

if TYPE_CHECKING:
    from data.store import Store


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
    # The plant's chance is seeded, too: a part's share is written down as anywhere else, and the demo is the same one
    # wherever it is made.
    store = type(store)(replace(store.database, draw=Random(seed_of(seed, memo.done)).random), store.actor)
    prepare(store, memo.anchor)
    tally = _Tally()
    if memo.done < max(images, memo.images):
        inspectors = Inspectors(store, planned, memo.seed, memo.anchor)
        with _plant(store, settings) as plant, drawn_ahead(planned, drawers) as pictures:
            settled = False
            for count, (part, shots) in enumerate(pictures, start=1):
                if part.today and not settled:
                    settle(store, memo.anchor)
                    settled = True
                _run_part(plant, inspectors, part, shots, tally)
                progress(count, len(planned), f"parts, today's shift{'' if part.today else ' to come'}")
        settle(store, memo.anchor)
        open_book(store, memo.anchor)
        _write_memo(settings.home / "demo" / "plan.json", replace(memo, images=images, done=max(images, memo.done)))
    else:
        tally.known = sum(len(part.shots) for part in planned)
    notes_of_the_plant(store, memo.anchor, memo.seed)
    complaints_of_the_plant(store, settings, planned, memo.anchor, memo.seed)
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
        pictures = stack.enter_context(drawn_ahead(_until(live_parts(seed, start, rate), until), 1))
        stack.enter_context(suppress(KeyboardInterrupt))
        for due, part, shot, data in in_time(pictures):
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


def _run_part(plant: _Plant, inspectors: "Inspectors", part: PlannedPart, shots: Taken, tally: _Tally) -> None:
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
        inspectors.vouch(part, shots, plant.clock)
    elif any(one.outcome != "known" for one in filed):
        tally.reviews += inspectors.pass_by(part, plant.clock)


def _until(coming: Iterable[PlannedPart], until: datetime | None) -> Iterator[PlannedPart]:
    for part in coming:
        if until is not None and part.at >= until:
            return
        yield part
