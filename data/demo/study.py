"""Pictures to learn from and to be examined on: drawn like the plant's own, but every other one has a flaw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import numpy as np

from core.records import Region
from data.demo.drawing import LABEL_FAULTS, Flaw, Scene, draw
from data.demo.files import encoded
from data.demo.optics import STEADY
from data.demo.plan import Damage, PlannedPart, fits, planned_part, seed_of, visible
from data.demo.plant import CAMERAS, TOLD_BY_READING, Line

_ANCHOR = datetime(2026, 6, 1, 12, tzinfo=UTC)  # labels bear dates, so the same parts need the same now
SPLITS = (("train", 0.80), ("val", 0.90), ("test", 1.0))  # each up to this share


@dataclass(frozen=True)
class StudyPicture:
    """One labelled picture.

    Attributes:
        file: its name.
        group: the part; all its pictures are in one split.
        view: which side of the part it shows; two exposures of one view share it.
        regions: every flaw that can be seen; none on a good picture.
    """

    file: str
    data: bytes
    split: str
    group: str
    view: str
    size_wh: tuple[int, int]
    regions: tuple[Region, ...]


def study(
    lines: Sequence[Line], pictures: int, seed: int, splits: Sequence[tuple[str, float]] = SPLITS
) -> Iterator[StudyPicture]:
    """Draw about this many labelled pictures of the lines' parts, all of each part.

    Flaws that are told by reading are left out: whoever cannot read sees a good label.

    Args:
        lines: whose parts; in turn, by their number of pictures.
        pictures: at least this many.
        seed: another than the plant's, or the plant's own parts would be learned by heart.
        splits: names, each with the share of parts up to which it goes; the last one to 1.
    """
    made = number = 0
    while made < pictures:
        line = lines[number % len(lines)]
        for picture in _part(line, seed, number, splits):
            made += 1
            yield picture
        number += 1


def fresh_parts(lines: Sequence[Line], each: int, seed: int) -> Iterator[PlannedPart]:
    """Parts as the lines make them, whole and photographed without mishap: so many defective and so many good ones.

    Args:
        lines: which may make them.
        each: of defective parts, and of good ones.
        seed: another than the plant's and the study's.
    """
    left = {True: each, False: each}
    for number in count():
        if not any(left.values()):
            return
        part = planned_part(seed, number, _ANCHOR)
        defective = any(shot.scene.flaws for shot in part.shots)
        if part.line not in lines or len(part.shots) < len(part.line.views) or not left[defective]:
            continue
        left[defective] -= 1
        yield replace(
            part,
            shots=tuple(
                replace(shot, scene=replace(shot.scene, mishap=STEADY), damage=Damage.NONE, repeats=None)
                for shot in part.shots
            ),
        )


def _part(line: Line, seed: int, number: int, splits: Sequence[tuple[str, float]]) -> Iterator[StudyPicture]:
    rng = np.random.default_rng([seed, number, 21])
    share = float(rng.random())
    split = next(name for name, edge in splits if share < edge)
    group = f"study-{line.letter}{number:05d}"
    made_on = date(2026, 1, 1) + timedelta(days=int(rng.integers(365)))
    names = [name for name in line.flaws if name not in TOLD_BY_READING]
    weights = np.sqrt(np.asarray([line.flaws[name] for name in names]))
    flaws: dict[str, tuple[Flaw, ...]] = {}
    for view in {view.name: view for view in line.views}.values():
        chosen: list[Flaw] = []
        while rng.random() < (0.5 if not chosen else 0.15):
            class_id = names[int(rng.choice(len(names), p=weights / weights.sum()))]
            if chosen:  # one class a picture, so that the classes exclude each other
                class_id = chosen[0].class_id
            size = float(np.clip(rng.beta(1.7, 1.7) * 2 * line.size, 0.03, 1.0))
            flaw = Flaw(class_id, size, int(rng.integers(1 << 31)))
            if class_id in LABEL_FAULTS and chosen:
                break
            if fits(class_id, view):
                chosen.append(flaw)
        flaws[view.name] = tuple(chosen)
    for k, view in enumerate(line.views):
        camera = CAMERAS[view.camera]
        scene = Scene(
            kind=view.drawn,
            camera=camera,
            seed=seed_of(seed, number, 1),
            view_seed=seed_of(seed, number, 2, len({v.name for v in line.views[:k]} - {view.name})),
            shot_seed=seed_of(seed, number, 3, k),
            flaws=flaws[view.name],
            serial=f"{int(rng.integers(10000, 99999))}-{number % 1000:03d}",
            stops=view.stops + float(rng.normal(0, 0.12)),
            made_on=made_on,
        )
        drawn = draw(scene)
        file = f"{group}_{view.shot}.jpg"
        yield StudyPicture(file, encoded(drawn.pixels), split, group, view.name, camera.size_wh, visible(drawn))
