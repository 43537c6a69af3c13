"""What customers report: defective parts that got out, as far as anybody has told.

Such reports come late, and most escapes are never reported, so their number is a lower bound. It estimates nothing and
never stands beside an estimate.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from core.errors import BadInput

COLUMNS = ("reported_on", "parts", "reference", "customer", "part", "class", "shipped_on", "note")
MOST_ROWS = 100_000
MOST_PARTS = 1_000_000
_MOST_TEXT = 300
_T = TypeVar("_T")


@dataclass(frozen=True)
class Escape:
    """One report of one customer.

    Attributes:
        reported_on: the day on which the customer told.
        parts: defective parts that it is about.
        reference: the customer's own number for it; the same one is not counted twice at a site.
        part: name or serial number, where it is known.
        class_id: of the defect, as the report names it.
        shipped_on: the day on which the parts went out, where it is known.
    """

    reported_on: date
    parts: int = 1
    reference: str | None = None
    customer: str = ""
    part: str = ""
    class_id: str | None = None
    shipped_on: date | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if not 1 <= self.parts <= MOST_PARTS:
            raise BadInput(f"A report of {self.parts:,} parts: give 1 to {MOST_PARTS:,}.")
        if self.shipped_on is not None and self.shipped_on > self.reported_on:
            raise BadInput(f"The parts were shipped on {self.shipped_on} and reported before, on {self.reported_on}.")
        for text in (self.reference or "", self.customer, self.part, self.class_id or "", self.note):
            if len(text) > _MOST_TEXT or not text.isprintable():
                raise BadInput(f"'{text[:40]}' is no text of up to {_MOST_TEXT} printable characters.")


@dataclass(frozen=True)
class Entered:
    """A report as the store keeps it.

    Attributes:
        source: how it came, such as "page" or "file reports.csv".
        taken_back_by: who said that it was wrong; None while it counts.
    """

    number: int
    site: str
    escape: Escape
    source: str
    by: str
    at: datetime
    taken_back_by: str | None = None
    why: str = ""


@dataclass(frozen=True)
class BadRow:
    """A row of a file that is not taken.

    Attributes:
        line: in the file, from 1; the head is 1.
        why: with what was found and what is wanted.
    """

    line: int
    why: str


@dataclass(frozen=True)
class Read:
    """What a file holds: reports by their line, and rows that say nothing that could be kept."""

    good: Mapping[int, Escape]
    bad: tuple[BadRow, ...]


def read_csv(text: str) -> Read:
    """Reports from a CSV with a head; only `reported_on` has to be there.

    Raises:
        BadInput: the file as a whole cannot be used; a row that cannot is told in the answer.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    good: dict[int, Escape] = {}
    bad: list[BadRow] = []
    try:
        head = [name.strip().lower() for name in next(rows, [])]
        _check_head(head)
        for row in rows:
            line = rows.line_num
            if not any(cell.strip() for cell in row):
                continue
            if len(good) + len(bad) >= MOST_ROWS:
                raise BadInput(f"There are more than {MOST_ROWS:,} rows: divide the file.")
            if len(row) != len(head):
                bad.append(BadRow(line, f"it has {len(row)} cells, the head has {len(head)}"))
                continue
            try:
                good[line] = _escape(dict(zip(head, (cell.strip() for cell in row), strict=True)))
            except BadInput as error:
                bad.append(BadRow(line, str(error)))
    except csv.Error as error:
        raise BadInput(f"Line {rows.line_num} is no CSV ({error}): write it with commas and a head.") from error
    if not good and not bad:
        raise BadInput("There is a head and no report: write a row for each.")
    return Read(good, tuple(bad))


def _check_head(head: list[str]) -> None:
    unknown = [name for name in head if name not in COLUMNS]
    if "reported_on" not in head:
        raise BadInput(f"There is no column reported_on: the head may name {', '.join(COLUMNS)}.")
    if unknown:
        raise BadInput(f"Nothing is known of the column '{unknown[0][:40]}': the head may name {', '.join(COLUMNS)}.")
    if len(set(head)) != len(head):
        raise BadInput("The head names a column twice: keep one of them.")


def _escape(row: Mapping[str, str]) -> Escape:
    given = {name: row.get(name, "") for name in COLUMNS}
    return Escape(
        reported_on=_day("reported_on", given["reported_on"]),
        parts=_cell("parts", given["parts"] or "1", int, "a whole number"),
        reference=given["reference"] or None,
        customer=given["customer"],
        part=given["part"],
        class_id=given["class"] or None,
        shipped_on=_day("shipped_on", given["shipped_on"]) if given["shipped_on"] else None,
        note=given["note"],
    )


def _day(name: str, text: str) -> date:
    return _cell(name, text, date.fromisoformat, "a day such as 2026-03-01")


def _cell(name: str, text: str, read: Callable[[str], _T], wanted: str) -> _T:
    try:
        return read(text)
    except ValueError as error:
        raise BadInput(f"{name} is '{text[:40]}': it has to be {wanted}.") from error
