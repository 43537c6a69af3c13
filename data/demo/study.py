"""Pictures to learn from and to be examined on: drawn like the plant's own, but every other one has a flaw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from core.records import Region
from data.demo.drawing import LABEL_FAULTS, Flaw, Scene, draw
from data.demo.files import encoded
from data.demo.plan import fits, seed_of, visible
from data.demo.plant import CAMERAS, Line

_SPLITS = (("train", 0.80), ("val", 0.90), ("test", 1.0))


@dataclass(frozen=True)
class StudyPicture:
    """One labelled picture.

    Attributes:
        file: its name.
        group: the part; all its pictures are in one split.
        regions: every flaw that can be seen; none on a good picture.
    """

    file: str
    data: bytes
    split: str
    group: str
    size_wh: tuple[int, int]
    regions: tuple[Region, ...]


def study(lines: Sequence[Line], pictures: int, seed: int) -> Iterator[StudyPicture]:
    """Draw about this many labelled pictures of the lines' parts, all of each part.

    Args:
        lines: whose parts; in turn, by their number of pictures.
        pictures: at least this many.
        seed: another than the plant's, or the plant's own parts would be learned by heart.
    """
    made = number = 0
    while made < pictures:
        line = lines[number % len(lines)]
        for picture in _part(line, seed, number):
            made += 1
            yield picture
        number += 1


def _part(line: Line, seed: int, number: int) -> Iterator[StudyPicture]:
    rng = np.random.default_rng([seed, number, 21])
    share = float(rng.random())
    split = next(name for name, edge in _SPLITS if share < edge)
    group = f"study-{line.letter}{number:05d}"
    made_on = date(2026, 1, 1) + timedelta(days=int(rng.integers(365)))
    names, weights = list(line.flaws), np.sqrt(np.asarray(list(line.flaws.values())))
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
        yield StudyPicture(
            f"{group}_{view.shot}.jpg", encoded(drawn.pixels), split, group, camera.size_wh, visible(drawn)
        )
