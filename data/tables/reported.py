"""What people report of a site: how it was before, and what its customers have found."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from data.columns import Table, json, key, maybe_to, time, to


class Baselines(Table, table=True):
    """Figures of the time before, as they were typed; append-only: the last one counts."""

    __table_args__ = (UniqueConstraint("site_id", "number"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    number: int
    document: Any = json()
    by: str
    reason: str
    set_at: datetime = time()


class EscapeReports(Table, table=True):
    """Defective parts that a customer found; append-only: a wrong one is taken back by a row of its own."""

    __tablename__ = "escape_reports"
    __table_args__ = (
        CheckConstraint("parts > 0", name="parts"),
        UniqueConstraint("takes_back"),
        Index("ix_escape_reports_site", "site_id", "reported_on"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    reported_on: date
    shipped_on: date | None = None
    parts: int
    reference: str | None = None
    customer: str = ""
    part: str = ""
    class_id: str | None = None
    note: str = ""
    source: str
    takes_back: int | None = maybe_to("escape_reports.id")
    by: str
    entered_at: datetime = time()
