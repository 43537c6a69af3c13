"""Files of notes: JSON lines, CSV and plain text, each row with its clearance.

A row is cleared where its column `cleared` says so: true, yes, 1 or cleared. Anything else is no clearance, and of such
a row nothing is kept but that there was one.
"""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from core.errors import BadInput
from core.words.text import Sentence, Span

MOST_BYTES = 64 << 20
MOST_ROWS = 200_000
_YES = frozenset(("true", "yes", "y", "1", "cleared"))
_NO = "bad row"


@dataclass(frozen=True)
class NoteRow:
    """One note as it stands in a file.

    Attributes:
        spans: labels that came with it; `labelled` where they are all there are.
        problem: why it cannot be used; None where it can.
    """

    text: str
    said_at: datetime | None = None
    source_id: str | None = None
    spans: tuple[Span, ...] = ()
    labelled: bool = False
    problem: str | None = None


@dataclass(frozen=True)
class Uncleared:
    """A row without clearance.

    Attributes:
        unsaid: nothing is said of clearance, so that the file's own may count.
    """

    unsaid: bool
    row: NoteRow


def read_notes(name: str, data: bytes) -> list[NoteRow | Uncleared]:
    """Every row of a file, in order; nothing of it is written anywhere.

    Raises:
        BadInput: it is too large, no text, or of no known kind.
    """
    kinds = {".jsonl": _json_lines, ".csv": _table, ".txt": _plain_lines, ".log": _plain_lines}
    read = kinds.get(PurePath(name).suffix.lower())
    if read is None:
        raise BadInput(f"{name} is none of {', '.join(kinds)}: save the notes as one of these.")
    if len(data) > MOST_BYTES:
        raise BadInput(f"{name} is larger than {MOST_BYTES >> 20} MB: give it in parts.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} cannot be read as UTF-8 text ({error.reason} at byte {error.start}).") from error
    if "\x00" in text:
        raise BadInput(f"{name} holds NUL characters: it is no text file.")
    rows = read(text)
    if len(rows) > MOST_ROWS:
        raise BadInput(f"{name} has {len(rows):,} rows: give at most {MOST_ROWS:,} at a time.")
    return rows


def _json_lines(text: str) -> list[NoteRow | Uncleared]:
    rows: list[NoteRow | Uncleared] = []
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        rows.append(_row(found) if isinstance(found, dict) else Uncleared(False, NoteRow("", problem=_NO)))
    return rows


def _table(text: str) -> list[NoteRow | Uncleared]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        if "text" not in names:
            raise BadInput(f"A table of notes needs a column text; this one has {', '.join(names) or 'none'}.")
        return [
            _row({(name or "").strip().lower(): value for name, value in row.items() if isinstance(value, str)})
            for row in reader
        ]
    except csv.Error as error:
        raise BadInput(f"Line {reader.line_num} of the table cannot be read ({error}).") from error


def _plain_lines(text: str) -> list[NoteRow | Uncleared]:
    return [Uncleared(True, NoteRow(line.strip())) for line in text.split("\n") if line.strip()]


def _row(found: Mapping[str, Any]) -> NoteRow | Uncleared:
    """One row; what it says is looked at only where it is cleared, or nothing is said of that."""
    flag = found.get("cleared")
    said = "" if flag is None else str(flag).strip().lower()
    if said and said not in _YES:
        return Uncleared(False, NoteRow(""))
    row = _contents(found)
    return row if said else Uncleared(True, row)


def _contents(found: Mapping[str, Any]) -> NoteRow:
    text = found.get("text")
    if not isinstance(text, str) or not text.strip():
        return NoteRow("", problem="no text")
    said_at = found.get("at") or found.get("said_at")
    try:
        when = None if not said_at else datetime.fromisoformat(str(said_at))
    except ValueError:
        return NoteRow("", problem="a time that is none")
    if when is not None and when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    slots = found.get("slots")
    spans: tuple[Span, ...] = ()
    if slots is not None:
        try:
            spans = tuple(sorted(Span(int(one["start"]), int(one["end"]), str(one["label"])) for one in slots))
            Sentence("row", text, (), spans)
        except (TypeError, ValueError, KeyError, BadInput):
            return NoteRow("", problem="labels that do not fit the text")
    source = found.get("id")
    return NoteRow(text, when, None if source in (None, "") else str(source)[:200], spans, slots is not None)
