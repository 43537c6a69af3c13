"""Alarms: rules, what broke them, and what people said about it; every change leaves a row and an audit event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.plant import why_stopped
from core.roles import Action
from core.watch.alarms import Alarm, AlarmEvent, AlarmState, FollowUp, Notice, SiteStatus, checked_off
from core.watch.rules import Rule, RuleKind, Step, looser, numbered
from data.store.base import SubStore, site_row, within
from data.store.rules.alarm_rows import (
    ALARM,
    FOLLOW_UP,
    alarm_of,
    alarm_row,
    follow_up_of,
    happened,
    in_force,
    notice_of,
    rule_of,
    rule_rows,
)
from data.store.trail.audit import entry, record
from data.tables import (
    IS_OPEN,
    alarm_events,
    alarm_rule_approvals,
    alarm_rules,
    alarms,
    follow_ups,
    notices,
    policies,
    policy_approvals,
    sites,
    tasks,
    watch_states,
)

NOT_CLOSED = alarms.c.state != sa.literal_column("'closed'")


class Alarms(SubStore):
    """People set rules, acknowledge and close; the worker raises."""

    # --- rules ------------------------------------------------------------------------------------------------------

    def rules(self, site: str) -> dict[RuleKind, Rule]:
        """What is in force, by kind."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return in_force(rule_rows(connection, row.id))

    def rule_history(self, site: str) -> list[Rule]:
        """Every rule that people have entered, the newest first; those that wait for a second person among them."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            found = [rule_of(one) for one in rule_rows(connection, row.id)]
            return list(reversed(found))

    def set_rule(self, site: str, rule: Rule, reason: str, based_on: int, now: datetime | None = None) -> Rule:
        """Enter a rule: a stricter one is in force at once, a looser one when somebody else has approved it.

        Args:
            site: name of the site.
            rule: as it is to be.
            reason: why.
            based_on: number of the rule that the person saw.
            now: aware UTC.

        Raises:
            Conflict: when somebody has changed the rule since.
        """
        if not reason.strip():
            raise BadInput("A rule needs a reason: say in a sentence why it is changed.")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "alarm rules", row.id)
            rows = rule_rows(connection, row.id, rule.kind)
            before = in_force(rows)[rule.kind]
            if before.number != based_on:
                raise Conflict(f"{before.by} has changed this rule since you saw it: look at it once more.")
            loosens = looser(before, rule)
            made = numbered(rule, 1 + max((one.number for one in rows), default=0), self.actor.name, reason.strip(),
                            bool(loosens))  # fmt: skip
            values = {**_values(made), "site_id": row.id, "looser": loosens, "made_at": when}
            connection.execute(sa.insert(alarm_rules).values(values))
            what = "alarm rule proposed" if loosens else "alarm rule set"
            record(connection, entry(when, self.actor.name, what, f"alarm rule {rule.kind} {made.number}",
                                     site_id=row.id, old=_figures(before), new=_figures(made),
                                     reason=made.reason))  # fmt: skip
            return made

    def approve_rule(self, site: str, kind: RuleKind, number: int, reason: str, now: datetime | None = None) -> Rule:
        """Put a looser rule in force.

        Raises:
            NotAllowed: for the one who proposed it.
            Conflict: when it does not wait, or another one has come into force since.
        """
        if not reason.strip():
            raise BadInput("An approval needs a reason: say in a sentence why this may be looser.")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "alarm rules", row.id)
            rows = rule_rows(connection, row.id, kind)
            found = next((one for one in rows if one.number == number), None)
            if found is None:
                raise NotFound(f"{site} has no rule {number} about {kind}.")
            rule, before = rule_of(found), in_force(rows)[kind]
            if not rule.waits:
                raise Conflict("This rule does not wait for anybody: look at the list once more.")
            if before.number > number:
                raise Conflict(f"Rule {before.number} has come into force since: propose this one again.")
            if rule.by == self.actor.name:
                raise NotAllowed(f"{rule.by} proposed this rule: somebody else has to approve it.")
            connection.execute(sa.insert(alarm_rule_approvals).values(
                rule_id=found.id, by=self.actor.name, reason=reason.strip(), approved_at=when))  # fmt: skip
            record(connection, entry(when, self.actor.name, "alarm rule approved", f"alarm rule {kind} {number}",
                                     site_id=row.id, old=_figures(before), new=_figures(rule),
                                     reason=reason.strip()))  # fmt: skip
            return in_force(rule_rows(connection, row.id, kind))[kind]

    # --- alarms -----------------------------------------------------------------------------------------------------

    def find(self, site: str | None = None, closed: bool = False, limit: int = 50) -> list[Alarm]:
        """The newest alarms first: those that nobody has closed, or those that are closed."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            state = alarms.c.state == "closed" if closed else NOT_CLOSED
            query = ALARM.where(state, *within(rights, alarms.c.site_id, asked))
            return [alarm_of(row) for row in connection.execute(query.order_by(alarms.c.id.desc()).limit(limit))]

    def get(self, alarm_id: int) -> Alarm:
        """One alarm."""
        with self.seeing() as (connection, rights):
            row = alarm_row(connection, alarm_id)
            rights.need(Action.SEE, row.site_id)
            return alarm_of(row)

    def history(self, alarm_id: int) -> list[AlarmEvent]:
        """What happened about an alarm, oldest first."""
        with self.seeing() as (connection, rights):
            rights.need(Action.SEE, alarm_row(connection, alarm_id).site_id)
            query = sa.select(alarm_events).where(alarm_events.c.alarm_id == alarm_id).order_by(alarm_events.c.id)
            return [AlarmEvent(row.at, row.by, row.what, row.note) for row in connection.execute(query)]

    def told(self, alarm_id: int) -> list[Notice]:
        """The messages about an alarm, and whether they went out."""
        with self.seeing() as (connection, rights):
            rights.need(Action.SEE, alarm_row(connection, alarm_id).site_id)
            query = sa.select(notices).where(notices.c.alarm_id == alarm_id).order_by(notices.c.id)
            return [notice_of(row) for row in connection.execute(query)]

    def acknowledge(self, alarm_id: int, note: str = "", now: datetime | None = None) -> None:
        """Say that somebody has seen it and looks after it."""
        self._move(alarm_id, AlarmState.ACKNOWLEDGED, note, now)

    def close(self, alarm_id: int, note: str, now: datetime | None = None) -> None:
        """Say what it was. Its detector begins anew; a pause stays until it is resumed."""
        if not note.strip():
            raise BadInput("Say what it was: whoever sees the next alarm reads it.")
        self._move(alarm_id, AlarmState.CLOSED, note, now)

    def _move(self, alarm_id: int, to: AlarmState, note: str, now: datetime | None) -> None:
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row = alarm_row(connection, alarm_id, lock=True)
            rights.need(Action.POLICY, row.site_id)
            if row.state == "closed" or row.state == to:
                raise Conflict(f"Alarm {alarm_id} is {row.state} already.")
            closed = when if to is AlarmState.CLOSED else None
            connection.execute(sa.update(alarms).where(alarms.c.id == alarm_id).values(state=str(to), closed_at=closed))
            happened(connection, alarm_id, when, self.actor.name, str(to), note.strip())
            record(connection, entry(when, self.actor.name, f"alarm {to}", f"alarm {alarm_id}", site_id=row.site_id,
                                     old={"state": row.state}, new={"state": str(to)},
                                     reason=note.strip()))  # fmt: skip

    # --- follow-ups -------------------------------------------------------------------------------------------------

    def follow_ups(
        self, site: str | None = None, closed: bool = False, alarm_id: int | None = None, limit: int = 50
    ) -> list[FollowUp]:
        """What was asked for and is not closed, or what is; the newest first. Of one alarm: all of it."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            query = FOLLOW_UP.where(*within(rights, follow_ups.c.site_id, asked))
            if alarm_id is not None:
                query = query.where(follow_ups.c.alarm_id == alarm_id)
            else:
                query = query.where(follow_ups.c.state == ("closed" if closed else "open"))
            query = query.order_by(follow_ups.c.id.desc()).limit(limit)
            return [follow_up_of(row) for row in connection.execute(query)]

    def ask(self, site: str, kind: Step, text: str, document: Mapping[str, Any] | None = None,
            now: datetime | None = None) -> int:  # fmt: skip
        """Open a follow-up without an alarm.

        Returns:
            Its id.
        """
        if kind in (Step.NOTIFY, Step.PAUSE):
            raise BadInput(f"'{kind}' is done at once: nothing is left to close.")
        if not text.strip():
            raise BadInput("Say in a sentence what is asked for.")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            values = follow_up_values(row.id, None, kind, text.strip(), document or {}, self.actor.name, when)
            made = connection.execute(sa.insert(follow_ups).values(values).returning(follow_ups.c.id)).scalar_one()
            record(connection, entry(when, self.actor.name, f"{kind} opened", f"follow-up {made}", site_id=row.id,
                                     reason=text.strip()))  # fmt: skip
            return int(made)

    def check_off(self, follow_up_id: int, key: str, now: datetime | None = None) -> None:
        """Say that a point of an investigation's checklist was looked at; it stands in the alarm's history.

        Raises:
            Conflict: when the investigation is closed or somebody has looked at the point already.
        """
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            query = sa.select(follow_ups).where(follow_ups.c.id == follow_up_id).with_for_update()
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound(f"There is no follow-up {follow_up_id}.")
            rights.need(Action.POLICY, row.site_id)
            if key not in {one["key"] for one in row.document.get("checks", ())} or row.alarm_id is None:
                raise NotFound(f"The checklist has no point '{key}'.")
            if row.state == "closed":
                raise Conflict(f"{row.closed_by} has closed this already: {row.note}")
            what = checked_off(key)
            mine = (alarm_events.c.alarm_id == row.alarm_id) & (alarm_events.c.what == what)
            if connection.scalar(sa.select(alarm_events.c.id).where(mine)) is not None:
                raise Conflict("Somebody has looked at this point already.")
            happened(connection, row.alarm_id, when, self.actor.name, what)
            record(connection, entry(when, self.actor.name, "investigation point checked", f"follow-up {follow_up_id}",
                                     site_id=row.site_id, new={"point": key}))  # fmt: skip

    def finish(self, follow_up_id: int, note: str, now: datetime | None = None) -> None:
        """Close a follow-up, with a word on what came of it."""
        if not note.strip():
            raise BadInput("Say what came of it: the next one begins there.")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            query = sa.select(follow_ups).where(follow_ups.c.id == follow_up_id).with_for_update()
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound(f"There is no follow-up {follow_up_id}.")
            rights.need(Action.POLICY, row.site_id)
            if row.state == "closed":
                raise Conflict(f"{row.closed_by} has closed this already: {row.note}")
            values = {"state": "closed", "closed_by": self.actor.name, "closed_at": when, "note": note.strip()}
            connection.execute(sa.update(follow_ups).where(follow_ups.c.id == follow_up_id).values(values))
            if row.alarm_id is not None:
                happened(connection, row.alarm_id, when, self.actor.name, f"{row.kind} closed", note.strip())
            record(connection, entry(when, self.actor.name, f"{row.kind} closed", f"follow-up {follow_up_id}",
                                     site_id=row.site_id, reason=note.strip()))  # fmt: skip

    # --- how things stand -------------------------------------------------------------------------------------------

    def figures(self, site: str) -> list[dict[str, Any]]:
        """What each rule looked at when the worker looked last, as JSON; empty before the first look."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = sa.select(watch_states.c.document, watch_states.c.looked_at).where(
                watch_states.c.site_id == row.id, watch_states.c.kind == "figures"
            )
            found = connection.execute(query).one_or_none()
            if found is None:
                return []
            return [{**one, "looked_at": found.looked_at} for one in found.document]

    def status(self) -> list[SiteStatus]:
        """Auto-PASS, open alarms and backlog of each site the actor was given, in one query."""
        now = self.now()
        with self.seeing() as (connection, rights):
            return [
                SiteStatus(
                    row.name,
                    bool(row.calibrated) and bool(row.approved),
                    why_stopped(row.paused, row.calibrated_until, now),
                    row.alarms,
                    row.backlog,
                )
                for row in connection.execute(_STATUS.where(*within(rights, sites.c.id)))
            ]


