"""What is made from it all, the long work that makes it, and what other systems are told."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from data.columns import Table, json, key, maybe_json, maybe_time, maybe_to, one_of, only, time, to


class Models(Table, table=True):
    """Trained model versions."""

    id: int | None = key()
    name: str = Field(unique=True)
    path: str
    sha256: str
    card: Any = json()
    by: str
    created_at: datetime = time()


class Datasets(Table, table=True):
    """Frozen lists of labelled images."""

    id: int | None = key()
    name: str = Field(unique=True)
    sha256: str
    manifest: Any = json()
    by: str
    created_at: datetime = time()


class Jobs(Table, table=True):
    """Long work and where it is."""

    __table_args__ = (
        one_of("state", "waiting", "running", "done", "failed", "cancelled"),
        Index("ix_jobs_state", "state", "id"),
    )
    id: int | None = key()
    kind: str
    arguments: Any = json()
    state: str
    by: str
    attempt: int = 0
    done: int = 0
    total: int = 0
    message: str = ""
    cancel: bool = False
    worker: str | None = None
    result: Any = maybe_json()
    error: str = ""
    submitted_at: datetime = time()
    started_at: datetime | None = maybe_time()
    heartbeat_at: datetime | None = maybe_time()
    finished_at: datetime | None = maybe_time()


class Workers(Table, table=True):
    """Processes that run jobs, each with its last sign of life."""

    name: str = Field(primary_key=True)
    heartbeat_at: datetime = time()


class Outbox(Table, table=True):
    """What other systems have to be told, written with the act itself."""

    __table_args__ = (Index("ix_outbox_pending", "id", **only("sent_at IS NULL")),)
    id: int | None = key()
    topic: str
    site_id: int = to("sites.id")
    part_id: int | None = maybe_to("parts.id")
    payload: Any = json()
    created_at: datetime = time()
    sent_at: datetime | None = maybe_time()
