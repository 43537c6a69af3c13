"""What the layers say to each other: plain, frozen facts.

Regions and masks are always in the image's own pixels after EXIF orientation. Times are aware UTC.
Scores are calibrated probabilities in [0, 1]. Ids are the store's integers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]  # (h, w, 3) RGB
Floats = npt.NDArray[np.float32]

NO_DEFECT = "NO_DEFECT"


class Verdict(StrEnum):
    """A person's answer."""

    PASS = "PASS"
    FAIL = "FAIL"
    REWORK = "REWORK"
    UNSURE = "UNSURE"

    @property
    def defective(self) -> bool | None:
        """FAIL and REWORK are defective; UNSURE is no label."""
        return None if self is Verdict.UNSURE else self is not Verdict.PASS


class Outcome(StrEnum):
    """What was decided about a part."""

    PASS = "PASS"
    HOLD = "HOLD"
    FAIL = "FAIL"


class Severity(StrEnum):
    """How bad one region is."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Route(StrEnum):
    """Where the part goes next."""

    SHIP = "ship"
    HOLD = "hold"
    REWORK = "rework"
    DIVERT = "divert"
    SECOND_SCAN = "second_scan"
    STOP = "stop"


class TaskKind(StrEnum):
    """Why a person is asked to look."""

    TRIAGE = "triage"
    AUDIT = "audit"
    SECOND_LOOK = "second_look"
    GOLD = "gold"
    LABEL = "label"


class ImageState(StrEnum):
    """What can be done with an image's file."""

    OK = "ok"
    QUARANTINED = "quarantined"
    MISSING = "file missing"
    CHANGED = "evidence changed"


@dataclass(frozen=True)
class Rle:
    """COCO's uncompressed run lengths, column-major, starting with zeros.

    Attributes:
        size_hw: (height, width) of the image.
        counts: run lengths; they add up to height x width.
    """

    size_hw: tuple[int, int]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Polygons:
    """COCO's flat rings: each (x0, y0, x1, y1, ...) in image pixels."""

    rings: tuple[tuple[float, ...], ...]


Mask = Rle | Polygons


@dataclass(frozen=True, slots=True)  # a plant has millions of them
class Region:
    """A box, optionally with a mask, with a class.

    Attributes:
        x, y, width, height: in the image's own pixels; x + width is exclusive.
        name: the class as it was given, by a file, a person or a model.
        class_id: the taxonomy's class; None while the name is unmapped.
        severity: None where nobody said.
        score: a model's confidence in [0, 1]; None from a person.
        mask: outline or run lengths inside the same image; None for a plain box.
        key: stays with the region through edits; unique within one image.
    """

    x: float
    y: float
    width: float
    height: float
    name: str
    class_id: str | None = None
    severity: Severity | None = None
    score: float | None = None
    mask: Mask | None = None
    key: str = ""

    @property
    def area_px(self) -> float:
        """Of the box, not of the mask."""
        return self.width * self.height


_Open: Any = make_dataclass("_Open", [(one.name, Any) for one in fields(Region)], slots=True)


def quick_region(
    x: float, y: float, width: float, height: float, name: str, class_id: str | None = None,
    severity: Severity | None = None, score: float | None = None, mask: Mask | None = None, key: str = "",
) -> Region:  # fmt: skip
    """`Region(...)` in a third of the time, where a million are made: filled in while open, and sealed then.

    A frozen dataclass sets each of its fields through a function of its own.
    """
    made = _Open(x, y, width, height, name, class_id, severity, score, mask, key)
    made.__class__ = Region
    sealed: Region = made
    return sealed


@dataclass(frozen=True)
class Exposure:
    """How the picture was taken; None where the file does not say."""

    iso: float | None = None
    aperture: float | None = None
    shutter_s: float | None = None


@dataclass(frozen=True)
class Quality:
    """Measured on the decoded pixels; see core.pictures.quality for the units and limits.

    Attributes:
        sharpness: variance of the Laplacian at a fixed scale.
        brightness: mean of the grey levels in [0, 1].
        contrast: standard deviation of the grey levels in [0, 1].
        dark, bright: share of pixels at either end of the scale.
        flags: any of "no variance", "blurry", "dark", "over-exposed", "partial".
    """

    sharpness: float
    brightness: float
    contrast: float
    dark: float
    bright: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Capture:
    """What is known of a picture before it is opened.

    Attributes:
        source: the path or URL it lies at, or the id its source gave it; with site and hash its identity.
        part: what the pictures of one physical item share; the source where nothing else is known.
    """

    source: str
    part: str
    order: str | None = None
    machine: str | None = None
    line: str | None = None
    camera: str | None = None
    stage: str | None = None
    view: str | None = None
    part_type: str | None = None
    taken_at: datetime | None = None
    exposure: Exposure = Exposure()


