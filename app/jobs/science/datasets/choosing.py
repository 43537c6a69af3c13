"""Which labelled pictures a dataset is made of."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import BadInput
from core.plant import LabelledImage
from core.times import time_of

if TYPE_CHECKING:
    from data.store import Store

_Test = Callable[[LabelledImage, str], bool]
IMPORT, PEOPLE = "import", "people"


def _yes(text: str) -> bool:
    return text.lower() in ("yes", "true", "1")


def _time(text: str) -> datetime:
    found = time_of(text)
    if found is None:  # an empty text is refused by time_of itself
        raise BadInput("A time is missing.")
    return found


def _provenance(one: LabelledImage, value: str) -> bool:
    imported = one.label.by.startswith("import:")
    return {IMPORT: imported, PEOPLE: not imported}.get(value, str(one.label.status) == value or one.label.by == value)


def _taken(one: LabelledImage, before: str | None = None, since: str | None = None) -> bool:
    at = one.image.capture.taken_at
    if at is None:
        return False
    return (since is None or at >= _time(since)) and (before is None or at < _time(before))


def _quality(one: LabelledImage, value: str) -> bool:
    flags = () if one.image.quality is None else one.image.quality.flags
    return not flags if value == "ok" else value in flags


FILTERS: Mapping[str, _Test] = {
    "camera": lambda one, value: one.image.capture.camera == value,
    "line": lambda one, value: one.image.capture.line == value,
    "machine": lambda one, value: one.image.capture.machine == value,
    "order": lambda one, value: one.image.capture.order == value,
    "part_type": lambda one, value: one.image.capture.part_type == value,
    "stage": lambda one, value: one.image.capture.stage == value,
    "view": lambda one, value: one.image.capture.view == value,
    "status": lambda one, value: str(one.label.status) == value,
    "by": lambda one, value: one.label.by == value,
    "provenance": _provenance,
    "quality": _quality,
    "defective": lambda one, value: one.label.defective is _yes(value),
    "split": lambda one, value: one.label.source.get("split") == value,
    "taken_since": lambda one, value: _taken(one, since=value),
    "taken_until": lambda one, value: _taken(one, before=value),
}
ASKED = ("site", "since", "until", "class", "corrected", "as_of")  # the store chooses by these itself
SURE = "confidence"  # lowest that the annotator gave; whoever gave none is kept
NAMES = sorted((*FILTERS, *ASKED, SURE))


def chosen(store: "Store", filters: Mapping[str, str]) -> Iterable[LabelledImage]:
    """Labelled pictures that all filters let through; a repeated value is divided by bars.

    Raises:
        BadInput: for a filter that there is not, or a value that makes no sense.
    """
    unknown = sorted(filters.keys() - set(NAMES))
    if unknown:
        raise BadInput(f"No filter {unknown[0]!r}: use {', '.join(NAMES)}.")
    for key in ("taken_since", "taken_until"):
        if key in filters:
            _time(filters[key])
    times = {key: _time(filters[key]) for key in ("since", "until", "as_of") if key in filters}
    corrected = _yes(filters.get("corrected", "no"))
    tests = [(FILTERS[key], value.split("|")) for key, value in filters.items() if key in FILTERS]
    seen: set[int] = set()
    for site in filters["site"].split("|") if "site" in filters else [None]:
        for class_id in filters["class"].split("|") if "class" in filters else [None]:
            for one in store.labels.find(site=site, class_id=class_id, only_corrected=corrected, **times):
                if one.image.id not in seen and all(
                    any(test(one, value) for value in values) for test, values in tests
                ):
                    seen.add(one.image.id)
                    yield one


def least_sure(filters: Mapping[str, str]) -> int | None:
    """The confidence that an annotator has to have given; None without that filter.

    Raises:
        BadInput: for anything but 1 to 5.
    """
    if SURE not in filters:
        return None
    text = filters[SURE].removeprefix(">=").strip()
    if text not in {"1", "2", "3", "4", "5"}:
        raise BadInput(f"A confidence of {filters[SURE]!r}: give the lowest that counts, 1 (a guess) to 5 (certain).")
    return int(text)
