"""What happens at the demo plant and when: parts with their pictures over some weeks, up to today.

A part follows from the seed, its own number and the plant's now alone, so a longer plan holds every part of a
shorter one, and its pictures are the same bytes however often they are drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any

import numpy as np

from core.records import Region
from data.demo.drawing import LABEL_FAULTS, Drawn, Flaw, Scene, draw
from data.demo.files import encoded
from data.demo.optics import STEADY, Mishap
from data.demo.plant import CAMERAS, LINES, Line, View

HISTORY_DAYS = 24
SHIFT_HOURS = 7.0  # of today's shift, up to now
_DENSE = 130  # the first parts: many of them are of today, so that there is a queue
_BUSY = 0.42  # how many; the others are history, of which audits have something to say
_SMALLEST = 12  # changed pixels below which a flaw counts as not there


class Damage(StrEnum):
    """What happens to a file on its way."""

    NONE = ""
    EMPTY = "empty"
    TRUNCATED = "truncated"
    NOT_A_PICTURE = "not a picture"


@dataclass(frozen=True)
class Shot:
    """One picture to be taken.

    Attributes:
        file: name below the pictures' folder.
        repeats: the camera froze and delivers this earlier shot's bytes again; None as a rule.
    """

    file: str
    view: View
    scene: Scene
    after_s: float
    damage: Damage = Damage.NONE
    repeats: "Shot | None" = None


@dataclass(frozen=True)
class PlannedPart:
    """One part, its pictures and its time.

    Attributes:
        number: 0 and up; with the seed it decides everything but the time.
        at: when its first picture is taken.
        today: belongs to the shift that is going on; nobody has looked at it yet.
    """

    number: int
    name: str
    line: Line
    order: str
    machine: str
    at: datetime
    today: bool
    shots: tuple[Shot, ...]

    def taken_at(self, shot: Shot) -> datetime:
        """To the millisecond."""
        return self.at + timedelta(seconds=shot.after_s)


def parts(seed: int, images: int, anchor: datetime) -> list[PlannedPart]:
    """The plan, in the order of time.

    Args:
        seed: of everything.
        images: exactly this many pictures; the last part may lack views.
        anchor: the plant's now; the last shift ends there.
    """
    planned: list[PlannedPart] = []
    left = images
    for number in count():
        if left <= 0:
            break
        part = planned_part(seed, number, anchor, _BUSY)
        if len(part.shots) > left:
            part = replace(part, shots=part.shots[:left])
        left -= len(part.shots)
        planned.append(part)
    return sorted(planned, key=lambda part: part.at)


def live_parts(seed: int, start: datetime, per_minute: float) -> Iterator[PlannedPart]:
    """Parts as they come down the conveyors from `start` on, without end; their names never meet the history's."""
    run = f"{start:%m%d%H%M%S}"
    for number in count():
        at = start + timedelta(minutes=number / per_minute)
        part = planned_part(seed + 1_000_003 + int(start.timestamp()), number, at)
        shots = tuple(replace(shot, file=f"live-{run}/{shot.file}") for shot in part.shots)
        yield replace(part, name=f"{part.name}-{run}", at=at, today=True, shots=shots)


def planned_part(seed: int, number: int, anchor: datetime, busy: float = 0.56) -> PlannedPart:
    """One part.

    Args:
        seed: of everything.
        number: of the part.
        anchor: the plant's now.
        busy: share of the first parts that belong to today's shift; what the models were examined on was drawn with
            the one that is usual here.
    """
    rng = np.random.default_rng([seed, number, 11])
    line = LINES[int(rng.choice(len(LINES), p=np.asarray([line.share for line in LINES])))]
    name = f"{line.letter}{seed % 1000:03d}-{number:05d}"
    today = bool(rng.random() < (busy if number < _DENSE else 0.08))
    at = _time(rng, anchor, today)
    order = f"{55000 + 37 * (number // 12) % 4000}"
    machine = line.machines[int(rng.integers(len(line.machines)))]
    flaws = _flaws(line, rng)
    frozen, late = rng.random() < 0.012, rng.random() < 0.015
    shots: list[Shot] = []
    for k, view in enumerate(line.views):
        camera = CAMERAS[view.camera]
        view_key = list(dict.fromkeys(v.name for v in line.views)).index(view.name)
        scene = Scene(
            kind=view.drawn,
            camera=camera,
            seed=seed_of(seed, number, 1),
            view_seed=seed_of(seed, number, 2, view_key),
            shot_seed=seed_of(seed, number, 3, k),
            flaws=flaws.get(view.name, ()),
            serial=f"{order}-{number % 1000:03d}",
            stops=view.stops + float(rng.normal(0, 0.06)),
            mishap=_mishap(rng),
            made_on=at.date(),
        )
        file = f"{line.site.lower()}/{line.letter}{number // 100:04d}/{name}_{view.shot}.jpg"
        shots.append(Shot(file, view, scene, view.after_s, _damage(rng)))
    if frozen and len(shots) > 1:
        shots[-1] = replace(shots[-1], repeats=shots[0], damage=Damage.NONE)
    if late:
        shots = shots[:-1]
    return PlannedPart(number, name, line, order, machine, at, today, tuple(shots))


