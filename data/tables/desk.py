"""What people are asked and what they answer."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_time, maybe_to, one_of, only, sealed, time, to


class Tasks(Table, table=True):
    """Requests that a person look; at most one of a kind is open for a part."""

    __table_args__ = (
        one_of("kind", "triage", "audit", "second_look", "gold", "label"),
        one_of("state", "open", "done", "withdrawn"),
        Index("uq_tasks_open", "part_id", "kind", unique=True, **only("state = 'open'")),
        Index("ix_tasks_rank", "rank", "id", **only("state = 'open'")),
        Index("ix_tasks_site_rank", "site_id", "rank", "id", **only("state = 'open'")),
        Index("ix_tasks_leased", "leased_by", **only("state = 'open' AND leased_by IS NOT NULL")),
        Index("ix_tasks_part", "part_id"),
        Index("ix_tasks_kind_rank", "site_id", "kind", "rank", "id", **only("state = 'open'")),
        Index("ix_tasks_closed", "closed_by", "closed_at"),
    )  # fmt: skip
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = to("parts.id")
    kind: str
    state: str
    decision_id: int | None = maybe_to("decisions.id")
    risk: float | None = None
    novelty: float | None = None
    rank: float
    revision: int = 0
    fence: int = 0
    leased_by: str | None = None
    leased_until: datetime | None = maybe_time()
    leased_at: datetime | None = maybe_time()
    ahead: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    created_at: datetime = time()
    closed_by: str | None = None
    closed_at: datetime | None = maybe_time()


class Reviews(Table, table=True):
    """Answers, and the undoing of answers; append-only."""

    __table_args__ = (
        UniqueConstraint("task_id", "revision"),
        # Partial, or SQLite would look for "undoes IS NULL" in it and find nearly every row.
        Index("uq_reviews_undoes", "undoes", unique=True, **only("undoes IS NOT NULL")),
        Index("uq_reviews_act", "by", "act", unique=True, **only("act IS NOT NULL")),
        one_of("verdict", "PASS", "FAIL", "REWORK", "UNSURE"),
        CheckConstraint("sure IS NULL OR sure BETWEEN 1 AND 5", name="sure"),
        Index("ix_reviews_part", "part_id"),
        Index("ix_reviews_by", "by", "reviewed_at"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = to("parts.id")
    image_id: int | None = maybe_to("images.id", index=True)
    task_id: int | None = maybe_to("tasks.id")
    task_kind: str | None = None
    revision: int | None = None
    undoes: int | None = maybe_to("reviews.id")
    verdict: str
    by: str
    images: Any = json()
    classes: Any = json()
    sure: int | None = None
    note: str = sealed()
    reasons: Any = json()
    seconds: float | None = None
    source: Any = json()
    decision_id: int | None = maybe_to("decisions.id")
    outcome: str | None = None
    model: str | None = None
    policy: int | None = None
    taxonomy: int
    act: str | None = None
    reviewed_at: datetime = time()


class Labels(Table, table=True):
    """The present truth of each image; derived from reviews and rebuilt at will."""

    __table_args__ = (Index("ix_labels_site", "site_id", "labelled_at"),)
    image_id: int = Field(primary_key=True, foreign_key="images.id", sa_column_kwargs={"autoincrement": False})
    site_id: int = to("sites.id")
    defective: bool
    verdict: str
    status: str
    by: str
    labelled_at: datetime = time()
    review_id: int = to("reviews.id")
    model: str | None = None
    policy: int | None = None
    changed: bool
    probability: float | None = None


class LabelClasses(Table, table=True):
    """The names on each label, with the class each one means now; None while it is unmapped."""

    __tablename__ = "label_classes"
    __table_args__ = (Index("ix_label_classes_class", "site_id", "class_id"),)
    image_id: int = Field(primary_key=True, foreign_key="images.id", sa_column_kwargs={"autoincrement": False})
    name: str = Field(primary_key=True)
    site_id: int = to("sites.id")
    class_id: str | None = None
