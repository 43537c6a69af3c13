"""Box tops with the shipping label as what is to be found: present on most, missing on some, torn or smudged on others.

The label is no defect: a picture without one holds nothing to be found, and that is what tells that it is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from core.records import Floats, Region
from data.demo.boxes import LabelFault, face, lay
from data.demo.drawing import Flaw, Scene, draw
from data.demo.files import encoded
from data.demo.optics import soften
from data.demo.plan import seed_of
from data.demo.plant import CAMERAS, LINES, TOLD_BY_READING
from data.demo.study import SPLITS

LABEL = "SHIPPING_LABEL"
MISSING = "MISSING_LABEL"
MISSING_SHARE = 0.25
SPOILT_SHARE = 0.4  # of the others: another fault of the label, or of the box
TOP = "box_top"
_PAPER = 0.2  # a tone that changes by more when the label is taken away is its paper; its shadow changes by less


@dataclass(frozen=True)
class LabelPicture:
    """One picture of a box's top.

    Attributes:
        label: where the label is; None where it is missing.
        flaw: what else is wrong with it; empty where nothing is.
    """

    file: str
    data: bytes
    split: str
    group: str
    view: str
    size_wh: tuple[int, int]
    label: Region | None
    flaw: str


def label_pictures(pictures: int, seed: int) -> Iterator[LabelPicture]:
    """Draw box tops as the plant's cameras see them; the same seed draws the same bytes."""
    line = next(one for one in LINES if any(view.drawn == TOP for view in one.views))
    view = next(view for view in line.views if view.drawn == TOP)
    others = [name for name in line.flaws if name != MISSING and name not in TOLD_BY_READING]
    for number in range(pictures):
        rng = np.random.default_rng([seed, number, 31])
        place = float(rng.random())
        split = next(name for name, edge in SPLITS if place < edge)
        wrong = MISSING if rng.random() < MISSING_SHARE else ""
        if not wrong and rng.random() < SPOILT_SHARE:
            wrong = others[int(rng.integers(len(others)))]
        flaws = (Flaw(wrong, float(rng.uniform(0.2, 0.9)), int(rng.integers(1 << 31))),) if wrong else ()
        scene = Scene(
            kind=TOP,
            camera=CAMERAS[view.camera],
            seed=seed_of(seed, number, 1),
            view_seed=seed_of(seed, number, 2),
            shot_seed=seed_of(seed, number, 3),
            flaws=flaws,
            serial=f"{int(rng.integers(10000, 99999))}-{number % 1000:03d}",
            stops=view.stops + float(rng.normal(0, 0.12)),
            made_on=date(2026, 1, 1) + timedelta(days=int(rng.integers(365))),
        )
        group = f"top-{number:05d}"
        label = None if wrong == MISSING else label_region(scene)
        yield LabelPicture(
            f"{group}.jpg", encoded(draw(scene).pixels), split, group, view.name, scene.camera.size_wh, label, wrong
        )


def label_region(scene: Scene) -> Region:
    """The box around the label's paper: what changes when it is taken away."""
    with_label, without = _laid(scene, None), _laid(scene, LabelFault(MISSING, 0.5, 0))
    paper = np.abs(with_label - without).max(axis=2) > _PAPER
    rows, columns = np.flatnonzero(paper.any(axis=1)), np.flatnonzero(paper.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return Region(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y, LABEL, LABEL, key="label")


def _laid(scene: Scene, fault: LabelFault | None) -> Floats:
    """The face on the conveyor as `draw` lays it, before the camera's noise."""
    rng, view_rng = np.random.default_rng([scene.seed, 1]), np.random.default_rng([scene.view_seed, 2])
    made = face(scene.kind, scene.camera.light_xy, rng, view_rng, scene.made_on, scene.serial, fault)
    return soften(lay(made, scene.camera.size_wh, np.random.default_rng([scene.view_seed, 7])), scene.camera)
