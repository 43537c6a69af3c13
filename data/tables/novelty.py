"""Memories of good parts, which of them judge where, parts that resemble nothing in them, classes proposed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_time, maybe_to, one_of, time, to


class Memories(Table, table=True):
    """Memories that were fitted; append-only."""

    id: int | None = key()
    name: str = Field(unique=True)
    site_id: int = to("sites.id", index=True)
    part_type: str | None = None
    path: str
    sha256: str
    card: Any = json()
    by: str
    made_at: datetime = time()


class MemoryChanges(Table, table=True):
    """Every act by which another memory judges a site's parts, or none; append-only.

    Attributes:
        part_type: the scope; None is the whole site.
        quota: novel parts of a day that come first.
        uncalibrated: the site's calibration ended with it.
    """

    __tablename__ = "memory_changes"
    __table_args__ = (Index("ix_memory_changes_site", "site_id", "id"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    part_type: str | None = None
    memory_id: int | None = maybe_to("memories.id")
    before_id: int | None = maybe_to("memories.id")
    quota: int
    uncalibrated: bool
    reason: str
    by: str
    at: datetime = time()


class NovelParts(Table, table=True):
    """Parts that were held because they resemble nothing known good; each once.

    Attributes:
        asked: it came first in the queue, within the day's quota.
    """

    __tablename__ = "novel_parts"
    __table_args__ = (UniqueConstraint("part_id"), Index("ix_novel_parts_site", "site_id", "found_at"))
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = to("parts.id")
    decision_id: int = to("decisions.id")
    novelty: float
    asked: bool
    found_at: datetime = time()


class ClassProposals(Table, table=True):
    """Novel parts that look alike, proposed as a class.

    Attributes:
        document: image_ids, part_ids, apart, model.
        taxonomy: the version that has the class, where it was accepted.
    """

    __tablename__ = "class_proposals"
    __table_args__ = (
        one_of("state", "open", "accepted", "declined"),
        Index("ix_class_proposals_site", "site_id", "state", "id"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    state: str
    document: Any = json()
    by: str
    made_at: datetime = time()
    class_id: str | None = None
    taxonomy: int | None = None
    answered_by: str | None = None
    answered_at: datetime | None = maybe_time()
    answer: str = ""
