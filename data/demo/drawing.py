"""Draw a part as one camera sees it, with the exact regions of its defects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import cv2
import numpy as np

from core.records import Floats, Pixels, Region, Rle, Severity
from data.demo import box_flaws
from data.demo.boxes import FACE_WH, Face, LabelFault, face, lay
from data.demo.flaws import PAINTERS
from data.demo.marks import MARKS, engraving
from data.demo.optics import STEADY, Camera, Mishap, expose, soften
from data.demo.surfaces import SURFACES, Hole, Surface, distance_to, drill, reach_of
from data.taxonomies import shipped

OOS = "DIMENSIONAL_OOS"
LABEL_FAULTS = ("MISSING_LABEL", "WRONG_LABEL", "UNREADABLE_LABEL", "EXPIRED")
_VISIBLE = 0.018  # a tone that differs by less is lost in the cameras' noise
_NOTICED = 25.0  # whole change over the camera's noise; below it no eye found the flaw in enlarged pictures


@dataclass(frozen=True)
class Flaw:
    """One defect to draw.

    Attributes:
        size: 0 (hardly to be seen) to 1 (glaring).
        seed: of its own course, so that it does not move what is drawn around it.
    """

    class_id: str
    size: float
    seed: int


@dataclass(frozen=True)
class Scene:
    """Everything that decides one picture.

    Attributes:
        kind: of surface or box, a name in SURFACES or BOXES.
        seed: of the part; the same in all its pictures.
        view_seed: of what differs between views; equal in two exposures of one view.
        shot_seed: of the noise of this one picture.
        flaws: what is wrong with this view of the part.
        serial: what is engraved or printed on it.
        made_on: the day it was made or packed; dates on labels follow it.
        stops: exposure more or less than usual.
    """

    kind: str
    camera: Camera
    seed: int
    view_seed: int
    shot_seed: int
    flaws: tuple[Flaw, ...] = ()
    serial: str = ""
    stops: float = 0.0
    mishap: Mishap = STEADY
    made_on: date = date(2026, 1, 1)

    def clean(self) -> "Scene":
        """The same picture of the same part without its defects."""
        return replace(self, flaws=())


Masks = list[tuple[Flaw, np.ndarray]]


@dataclass(frozen=True)
class Drawn:
    """A picture and the truth about it; every region has a mask."""

    pixels: Pixels
    regions: tuple[Region, ...]


def draw(scene: Scene) -> Drawn:
    """Draw the scene; the same scene gives the same bytes."""
    tone, masks = _box(scene) if scene.kind in FACE_WH else _metal(scene)
    pixels = expose(tone, scene.camera, np.random.default_rng([scene.shot_seed, 4]), scene.stops, scene.mishap)
    return Drawn(pixels, regions_from(masks))


def _metal(scene: Scene) -> tuple[Floats, Masks]:
    rng, view_rng = np.random.default_rng([scene.seed, 1]), np.random.default_rng([scene.view_seed, 2])
    surface = SURFACES[scene.kind](scene.camera.size_wh, scene.camera.light_xy, rng, view_rng)
    _mark(surface, scene, np.random.default_rng([scene.view_seed, 3]))
    masks = _flaw(surface, scene)
    return surface.tone, masks


def _box(scene: Scene) -> tuple[Floats, Masks]:
    """Each flaw is laid down beside the face as it was before it; what differs is the flaw's region."""
    fault = next((LabelFault(f.class_id, f.size, f.seed) for f in scene.flaws if f.class_id in LABEL_FAULTS), None)
    made = _face(scene, None)
    tone = _laid(made, scene)
    masks: Masks = []
    if fault is not None:
        made = _face(scene, fault)
        tone, changed = _difference(tone, _laid(made, scene))
        masks.append((Flaw(fault.class_id, fault.size, fault.seed), _filled(changed)))
    for flaw in scene.flaws:
        if flaw.class_id in box_flaws.PAINTERS:
            box_flaws.PAINTERS[flaw.class_id](made, flaw.size, np.random.default_rng([flaw.seed, 6]))
            tone, changed = _difference(tone, _laid(made, scene))
            masks.append((flaw, changed))
    return tone, masks


def _face(scene: Scene, fault: LabelFault | None) -> Face:
    rng, view_rng = np.random.default_rng([scene.seed, 1]), np.random.default_rng([scene.view_seed, 2])
    return face(scene.kind, scene.camera.light_xy, rng, view_rng, scene.made_on, scene.serial, fault)


def _laid(made: Face, scene: Scene) -> Floats:
    return soften(lay(made, scene.camera.size_wh, np.random.default_rng([scene.view_seed, 7])), scene.camera)


def _difference(before: Floats, after: Floats) -> tuple[Floats, np.ndarray]:
    changed = np.abs(after - before).max(axis=2) > _VISIBLE
    return np.where(changed[..., None], after, before), changed


