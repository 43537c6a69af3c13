"""How fast parts come and how long inspectors take, measured in the rows of the plant's own work."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.attendance import Rates
from core.records import TaskKind
from data.tables import images, reviews, tasks

MOST = 5_000  # latest answers behind an inspector's pace


def rates_of(connection: Connection, site_id: int, days: float, now: datetime) -> Rates:
    """What has been measured of a site over the last days.

    Parts are counted by their pictures' arrival, and the line runs in an hour in which one arrived.
    """
    since = now - timedelta(days=days)
    came = sa.and_(images.c.site_id == site_id, images.c.arrived_at >= since, images.c.arrived_at <= now)
    hour = (
        sa.func.strftime("%Y-%m-%d %H", images.c.arrived_at)
        if connection.dialect.name == "sqlite"
        else sa.func.date_trunc("hour", images.c.arrived_at)
    )
    parts = connection.scalar(sa.select(sa.func.count(images.c.part_id.distinct())).where(came)) or 0
    hours = connection.scalar(sa.select(sa.func.count(hour.distinct())).where(came)) or 0
    held = connection.scalar(
        sa.select(sa.func.count())
        .select_from(tasks)
        .where(tasks.c.site_id == site_id, tasks.c.kind == str(TaskKind.TRIAGE), tasks.c.created_at >= since,
               tasks.c.created_at <= now)
    ) or 0  # fmt: skip
    latest = (
        sa.select(reviews.c.seconds)
        .where(reviews.c.site_id == site_id, reviews.c.task_id.is_not(None), reviews.c.seconds > 0,
               reviews.c.reviewed_at >= since, reviews.c.reviewed_at <= now)
        .order_by(reviews.c.id.desc())
        .limit(MOST)
        .subquery()
    )  # fmt: skip
    answers, seconds = connection.execute(sa.select(sa.func.count(), sa.func.avg(latest.c.seconds))).one()
    return Rates(days, int(parts), int(hours), int(held), int(answers), None if seconds is None else float(seconds))
