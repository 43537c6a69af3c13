"""Small plants for the store's tests."""

from datetime import datetime
from typing import Any

from core.plant import Arrival, Filed
from core.records import Capture, Prediction, Quality, Region, Review, Severity, Task, Verdict
from core.roles import Actor, Role
from core.taxonomy import DefectClass, Taxonomy
from data.store import Store

GOOD_QUALITY = Quality(sharpness=50, brightness=0.5, contrast=0.2, dark=0, bright=0)
PASSWORD = "kettle orbit velvet nine"
CLASSES = Taxonomy(
    "test",
    "1",
    (
        DefectClass("CRACK", aliases=("fracture",), severities=(Severity.MAJOR, Severity.CRITICAL)),
        DefectClass("BURR", severities=(Severity.MINOR, Severity.MAJOR)),
    ),
)


def arrival(number: int, score: float | None = 0.5, *, sha256: str | None = None, **capture: Any) -> Arrival:
    """A readable picture of 640 × 480; without a score nobody has looked at it."""
    known = {"source": f"inbox/{number}.png", "part": f"part-{number}", "camera": "cam 1"} | capture
    prediction = None
    if score is not None:
        box = Region(10, 20, 30, 40, "CRACK", "CRACK", score=score)
        prediction = Prediction("net-1", score, {"CRACK": 0.75, "BURR": 0.25}, (box,), novelty=0.1)
    return Arrival(
        Capture(**known), f"/plant/{known['source']}", sha256 or f"{number:064x}", 640, 480, GOOD_QUALITY, prediction
    )


def site(store: Store, name: str = "Lyon", **more: Any) -> str:
    """A site with two classes, a model and an approved policy: below .3 passes, above .8 fails."""
    store.sites.add(name, CLASSES, **more)
    store.models.add({"name": "net-1"}, "/models/net-1", "0" * 64)
    store.sites.set_model(name, "net-1")
    store.sites.set_calibrated(name)
    proposed = store.acting_as(Actor("quality", system=True)).policies.propose(name, 0.3, 0.8, "as agreed")
    store.policies.approve(name, proposed.number, "as agreed")
    return name


def file(store: Store, *arrivals: Arrival, at: str = "Lyon", now: datetime | None = None) -> list[Filed]:
    """File pictures at a site."""
    return store.arrivals.file(at, arrivals, now=now)


def person(store: Store, name: str, role: Role = Role.INSPECTOR, sites: list[str] | None = None) -> Store:
    """A new person, and the store acting for them."""
    store.people.add(name, PASSWORD, role, sites)
    return store.acting_as(Actor(name))


def answer(store: Store, task: Task, verdict: Verdict = Verdict.FAIL, **more: Any) -> int:
    """Answer a leased task."""
    return store.reviews.add(task.id, task.revision, task.fence, Review(verdict, store.actor.name, **more))
