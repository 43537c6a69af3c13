"""The audit trail: every act leaves its row in its own transaction.

A row names people by number, here and in "person 12", and is read with the names they have now: so a leaver's name can
be replaced without touching what is sealed.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.plant import AuditEvent
from core.roles import PROCESSES, Action
from core.seals import Key, mark
from data.store.base import Rights, SubStore, site_row, within
from data.tables import audit_events, audit_seals, sites, users

PERSON = "person "
# Built once: every act asks it, and building a statement takes longer than answering it.
_NUMBERS = sa.select(users.c.name, users.c.id).where(users.c.name.in_(sa.bindparam("names", expanding=True)))


def entry(
    now: datetime,
    by: str,
    action: str,
    subject: str,
    *,
    site_id: int | None = None,
    old: Any = None,
    new: Any = None,
    reason: str = "",
    model: str | None = None,
    policy: int | None = None,
) -> dict[str, Any]:
    """One row, for `record` or for many at once."""
    return {
        "at": now,
        "by": by,
        "action": action,
        "subject": subject,
        "site_id": site_id,
        "old": old,
        "new": new,
        "reason": reason,
        "model": model,
        "policy": policy,
    }


def record(connection: Connection, entries: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> None:
    """Write rows made by `entry` in the transaction of the act itself, marked as our own where the key is known."""
    rows = [dict(entries)] if isinstance(entries, Mapping) else [dict(one) for one in entries]
    if not rows:
        return
    names = {str(row["by"]) for row in rows} - PROCESSES
    numbers = {one.name: one.id for one in connection.execute(_NUMBERS, {"names": sorted(names)})} if names else {}
    secret: Key | None = connection.get_execution_options().get("audit_key")
    for row in rows:
        row["by_id"] = numbers.get(row["by"])
        if row["by_id"] is not None:
            row["by"] = ""
        row["mark"] = None if secret is None else mark(secret, row, secrets.token_hex(12))
    connection.execute(sa.insert(audit_events), rows)


class Audit(SubStore):
    """Reading the trail; nothing can be written here by hand."""

    def recent(
        self,
        limit: int = 100,
        site: str | None = None,
        subject: str | None = None,
        before: int | None = None,
        *,
        by: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditEvent]:
        """The newest events first.

        Args:
            limit: at most so many.
            site: only of one site.
            subject: only about one thing, such as "part 12" or "person ana".
            before: only events with a smaller id, for the next page.
            by: only of one person or process.
            action: only acts of one kind, such as "decided".
            since: then or later.
            until: before.
        """
        with self.seeing(Action.AUDIT) as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.AUDIT, asked)
            chosen = (
                sa.select(audit_events, sites.c.name.label("site_name"), users.c.name.label("person"),
                          audit_seals.c.number.label("seal"))
                .outerjoin(sites, sites.c.id == audit_events.c.site_id)
                .outerjoin(users, users.c.id == audit_events.c.by_id)
                .outerjoin(audit_seals, audit_seals.c.event_id == audit_events.c.id)
                .where(*_visible(rights, asked))
                .order_by(audit_events.c.id.desc())
                .limit(limit)
            )  # fmt: skip
            if subject is not None:
                chosen = chosen.where(audit_events.c.subject == _numbered(connection, subject))
            if by is not None:
                number = _number(connection, by)
                mine = audit_events.c.by == by if number is None else audit_events.c.by_id == number
                chosen = chosen.where(mine)
            if before is not None:
                chosen = chosen.where(audit_events.c.id < before)
            if action is not None:
                chosen = chosen.where(audit_events.c.action == action)
            if since is not None:
                chosen = chosen.where(audit_events.c.at >= since)
            if until is not None:
                chosen = chosen.where(audit_events.c.at < until)
            rows = connection.execute(chosen).all()
            names = _names(connection, [row.subject for row in rows])
            return [
                AuditEvent(
                    id=row.id,
                    at=row.at,
                    by=row.person or row.by,
                    action=row.action,
                    subject=names.get(row.subject, row.subject),
                    site=row.site_name,
                    old=row.old,
                    new=row.new,
                    reason=row.reason,
                    model=row.model,
                    policy=row.policy,
                    seal=row.seal,
                )
                for row in rows
            ]

    def actions(self) -> list[str]:
        """Every kind of act that has been recorded, for a filter."""
        with self.seeing(Action.AUDIT) as (connection, rights):
            query = sa.select(audit_events.c.action).where(*_visible(rights, None)).distinct()
            return sorted(connection.scalars(query))


def _visible(rights: Rights, asked: int | None) -> list[sa.ColumnElement[bool]]:
    conditions = within(rights, audit_events.c.site_id, asked)
    if asked is None and conditions:
        return [sa.or_(audit_events.c.site_id.is_(None), *conditions)]
    return conditions


def _number(connection: Connection, name: str) -> int | None:
    found = connection.scalar(sa.select(users.c.id).where(users.c.name == name))
    return None if found is None else int(found)


def _numbered(connection: Connection, subject: str) -> str:
    """A subject as it is stored: "person ana" is "person 12"."""
    if not subject.startswith(PERSON):
        return subject
    number = _number(connection, subject.removeprefix(PERSON))
    return subject if number is None else f"{PERSON}{number}"


def _names(connection: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """What people's numbers among subjects are called now."""
    numbers = {
        int(rest)
        for subject in subjects
        if subject.startswith(PERSON) and (rest := subject.removeprefix(PERSON)).isdecimal() and len(rest) < 10
    }
    if not numbers:
        return {}
    query = sa.select(users.c.id, users.c.name).where(users.c.id.in_(sorted(numbers)))
    return {f"{PERSON}{row.id}": f"{PERSON}{row.name}" for row in connection.execute(query)}
