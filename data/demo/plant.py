"""The demo plant: three sites, four lines, eight cameras, and who works there."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.plant import PartType
from core.roles import Role
from data.demo.optics import Camera


@dataclass(frozen=True)
class View:
    """One picture of a part: what is seen, by which camera, at which exposure.

    Attributes:
        name: of the view; two exposures of one view share it.
        drawn: a name that `drawing.draw` knows.
        shot: names the picture among those of the part.
        stops: exposure more or less than the camera's usual one.
        after_s: seconds after the part's first picture.
    """

    name: str
    drawn: str
    camera: str
    shot: str
    stops: float = 0.0
    after_s: float = 0.0


@dataclass(frozen=True)
class Line:
    """One line makes one kind of part.

    Attributes:
        part: its part type; the views are in the order in which the cameras stand.
        share: of the plant's parts that come from here.
        defective: share of its parts with a defect; far more than a real line makes, so that there is something to see.
        flaws: how often each class is what is wrong, where something is.
        size: mean size of its flaws, 0 to 1.
    """

    site: str
    name: str
    part: PartType
    views: tuple[View, ...]
    machines: tuple[str, ...]
    share: float
    defective: float
    flaws: Mapping[str, float]
    size: float = 0.5
    letter: str = "P"


@dataclass(frozen=True)
class Band:
    """How strict a site is. The edges that keep these figures are measured and stand on the card of its model.

    Attributes:
        miss: of the defective parts, the share that may pass at most, as an upper bound with 95% confidence.
        false_fail: of the good parts, the share that may fail at most, likewise.
        audit_pass, audit_fail: share of the decided parts that a person looks at all the same.
        reason: why these figures.
    """

    miss: float
    false_fail: float
    audit_pass: float
    audit_fail: float
    reason: str


@dataclass(frozen=True)
class SitePlan:
    """One site.

    Attributes:
        taxonomy: name of a shipped one.
        model: name of a shipped model.
        band: None where nobody has approved a policy, so that nothing passes by itself.
        calibration_lapsed: it was to be looked at again before today's shift, so that nothing passes by itself today.
    """

    name: str
    timezone: str
    taxonomy: str
    model: str
    band: Band | None
    calibration_lapsed: bool = False


@dataclass(frozen=True)
class Worker:
    """Somebody with an account in the demo.

    Attributes:
        sites: None for all.
        eye: chance of seeing a defect of middling size.
        false_alarm: chance of failing a good part that was held.
        seconds: median time for one part.
        doubt: chance of answering UNSURE where it is hard to see.
    """

    name: str
    role: Role
    sites: tuple[str, ...] | None = None
    eye: float = 0.95
    false_alarm: float = 0.04
    seconds: float = 9.0
    doubt: float = 0.04


METAL_MODEL, BOX_MODEL = "demo-metal", "demo-boxes"

SITES: tuple[SitePlan, ...] = (
    SitePlan(
        "Lyon", "Europe/Paris", "machined", METAL_MODEL,
        Band(0.10, 0.05, 0.12, 0.10, "Customers get to see what passes; one pass in eight is audited."),
    ),
    SitePlan(
        "Rotterdam", "Europe/Amsterdam", "fulfilment", BOX_MODEL,
        Band(0.03, 0.03, 0.12, 0.10, "Damage and missing labels only: the scanner, not this camera, reads the labels."),
    ),
    SitePlan(
        "Linz", "Europe/Vienna", "machined", METAL_MODEL,
        Band(0.10, 0.05, 0.12, 0.10, "The press line runs as Lyon's do; one pass in eight is audited."),
        calibration_lapsed=True,
    ),
)  # fmt: skip

_WHITE, _LONG = (1.0, 1.0, 1.0), (1600, 256)

CAMERAS: Mapping[str, Camera] = {
    camera.name: camera
    for camera in (
        Camera("lyon-a1", (0.40, 0.42), 0.35, (-0.45, -0.89), 0.30, (1.0, 0.975, 0.925), 0.55, 0.016, 200, 4.0, 0.004),
        Camera("lyon-a2", (0.62, 0.35), 0.30, (0.71, -0.71), 0.25, (0.92, 0.965, 1.0), 0.60, 0.014, 100, 5.6, 0.008),
        Camera("lyon-b1", (0.30, 0.30), 0.40, (-0.71, -0.71), 0.32, _WHITE, 0.55, 0.017, 100, 4.0, 0.002, grey=True),
        Camera("lyon-b2", (0.55, 0.70), 0.55, (0.30, 0.95), 0.42, (1.0, 0.955, 0.88), 0.75, 0.024, 400, 2.8, 0.002),
        Camera("rtm-1", (0.45, 0.30), 0.35, (-0.50, -0.80), 0.30, (1.02, 1.0, 0.95), 0.60, 0.013, 200, 4.0, 0.004),
        Camera("rtm-2", (0.62, 0.40), 0.42, (0.50, -0.80), 0.35, (0.94, 0.985, 1.05), 0.70, 0.018, 400, 2.8, 0.004),
        Camera("linz-1", (0.50, 0.50), 0.25, (0.20, -0.97), 0.25, _WHITE, 0.50, 0.016, 800, 2.8, 2e-4, _LONG, True),
        Camera("linz-2", (0.30, 0.60), 0.45, (-0.30, 0.95), 0.38, _WHITE, 0.70, 0.024, 1600, 2.8, 2e-4, _LONG, True),
    )
}  # fmt: skip

_METAL = {"SURFACE_SCRATCH": 0.30, "SURFACE_PIT": 0.24, "BURR": 0.20, "CRACK": 0.14, "DIMENSIONAL_OOS": 0.12}
_BOX = {
    "TORN_COVER": 0.22, "BENT_BOX": 0.20, "BROKEN_SEAL": 0.17, "LEAKAGE": 0.11, "MISSING_LABEL": 0.10,
    "WRONG_LABEL": 0.08, "UNREADABLE_LABEL": 0.08, "EXPIRED": 0.04,
}  # fmt: skip

TOLD_BY_READING = ("WRONG_LABEL", "EXPIRED")  # to whoever cannot read, the box looks as it should

LINES: tuple[Line, ...] = (
    Line(
        "Lyon", "A turning",
        PartType("shaft", tile=128, stride=64, views=("side-0", "side-120", "side-240", "end"), time_out_s=20),
        (
            View("side-0", "shaft", "lyon-a1", "side-0"),
            View("side-120", "shaft", "lyon-a1", "side-120", after_s=0.8),
            View("side-240", "shaft", "lyon-a1", "side-240", after_s=1.6),
            View("end", "end_face", "lyon-a2", "end", after_s=3.4),
        ),
        ("CNC-03", "CNC-04"), 0.20, 0.30, _METAL, letter="S",
    ),
    Line(
        "Lyon", "B milling",
        PartType("plate", tile=128, stride=64, views=("top", "underside"), time_out_s=20),
        (
            View("top", "plate", "lyon-b1", "top-short", stops=-0.7),
            View("top", "plate", "lyon-b1", "top-long", stops=0.5, after_s=0.3),
            View("underside", "plate", "lyon-b2", "underside", after_s=4.0),
        ),
        ("MILL-11", "MILL-12"), 0.27, 0.30, _METAL, letter="F",
    ),
    Line(
        "Rotterdam", "Packing 1",
        PartType("carton", 0.5, 128, 64, True, views=("top", "side"), time_out_s=15, flips=False),
        (View("top", "box_top", "rtm-1", "top"), View("side", "box_side", "rtm-2", "side", after_s=1.1)),
        ("PACK-1",), 0.33, 0.30, _BOX, size=0.55, letter="C",
    ),
    Line(
        "Linz", "Strip 1",
        PartType("strip", tile=128, stride=64, views=("upper", "lower"), time_out_s=10),
        (View("upper", "strip", "linz-1", "upper"), View("lower", "strip", "linz-2", "lower", after_s=0.2)),
        ("PRESS-2",), 0.20, 0.28, _METAL, size=0.45, letter="L",
    ),
)  # fmt: skip

PEOPLE: tuple[Worker, ...] = (
    Worker("amelie", Role.INSPECTOR, ("Lyon",), eye=0.97, false_alarm=0.03, seconds=8.0),
    Worker("jonas", Role.INSPECTOR, ("Rotterdam", "Linz"), eye=0.94, false_alarm=0.05, seconds=6.5),
    Worker("priya", Role.INSPECTOR, None, eye=0.90, false_alarm=0.09, seconds=13.0, doubt=0.10),
    Worker("marta", Role.QA_LEAD, None),
    Worker("henrik", Role.QA_LEAD, None),
    Worker("tomasz", Role.DATA_SCIENTIST, None),
    Worker("sofia", Role.ADMIN, None),
    Worker("ingrid", Role.VIEWER, None),
)


def inspectors_at(site: str) -> tuple[Worker, ...]:
    """Who clears the queue there."""
    return tuple(p for p in PEOPLE if p.role is Role.INSPECTOR and (p.sites is None or site in p.sites))


def line_of(part_type: str) -> Line:
    """The line that makes it."""
    return next(line for line in LINES if line.part.name == part_type)
