"""Complaints and returns, what people said of them, what is done about them, and who is told."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from data.columns import Table, json, key, maybe_time, maybe_to, one_of, only, time, to


class Complaints(Table, table=True):
    """What customers told or sent back, as covered text; the columns from `state` on are where it stands today."""

    __table_args__ = (
        UniqueConstraint("site_id", "reference"),
        one_of("kind", "complaint", "return"),
        one_of("state", "open", "set aside", "answered"),
        Index("ix_complaints_site", "site_id", "state", "id"),
        Index("ix_complaints_part", "part_id"),
        Index("ix_complaints_told", "site_id", "told_on"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    reference: str
    kind: str
    told_on: date
    shipped_on: date | None = None
    text: str
    covered: Any = json()
    order_name: str = ""
    item: str = ""
    part_name: str = ""
    tracking: str = ""
    seller: str = ""
    batch: str = ""
    source: str
    by: str
    entered_at: datetime = time()
    state: str
    reading: Any = json()
    confirm: bool
    part_id: int | None = maybe_to("parts.id")
    linked_how: str = ""
    link_why: str = ""
    candidates: Any = json()
    sight_id: int | None = None  # of the last row of complaint_sights, which names this one


class ComplaintSights(Table, table=True):
    """A person's word on the pictures of a complaint, and how the part had got out; append-only: the last one counts.

    Attributes:
        passed: how it got out; model and policy are those of the decision in force, passed_by the inspector's name.
        report_id: of the escape report that followed from it.
    """

    __tablename__ = "complaint_sights"
    __table_args__ = (
        one_of("sight", "visible", "not visible", "cannot tell"),
        one_of("passed", "model", "inspector", "caught", "unknown"),
        Index("ix_complaint_sights_complaint", "complaint_id", "id"),
    )
    id: int | None = key()
    complaint_id: int = to("complaints.id")
    part_id: int | None = maybe_to("parts.id")
    sight: str
    passed: str
    passed_by: str = ""
    passed_at: datetime | None = maybe_time()
    model: str | None = None
    policy: int | None = None
    decision_id: int | None = maybe_to("decisions.id")
    delay_days: int | None = None
    report_id: int | None = maybe_to("escape_reports.id")
    task_id: int | None = maybe_to("tasks.id")
    note: str = ""
    by: str
    said_at: datetime = time()


class ComplaintActs(Table, table=True):
    """What may be done about a complaint: proposed by a rule, done when a person confirms it."""

    __tablename__ = "complaint_acts"
    __table_args__ = (
        UniqueConstraint("complaint_id", "kind"),
        one_of("kind", "relabel", "repack", "rework", "notify"),
        one_of("state", "proposed", "confirmed", "declined"),
    )
    id: int | None = key()
    complaint_id: int = to("complaints.id")
    kind: str
    state: str
    why: str
    proposed_at: datetime = time()
    by: str = ""
    note: str = ""
    decided_at: datetime | None = maybe_time()


class ComplaintNotices(Table, table=True):
    """A notice with its evidence: drafted by one, approved by another; about one name at most one is a draft."""

    __tablename__ = "complaint_notices"
    __table_args__ = (
        one_of("state", "draft", "approved", "declined"),
        Index("uq_complaint_notices_draft", "site_id", "about", "name", unique=True, **only("state = 'draft'")),
        Index("ix_complaint_notices_site", "site_id", "id"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    about: str
    name: str
    title: str
    body: str
    evidence: Any = json()
    state: str
    drafted_by: str
    drafted_at: datetime = time()
    decided_by: str = ""
    decided_at: datetime | None = maybe_time()
    reason: str = ""


class ComplaintMessages(Table, table=True):
    """What goes out of an approved notice, one a channel, kept until it has gone; channels are named only."""

    __tablename__ = "complaint_messages"
    __table_args__ = (
        UniqueConstraint("notice_id", "channel"),
        one_of("state", "waiting", "sent", "given up"),
        Index("ix_complaint_messages_due", "next_at", **only("state = 'waiting'")),
    )
    id: int | None = key()
    notice_id: int = to("complaint_notices.id")
    channel: str
    state: str
    attempts: int = 0
    error: str = ""
    created_at: datetime = time()
    next_at: datetime = time()
    sent_at: datetime | None = maybe_time()


class ComplaintVolumes(Table, table=True):
    """How many parts each seller or batch has had, which the plant itself does not know; the last word counts."""

    __tablename__ = "complaint_volumes"
    __table_args__ = (
        UniqueConstraint("site_id", "about", "name"),
        one_of("about", "seller", "batch"),
        CheckConstraint("parts > 0", name="parts"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    about: str
    name: str
    parts: int
    by: str
    set_at: datetime = time()
