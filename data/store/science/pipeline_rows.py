"""Rows of pipelines, runs and steps to records."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.learn.pipeline import Cause, Pipeline, Run, RunState, Step, StepName, StepState
from data.tables import pipeline_configurations, pipeline_runs, pipeline_steps, pipelines, sites

_IN_FORCE = (pipeline_configurations.c.pipeline_id == pipelines.c.id) & (
    pipeline_configurations.c.number == pipelines.c.number
)
PIPELINE = (
    sa.select(
        pipelines,
        sites.c.name.label("site"),
        sites.c.timezone,
        pipeline_configurations.c.schedule,
        pipeline_configurations.c.document,
        pipeline_configurations.c.by,
        pipeline_configurations.c.reason,
        pipeline_configurations.c.made_at,
    )
    .join(sites, sites.c.id == pipelines.c.site_id)
    .join(pipeline_configurations, _IN_FORCE)
)
RUN = (
    sa.select(pipeline_runs, pipelines.c.name.label("pipeline"), sites.c.name.label("site"))
    .join(pipelines, pipelines.c.id == pipeline_runs.c.pipeline_id)
    .join(sites, sites.c.id == pipelines.c.site_id)
)


def pipeline_of(row: Any) -> Pipeline:
    """A row of PIPELINE."""
    return Pipeline(
        row.id, row.name, row.site, row.timezone, row.number, bool(row.on), row.schedule, row.next_at,
        dict(row.document), row.by, row.reason, row.made_at,
    )  # fmt: skip


def runs_of(connection: Connection, query: sa.Select[Any]) -> list[Run]:
    """Runs with their steps, in two queries."""
    rows = connection.execute(query).all()
    mine = pipeline_steps.c.run_id.in_([row.id for row in rows])
    steps: dict[int, list[Step]] = defaultdict(list)
    for row in connection.execute(sa.select(pipeline_steps).where(mine).order_by(pipeline_steps.c.place)):
        steps[row.run_id].append(
            Step(StepName(row.name), StepState(row.state), row.tries, row.started_at, row.ended_at, row.result,
                 row.reason)
        )  # fmt: skip
    return [
        Run(
            row.id, row.pipeline, row.site, row.number, Cause(row.cause), RunState(row.state), row.by, row.job_id,
            row.created_at, row.due_at, row.missed, row.ended_at, row.said, tuple(steps[row.id]),
        )
        for row in rows
    ]  # fmt: skip
