"""Claims: from which strength on a model's word counts for them, and what was found when they were checked."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint

from data.columns import Table, json, key, time, to


class ClaimLimits(Table, table=True):
    """Limits of one model's word at a site; append-only: the last ones count, and empty ones trust no model."""

    __tablename__ = "claim_limits"
    __table_args__ = (UniqueConstraint("site_id", "number"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    number: int
    model: str
    document: Any = json()
    by: str
    reason: str
    set_at: datetime = time()


class ClaimChecks(Table, table=True):
    """What was found when claims about a part were checked, or what a describer wrote of it; append-only."""

    __tablename__ = "claim_checks"
    __table_args__ = (Index("ix_claim_checks_part", "part_id", "id"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = to("parts.id")
    subject: str
    document: Any = json()
    by: str
    checked_at: datetime = time()
