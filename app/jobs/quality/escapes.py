"""Customers' reports from a file: what is good is kept, what is not is told row by row."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from core.errors import BadInput
from core.kpis.escapes import BadRow, Entered, read_csv

if TYPE_CHECKING:
    from data.store import Store


@dataclass(frozen=True)
class Imported:
    """What became of a file.

    Attributes:
        parts: of the new reports together.
        known: references that the site had already.
        bad: rows that were not taken.
    """

    new: int
    parts: int
    known: tuple[str, ...]
    bad: tuple[BadRow, ...]

    @property
    def sentence(self) -> str:
        """In words."""
        reports = f"{self.new:,} {'report' if self.new == 1 else 'reports'} of {self.parts:,} parts kept"
        known = f", {len(self.known):,} known already" if self.known else ""
        bad = f", {len(self.bad):,} {'row' if len(self.bad) == 1 else 'rows'} not taken" if self.bad else ""
        return f"{reports}{known}{bad}."

    def to_json(self) -> dict[str, Any]:
        """One document."""
        return {
            "new": self.new,
            "parts": self.parts,
            "known": list(self.known),
            "bad": [{"line": one.line, "why": one.why} for one in self.bad],
        }


def take(store: "Store", site: str, name: str, data: bytes, now: datetime) -> Imported:
    """Keep the reports of a CSV file; see `core.kpis.escapes.COLUMNS`.

    Raises:
        BadInput: the file as a whole cannot be used.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{PurePath(name).name[:80]} is no text in UTF-8: write it as CSV.") from error
    read = read_csv(text)
    today = store.reported.today(site, now)
    late = [
        BadRow(line, f"reported_on is {one.reported_on}, which is still to come")
        for line, one in read.good.items() if one.reported_on > today
    ]  # fmt: skip
    good = [one for one in read.good.values() if one.reported_on <= today]
    took = store.reported.report(site, good, f"file {PurePath(name).name[:80]}", now)
    bad = tuple(sorted((*read.bad, *late), key=lambda one: one.line))
    return Imported(len(took.new), took.parts, took.known, bad)


def document(one: Entered) -> dict[str, Any]:
    """A report as JSON."""
    shipped = one.escape.shipped_on
    return {
        "report": one.number, "site": one.site, "reported_on": one.escape.reported_on.isoformat(),
        "parts": one.escape.parts, "reference": one.escape.reference, "customer": one.escape.customer,
        "part": one.escape.part, "class": one.escape.class_id,
        "shipped_on": None if shipped is None else shipped.isoformat(), "note": one.escape.note,
        "source": one.source, "by": one.by, "at": one.at.isoformat(), "taken_back_by": one.taken_back_by,
        "why": one.why,
    }  # fmt: skip
