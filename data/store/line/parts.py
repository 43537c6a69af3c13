"""Parts: their decisions, what those rest on, and closing them."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.decision import PartEvidence
from core.errors import NotFound
from core.plant import Part, PartState
from core.records import Decision
from core.roles import Action
from data.store.base import SubStore, site_row, within
from data.store.line.deciding import decide_parts, evidence, last_decisions, reading_of
from data.store.line.part_types import part_types_by_id
from data.store.rows import DECISION, chunks, decision_of
from data.tables import decisions, orders, part_types, parts, sites

_PART = (
    sa.select(
        parts,
        sites.c.name.label("site"),
        orders.c.name.label("order_name"),
        part_types.c.name.label("part_type"),
    )
    .join(sites, sites.c.id == parts.c.site_id)
    .outerjoin(orders, orders.c.id == parts.c.order_id)
    .outerjoin(part_types, part_types.c.id == parts.c.part_type_id)
)


class Parts(SubStore):
    """A part stays open until its views are there or its time is up; then it has a decision."""

    def get(self, part_id: int) -> Part:
        """One part.

        Raises:
            NotFound: when there is none of that id.
        """
        with self.seeing() as (connection, rights):
            row = part_row(connection, part_id)
            rights.need(Action.SEE, row.site_id)
            return _part(row)

    def find(self, site: str, name: str) -> Part | None:
        """A part by the name its pictures carry."""
        with self.seeing() as (connection, rights):
            at: Any = site_row(connection, site)
            rights.need(Action.SEE, at.id)
            row = connection.execute(_PART.where(parts.c.site_id == at.id, parts.c.name == name)).one_or_none()
            return None if row is None else _part(row)

    def close(self, site: str, part_ids: Collection[int], now: datetime | None = None) -> list[Decision]:
        """Decide parts now, whether or not all their views are there."""
        when = self.now(now)
        with self.writing(Action.INGEST) as (connection, rights):
            row: Any = site_row(connection, site, lock=True)
            rights.need(Action.INGEST, row.id)
            mine = {
                part_id
                for some in chunks(part_ids)
                for part_id in connection.scalars(
                    sa.select(parts.c.id).where(parts.c.site_id == row.id, parts.c.id.in_(some))
                )
            }
            if mine != set(part_ids):
                raise NotFound(f"{site} has no parts {sorted(set(part_ids) - mine)}.")
            return decide_parts(self.database, connection, row, mine, self.actor.name, when)

    def close_due(self, now: datetime | None = None) -> list[Decision]:
        """Decide every open part whose views did not come in time; a missing view is HOLD."""
        when = self.now(now)
        due = sa.select(parts.c.site_id, parts.c.id).where(parts.c.state == str(PartState.OPEN), parts.c.due_at <= when)
        with self.seeing(Action.INGEST) as (connection, rights):
            if connection.execute(due.where(*within(rights, parts.c.site_id)).limit(1)).first() is None:
                return []  # the usual case must not wait for a turn to write
        with self.writing(Action.INGEST) as (connection, rights):
            by_site: dict[int, list[int]] = defaultdict(list)
            for row in connection.execute(due.where(*within(rights, parts.c.site_id)).order_by(parts.c.id).limit(500)):
                by_site[row.site_id].append(row.id)
            made = []
            for site_id, ids in sorted(by_site.items()):
                name = connection.scalar(sa.select(sites.c.name).where(sites.c.id == site_id))
                at = site_row(connection, str(name), lock=True)
                made += decide_parts(self.database, connection, at, ids, self.actor.name, when, timed_out=True)
            return made

    def evidence(self, part_id: int) -> PartEvidence:
        """What a decision about the part would rest on now."""
        with self.seeing() as (connection, rights):
            row = part_row(connection, part_id)
            rights.need(Action.SEE, row.site_id)
            types = part_types_by_id(connection, row.site_id)
            reading, _ = reading_of(site_row(connection, row.site))
            decided = row.state == PartState.DECIDED
            return evidence(connection, [row], types, timed_out=decided, reading=reading)[part_id]

    def decision(self, part_id: int) -> Decision | None:
        """The decision in force; None while the part waits for pictures."""
        with self.seeing() as (connection, rights):
            rights.need(Action.SEE, part_row(connection, part_id).site_id)
            return last_decisions(connection, [part_id]).get(part_id)

    def decisions(self, part_ids: Collection[int]) -> dict[int, Decision]:
        """The decisions in force of many parts; what the actor may not see is left out."""
        with self.seeing() as (connection, rights):
            visible = [
                part_id
                for some in chunks(part_ids)
                for part_id in connection.scalars(
                    sa.select(parts.c.id).where(parts.c.id.in_(some), *within(rights, parts.c.site_id))
                )
            ]
            return last_decisions(connection, visible)

    def history(self, part_id: int) -> list[Decision]:
        """Every decision about the part, the first one first."""
        with self.seeing() as (connection, rights):
            rights.need(Action.SEE, part_row(connection, part_id).site_id)
            chosen = DECISION.where(decisions.c.part_id == part_id).order_by(decisions.c.number)
            return [decision_of(row) for row in connection.execute(chosen)]


def part_row(connection: Connection, part_id: int) -> Any:
    """A part with the names of its site, order and part type."""
    row = connection.execute(_PART.where(parts.c.id == part_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no part {part_id}.")
    return row


def _part(row: Any) -> Part:
    return Part(
        row.id, row.site, row.name, row.order_name, row.part_type, PartState(row.state), row.first_at, row.last_at
    )