@dataclass(frozen=True)
class Grid:
    """A coarse map over a whole image, as stored: 8 bits a cell.

    Attributes:
        values: (rows, columns) uint8, 255 at the card's scale; cell (0, 0) is the top left corner
            and the whole grid spans the whole image.
    """

    values: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Prediction:
    """What one model version said of one image.

    Attributes:
        model: name of the model version.
        score: calibrated probability that the image shows a defect.
        class_scores: probability of each class given a defect, by class id.
        novelty: distance beyond good images, 1 at the calibrated limit; None where not trained.
        heatmap: why this score (Grad-CAM).
        where: the dense map; None until regions have been learned.
        tiles: (n, 5) x, y, width, height, score of each tile; None where not kept.
        milliseconds: of the engine, per image of its batch.
        back_end: library, precision and device that scored it; empty where nobody noted it.
        embedding: (c,) float32, what the image looks like to the net; None once it has been filed.
    """

    model: str
    score: float
    class_scores: Mapping[str, float]
    regions: tuple[Region, ...] = ()
    novelty: float | None = None
    heatmap: Grid | None = None
    where: Grid | None = None
    tiles: Floats | None = None
    milliseconds: float = 0.0
    back_end: str = ""
    embedding: Floats | None = None


@dataclass(frozen=True)
class Reason:
    """One reason behind a decision.

    Attributes:
        code: stable, for counting: e.g. "band", "quality", "unreadable", "no policy", "paused".
        text: one plain sentence for the inspector.
    """

    code: str
    text: str


@dataclass(frozen=True)
class Image:
    """One picture of one part, as the store knows it."""

    id: int
    site: str
    part_id: int
    capture: Capture
    path: str
    sha256: str
    width: int
    height: int
    state: ImageState
    state_note: str
    quality: Quality | None
    arrived_at: datetime
    same_as: int | None = None


@dataclass(frozen=True)
class Decision:
    """PASS, HOLD or FAIL for one part under one policy.

    Attributes:
        number: 1 for a part's first decision; a later one supersedes it.
        score: the part's score, joined from its images; None where nothing could be scored.
        policy: number of the policy in force; None where the site had none.
    """

    id: int
    part_id: int
    number: int
    outcome: Outcome
    reasons: tuple[Reason, ...]
    route: Route
    score: float | None
    class_scores: Mapping[str, float]
    policy: int | None
    model: str | None
    decided_at: datetime


@dataclass(frozen=True)
class Task:
    """A request that a person look at one part.

    Attributes:
        revision: grows with every review; a save carries the revision it was based on.
        fence: grows with every new holder; a save under an older lease is refused.
        ahead: fetched ahead of the one in hand; anybody may take it when nothing else is left to do.
    """

    id: int
    site: str
    part_id: int
    kind: TaskKind
    urgency: float
    revision: int
    fence: int
    created_at: datetime
    decision_id: int | None = None
    leased_by: str | None = None
    leased_until: datetime | None = None
    ahead: bool = False


@dataclass(frozen=True)
class Review:
    """A person's answer; append-only, a correction is a new review.

    Attributes:
        regions: by image id; an image that is absent was left as it was.
        classes: defect classes named without boxes.
        sure: 1 (guess) to 5 (certain).
        reasons: chips chosen when overriding.
    """

    verdict: Verdict
    by: str
    regions: Mapping[int, tuple[Region, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    sure: int | None = None
    note: str = ""
    reasons: tuple[str, ...] = ()
    seconds: float | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
    reviewed_at: datetime | None = None


class LabelStatus(StrEnum):
    """How well a label is founded."""

    SINGLE = "single"
    AGREED = "agreed"
    ADJUDICATED = "adjudicated"


@dataclass(frozen=True)
class Label:
    """The present truth of one image, derived from reviews.

    Attributes:
        classes: every class known to be on the image, boxed or not, by taxonomy id.
        unmapped: names that no class has been given for; the image is defective all the same.
        changed: the review differs from what the model had said.
    """

    image_id: int
    defective: bool
    verdict: Verdict
    classes: tuple[str, ...]
    unmapped: tuple[str, ...]
    regions: tuple[Region, ...]
    status: LabelStatus
    by: str
    labelled_at: datetime
    review_id: int
    model: str | None
    policy: int | None
    changed: bool
    probability: float | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
