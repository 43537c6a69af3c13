"""From a number to one of its parts: to have it in one's own hands, and what follows from answers against the model."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.records import Task, TaskKind
from core.roles import Action
from data.store.base import SubStore
from data.store.desk import leasing
from data.store.desk.leasing import LEASE_S, task_row, whose
from data.store.desk.queue import open_task
from data.store.line.parts import part_row
from data.store.rows import chunks, task_of
from data.store.trail.audit import entry, record
from data.tables import IS_OPEN, audit_events, outbox, parts, tasks

CASE, LABELLING = "case opened", "sent to labelling"


class Casebook(SubStore):
    """Beside the queue: there people take what is most urgent, here one part that they chose."""

    def take(self, part_id: int, now: datetime | None = None, seconds: float = LEASE_S) -> Task:
        """Have one part in hand to correct it: its open task where it has one, else a new one.

        Raises:
            Conflict: somebody else has it now.
        """
        leasing.check_length(seconds)
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            part = part_row(connection, part_id)
            rights.need(Action.REVIEW, part.site_id)
            self.database.one_at_a_time(connection, "filing", part.site_id)
            self.database.one_at_a_time(connection, "lease", self.actor.name)
            row = self._open(connection, part_id)
            if row is None:
                task_id = open_task(connection, part, TaskKind.LABEL, when)
                record(connection, entry(when, self.actor.name, "taken to correct", f"part {part_id}",
                                         site_id=part.site_id, new={"task": task_id}))  # fmt: skip
                row = task_row(connection, task_id, lock=True)
            mine = row.leased_by == self.actor.name
            if not mine and row.leased_by is not None and row.leased_until > when and not row.ahead:
                raise Conflict(whose(connection, row, when))
            connection.execute(leasing.GIVE_BACK_OTHERS, {"me": self.actor.name, "kept": row.id})
            connection.execute(
                sa.update(tasks)
                .where(tasks.c.id == row.id)
                .values(leased_by=self.actor.name, leased_until=when + timedelta(seconds=seconds), leased_at=when,
                        ahead=False, fence=row.fence if mine else row.fence + 1)
            )  # fmt: skip
            return task_of(task_row(connection, row.id), when)

    def open_cases(self, part_ids: Iterable[int], reason: str, now: datetime | None = None) -> int:
        """Tell the outside of parts that passed for the model and are defective; a case each, and once only.

        Returns:
            How many are new.
        """
        return self._note(part_ids, CASE, reason, now)

    def to_labelling(self, part_ids: Iterable[int], reason: str, now: datetime | None = None) -> int:
        """Put parts whose class is in question into the queue, to be labelled; once each.

        Returns:
            How many are new.
        """
        return self._note(part_ids, LABELLING, reason, now)

    def _note(self, part_ids: Iterable[int], what: str, reason: str, now: datetime | None) -> int:
        when, done = self.now(now), 0
        for some in chunks(sorted(set(part_ids))):
            with self.writing(Action.INGEST) as (connection, rights):
                self.database.one_at_a_time(connection, what)
                subjects = [f"part {part_id}" for part_id in some]
                known = set(
                    connection.scalars(
                        sa.select(audit_events.c.subject).where(
                            audit_events.c.action == what, audit_events.c.subject.in_(subjects)
                        )
                    )
                )
                rows = connection.execute(sa.select(parts).where(parts.c.id.in_(some)).order_by(parts.c.id)).all()
                fresh = [row for row in rows if f"part {row.id}" not in known and rights.sees(row.site_id)]
                for row in fresh:
                    new = self._case(connection, row, reason, when) if what == CASE else _label(connection, row, when)
                    record(connection, entry(when, self.actor.name, what, f"part {row.id}", site_id=row.site_id,
                                             reason=reason, new=new))  # fmt: skip
                done += len(fresh)
        return done

    def _case(self, connection: Connection, row: Any, reason: str, now: datetime) -> dict[str, Any]:
        payload = {"part": row.name, "reason": reason}
        event = {"topic": "case", "site_id": row.site_id, "part_id": row.id, "payload": payload, "created_at": now,
                 "sent_at": None}  # fmt: skip
        connection.execute(sa.insert(outbox), [event])
        return {"part": row.name}

    def _open(self, connection: Connection, part_id: int) -> Any:
        task_id = connection.scalar(
            sa.select(tasks.c.id).where(tasks.c.part_id == part_id, IS_OPEN).order_by(tasks.c.rank, tasks.c.id).limit(1)
        )
        return None if task_id is None else task_row(connection, task_id, lock=True)


def _label(connection: Connection, row: Any, now: datetime) -> dict[str, Any]:
    """An open task of the kind is enough."""
    kind = str(TaskKind.LABEL)
    there = connection.scalar(
        sa.select(tasks.c.id).where(tasks.c.part_id == row.id, tasks.c.kind == kind, IS_OPEN).limit(1)
    )
    return {"task": open_task(connection, row, TaskKind.LABEL, now) if there is None else there}
