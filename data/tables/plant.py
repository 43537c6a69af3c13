"""Where pictures come from: sites and what they name, parts, images."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_json, maybe_time, maybe_to, one_of, only, time, to


class Sites(Table, table=True):
    """Plants."""

    id: int | None = key()
    name: str = Field(unique=True)
    timezone: str
    model: str | None = None
    calibrated: bool = False
    paused: str | None = None
    requires_ids: bool = False
    blind: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    gold_share: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    second_share: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = time()
    paused_at: datetime | None = maybe_time()
    calibrated_until: datetime | None = maybe_time()
    score_map: Any = maybe_json()


class Named(Table):
    """Things of a site that are known by name only."""

    id: int | None = key()
    site_id: int = to("sites.id")
    name: str


class Lines(Named, table=True):
    """Production lines."""

    __table_args__ = (UniqueConstraint("site_id", "name"),)


class Cameras(Named, table=True):
    """Cameras, each at one site."""

    __table_args__ = (UniqueConstraint("site_id", "name"),)


class Machines(Named, table=True):
    """Machines that made the parts."""

    __table_args__ = (UniqueConstraint("site_id", "name"),)


class Orders(Named, table=True):
    """Production orders."""

    __table_args__ = (UniqueConstraint("site_id", "name"),)


class PartTypes(Table, table=True):
    """How each kind of part is looked at."""

    __tablename__ = "part_types"
    __table_args__ = (UniqueConstraint("site_id", "name"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    name: str
    scale: float
    tile: int
    stride: int
    whole_picture: bool
    views: Any = json()
    pictures: int | None = None
    time_out_s: float
    flips: bool
    exposures: bool


class Parts(Table, table=True):
    """Physical items."""

    __table_args__ = (
        UniqueConstraint("site_id", "name"),
        one_of("state", "open", "decided"),
        Index("ix_parts_due", "due_at", **only("state = 'open'")),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    name: str
    order_id: int | None = maybe_to("orders.id")
    part_type_id: int | None = maybe_to("part_types.id")
    state: str
    first_at: datetime = time()
    last_at: datetime = time()
    due_at: datetime | None = maybe_time()


class Images(Table, table=True):
    """Pictures, kept where they lie and known by site, source and content."""

    __table_args__ = (
        UniqueConstraint("site_id", "source", "sha256"),
        one_of("state", "ok", "quarantined", "file missing", "evidence changed"),
        Index("ix_images_content", "site_id", "sha256"),
        Index("ix_images_arrived", "site_id", "arrived_at"),
        Index("ix_images_site", "site_id", "id"),
        Index("ix_images_not_ok", "site_id", "state", **only("state <> 'ok'")),
    )  # fmt: skip
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = to("parts.id", index=True)
    source: str
    path: str
    sha256: str
    width: int
    height: int
    state: str
    state_note: str = ""
    reason: str | None = None
    error: str | None = None
    same_as: int | None = maybe_to("images.id")
    line_id: int | None = maybe_to("lines.id")
    camera_id: int | None = maybe_to("cameras.id")
    machine_id: int | None = maybe_to("machines.id")
    order_id: int | None = maybe_to("orders.id")
    part_type_id: int | None = maybe_to("part_types.id")
    stage: str | None = None
    view: str | None = None
    taken_at: datetime | None = maybe_time()
    iso: float | None = None
    aperture: float | None = None
    shutter_s: float | None = None
    quality: Any = maybe_json()
    arrived_at: datetime = time()
