"""Parts with a known answer, by which people's own eyes are checked."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from data.columns import Table, json, key, maybe_time, only, time, to


class GoldItems(Table, table=True):
    """Parts whose answer somebody vouches for; one that was retired stays on record."""

    __tablename__ = "gold_items"
    __table_args__ = (
        Index("uq_gold_items_part", "part_id", unique=True, **only("retired_at IS NULL")),
        Index("ix_gold_items_site", "site_id"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = Field(foreign_key="parts.id")
    defective: bool
    classes: Any = json()
    reason: str
    by: str
    made_at: datetime = time()
    retired_by: str | None = None
    retired_at: datetime | None = maybe_time()
    retired_reason: str = ""
