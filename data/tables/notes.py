"""Notes of people and logs, de-identified before they come here: the labels they were given, by whom and by what."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint

from data.columns import Table, json, key, maybe_json, maybe_time, time, to


class NoteImports(Table, table=True):
    """One file that was read: how much of it was kept, and how much not and why; append-only."""

    __tablename__ = "note_imports"
    __table_args__ = (Index("ix_note_imports_site", "site_id", "id"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    source: str
    by: str
    document: Any = json()
    imported_at: datetime = time()


class Notes(Table, table=True):
    """One note with placeholders where anything personal stood; what came without clearance is not here."""

    __table_args__ = (UniqueConstraint("site_id", "fingerprint"), Index("ix_notes_site", "site_id", "id"))
    id: int | None = key()
    site_id: int = to("sites.id")
    import_id: int = to("note_imports.id")
    fingerprint: str
    text: str
    said_at: datetime | None = maybe_time()
    covered: Any = json()
    draw: float


class NoteRules(Table, table=True):
    """What a site has set for its labelling functions; append-only: the last one counts."""

    __tablename__ = "note_rules"
    __table_args__ = (UniqueConstraint("site_id", "number"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    number: int
    document: Any = json()
    by: str
    reason: str
    set_at: datetime = time()


class NoteVersions(Table, table=True):
    """One run of the rules over all notes: what it goes by, how far it is, and what it found."""

    __tablename__ = "note_versions"
    __table_args__ = (UniqueConstraint("site_id", "number"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    number: int
    rules: int
    fingerprint: str
    document: Any = json()
    tally: Any = maybe_json()
    upto: int = 0
    by: str
    begun_at: datetime = time()
    finished_at: datetime | None = maybe_time()


class NoteLabels(Table, table=True):
    """What one version made of one note; append-only."""

    __tablename__ = "note_labels"
    __table_args__ = (
        UniqueConstraint("version_id", "note_id"),
        Index("ix_note_labels_waiting", "version_id", "waiting"),
        Index("ix_note_labels_note", "note_id"),
    )
    id: int | None = key()
    version_id: int = to("note_versions.id")
    note_id: int = to("notes.id")
    document: Any = json()
    aside: str | None = None
    waiting: int = 0


class NoteOverrides(Table, table=True):
    """A person's word on a stretch of a note; append-only and numbered: a later one beats an earlier one."""

    __tablename__ = "note_overrides"
    __table_args__ = (UniqueConstraint("note_id", "number"),)
    id: int | None = key()
    note_id: int = to("notes.id")
    number: int
    begins: int
    ends: int
    label: str
    by: str
    made_at: datetime = time()


class NoteChecks(Table, table=True):
    """All true labels of a note, as a person or a labelled file has them; append-only: the last one counts."""

    __tablename__ = "note_checks"
    __table_args__ = (Index("ix_note_checks_note", "note_id", "id"),)
    id: int | None = key()
    note_id: int = to("notes.id")
    version_id: int | None = None
    document: Any = json()
    by_hand: bool
    by: str
    checked_at: datetime = time()
