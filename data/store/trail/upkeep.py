"""Upkeep: how long what is kept, what may go, and which backups were made.

Nothing goes while a task about its part is open, or while a frozen dataset names it. What goes leaves its row in the
audit trail, in the same transaction.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput
from core.plant import AuditEvent
from core.records import ImageState
from core.retention import DataClass, check_days
from core.roles import Action
from data.store.base import SubStore
from data.store.engine.unlocked import unlocked
from data.store.rows import chunks
from data.store.trail.audit import entry, record
from data.store.trail.seals import DELETED
from data.tables import (
    IS_OPEN,
    audit_events,
    audit_seals,
    book_examples,
    datasets,
    gold_items,
    images,
    parts,
    reading_checks,
    readings,
    retention_rules,
    reviews,
    sessions,
    tasks,
)

BACKED_UP = "backup made"
NAMED = 500  # ids that an event lists; it counts all


@dataclass(frozen=True)
class OldImage:
    """A picture whose time is up."""

    id: int
    path: str
    arrived_at: datetime


@dataclass(frozen=True)
class OldEvents:
    """Rows of the audit trail whose time is up.

    Attributes:
        through: number of the last link of the chain they reach to; 0 for none.
        events: ids of those that go.
        kept: ids of those that stay among them, because a task about their part is open.
    """

    through: int
    events: tuple[int, ...]
    kept: tuple[int, ...]


class Upkeep(SubStore):
    """For administrators, and for the plant's own clockwork."""

    def rules(self) -> dict[DataClass, int]:
        """Days by class of data; a class that is not in it is kept for ever."""
        with self.seeing(Action.UPKEEP) as (connection, _):
            return {DataClass(row.kind): row.days for row in connection.execute(sa.select(retention_rules))}

    def set_rule(self, kind: DataClass, days: int | None, now: datetime | None = None) -> None:
        """Keep a class of data for so many days; None keeps it for ever.

        Raises:
            BadInput: for a time that is too short.
        """
        if days is not None:
            check_days(kind, days)
        with self.writing(Action.UPKEEP) as (connection, _):
            mine = retention_rules.c.kind == str(kind)
            before = connection.scalar(sa.select(retention_rules.c.days).where(mine))
            connection.execute(sa.delete(retention_rules).where(mine))
            if days is not None:
                connection.execute(sa.insert(retention_rules).values(kind=str(kind), days=days))
            record(connection, entry(self.now(now), self.actor.name, "retention set", f"data class {kind}",
                                     old={"days": before}, new={"days": days}))  # fmt: skip

    def old_images(self, before: datetime, after: int = 0, limit: int = 500) -> list[OldImage]:
        """Pictures that arrived before a time and that nothing holds back, by id.

        Args:
            before: aware UTC.
            after: only larger ids, for the next page.
            limit: at most so many.
        """
        with self.seeing(Action.UPKEEP) as (connection, _):
            query = sa.select(images.c.id, images.c.path, images.c.arrived_at).where(images.c.id > after)
            named = _in_datasets(connection)
            rows = connection.execute(query.where(*_may_go(before)).order_by(images.c.id).limit(limit))
            return [OldImage(row.id, row.path, row.arrived_at) for row in rows if row.path not in named]

    def forget_images(
        self, image_ids: Collection[int], before: datetime, days: int, now: datetime | None = None
    ) -> list[OldImage]:
        """Mark pictures as deleted by retention, those that may still go; their files go after this was kept.

        Decisions and labels stay as they are: they were made while the picture was there.
        """
        when = self.now(now)
        gone: list[OldImage] = []
        with self.writing(Action.UPKEEP) as (connection, _):
            named = _in_datasets(connection)
            for some in chunks(sorted(set(image_ids))):
                query = sa.select(images).where(images.c.id.in_(some), *_may_go(before)).order_by(images.c.id)
                rows = [row for row in connection.execute(query.with_for_update(of=images)) if row.path not in named]
                if not rows:
                    continue
                note = f"deleted after {days} days, as retention says"
                connection.execute(
                    sa.update(images)
                    .where(images.c.id.in_([row.id for row in rows]))
                    .values(state=str(ImageState.MISSING), state_note=note)
                )
                record(connection, [
                    entry(when, self.actor.name, "picture deleted", f"image {row.id}", site_id=row.site_id,
                          old={"sha256": row.sha256, "state": row.state}, new={"days": days})
                    for row in rows
                ])  # fmt: skip
                gone += [OldImage(row.id, row.path, row.arrived_at) for row in rows]
        return gone

    def old_events(self, before: datetime) -> OldEvents:
        """Rows of the audit trail that may go: all up to some link of the chain, but those about open tasks."""
        with self.seeing(Action.UPKEEP) as (connection, _):
            return _old_events(connection, before)

    def delete_events(self, before: datetime, days: int, now: datetime | None = None) -> OldEvents:
        """Take old rows out of the trail; their seals stay, and one new row says which are gone.

        Raises:
            BadInput: the store was opened without the plant's key, so nobody could tell this from tampering.
        """
        with self.writing(Action.UPKEEP) as (connection, _):
            if connection.get_execution_options().get("audit_key") is None:
                raise BadInput("Rows of the audit trail are deleted only by a process that has the plant's key.")
            self.database.one_at_a_time(connection, "seal")
            old = _old_events(connection, before)
            if not old.events:
                return old
            with unlocked(connection, "audit_events"):
                for some in chunks(old.events):
                    connection.execute(sa.delete(audit_events).where(audit_events.c.id.in_(some)))
            told = {"through": old.through, "count": len(old.events), "kept": list(old.kept), "days": days}
            record(connection, entry(self.now(now), self.actor.name, DELETED, "audit trail", new=told))
            return old

    def forget_readings(
        self, before: datetime, days: int, now: datetime | None = None, *, dry_run: bool = False
    ) -> int:  # fmt: skip
        """Delete what was read on labels before a time, of decided parts without an open task.

        Returns:
            How many readings went, or would go.
        """
        when = self.now(now)
        with self.writing(Action.UPKEEP) as (connection, _):
            query = (
                sa.select(readings.c.id, readings.c.image_id)
                .join(images, images.c.id == readings.c.image_id)
                .where(readings.c.read_at < before, *_settled(images.c.part_id))
                .order_by(readings.c.id)
            )
            rows = connection.execute(query).all()
            if rows and not dry_run:
                for some in chunks([row.id for row in rows]):
                    connection.execute(sa.delete(reading_checks).where(reading_checks.c.reading_id.in_(some)))
                    connection.execute(sa.delete(readings).where(readings.c.id.in_(some)))
                told = {"days": days, "count": len(rows), "images": sorted({row.image_id for row in rows})[:NAMED]}
                record(connection, entry(when, self.actor.name, "readings deleted", "data class readings", new=told))
            return len(rows)

    def forget_notes(
        self, before: datetime, days: int, now: datetime | None = None, *, dry_run: bool = False
    ) -> int:  # fmt: skip
        """Empty the notes of reviews given before a time, of decided parts without an open task; the reviews stay.

        Returns:
            How many notes went, or would go.
        """
        when = self.now(now)
        with self.writing(Action.UPKEEP) as (connection, _):
            written = sa.type_coerce(reviews.c.note, sa.String) != ""
            query = (
                sa.select(reviews.c.id)
                .where(reviews.c.reviewed_at < before, written, *_settled(reviews.c.part_id))
                .order_by(reviews.c.id)
            )
            ids = list(connection.scalars(query))
            if ids and not dry_run:
                with unlocked(connection, "reviews"):
                    for some in chunks(ids):
                        connection.execute(sa.update(reviews).where(reviews.c.id.in_(some)).values(note=""))
                told = {"days": days, "count": len(ids), "reviews": ids[:NAMED]}
                record(connection, entry(when, self.actor.name, "notes deleted", "data class notes", new=told))
            return len(ids)

    def deleted(self, kind: str, told: Mapping[str, Any], now: datetime | None = None) -> None:
        """Leave a row about files that were deleted and of which the store keeps no record of their own.

        Args:
            kind: a data class, or "backup".
            told: how many, how old.
            now: aware UTC.
        """
        with self.writing(Action.UPKEEP) as (connection, _):
            what = f"{kind} deleted"
            record(connection, entry(self.now(now), self.actor.name, what, f"data class {kind}", new=dict(told)))

    def backed_up(self, told: Mapping[str, Any], now: datetime | None = None) -> None:
        """Leave a row about a backup: where it lies and the hash of its manifest."""
        with self.writing(Action.UPKEEP) as (connection, _):
            record(connection, entry(self.now(now), self.actor.name, BACKED_UP, "store", new=dict(told)))

    def restored(self, told: Mapping[str, Any], now: datetime | None = None) -> None:
        """Leave a row about a backup that was put back, and end its sessions: who was in then may not be any more."""
        with self.writing(Action.UPKEEP) as (connection, _):
            connection.execute(sa.delete(sessions))
            record(connection, entry(self.now(now), self.actor.name, "restored", "store", new=dict(told)))

    def backups(self, limit: int = 10) -> list[AuditEvent]:
        """The newest backups first, as the trail tells them."""
        return self._store.audit.recent(limit, action=BACKED_UP)


