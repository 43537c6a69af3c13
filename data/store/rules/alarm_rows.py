"""Rows of alarms, rules and follow-ups to records and back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import NotFound
from core.watch.alarms import Alarm, AlarmState, FollowUp, Notice
from core.watch.rules import DEFAULTS, Rule, RuleKind, Step
from data.tables import alarm_events, alarm_rule_approvals, alarm_rules, alarms, follow_ups, sites

ALARM = sa.select(alarms, sites.c.name.label("site")).join(sites, sites.c.id == alarms.c.site_id)
FOLLOW_UP = sa.select(follow_ups, sites.c.name.label("site")).join(sites, sites.c.id == follow_ups.c.site_id)
_RULES = (
    sa.select(alarm_rules, alarm_rule_approvals.c.by.label("approved_by"))
    .outerjoin(alarm_rule_approvals, alarm_rule_approvals.c.rule_id == alarm_rules.c.id)
    .order_by(alarm_rules.c.number)
)


def rule_rows(connection: Connection, site_id: int, kind: RuleKind | None = None) -> list[Any]:
    """Every rule that people have entered at a site, oldest first."""
    query = _RULES.where(alarm_rules.c.site_id == site_id)
    if kind is not None:
        query = query.where(alarm_rules.c.kind == str(kind))
    return list(connection.execute(query))


def rule_of(row: Any) -> Rule:
    """A row of alarm_rules with its approval."""
    steps = tuple(Step(step) for step in row.steps)
    waits = bool(row.looser) and row.approved_by is None
    return Rule(RuleKind(row.kind), row.limit, steps, row.rate, row.on, row.number, row.by, row.reason, waits)


def in_force(rows: Iterable[Any]) -> dict[RuleKind, Rule]:
    """The newest rule of each kind that does not wait; what comes with Holdpoint where there is none."""
    found = dict(DEFAULTS)
    for row in rows:
        rule = rule_of(row)
        if not rule.waits:
            found[rule.kind] = rule
    return found


def alarm_row(connection: Connection, alarm_id: int, lock: bool = False) -> Any:
    """One alarm with the name of its site."""
    query = ALARM.where(alarms.c.id == alarm_id)
    row = connection.execute(query.with_for_update(of=alarms) if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no alarm {alarm_id}.")
    return row


def alarm_of(row: Any) -> Alarm:
    """A row of ALARM."""
    return Alarm(
        row.id, row.site, RuleKind(row.kind), row.subject, AlarmState(row.state), row.rule, row.text, row.evidence,
        row.paused, row.raised_at, row.closed_at,
    )  # fmt: skip


def follow_up_of(row: Any) -> FollowUp:
    """A row of FOLLOW_UP."""
    return FollowUp(
        row.id, row.site, row.alarm_id, Step(row.kind), row.state == "open", row.text, row.document, row.opened_by,
        row.opened_at, row.closed_by, row.closed_at, row.note,
    )  # fmt: skip


def notice_of(row: Any) -> Notice:
    """A row of notices."""
    return Notice(
        row.id, row.alarm_id, row.channel, row.state, row.title, row.body, row.attempts, row.error, row.created_at,
        row.next_at, row.sent_at,
    )  # fmt: skip


def happened(connection: Connection, alarm_id: int, at: datetime, by: str, what: str, note: str = "") -> None:
    """Add to the history of an alarm."""
    connection.execute(sa.insert(alarm_events).values(alarm_id=alarm_id, at=at, by=by, what=what, note=note))
