"""The audit trail: every act leaves its row in its own transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.plant import AuditEvent
from core.roles import Action
from data.store.base import SubStore, site_row, within
from data.tables import audit_events, sites


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
    """Write rows made by `entry` in the transaction of the act itself."""
    rows = [dict(entries)] if isinstance(entries, Mapping) else [dict(one) for one in entries]
    if rows:
        connection.execute(sa.insert(audit_events), rows)


class Audit(SubStore):
    """Reading the trail; nothing can be written here by hand."""

    def recent(
        self, limit: int = 100, site: str | None = None, subject: str | None = None, before: int | None = None
    ) -> list[AuditEvent]:
        """The newest events first.

        Args:
            limit: at most so many.
            site: only of one site.
            subject: only about one thing, such as "part 12".
            before: only events with a smaller id, for the next page.
        """
        with self.seeing(Action.AUDIT) as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.AUDIT, asked)
            chosen = (
                sa.select(audit_events, sites.c.name.label("site_name"))
                .outerjoin(sites, sites.c.id == audit_events.c.site_id)
                .where(*self._visible(rights, asked))
                .order_by(audit_events.c.id.desc())
                .limit(limit)
            )
            if subject is not None:
                chosen = chosen.where(audit_events.c.subject == subject)
            if before is not None:
                chosen = chosen.where(audit_events.c.id < before)
            return [
                AuditEvent(
                    id=row.id,
                    at=row.at,
                    by=row.by,
                    action=row.action,
                    subject=row.subject,
                    site=row.site_name,
                    old=row.old,
                    new=row.new,
                    reason=row.reason,
                    model=row.model,
                    policy=row.policy,
                )
                for row in connection.execute(chosen)
            ]

    def _visible(self, rights: Any, asked: int | None) -> list[sa.ColumnElement[bool]]:
        conditions = within(rights, audit_events.c.site_id, asked)
        if asked is None and conditions:
            return [sa.or_(audit_events.c.site_id.is_(None), *conditions)]
        return conditions
