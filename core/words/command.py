"""From what a sentence names to the filters of a page: shown first, applied by a press, never acted on by itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.records import NO_DEFECT
from core.taxonomy import Taxonomy
from core.words.confusions import folded

ALIKE = 85.0  # of 100, how much a name must look like one of ours (rapidfuzz's ratio)
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
NUMBERS: Mapping[str, int] = {
    "A": 1, "AN": 1, "ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5, "SIX": 6, "SEVEN": 7, "EIGHT": 8, "NINE": 9,
    "TEN": 10, "TWELVE": 12, "FOURTEEN": 14, "THIRTY": 30,
}  # fmt: skip
_AGO = re.compile(r"(?:LAST|PAST) (\w+) (HOUR|DAY|WEEK|MONTH)S?|(\w+) (HOUR|DAY|WEEK|MONTH)S? AGO")


@dataclass(frozen=True)
class Names:
    """What there is to filter by."""

    sites: Sequence[str] = ()
    lines: Sequence[str] = ()
    cameras: Sequence[str] = ()
    taxonomies: Sequence[Taxonomy] = ()


@dataclass(frozen=True)
class Filters:
    """What a sentence asks to see; None for what it does not say.

    Attributes:
        since, until: first and last day.
        missed: what it names that nothing here is called.
    """

    site: str | None = None
    line: str | None = None
    camera: str | None = None
    class_id: str | None = None
    since: date | None = None
    until: date | None = None
    missed: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing in it can be filtered by."""
        return all(one is None for one in (self.site, self.line, self.camera, self.class_id, self.since))

    def said(self) -> list[str]:
        """One short phrase for each filter."""
        days = None
        if self.since is not None and self.until is not None:
            days = f"on {self.since}" if self.since == self.until else f"{self.since} to {self.until}"
        named = (("site", self.site), ("line", self.line), ("camera", self.camera), ("class", self.class_id))
        return [f"{kind} {value}" for kind, value in named if value is not None] + ([days] if days else [])


def filters_of(slots: Sequence[tuple[str, str]], names: Names, today: date) -> Filters:
    """What the named things mean here.

    Args:
        slots: (label, words) as the text model found them; a label that filters nothing is said to be missed.
        names: of the plant.
        today: on the site's clock.
    """
    found: dict[str, str] = {}
    days: tuple[date, date] | None = None
    missed = []
    for label, words in slots:
        if label == "time" or label == "schedule":
            meant = days_of(words, today)
            days = days or meant
            if meant is None:
                missed.append(words)
            continue
        pick = _place(words, names) if label in ("line", "location") else None
        if label == "defect" and (class_id := class_of(words, names.taxonomies)) is not None:
            pick = ("class_id", class_id)
        if pick is not None:
            found.setdefault(*pick)
        elif label in ("line", "location", "defect", "employee", "product", "verdict"):
            missed.append(words)
    since, until = days or (None, None)
    return Filters(found.get("site"), found.get("line"), found.get("camera"), found.get("class_id"), since, until,
                   tuple(missed))  # fmt: skip


def class_of(words: str, taxonomies: Sequence[Taxonomy]) -> str | None:
    """The class that words mean in any of the taxonomies: "burrs" is BURR; None where nothing is called so."""
    from rapidfuzz import fuzz

    tries = [words, re.sub(r"(?<=[a-z])(es|s)\b", "", words), re.sub(r"(?<=[a-z])s\b", "", words)]
    for taxonomy in taxonomies:
        for one in tries:
            exact = taxonomy.match(one)
            if exact is not None and exact != NO_DEFECT:
                return exact
    scored = [
        (max(fuzz.token_set_ratio(folded(one), folded(name)) for one in tries), entry.id)
        for taxonomy in taxonomies
        for entry in taxonomy.classes
        for name in entry.names
        if name.strip()
    ]
    best, class_id = max(scored, default=(0.0, ""), key=lambda pair: pair[0])
    return class_id if best >= ALIKE else None


def days_of(words: str, today: date) -> tuple[date, date] | None:
    """First and last day of a time that is over or still runs; None where the words say none that is known."""
    text = re.sub(r"\b(THE|ON|IN|OF|FROM|START)\b", " ", folded(words))
    text = " ".join(text.split())
    since = text.startswith("SINCE ")
    text = text.removeprefix("SINCE ")
    span = _span(text, today)
    if span is None:
        return None
    return (span[0], today) if since else span


def _span(text: str, today: date) -> tuple[date, date] | None:
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    before = first - timedelta(days=1)
    spans = {
        "TODAY": (today, today), "THIS MORNING": (today, today), "THIS AFTERNOON": (today, today),
        "THIS SHIFT": (today, today), "NOON": (today, today), "MIDNIGHT": (today, today),
        "YESTERDAY": (today - timedelta(days=1),) * 2, "LAST NIGHT": (today - timedelta(days=1), today),
        "THIS WEEK": (monday, today), "LAST WEEK": (monday - timedelta(days=7), monday - timedelta(days=1)),
        "THIS MONTH": (first, today), "MONTH": (first, today), "LAST MONTH": (before.replace(day=1), before),
    }  # fmt: skip
    if text in spans:
        return spans[text]
    day = text.removeprefix("LAST ").removeprefix("THIS ")
    if day in DAYS:
        back = (today.weekday() - DAYS.index(day)) % 7 or (7 if text.startswith("LAST ") else 0)
        then = today - timedelta(days=back)
        return then, then
    match = _AGO.fullmatch(text) or re.fullmatch(r"(?:LAST|PAST) (HOUR|DAY|WEEK|MONTH)()()()", text)
    if match is None:
        return None
    count, unit = (match[1], match[2]) if match[2] else (match[3], match[4]) if match[4] else ("ONE", match[1])
    number = int(count) if count.isdigit() else NUMBERS.get(count)
    if number is None or not 0 < number <= 1000:
        return None
    if unit == "HOUR":  # counted in days: a day and an hour reach into the day before
        return today - timedelta(days=number // 24), today
    days = number * {"DAY": 1, "WEEK": 7, "MONTH": 30}[unit]
    if text.endswith("AGO"):
        return today - timedelta(days=days), today - timedelta(days=days)
    return today - timedelta(days=days - 1), today


def _place(words: str, names: Names) -> tuple[str, str] | None:
    from rapidfuzz import fuzz

    scored = [
        (fuzz.ratio(folded(words), folded(name)), kind, name)
        for kind, some in (("line", names.lines), ("camera", names.cameras), ("site", names.sites))
        for name in some
    ]
    best, kind, name = max(scored, default=(0.0, "", ""), key=lambda one: one[0])
    return (kind, name) if best >= ALIKE else None
