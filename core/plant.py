"""What the store knows of the plant: sites, part types, people, jobs, and what is filed into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from core.errors import BadInput, QuarantineReason
from core.pictures.covering import Covering
from core.records import Capture, Image, ImageState, Label, Prediction, Quality
from core.roles import Role
from core.words.prints import Reading

if TYPE_CHECKING:
    from core.taxonomy import Taxonomy


@dataclass(frozen=True)
class Site:
    """One plant with its own taxonomy, model in use and policy.

    Attributes:
        taxonomy_number: of the taxonomy version in use; 0 while the site has none and every name stays unmapped.
        model: name of the model version in use; None while the site has none.
        calibrated: somebody has confirmed that the model's scores are probabilities here.
        paused: why auto-PASS is paused; None while it is on.
        requires_ids: a picture without a part id is quarantined.
        blind: inspectors answer before they see what the model says; where a policy audits, they always do.
        paused_at: since when auto-PASS is paused; None while it is on, and for a pause from before this was noted.
        score_map: how the model's scores are read here, as the store keeps it; None takes them as they are.
        calibrated_until: when somebody has to look at the calibration again; from then on nothing passes by itself.
    """

    id: int
    name: str
    timezone: str
    taxonomy: "Taxonomy"
    taxonomy_number: int
    model: str | None = None
    calibrated: bool = False
    paused: str | None = None
    requires_ids: bool = False
    blind: bool = False
    paused_at: datetime | None = None
    calibrated_until: datetime | None = None
    score_map: Any = field(default=None, hash=False)

    def stopped(self, now: datetime) -> str | None:
        """Why nothing passes by itself at the moment though a policy may allow it; None where it may."""
        return why_stopped(self.paused, self.calibrated_until, now)


def why_stopped(paused: str | None, calibrated_until: datetime | None, now: datetime) -> str | None:
    """Why auto-PASS rests: somebody paused it, or the calibration was to be looked at again by now."""
    if paused is not None:
        return paused
    if calibrated_until is not None and calibrated_until <= now:
        return f"the calibration was to be looked at again by {calibrated_until:%d %b %Y}"
    return None


@dataclass(frozen=True)
class PartType:
    """How one kind of part is looked at.

    Attributes:
        scale: working scale; 0.5 looks at half the width and height.
        tile: side of a tile in pixels of the working scale.
        stride: from one tile to the next; half a tile sees everything twice.
        whole_picture: score the whole picture beside its tiles, for defects larger than a tile.
        views: names of the views that make a part complete.
        pictures: how many pictures make a part complete where views have no names; None expects nothing.
        time_out_s: how long an incomplete part waits for its views before it is held.
        flips: the part looks the same mirrored, so training may mirror it.
        exposures: pictures without a named view are exposures of one view and are averaged; otherwise each of
            them may show another side, and the largest score counts.
    """

    name: str
    scale: float = 1.0
    tile: int = 256
    stride: int = 128
    whole_picture: bool = False
    views: tuple[str, ...] = ()
    pictures: int | None = None
    time_out_s: float = 30.0
    flips: bool = True
    exposures: bool = False

    def __post_init__(self) -> None:
        """Refuse what no engine can work with."""
        if not self.name.strip():
            raise BadInput("A part type needs a name.")
        if not 0.05 <= self.scale <= 4:
            raise BadInput(f"A working scale of {self.scale} is outside 0.05 to 4.")
        if not 32 <= self.tile <= 4096 or not 1 <= self.stride <= self.tile:
            raise BadInput(
                f"Tiles of {self.tile} px every {self.stride} px: a tile is 32 to 4096, a stride 1 to a tile."
            )
        if len(set(self.views)) != len(self.views):
            raise BadInput("Two views have the same name: give each its own.")
        if self.pictures is not None and self.pictures < 1:
            raise BadInput(f"A part of {self.pictures} pictures is never complete: give 1 or more, or none.")
        if not 0 < self.time_out_s <= 7 * 86400:
            raise BadInput(f"A time-out of {self.time_out_s} s is outside 0 to a week.")

    @property
    def expected_views(self) -> tuple[str, ...] | int | None:
        """As a decision asks for it."""
        return self.views or self.pictures


@dataclass(frozen=True)
class Arrival:
    """One picture as it comes out of decoding and scoring, ready to be filed.

    Attributes:
        path: where the file lies; it is kept by reference.
        sha256: of the file's bytes; empty where they could not be read.
        width, height: in pixels after EXIF orientation; 0 where unknown.
        reason: the quarantine reason of a picture that could not be read.
        error: why there is no prediction.
        reading: what is printed on it, where its part type asks.
        covering: what is personal in it, where somebody looked.
    """

    capture: Capture
    path: str
    sha256: str
    width: int = 0
    height: int = 0
    quality: Quality | None = None
    prediction: Prediction | None = None
    state: ImageState = ImageState.OK
    state_note: str = ""
    error: str | None = None
    reason: QuarantineReason | None = None
    reading: Reading | None = None
    covering: Covering | None = None


@dataclass(frozen=True)
class Filed:
    """What became of one arrival.

    Attributes:
        image_id: None for a record that could not be kept at all.
        reason: the quarantine reason, or why nothing is new.
    """

    source: str
    outcome: Literal["image", "known", "quarantined"]
    reason: str = ""
    image_id: int | None = None
    part_id: int | None = None


class PartState(StrEnum):
    """Whether a part still waits for pictures."""

    OPEN = "open"
    DECIDED = "decided"


@dataclass(frozen=True)
class Part:
    """One physical item."""

    id: int
    site: str
    name: str
    order: str | None
    part_type: str | None
    state: PartState
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Person:
    """Somebody with an account.

    Attributes:
        sites: names of the sites they may see; None for all of them.
        demo: belongs to the demo plant, where signing in needs no password on loopback.
        identity: the address or subject under which the company's sign-in knows them.
        password: whether they have one, and not the company's sign-in alone.
    """

    name: str
    role: Role
    sites: tuple[str, ...] | None
    disabled: bool = False
    demo: bool = False
    identity: str | None = None
    password: bool = True


@dataclass(frozen=True)
class PlantName:
    """A camera or line of a site.

    Attributes:
        kind: "camera" or "line".
        last_at: when its last picture arrived; None for one that was announced and has sent nothing yet.
    """

    kind: str
    name: str
    images: int
    last_at: datetime | None


class JobState(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Job:
    """Long work outside the web process.

    Attributes:
        done, total: of whatever the job counts; total 0 while nobody knows.
        attempt: how many workers have started it.
        cancel: somebody asked for an end; the job stops at its next step.
    """

    id: int
    kind: str
    arguments: Mapping[str, Any]
    state: JobState
    by: str
    submitted_at: datetime
    attempt: int = 0
    done: int = 0
    total: int = 0
    message: str = ""
    cancel: bool = False
    worker: str | None = None
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    finished_at: datetime | None = None
    result: Any = None
    error: str = ""


@dataclass(frozen=True)
class AuditEvent:
    """One act, written in the act's own transaction.

    Attributes:
        id: the sequence; grows with every event.
        subject: what was acted on, such as "part 12" or "site Lyon".
        seal: its number in the sealed chain; None in its first second.
    """

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    site: str | None
    old: Any
    new: Any
    reason: str
    model: str | None
    policy: int | None
    seal: int | None = None


@dataclass(frozen=True)
class UnmappedName:
    """A class name that came with pictures and that the site's taxonomy does not know.

    Attributes:
        images: up to a few examples.
        nearest: class ids that look alike, best first.
    """

    name: str
    count: int
    images: tuple[int, ...]
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class LabelledImage:
    """An image with its present truth.

    Attributes:
        prediction: what the model had said when the review was made, without its maps.
    """

    image: Image
    label: Label
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """Where a labelled image lies, without what was said of it: a quarter of a million of them fit anywhere."""

    image_id: int
    path: str
    sha256: str
    site: str


@dataclass(frozen=True)
class ModelVersion:
    """A trained net as the store knows it; its card says the rest."""

    name: str
    path: str
    sha256: str
    card: Mapping[str, Any]
    by: str
    created_at: datetime


@dataclass(frozen=True)
class DatasetVersion:
    """A frozen list of labelled images."""

    name: str
    sha256: str
    manifest: Mapping[str, Any]
    by: str
    created_at: datetime


@dataclass(frozen=True)
class OutboxEvent:
    """Something another system has to be told, kept until it has been."""

    id: int
    topic: str
    part_id: int | None
    payload: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Narrow:
    """The share of a queue that a person asks for; None for what may be anything.

    Attributes:
        line: name of the line that a picture of the part was taken at.
        camera: name of the camera.
        class_id: defect class of a region that the model drew.
        since: the task was opened then or later; aware UTC.
        until: the task was opened before.
    """

    line: str | None = None
    camera: str | None = None
    class_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def given(self) -> dict[str, str | datetime]:
        """What is asked, by name; empty where all of the queue is."""
        named = (("line", self.line), ("camera", self.camera), ("class_id", self.class_id), ("since", self.since),
                 ("until", self.until))  # fmt: skip
        return {name: value for name, value in named if value is not None}


ALL = Narrow()


@dataclass(frozen=True)
class QueueCounts:
    """How much there is to do, for one person.

    Attributes:
        waiting: tasks that this person could go on with now: free ones and their own ahead.
        leased: in somebody's hands.
        kinds: all of them by kind.
        done_today: answered by this person since midnight at the site (UTC where it is about all sites).
        ahead: fetched ahead by others, and taken from them when nothing else is left.
    """

    waiting: int
    leased: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    done_today: int = 0
    ahead: int = 0

    @property
    def all_caught_up(self) -> bool:
        """Whether nothing is left for this person: what another has only fetched ahead is left, too."""
        return self.waiting == 0 and self.ahead == 0