def taken(part: PlannedPart, shot: Shot) -> tuple[bytes, tuple[Region, ...]]:
    """The file's bytes, and what is truly wrong in the picture; nothing can be said of a damaged file."""
    source = shot.repeats or shot
    camera = source.scene.camera
    drawn = draw(source.scene)
    data = encoded(drawn.pixels, camera.name, part.taken_at(source), camera.exposure(source.view.stops))
    if shot.damage is Damage.EMPTY:
        return b"", ()
    if shot.damage is Damage.TRUNCATED:
        return data[: len(data) * 2 // 5], ()
    if shot.damage is Damage.NOT_A_PICTURE:
        return f"camera {shot.scene.camera.name}: sensor time-out, no frame\n".encode(), ()
    return data, visible(drawn)


def visible(drawn: Drawn) -> tuple[Region, ...]:
    """The regions that somebody could see at all."""
    return tuple(r for r in drawn.regions if _pixels(r) >= _SMALLEST)


def _pixels(region: Region) -> int:
    counts: Any = getattr(region.mask, "counts", ())
    return int(sum(counts[1::2]))


def _time(rng: np.random.Generator, anchor: datetime, today: bool) -> datetime:
    if today:
        return _milliseconds(anchor - timedelta(hours=SHIFT_HOURS * float(rng.uniform(0.01, 1.0))))
    days = 1 + int(HISTORY_DAYS * float(rng.beta(1.0, 1.15)))
    day = (anchor - timedelta(days=min(days, HISTORY_DAYS))).astimezone(UTC)
    if day.weekday() == 6:  # nobody works on Sundays
        day -= timedelta(days=1)
    hours = 5.0 + 15.0 * float(rng.random())
    at = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hours)
    return _milliseconds(min(at, anchor - timedelta(hours=SHIFT_HOURS + 2)))


def _milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def seed_of(*keys: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(keys).generate_state(1)[0])


def _flaws(line: Line, rng: np.random.Generator) -> dict[str, tuple[Flaw, ...]]:
    """What is wrong with the part, by view."""
    found: dict[str, list[Flaw]] = {}
    if rng.random() >= line.defective:
        return {}
    names, weights = list(line.flaws), np.asarray(list(line.flaws.values()))
    for _ in range(1 + int(rng.random() < 0.2) + int(rng.random() < 0.06)):
        class_id = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        views = [view.name for view in line.views if fits(class_id, view)]
        view = views[int(rng.integers(len(views)))]
        size = float(np.clip(rng.beta(1.7, 1.7) * 2 * line.size, 0.03, 1.0))
        here = found.setdefault(view, [])
        if class_id in LABEL_FAULTS and any(flaw.class_id in LABEL_FAULTS for flaw in here):
            continue
        here.append(Flaw(class_id, size, int(rng.integers(1 << 31))))
    return {view: tuple(flaws) for view, flaws in found.items()}


def fits(class_id: str, view: View) -> bool:
    """A label can only be wrong where there is one."""
    return class_id not in LABEL_FAULTS or view.drawn == "box_top"


def _mishap(rng: np.random.Generator) -> Mishap:
    chance = float(rng.random())
    if chance < 0.008:
        return Mishap(blur_px=float(rng.uniform(3.0, 5.0)))
    if chance < 0.013:
        return Mishap(stops=float(rng.uniform(-4.2, -3.4)))
    if chance < 0.018:
        return Mishap(stops=float(rng.uniform(2.6, 3.4)))
    return STEADY


def _damage(rng: np.random.Generator) -> Damage:
    chance = float(rng.random())
    if chance < 0.003:
        return Damage.EMPTY
    if chance < 0.010:
        return Damage.TRUNCATED
    if chance < 0.013:
        return Damage.NOT_A_PICTURE
    return Damage.NONE