def _may_go(before: datetime) -> list[sa.ColumnElement[bool]]:
    """An old picture of a decided part without an open task or a known answer, whose file nothing else still needs."""
    other, its_part = images.alias("other"), parts.alias("its_part")
    busy = sa.exists().where(tasks.c.part_id == images.c.part_id, IS_OPEN)
    waiting = sa.exists().where(parts.c.id == images.c.part_id, parts.c.state == "open")
    needed = sa.exists().where(
        other.c.path == images.c.path,
        other.c.id != images.c.id,
        its_part.c.id == other.c.part_id,
        sa.or_(
            other.c.arrived_at >= before,
            its_part.c.state == "open",
            sa.exists().where(tasks.c.part_id == other.c.part_id, IS_OPEN),
        ),
    )
    gold = sa.exists().where(gold_items.c.part_id == images.c.part_id, gold_items.c.retired_at.is_(None))
    book = sa.exists().where(book_examples.c.image_id == images.c.id, book_examples.c.removed_at.is_(None))
    there = images.c.state != str(ImageState.MISSING)
    return [images.c.arrived_at < before, there, ~busy, ~waiting, ~needed, ~gold, ~book]


def _settled(part_id: sa.ColumnElement[int]) -> list[sa.ColumnElement[bool]]:
    """A decided part without an open task."""
    return [
        ~sa.exists().where(tasks.c.part_id == part_id, IS_OPEN),
        ~sa.exists().where(parts.c.id == part_id, parts.c.state == "open"),
    ]


