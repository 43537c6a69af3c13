"""An alarm about a pipeline: at most one is open about each; it never pauses auto-PASS, for no model has changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.watch.alarms import FOLLOW_UPS, Raised
from core.watch.rules import RuleKind, Step
from data.store.rules.alarm_rows import happened, in_force, rule_rows
from data.store.rules.alarms import NOT_CLOSED
from data.store.rules.watching import raise_alarm
from data.tables import alarms, sites


def alarm_about(
    connection: Connection, site_id: int, pipeline: str, text: str, evidence: Mapping[str, Any], by: str,
    channels: Sequence[str], now: datetime,
) -> None:  # fmt: skip
    """Raise it in the transaction of what happened; one that is open already is told that it happened again."""
    rule = in_force(rule_rows(connection, site_id, RuleKind.PIPELINE))[RuleKind.PIPELINE]
    if not rule.on:
        return
    mine = (alarms.c.site_id == site_id) & (alarms.c.kind == str(RuleKind.PIPELINE)) & (alarms.c.subject == pipeline)
    there = connection.scalar(sa.select(alarms.c.id).where(mine, NOT_CLOSED))
    if there is not None:
        happened(connection, there, now, by, "again", text)
        return
    site = connection.execute(sa.select(sites).where(sites.c.id == site_id)).one()
    raised = Raised(
        RuleKind.PIPELINE, pipeline, rule.number, text, dict(evidence), False,
        channels if Step.NOTIFY in rule.steps else (), [(step, text, {}) for step in rule.steps if step in FOLLOW_UPS],
    )  # fmt: skip
    raise_alarm(connection, by, site, raised, now)
