"""What the label quality page asks for and what its keys do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import context
from app.jobs.science.suspects import last_report
from app.state import FormState, told
from core.errors import NotFound
from core.plant import Site
from core.records import Image, Label, Prediction, TaskKind


@dataclass
class LabelQualityState(FormState):
    """Label quality page.

    Attributes:
        place: number of the doubt in view, among those of the chosen kind.
        about: site and kind that the place counts in.
    """

    place: int = 0
    about: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Doubt:
    """One doubt with what there is to see of it.

    Attributes:
        label: as it stands now; None where it was taken back since.
        said: what the model says; None where it has not looked.
        asked: somebody is asked for a new label at this moment.
    """

    entry: Mapping[str, Any]
    image: Image
    label: Label | None
    said: Prediction | None
    asked: bool


def report_of(site: Site) -> dict[str, Any] | None:
    """The newest report of a site."""
    return last_report(context.settings(), site.id)


def doubts_of(report: Mapping[str, Any], why: str | None) -> list[Mapping[str, Any]]:
    """The doubts of a kind, or all of them."""
    return [one for one in report["suspects"] if why is None or one["why"] == why]


def doubt(entry: Mapping[str, Any]) -> Doubt | None:
    """One of them as it stands now; None where the image is gone."""
    store = context.store()
    try:
        image = store.images.get(int(entry["image"]))
    except NotFound:
        return None
    asked = bool(store.datasets.being_labelled([image.part_id]))
    return Doubt(entry, image, store.labels.get(image.id), store.images.prediction(image.id), asked)


def submit_look(view: LabelQualityState, site: str) -> None:
    """Let the worker look through the labels."""
    with told(view):
        view.job = context.store().jobs.submit("suspects", {"site": site}, now=context.now())
        view.message = "The worker looks through the labels now: leave this page if you like."


def step(view: LabelQualityState, by: int, most: int) -> None:
    """The next doubt, or the one before."""
    view.message = view.failed = ""
    view.place = min(max(0, view.place + by), max(0, most - 1))


def turn_to(view: LabelQualityState, site: str, why: str | None, most: int) -> int:
    """The place in view; another site or kind starts at the first."""
    if view.about != (site, why or ""):
        view.about, view.place = (site, why or ""), 0
    view.place = min(view.place, most - 1)
    return view.place


def send_back(view: LabelQualityState, shown: int, entry: Mapping[str, Any], most: int) -> None:
    """Ask for a new label, and go on; a second press about the doubt that was left already counts for nothing."""
    if shown != view.place:
        return
    with told(view):
        store = context.store()
        part = store.images.get(int(entry["image"])).part_id
        store.queue.send(part, TaskKind.LABEL, f"label in doubt: {entry['sentence']}"[:400], now=context.now())
        view.place = min(view.place + 1, max(0, most - 1))
        view.message = "Sent back: its part waits in the queue to be labelled."


def kinds(report: Mapping[str, Any]) -> Sequence[str]:
    """The kinds of doubt that there are, the most frequent first."""
    return sorted(report["counts"], key=lambda why: (-report["counts"][why], why))
