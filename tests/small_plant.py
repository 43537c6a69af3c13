"""A small real plant for tests of pages and browser: drawn pictures, real store, predictions made by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np

from core.errors import QuarantineReason
from core.pictures.quality import measure
from core.plant import Arrival, PartType
from core.records import Capture, Exposure, Grid, ImageState, Prediction, Region, Review, Verdict
from core.roles import Actor, Role
from data.store import Store, open_store
from data.taxonomies import shipped

PASSWORD = "seven green tractors hum"
SITE, OTHER = "Lyon", "Turin"
WIDTH, HEIGHT = 640, 400
PEOPLE: Sequence[tuple[str, Role, tuple[str, ...] | None]] = (
    ("Ines", Role.INSPECTOR, (SITE,)),
    ("Tomas", Role.INSPECTOR, (OTHER,)),
    ("Quentin", Role.QA_LEAD, None),
    ("Dora", Role.DATA_SCIENTIST, None),
    ("Ada", Role.ADMIN, None),
    ("Vera", Role.VIEWER, None),
)


@dataclass(frozen=True)
class Made:
    """What a test needs to know of the plant."""

    home: Path
    url: str


def _picture(rng: np.random.Generator, flaw: tuple[int, int, int, int] | None) -> np.ndarray:
    rows = np.linspace(0, 14, HEIGHT)[:, None] * np.ones((1, WIDTH))
    grey = 128 + 10 * np.sin(rows * 9) + rng.normal(0, 5, (HEIGHT, WIDTH))
    if flaw is not None:
        x, y, width, height = flaw
        cv2.line(grey, (x + 2, y + 2), (x + width - 2, y + height - 2), 40, 3)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _grid(flaw: tuple[int, int, int, int] | None) -> Grid:
    values = np.zeros((HEIGHT // 16, WIDTH // 16), np.uint8)
    if flaw is not None:
        x, y, width, height = (value // 16 for value in flaw)
        values[y : y + height + 1, x : x + width + 1] = 220
    return Grid(values)


def _prediction(score: float, flaw: tuple[int, int, int, int] | None, class_id: str) -> Prediction:
    others = {"CRACK": 0.1, "SURFACE_SCRATCH": 0.15, "SURFACE_PIT": 0.08}
    regions = () if flaw is None else (Region(*map(float, flaw), class_id, class_id, score=score, key="m1"),)
    tiles = np.array([[0, 0, 256, 256, score], [128, 0, 256, 256, score / 2], [384, 144, 256, 256, 0.1]], np.float32)
    return Prediction(
        "small-1", score, {**others, class_id: 0.7}, regions, None, _grid(flaw), _grid(flaw), tiles, milliseconds=12.0
    )


def make_plant(home: Path, *, parts: int = 8, now: datetime | None = None, demo: bool = False) -> Made:
    """Make it below `home`; the queue of Lyon then holds every part, the last one with two views."""
    moment = now or datetime.now(UTC)
    url = f"sqlite:///{home / 'holdpoint.sqlite3'}"
    pictures = home / "pictures"
    pictures.mkdir(parents=True)
    store = open_store(url)
    store.sites.add(SITE, shipped("machined"), "Europe/Paris", now=moment)
    store.sites.add(OTHER, shipped("fulfilment"), "Europe/Rome", now=moment)
    store.part_types.put(SITE, PartType("bracket", views=()), now=moment)
    for name, role, sites in PEOPLE:
        store.people.add(name, PASSWORD, role, sites, demo=demo, now=moment)
    rng = np.random.default_rng(7)
    arrivals = []
    for number in range(parts):
        flaw = (60 + 40 * (number % 8), 80 + 20 * (number % 5), 140, 60) if number % 3 != 2 else None
        views = ("top", "side") if number == parts - 1 else ("top",)
        for view in views:
            path = pictures / f"part{number}-{view}.png"
            pixels = _picture(rng, flaw if view == "top" else None)
            cv2.imwrite(str(path), pixels)
            score = 0.45 + 0.04 * (number % 13) if view == "top" else 0.1
            capture = Capture(
                source=str(path), part=f"P-{number:03}", order="55120", machine="mill 4", line="line B", camera="cam 3",
                stage="after milling", view=view, part_type="bracket", taken_at=moment - timedelta(minutes=40 - number),
                exposure=Exposure(200, 5.6, 0.004),
            )  # fmt: skip
            arrivals.append(
                Arrival(
                    capture, str(path), sha256(path.read_bytes()).hexdigest(), WIDTH, HEIGHT, measure(pixels),
                    _prediction(score, flaw if view == "top" else None, "CRACK" if number % 2 else "SURFACE_SCRATCH"),
                )
            )  # fmt: skip
    store.arrivals.file(SITE, arrivals, close_parts=True, now=moment - timedelta(minutes=30))
    _some_broken(store, pictures, moment)
    _some_labels(store, moment)
    store.close()
    return Made(home, url)


def _some_broken(store: Store, pictures: Path, moment: datetime) -> None:
    path = pictures / "broken.jpg"
    path.write_bytes(b"\xff\xd8\xff broken")
    arrival = Arrival(
        Capture(str(path), "P-BROKEN"), str(path), sha256(path.read_bytes()).hexdigest(), state=ImageState.QUARANTINED,
        state_note="the file ends too early", reason=QuarantineReason.TRUNCATED,
    )  # fmt: skip
    store.arrivals.file(OTHER, [arrival], close_parts=True, now=moment)


def _some_labels(store: Store, moment: datetime) -> None:
    images = [one for one in store.images.find(site=SITE, limit=100) if one.capture.view == "top"]
    names = ("scratch", "hairline", "ok")
    reviews = []
    for image, name in zip(images, names, strict=False):
        good = name == "ok"
        region = Region(50, 60, 80, 40, name, store.taxonomies.of(SITE).match(name), key="i1")
        reviews.append(
            (
                image.id,
                Review(
                    Verdict.PASS if good else Verdict.FAIL,
                    "import:test",
                    {image.id: () if good else (region,)},
                    source={"source": "test"},
                ),
            )
        )
    store.reviews.imported(SITE, reviews, now=moment)


def sign_in(url: str, name: str) -> str:
    """A session token of one of the people."""
    store = open_store(url, Actor("tests", system=True))
    token = store.people.sign_in(name, PASSWORD)
    store.close()
    return token