def _filled(changed: np.ndarray) -> np.ndarray:
    """The outline of what changed, filled: a label is one thing, not its letters."""
    points = cv2.findNonZero(changed.astype(np.uint8))
    mask = np.zeros(changed.shape, dtype=np.uint8)
    if points is not None:
        cv2.fillConvexPoly(mask, cv2.convexHull(points), 1)
    return np.asarray(mask.astype(bool) | changed)


def _mark(surface: Surface, scene: Scene, rng: np.random.Generator) -> None:
    for name, chance in (("dust", 0.75), ("fingerprint", 0.16), ("oil", 0.22), ("chatter", 0.14)):
        if rng.random() < chance:
            MARKS[name](surface, rng)
    if scene.serial and rng.random() < 0.6:
        engraving(surface, rng, scene.serial)


def _flaw(surface: Surface, scene: Scene) -> Masks:
    """Drill the holes and paint the flaws; what each changed, as (h, w) bool."""
    masks: Masks = []
    holes = list(surface.holes)
    wrong: dict[int, Flaw] = {}
    for flaw in scene.flaws:
        if flaw.class_id == OOS and len(wrong) < len(holes):
            flaw_rng = np.random.default_rng([flaw.seed, 5])
            free = [k for k in range(len(holes)) if k not in wrong]
            k = free[int(flaw_rng.integers(len(free)))]
            off = 0.12 + 0.22 * flaw.size
            holes[k] = replace(holes[k], factor=1 + off if flaw_rng.random() < 0.6 else 1 - off)
            wrong[k] = flaw
    for hole in holes:
        drill(surface.tone, hole, surface.light_xy)
        _clear(surface, hole)
    surface.holes = tuple(holes)
    surface.tone = soften(surface.tone, scene.camera)
    for k, flaw in wrong.items():
        masks.append((flaw, _hole_mask(surface, k)))
    for flaw in scene.flaws:
        if flaw.class_id in PAINTERS:
            before = surface.tone.copy()
            PAINTERS[flaw.class_id](surface, flaw.size, np.random.default_rng([flaw.seed, 6]))
            change = soften(surface.tone - before, scene.camera)
            changed = np.abs(change) > _VISIBLE
            if float(np.linalg.norm(change[changed])) < _NOTICED * scene.camera.noise:
                surface.tone = before  # what nobody can see is not there, or a label would claim it
                continue
            surface.tone = before + change * changed
            masks.append((flaw, changed))
    return masks


def _clear(surface: Surface, hole: Hole) -> None:
    """There is no material left where the hole is."""
    x1, y1, x2, y2 = box = reach_of(hole, (surface.tone.shape[1], surface.tone.shape[0]))
    if x2 > x1 and y2 > y1:
        surface.part[y1:y2, x1:x2] &= distance_to(hole, box)[0] > hole.radius * hole.factor


def _hole_mask(surface: Surface, k: int) -> np.ndarray:
    hole = surface.holes[k]
    height, width = surface.tone.shape
    x1, y1, x2, y2 = box = reach_of(hole, (width, height))
    mask = np.zeros((height, width), dtype=bool)
    distance, _, _ = distance_to(hole, box)
    mask[y1:y2, x1:x2] = distance < hole.radius * max(hole.chamfer, hole.factor) + 3
    return mask


def regions_from(masks: Sequence[tuple[Flaw, np.ndarray]]) -> tuple[Region, ...]:
    """A region with its tight box and its mask for each flaw that can be seen."""
    regions = []
    for number, (flaw, mask) in enumerate(masks, start=1):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            continue
        x, y = int(columns[0]), int(rows[0])
        regions.append(
            Region(
                x=x,
                y=y,
                width=int(columns[-1]) + 1 - x,
                height=int(rows[-1]) + 1 - y,
                name=flaw.class_id,
                class_id=flaw.class_id,
                severity=severity_of(flaw),
                mask=run_lengths(mask),
                key=f"flaw-{number}",
            )
        )
    return tuple(regions)


def severity_of(flaw: Flaw) -> Severity:
    """What the plant's quality plan says about a flaw of this size, within what the class may have."""
    wanted = 2 if flaw.size > 0.7 else 0 if flaw.size < 0.35 else 1
    order = list(Severity)
    return min(_severities()[flaw.class_id], key=lambda one: abs(order.index(one) - wanted))


@cache
def _severities() -> Mapping[str, tuple[Severity, ...]]:
    return {one.id: one.severities for name in ("machined", "fulfilment") for one in shipped(name).classes}


def run_lengths(mask: np.ndarray) -> Rle:
    """The mask as COCO's run lengths, column by column, zeros first."""
    flat = mask.reshape(-1, order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([[0], edges, [flat.size]])
    counts = np.diff(bounds)
    if flat[0]:
        counts = np.concatenate([[0], counts])
    return Rle((mask.shape[0], mask.shape[1]), tuple(int(n) for n in counts))


def mask_of(rle: Rle) -> np.ndarray:
    """Back to (h, w) bool."""
    values = np.arange(len(rle.counts)) % 2 == 1
    return np.asarray(np.repeat(values, rle.counts).reshape(rle.size_hw, order="F"))
