"""What is covered in pictures, where that is asked for, and which keys encrypt what is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_time, one_of, time, to


class CoveringRules(Table, table=True):
    """Which pictures of a site are covered; append-only: the last one counts."""

    __tablename__ = "covering_rules"
    __table_args__ = (UniqueConstraint("site_id", "number"), one_of("mode", "always", "labels", "never"))
    id: int | None = key()
    site_id: int = to("sites.id")
    number: int
    mode: str
    region: str = Field(default="", sa_column_kwargs={"server_default": ""})
    by: str
    reason: str
    set_at: datetime = time()


class Coverings(Table, table=True):
    """What the finders made of a picture; append-only: the last one counts. Places and kinds, never words."""

    __table_args__ = (Index("ix_coverings_image", "image_id", "id"),)
    id: int | None = key()
    image_id: int = to("images.id")
    document: Any = json()
    failed: bool = False
    found_at: datetime = time()


class VaultKeys(Table, table=True):
    """Keys that what is kept was encrypted with, by number; the keys themselves are never here."""

    __tablename__ = "vault_keys"
    key_id: str = Field(primary_key=True)
    first_used_at: datetime = time()
    retired_at: datetime | None = maybe_time()
