"""A file of complaints: each row that can be used, and a sentence for each that cannot.

One row never takes another with it: a cell in another encoding, a quote that nobody closed or a day that is none costs
its own row alone. Columns that nobody asked for are left where they are, unread: names and addresses of customers
never come into the plant.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from core.errors import BadInput
from core.kpis.escapes import BadRow
from core.words.complaints.records import DAY, ComplaintKind, Told

MOST_ROWS = 100_000
LARGEST = 64 << 20  # bytes of a file
_MOST_CELLS = 100
_MOST_CELL = 20_000  # characters; a quote that nobody closed would swallow the rest of the file
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("reference", "complaint_id", "return_id", "ticket", "case_id", "rma"),
    "told_on": ("reported_on", "date", "received_on", "created_at", "returned_on"),
    "text": ("message", "complaint", "comment", "description", "reason"),
    "kind": ("type",),
    "order": ("order_id", "order_number"),
    "item": ("sku", "article", "part_type", "product_id"),
    "part": ("part_name", "serial", "serial_number"),
    "tracking": ("tracking_number", "tracking_id", "parcel"),
    "seller": ("seller_id", "merchant", "vendor"),
    "batch": ("lot", "batch_id", "lot_number"),
    "shipped_on": ("shipped", "ship_date", "dispatched_on"),
}
COLUMNS = tuple(_NAMES)
NEEDED = ("id", "told_on")
_MEANT = {spelled: name for name, others in _NAMES.items() for spelled in (name, *others)}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}.*)?")
_BROKEN = re.compile("[\udc80-\udcff]")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Read:
    """What a file holds.

    Attributes:
        good: complaints by the line that they begin in.
        left_out: columns that were not read.
    """

    good: Mapping[int, Told]
    bad: tuple[BadRow, ...]
    left_out: tuple[str, ...]


def read_complaints(data: bytes, today: date) -> Read:
    """Complaints of a CSV file with a head, separated by commas, semicolons or tabs.

    Args:
        data: as it came; UTF-8, or UTF-16 with its mark.
        today: at the site; what is told of a later day is refused.

    Raises:
        BadInput: the file as a whole cannot be used; a row that cannot is told in the answer.
    """
    lines = _lines(data)
    between = max(",;\t", key=lines[0].count) if lines else ","
    records = _records(lines, between)
    first = next(records, None)
    if first is None or isinstance(first[1], str):
        raise BadInput(f"There is no head: its first line names columns, such as {', '.join(COLUMNS)}.")
    columns, left_out = _columns(first[1])
    width = len(first[1])
    good: dict[int, Told] = {}
    bad: list[BadRow] = []
    seen: dict[str, int] = {}
    for line, cells in records:
        if len(good) + len(bad) >= MOST_ROWS:
            raise BadInput(f"There are more than {MOST_ROWS:,} rows: divide the file.")
        try:
            one = _told(cells, columns, width, today)
        except BadInput as error:
            bad.append(BadRow(line, str(error)))
            continue
        if one.reference in seen:
            bad.append(BadRow(line, f"id {one.reference} stands in line {seen[one.reference]} already"))
            continue
        seen[one.reference] = line
        good[line] = one
    if not good and not bad:
        raise BadInput("There is a head and no complaint: write a row for each.")
    return Read(good, tuple(bad), left_out)


def read_parts_of(data: bytes) -> tuple[dict[tuple[str, str], int], tuple[BadRow, ...]]:
    """How many parts each seller or batch has had: a CSV file with the columns about, name and parts.

    Returns:
        Parts by ("seller" or "batch", name), and rows that were not taken.

    Raises:
        BadInput: the file as a whole cannot be used.
    """
    lines = _lines(data)
    between = max(",;\t", key=lines[0].count) if lines else ","
    records = _records(lines, between)
    first = next(records, None)
    head = [] if first is None or isinstance(first[1], str) else [_folded(one) for one in first[1]]
    if not {"about", "name", "parts"} <= set(head):
        raise BadInput("The head has to name the columns about (seller or batch), name and parts.")
    good: dict[tuple[str, str], int] = {}
    bad: list[BadRow] = []
    for line, cells in records:
        try:
            row = _by_column(cells, {name: head.index(name) for name in ("about", "name", "parts")}, len(head))
            if row["about"] not in ("seller", "batch") or not row["name"]:
                raise BadInput(f"about is '{row['about'][:40]}': it has to be seller or batch, with a name.")
            parts = _cell("parts", row["parts"], int, "a whole number above 0")
            if parts < 1:
                raise BadInput(f"parts is {parts}: it has to be a whole number above 0.")
            good[row["about"], row["name"][:200]] = parts
        except BadInput as error:
            bad.append(BadRow(line, str(error)))
    if not good and not bad:
        raise BadInput("There is a head and no row: write one for each seller or batch.")
    return good, tuple(bad)


def _lines(data: bytes) -> list[str]:
    """Text line by line; a byte that is no UTF-8 stays as a mark in its own line."""
    if len(data) > LARGEST:
        raise BadInput(f"The file has {len(data) >> 20} MiB: at most {LARGEST >> 20} are taken, so divide it.")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise BadInput("The file says that it is UTF-16 and is not: save it as CSV (UTF-8).") from error
    else:
        text = data.decode("utf-8-sig", errors="surrogateescape")
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return [f"{line}\n" for line in plain.removesuffix("\n").split("\n")]  # other breaks belong to a cell


def _records(lines: list[str], between: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each record with the line that it begins in, or a sentence on why it is none.

    After a record that cannot be read the next line is tried anew, so that an open quote costs one row.
    """
    start = 0
    while start < len(lines):
        reader = csv.reader((lines[at] for at in range(start, len(lines))), delimiter=between, strict=True)
        again = len(lines)
        while True:
            line = start + reader.line_num  # of the lines before this record
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield line + 1, f"it is no CSV ({error}): close its quotes"
                again = line + 1
                break
            if any(len(cell) > _MOST_CELL for cell in cells):
                yield line + 1, f"a cell is longer than {_MOST_CELL:,} characters: close its quotes"
                again = line + 1
                break
            if any(cell.strip() for cell in cells):
                yield line + 1, cells
        start = again