_STATUS = sa.select(
    sites.c.name,
    sites.c.calibrated,
    sites.c.paused,
    sites.c.calibrated_until,
    sa.exists().where(
        policies.c.site_id == sites.c.id, policy_approvals.c.policy_id == policies.c.id
    ).label("approved"),
    sa.select(sa.func.count()).select_from(alarms).where(alarms.c.site_id == sites.c.id, NOT_CLOSED)
    .scalar_subquery().label("alarms"),
    sa.select(sa.func.count()).select_from(tasks).where(tasks.c.site_id == sites.c.id, IS_OPEN)
    .scalar_subquery().label("backlog"),
).order_by(sites.c.name)  # fmt: skip


def follow_up_values(
    site_id: int, alarm_id: int | None, kind: Step, text: str, document: Mapping[str, Any], by: str, now: datetime
) -> dict[str, Any]:
    """A new row of follow_ups."""
    return {
        "site_id": site_id,
        "alarm_id": alarm_id,
        "kind": str(kind),
        "state": "open",
        "text": text,
        "document": dict(document),
        "opened_by": by,
        "opened_at": now,
        "note": "",
    }


def _values(rule: Rule) -> dict[str, Any]:
    return {**_figures(rule), "kind": str(rule.kind), "number": rule.number, "by": rule.by, "reason": rule.reason}


def _figures(rule: Rule) -> dict[str, Any]:
    return {"limit": rule.limit, "rate": rule.rate, "steps": [str(step) for step in rule.steps], "on": rule.on}
