"""The demo plant's people: they lease and answer like anybody, and one of them vouches for parts that were measured."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.jobs.demo.pictures import Taken, draw_part
from core.errors import Conflict
from core.records import ImageState, Task, Verdict
from core.roles import Actor
from core.taxonomy import Taxonomy
from data.demo.inspectors import answer
from data.demo.plan import PlannedPart
from data.demo.plant import PEOPLE, SITES, Worker, inspectors_at

if TYPE_CHECKING:
    from data.store import Store

_SEEN_TODAY = 0.10  # of today's parts are followed by an inspector's answer
_DOUBT_TODAY = 0.25  # in the middle of a shift more is left for a second person, so that second looks wait
_VOUCHES = "marta"
_SETTLES = next(person for person in PEOPLE if person.name == "henrik")
_VOUCHED_BAD, _VOUCHED_GOOD = 0.9, 0.6  # of the parts of the past become known items
_SLIP = 0.015  # of the answers are taken back and given anew


class Inspectors:
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
        """Answer everything that is open about the past at the part's site; second looks go to a second person.

        Where two differ and there is no third inspector, a QA lead settles it.
        """
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
        settled = replace(_SETTLES, doubt=0.0)
        while (task := self._lease(settled, part.line.site, when + timedelta(hours=1))) is not None:
            if self._part_of(task).today:
                self._store.acting_as(Actor(settled.name)).queue.release(task.id, task.fence, now=when)
                break
            rng = np.random.default_rng([self._seed, part.number, 35, answered])
            when = self._answer(settled, task, when + timedelta(hours=1), rng, alone=False)
            answered += 1
        return answered

    def vouch(self, part: PlannedPart, shots: Taken, at: datetime) -> None:
        """Some parts are cut open and measured: their answer is known from then on, and people are asked about them."""
        rng = np.random.default_rng([self._seed, part.number, 34])
        seen = {region.class_id or region.name for _, regions in shots for region in regions}
        damaged = any(shot.damage or shot.repeats for shot in part.shots)
        if damaged or rng.random() >= (_VOUCHED_BAD if seen else _VOUCHED_GOOD):
            return
        found = self._store.parts.find(part.line.site, part.name)
        if found is None:
            return
        gold = self._store.acting_as(Actor(_VOUCHES)).gold
        with suppress(Conflict):  # it waits for somebody, or was vouched for before
            gold.add(found.id, bool(seen), "cut open and measured in the laboratory", sorted(seen), now=at)

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
