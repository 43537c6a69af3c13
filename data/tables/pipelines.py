"""Training pipelines: how each is configured, its runs, and the steps of each run."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_json, maybe_time, maybe_to, one_of, time, to


class Pipelines(Table, table=True):
    """One pipeline of one site; what it does stands in its configurations.

    Attributes:
        number: of the configuration in force.
        next_at: when it is due.
    """

    id: int | None = key()
    name: str = Field(unique=True)
    site_id: int = to("sites.id", index=True)
    number: int
    on: bool
    next_at: datetime | None = maybe_time()


class PipelineConfigurations(Table, table=True):
    """Every configuration that a pipeline has had; append-only."""

    __tablename__ = "pipeline_configurations"
    __table_args__ = (UniqueConstraint("pipeline_id", "number"),)
    id: int | None = key()
    pipeline_id: int = to("pipelines.id")
    number: int
    schedule: str
    document: Any = json()
    reason: str
    by: str
    made_at: datetime = time()


class PipelineRuns(Table, table=True):
    """One run; one time of the schedule begins one run at most."""

    __tablename__ = "pipeline_runs"
    __table_args__ = (
        one_of("state", "waiting", "running", "done", "failed", "cancelled"),
        one_of("cause", "schedule", "catch-up", "by hand"),
        UniqueConstraint("pipeline_id", "due_at"),
        Index("ix_pipeline_runs_pipeline", "pipeline_id", "id"),
        Index("ix_pipeline_runs_state", "state"),
    )
    id: int | None = key()
    pipeline_id: int = to("pipelines.id")
    number: int
    cause: str
    state: str
    due_at: datetime | None = maybe_time()
    missed: int = 0
    job_id: int | None = maybe_to("jobs.id")
    by: str
    created_at: datetime = time()
    ended_at: datetime | None = maybe_time()
    said: str = ""


class PipelineSteps(Table, table=True):
    """One step of a run and where it is."""

    __tablename__ = "pipeline_steps"
    __table_args__ = (
        one_of("state", "waiting", "running", "done", "failed", "not run", "cancelled"),
        UniqueConstraint("run_id", "place"),
    )
    id: int | None = key()
    run_id: int = to("pipeline_runs.id")
    place: int
    name: str
    state: str
    tries: int = 0
    started_at: datetime | None = maybe_time()
    ended_at: datetime | None = maybe_time()
    result: Any = maybe_json()
    reason: str = ""