def _columns(head: list[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    found: dict[str, int] = {}
    left_out = []
    for place, name in enumerate(head):
        meant = _MEANT.get(_folded(name))
        if meant is None:
            left_out.append(name.strip()[:60])
        elif meant in found:
            raise BadInput(f"The head names {meant} twice: keep one of the columns.")
        else:
            found[meant] = place
    for name in NEEDED:
        if name not in found:
            raise BadInput(
                f"There is no column {name}: the head has to name id and told_on, and may name "
                f"{', '.join(one for one in COLUMNS if one not in NEEDED)}."
            )
    if len(head) > _MOST_CELLS:
        raise BadInput(f"The head names {len(head)} columns: at most {_MOST_CELLS} are read.")
    return found, tuple(left_out)


def _folded(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _by_column(cells: list[str] | str, columns: Mapping[str, int], width: int) -> dict[str, str]:
    if isinstance(cells, str):
        raise BadInput(cells)
    if len(cells) != width:
        raise BadInput(f"it has {len(cells)} cells, the head has {width}")
    row = {name: cells[place] for name, place in columns.items()}
    if any(_BROKEN.search(cell) for cell in row.values()):
        raise BadInput("it is not UTF-8: save the table as CSV (UTF-8)")
    return {name: " ".join(_CONTROL.sub(" ", cell).split()) for name, cell in row.items()}


def _told(cells: list[str] | str, columns: Mapping[str, int], width: int, today: date) -> Told:
    row = _by_column(cells, columns, width)
    kind = row.get("kind", "").lower() or str(ComplaintKind.COMPLAINT)
    if kind not in tuple(ComplaintKind):
        raise BadInput(f"kind is '{kind[:40]}': it has to be complaint or return.")
    told_on = _cell("told_on", row["told_on"], _day, DAY)
    if told_on > today:
        raise BadInput(f"told_on is {told_on}, which is still to come")
    shipped = row.get("shipped_on", "")
    return Told(
        reference=row["id"],
        told_on=told_on,
        text=row.get("text", ""),
        kind=ComplaintKind(kind),
        order=row.get("order", ""),
        item=row.get("item", ""),
        part=row.get("part", ""),
        tracking=row.get("tracking", ""),
        seller=row.get("seller", ""),
        batch=row.get("batch", ""),
        shipped_on=_cell("shipped_on", shipped, _day, DAY) if shipped else None,
    )


def _day(text: str) -> date:
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return date.fromisoformat(found.group(1))


def _cell(name: str, text: str, read: Callable[[str], _T], wanted: str) -> _T:
    try:
        return read(text)
    except ValueError as error:
        raise BadInput(f"{name} is '{text[:40]}': it has to be {wanted}.") from error
