"""Claims: the limits that count at a site, and every check that was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict
from core.roles import Action
from core.words.claims.limits import Limits, limits_document, limits_of
from data.store.base import SubStore, site_row
from data.store.line.parts import part_row
from data.store.trail.audit import entry, record
from data.tables import claim_checks, claim_limits

MOST_SUBJECT = 200
MOST_CHECKS = 50


@dataclass(frozen=True)
class KeptLimits:
    """Limits as they were set; None trusts no model."""

    number: int
    limits: Limits | None
    by: str
    reason: str
    set_at: datetime


@dataclass(frozen=True)
class KeptCheck:
    """One check as it was made.

    Attributes:
        subject: what was checked, such as "complaint 12" or "description".
        document: claims, rulings, evidence, and of a description the sentences that were struck out.
    """

    id: int
    part_id: int
    subject: str
    document: Mapping[str, Any]
    by: str
    checked_at: datetime


class Claims(SubStore):
    """Limits are superseded, checks only grow."""

    def limits(self, site: str) -> KeptLimits | None:
        """The limits that count; None while nobody has set any."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return _latest(connection, row.id)

    def set_limits(
        self, site: str, limits: Limits | None, reason: str, *, seen: int | None = None, now: datetime | None = None
    ) -> KeptLimits:
        """Say from when on a model's word counts for claims.

        Args:
            site: where.
            limits: None trusts no model any more.
            reason: in a sentence.
            seen: number of the limits that were in force then, 0 for none; None does not ask.
            now: aware UTC.

        Raises:
            BadInput: without a reason.
            Conflict: when somebody has set others since `seen`.
        """
        if not reason.strip():
            raise BadInput("Limits for claims need a reason: say in a sentence why.")
        document = {} if limits is None else limits_document(limits)
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "claim limits", row.id)
            before = _latest(connection, row.id)
            number = 0 if before is None else before.number
            if seen is not None and seen != number:
                raise Conflict("Somebody has set other limits since you began: look at them, then set yours again.")
            made = KeptLimits(number + 1, limits, self.actor.name, reason.strip(), when)
            connection.execute(sa.insert(claim_limits).values(
                site_id=row.id, number=made.number, model="" if limits is None else limits.model, document=document,
                by=made.by, reason=made.reason, set_at=when,
            ))  # fmt: skip
            old = None if before is None or before.limits is None else _short(before.limits)
            record(connection, entry(when, made.by, "claim limits set", f"site {site}", site_id=row.id, old=old,
                                     new={} if limits is None else _short(limits), reason=made.reason))  # fmt: skip
            return made

    def keep(self, part_id: int, subject: str, document: Mapping[str, Any], now: datetime | None = None) -> int:
        """Write down what a check found.

        Args:
            part_id: of the part.
            subject: what was checked.
            document: as JSON.
            now: aware UTC.

        Returns:
            The check's id.

        Raises:
            NotFound: there is no such part.
            BadInput: without a subject.
        """
        if not subject.strip() or len(subject) > MOST_SUBJECT:
            raise BadInput(f"A check needs a subject of 1 to {MOST_SUBJECT} characters.")
        when = self.now(now)
        with self.writing(Action.SCORE) as (connection, rights):  # whoever may do more than look
            row = part_row(connection, part_id)
            rights.need(Action.SCORE, row.site_id)
            values = {"site_id": row.site_id, "part_id": part_id, "subject": subject.strip(), "document": document,
                      "by": self.actor.name, "checked_at": when}  # fmt: skip
            made = connection.execute(sa.insert(claim_checks).values(values).returning(claim_checks.c.id)).scalar_one()
            record(connection, entry(when, self.actor.name, "claims checked", f"part {part_id}", site_id=row.site_id,
                                     new={"check": made, "subject": subject.strip(),
                                          "rulings": document.get("rulings", {})}))  # fmt: skip
            return int(made)

    def of_part(self, part_id: int) -> list[KeptCheck]:
        """The checks about a part, newest first."""
        with self.seeing() as (connection, rights):
            rights.need(Action.SEE, part_row(connection, part_id).site_id)
            query = sa.select(claim_checks).where(claim_checks.c.part_id == part_id)
            found = connection.execute(query.order_by(claim_checks.c.id.desc()).limit(MOST_CHECKS))
            return [KeptCheck(one.id, one.part_id, one.subject, one.document, one.by, one.checked_at) for one in found]


def _latest(connection: Connection, site_id: int) -> KeptLimits | None:
    query = sa.select(claim_limits).where(claim_limits.c.site_id == site_id).order_by(claim_limits.c.number.desc())
    row = connection.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    return KeptLimits(row.number, limits_of(row.document) if row.document else None, row.by, row.reason, row.set_at)


def _short(limits: Limits) -> dict[str, Any]:
    return {"model": limits.model, "rate": limits.rate, "classes": len(limits.all),
            "in_force": sum(one.confirm is not None for one in limits.all)}  # fmt: skip