def _in_datasets(connection: Connection) -> set[str]:
    """Paths of pictures that a frozen dataset names."""
    manifests = connection.scalars(sa.select(datasets.c.manifest))
    return {str(item.get("path")) for manifest in manifests for item in manifest.get("items", ())}


def _old_events(connection: Connection, before: datetime) -> OldEvents:
    young = sa.select(sa.func.min(audit_seals.c.number)).join(audit_events, audit_events.c.id == audit_seals.c.event_id)
    first_young = connection.scalar(young.where(audit_events.c.at >= before))
    last = connection.scalar(sa.select(sa.func.max(audit_seals.c.number))) or 0
    # The newest stays whatever its age: SQLite would give its number to the next event.
    through = (int(last) if first_young is None else int(first_young)) - 1
    busy = sa.select(tasks.c.part_id).where(IS_OPEN)
    words = sa.union(
        sa.select(sa.literal("part ").concat(sa.cast(tasks.c.part_id, sa.String))).where(IS_OPEN),
        sa.select(sa.literal("task ").concat(sa.cast(tasks.c.id, sa.String))).where(IS_OPEN),
        sa.select(sa.literal("image ").concat(sa.cast(images.c.id, sa.String))).where(images.c.part_id.in_(busy)),
    )
    kept = sa.or_(audit_events.c.action == DELETED, audit_events.c.subject.in_(words))
    query = (
        sa.select(audit_events.c.id, sa.case((kept, 1), else_=0).label("kept"))
        .join(audit_seals, audit_seals.c.event_id == audit_events.c.id)
        .where(audit_seals.c.number <= through)
        .order_by(audit_events.c.id)
    )
    rows = connection.execute(query).all()
    return OldEvents(
        through if any(not row.kept for row in rows) else 0,
        tuple(row.id for row in rows if not row.kept),
        tuple(row.id for row in rows if row.kept),
    )
