"""Rows of notes as plain facts: notes, rules, versions, labels, checks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.words.labelling.changes import Override, overlaid
from core.words.labelling.registry import LabelRules, rules_of
from core.words.text import Span
from core.words.votes import Came, Given, Labelled, Waiting
from data.store.rows import chunks
from data.tables import note_checks, note_labels, note_overrides, note_rules, note_versions, notes


@dataclass(frozen=True)
class NewNote:
    """A note that may be stored: cleared, and with placeholders where anything personal stood.

    Attributes:
        fingerprint: tells a note that came before.
        covered: how much of each kind was covered.
        truth: all its true labels, where they came with it.
    """

    fingerprint: str
    text: str
    said_at: datetime | None = None
    covered: Mapping[str, int] = field(default_factory=dict)
    truth: tuple[Span, ...] | None = None


@dataclass(frozen=True)
class NoteImport:
    """What was read of one file.

    Attributes:
        counts: {read, new, known, uncleared, refused: {reason: n}, covered: {kind: n}, labelled}.
    """

    id: int
    source: str
    by: str
    counts: Mapping[str, Any]
    imported_at: datetime


@dataclass(frozen=True)
class KeptRules:
    """Rules as they were set; number 0 are those that come with Holdpoint."""

    number: int = 0
    rules: LabelRules = field(default_factory=LabelRules)
    by: str = ""
    reason: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True)
class Version:
    """One run of the rules.

    Attributes:
        rules: number of the rules it went by.
        fingerprint: of code, rules and functions.
        document: functions, weights and records as JSON, and the label model where it decides.
        tally: what was counted so far.
        upto: the last note that it has labelled.
    """

    id: int
    number: int
    rules: int
    fingerprint: str
    document: Mapping[str, Any]
    tally: Mapping[str, Any]
    upto: int
    by: str
    begun_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class NoteSeen:
    """A note with the labels that count.

    Attributes:
        voted: what the functions made of it.
        overrides: what people said, the last one last.
        aside: why it is not labelled; None where it is.
        draw: uniform in [0, 1), drawn when it came.
    """

    id: int
    text: str
    said_at: datetime | None
    draw: float
    voted: Labelled
    overrides: tuple[Override, ...] = ()
    aside: str | None = None

    @property
    def counts(self) -> Labelled:
        """The labels as they count."""
        return overlaid(self.voted, self.overrides)


@dataclass(frozen=True)
class Checked:
    """The true labels of a note.

    Attributes:
        voted: what the functions of the present version made of it; None where they have not seen it.
        by_hand: a person looked at a note drawn at random; otherwise the labels came with a file.
        learns: this note is for the functions' weights; the others measure how good the labels are.
    """

    note_id: int
    text: str
    truth: tuple[Span, ...]
    voted: Labelled | None
    by_hand: bool
    learns: bool


def learns(draw: float) -> bool:
    """Whether a note, once checked, is for the functions' weights: the half that chance has given them."""
    return int(draw * 1_000_000) % 2 == 0


def labels_document(made: Labelled) -> dict[str, Any]:
    """Labels as JSON."""
    return {
        "given": [[one.start, one.end, one.label, round(one.share, 4)] for one in made.given],
        "waiting": [[one.start, one.end, one.came.value, list(one.candidates)] for one in made.waiting],
    }


def labels_of(document: Mapping[str, Any]) -> Labelled:
    """Labels from JSON."""
    return Labelled(
        tuple(Given(start, end, label, share) for start, end, label, share in document.get("given", ())),
        tuple(Waiting(start, end, Came(came), tuple(names)) for start, end, came, names in document.get("waiting", ())),
    )


def spans_document(spans: Iterable[Span]) -> list[list[Any]]:
    """Spans as JSON."""
    return [[one.start, one.end, one.label] for one in sorted(spans)]


def spans_of(document: Sequence[Sequence[Any]]) -> tuple[Span, ...]:
    """Spans from JSON."""
    return tuple(Span(start, end, label) for start, end, label in document)


def rules_in_force(connection: Connection, site_id: int) -> KeptRules:
    """The rules that count."""
    query = sa.select(note_rules).where(note_rules.c.site_id == site_id).order_by(note_rules.c.number.desc()).limit(1)
    row: Any = connection.execute(query).one_or_none()
    return KeptRules() if row is None else kept_rules(row)


def kept_rules(row: Any) -> KeptRules:
    return KeptRules(row.number, rules_of(row.document), row.by, row.reason, row.set_at)


def version_of(row: Any) -> Version:
    return Version(row.id, row.number, row.rules, row.fingerprint, row.document, row.tally or {}, row.upto, row.by,
                   row.begun_at, row.finished_at)  # fmt: skip


def shown_version(connection: Connection, site_id: int) -> Version | None:
    """The newest version that is whole; the newest one at all where none is."""
    query = sa.select(note_versions).where(note_versions.c.site_id == site_id)
    query = query.order_by(note_versions.c.finished_at.is_(None), note_versions.c.number.desc()).limit(1)
    row: Any = connection.execute(query).one_or_none()
    return None if row is None else version_of(row)


def overrides_of(connection: Connection, note_ids: Sequence[int]) -> dict[int, tuple[Override, ...]]:
    """What people said of some notes, in order."""
    found: dict[int, list[Override]] = {}
    for some in chunks(note_ids):
        query = sa.select(note_overrides).where(note_overrides.c.note_id.in_(some)).order_by(note_overrides.c.number)
        for row in connection.execute(query):
            found.setdefault(row.note_id, []).append(Override(row.begins, row.ends, row.label, row.by))
    return {note_id: tuple(said) for note_id, said in found.items()}


def seen(connection: Connection, rows: Sequence[Any]) -> list[NoteSeen]:
    """Rows of notes joined with their labels, as notes."""
    said = overrides_of(connection, [row.id for row in rows])
    return [
        NoteSeen(
            row.id, row.text, row.said_at, row.draw, labels_of(row.document or {}), said.get(row.id, ()), row.aside
        )
        for row in rows
    ]


def with_labels(version_id: int | None) -> sa.Select[Any]:
    """Notes beside what a version made of them."""
    mine = (note_labels.c.note_id == notes.c.id) & (note_labels.c.version_id == (version_id or 0))
    return sa.select(notes, note_labels.c.document, note_labels.c.aside, note_labels.c.waiting).outerjoin(
        note_labels, mine
    )


def last_checks() -> sa.Select[Any]:
    """The id of the check of each note that counts."""
    return sa.select(sa.func.max(note_checks.c.id)).group_by(note_checks.c.note_id)
