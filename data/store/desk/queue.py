"""The queue: one task at a time, the most urgent first, each in at most one person's hands."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Busy, Conflict
from core.plant import ALL, Narrow, QueueCounts
from core.records import Task, TaskKind
from core.roles import Action
from data.store.base import Rights, SubStore, site_row, within
from data.store.desk import leasing
from data.store.desk.leasing import AHEAD_S, LEASE_S, LONGEST_S, NOBODYS, Wanted, give_back, held_row, task_row, whose
from data.store.line.deciding import last_decisions, task_values
from data.store.line.parts import part_row
from data.store.rows import chunks, newest_predictions, task_of
from data.store.trail.audit import entry, record
from data.tables import IS_OPEN, images, reviews, selection_items, tasks

_TRIES = 20
_AGAIN = tuple(map(str, (TaskKind.AUDIT, TaskKind.GOLD, TaskKind.SECOND_LOOK)))


class Queue(SubStore):
    """Tasks are leased and given back here; they are answered in `reviews`."""

    def lease(
        self,
        kinds: Collection[TaskKind] | None = None,
        site: str | None = None,
        seconds: float = LEASE_S,
        now: datetime | None = None,
        narrow: Narrow = ALL,
    ) -> Task | None:
        """The actor's own task, or the next one; None when nothing is left to do.

        The next one is the first that the actor has ahead, else the most urgent that nobody has, else one that
        another person only has ahead. A lease lapses by itself. Who comes back before anybody else has taken the task
        gets it again under the same fence; whoever gets it afterwards has a higher one. A person holds one task:
        asking for another kind or site gives the old one back.

        Args:
            kinds: only these; None for all.
            site: only this one; None for all that the person was given.
            seconds: until the lease lapses.
            now: aware UTC.
            narrow: only these parts.
        """
        leasing.check_length(seconds)
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            wanted = self._wanted(connection, rights, kinds, site, narrow)
            self.database.one_at_a_time(connection, "lease", self.actor.name)
            row = self._claim(connection, wanted, when, when + timedelta(seconds=seconds))
            if row is None:
                return None
            connection.execute(leasing.GIVE_BACK_OTHERS, {"me": self.actor.name, "kept": row.id})
            return task_of(row, when)

    def lease_ahead(
        self,
        n: int = 3,
        kinds: Collection[TaskKind] | None = None,
        site: str | None = None,
        seconds: float = AHEAD_S,
        now: datetime | None = None,
        narrow: Narrow = ALL,
    ) -> list[Task]:
        """Have up to n tasks ahead of the one in hand, to be shown the moment that one is answered.

        Calling it again renews those that the actor has and adds what is missing. They lapse by themselves, and
        anybody for whom nothing else is left may take them. Who has no task in hand gets none.

        Args:
            n: 0 gives back what the actor has ahead.
            kinds: as for `lease`; what is of another kind or site is given back.
            site: as for `lease`.
            seconds: until they lapse.
            now: aware UTC.
            narrow: as for `lease`.

        Returns:
            In the order in which `lease` will hand them out: as they were taken, the most urgent of one call first.
        """
        leasing.check_length(seconds)
        if not 0 <= n <= leasing.MOST_AHEAD:
            raise BadInput(f"{n} tasks ahead: ask for 0 to {leasing.MOST_AHEAD}.")
        when = self.now(now)
        until = when + timedelta(seconds=seconds)
        with self.writing(Action.REVIEW) as (connection, rights):
            wanted = self._wanted(connection, rights, kinds, site, narrow)
            self.database.one_at_a_time(connection, "lease", self.actor.name)
            rows = connection.execute(leasing.all_of_mine(wanted.shape), wanted.values(now=when)).all()
            if all(row.ahead for row in rows):
                return []
            kept = [row for row in rows if row.ahead and row.fits][:n]
            if gone := [row.id for row in rows if row.ahead and row not in kept]:
                give_back(connection, tasks.c.id.in_(gone))
            if kept:
                ids = [row.id for row in kept]
                connection.execute(leasing.RENEW, {"me": self.actor.name, "ids": ids, "until": until})
            found = [replace(task_of(row, when), leased_until=until) for row in kept]
            if len(kept) < n:
                behind = max([when, *(row.leased_at + timedelta(microseconds=1) for row in kept)])  # those that are had
                values = wanted.values(now=when, until=until, at=behind, n=n - len(kept))
                more = connection.execute(leasing.claim_ahead(wanted.shape), values).all()
                found += [task_of(row, when) for row in sorted(more, key=lambda row: (row.rank, row.id))]
            return found

    def release_ahead(self, now: datetime | None = None) -> None:
        """Give back at once what the actor has ahead: they have left the queue or signed out."""
        mine = [IS_OPEN, tasks.c.leased_by == self.actor.name, tasks.c.ahead]
        with self.seeing(Action.REVIEW) as (connection, _):
            if connection.execute(sa.select(tasks.c.id).where(*mine).limit(1)).first() is None:
                return  # the usual case must not wait for a turn to write
        with self.writing(Action.REVIEW) as (connection, _):
            give_back(connection, *mine)

    def task(self, task_id: int, now: datetime | None = None) -> Task:
        """One task, whoever has it.

        Raises:
            NotFound: when there is none of that id.
        """
        with self.seeing() as (connection, rights):
            row = task_row(connection, task_id)
            rights.need(Action.SEE, row.site_id)
            return task_of(row, self.now(now))

    def held(self, now: datetime | None = None) -> Task | None:
        """The task in the actor's hands at this moment, without taking or renewing one."""
        when = self.now(now)
        with self.seeing() as (connection, rights):
            mine = self._seen(rights)
            row = connection.execute(leasing.held_by_me(mine.shape), mine.values(now=when)).first()
            return None if row is None else task_of(row, when)

    def next(self, n: int = 2, kinds: Collection[TaskKind] | None = None, site: str | None = None,
             now: datetime | None = None) -> list[Task]:  # fmt: skip
        """What would be leased after this, to fetch its pictures ahead; nothing is taken."""
        when = self.now(now)
        with self.seeing(Action.REVIEW) as (connection, rights):
            wanted = self._wanted(connection, rights, kinds, site)
            rows = connection.execute(leasing.mine_ahead(wanted.shape), wanted.values(now=when)).all()
            more = wanted.values(now=when, n=n)
            rows = [*rows, *connection.execute(leasing.waiting(wanted.shape), more)]
            return [task_of(row, when) for row in rows[:n]]

    def renew(self, task_id: int, fence: int, seconds: float = LEASE_S, now: datetime | None = None) -> Task:
        """Hold a task longer.

        Raises:
            Conflict: when the lease is no longer the actor's.
        """
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            row = held_row(connection, rights, task_id, fence, self.actor.name, when)
            until = when + timedelta(seconds=min(seconds, LONGEST_S))
            connection.execute(leasing.RENEW, {"me": self.actor.name, "ids": [row.id], "until": until})
            return task_of(task_row(connection, task_id), when)

    def release(self, task_id: int, fence: int, now: datetime | None = None) -> None:
        """Give a task back unanswered; nothing happens when the lease has gone to somebody else."""
        with self.writing(Action.REVIEW) as (connection, _):
            give_back(connection, tasks.c.id == task_id, tasks.c.fence == fence, tasks.c.leased_by == self.actor.name)

    def first_looks_due(self, part_ids: Collection[int]) -> set[int]:
        """Those parts that wait for an answer and about which the actor has never given one."""
        with self.seeing() as (connection, rights):
            said = sa.exists().where(reviews.c.part_id == tasks.c.part_id, reviews.c.by == self.actor.name)
            due: set[int] = set()
            for some in chunks(sorted(part_ids)):
                asked = [tasks.c.part_id.in_(some), IS_OPEN, *within(rights, tasks.c.site_id)]
                due |= set(connection.scalars(sa.select(tasks.c.part_id).where(*asked, ~said)))
            return due

    def asks_again(self, site: str) -> bool:
        """Whether somebody is asked at a site about what has an answer already.

        An audit, a gold item, a second look, a picture that is to be labelled once more: no other task of the site
        may be told from these, so what its people see depends on it.
        """
        with self.seeing() as (connection, rights):
            at: Any = site_row(connection, site)
            rights.need(Action.SEE, at.id)
            again = [tasks.c.site_id == at.id, tasks.c.kind.in_(_AGAIN), IS_OPEN]
            batches = sa.select(tasks.c.id).join(selection_items, selection_items.c.task_id == tasks.c.id)
            asked = [selection_items.c.site_id == at.id, selection_items.c.again, IS_OPEN]
            return any(
                connection.scalar(query.limit(1)) is not None
                for query in (sa.select(tasks.c.id).where(*again), batches.where(*asked))
            )

    def counts(self, site: str | None = None, now: datetime | None = None, narrow: Narrow = ALL) -> QueueCounts:
        """How much there is to do at the actor's sites, and how much the actor has done today, whatever it was."""
        when = self.now(now)
        with self.seeing() as (connection, rights):
            asked, zone = None, "UTC"
            if site is not None:
                at: Any = site_row(connection, site)
                rights.need(Action.SEE, at.id)
                asked, zone = at.id, at.timezone
            seen = replace(self._seen(rights, asked), narrow=narrow)
            kinds = {row.kind: row.number for row in connection.execute(leasing.open_kinds(seen.shape), seen.values())}
            held = [
                row
                for row in connection.execute(leasing.all_held(seen.shape), seen.values(now=when))
                if rights.sees(row.site_id) and asked in (None, row.site_id)
            ]
            barred = set(connection.scalars(leasing.not_for_me(seen.shape), seen.values()))
            taken = [
                row for row in held if row.id not in barred and not (row.ahead and row.leased_by == self.actor.name)
            ]
            leased = sum(not row.ahead for row in held)
            ahead = sum(row.ahead for row in taken)
            midnight = when.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
            done = connection.execute(leasing.answered_since(seen.shape), seen.values(now=midnight)).scalar_one()
            return QueueCounts(
                waiting=sum(kinds.values()) - len(barred) - len(taken),
                leased=leased,
                kinds=dict(sorted(kinds.items())),
                done_today=int(done),
                ahead=ahead,
            )

    def previous(self, n: int = 20, now: datetime | None = None) -> list[Task]:
        """Tasks that the actor answered and that nobody has touched since, the last one first: they can be undone."""
        when = self.now(now)
        with self.seeing(Action.REVIEW) as (connection, rights):
            mine = self._seen(rights)
            rows = connection.execute(leasing.answered_last(mine.shape), mine.values(n=n))
            return [task_of(row, when) for row in rows]

    def send(
        self, part_id: int, kind: TaskKind = TaskKind.TRIAGE, reason: str = "", now: datetime | None = None
    ) -> Task:
        """Ask that a person look at a part; an open task of the kind is returned as it is."""
        when = self.now(now)
        with self.writing(Action.SCORE) as (connection, rights):
            part = part_row(connection, part_id)
            rights.need(Action.SCORE, part.site_id)
            self.database.one_at_a_time(connection, "filing", part.site_id)
            task_id = connection.scalar(
                sa.select(tasks.c.id).where(tasks.c.part_id == part_id, tasks.c.kind == str(kind), IS_OPEN)
            )
            if task_id is None:
                task_id = open_task(connection, part, kind, when)
                record(connection, entry(when, self.actor.name, "sent to the queue", f"part {part_id}", reason=reason,
                                         site_id=part.site_id, new={"task": task_id, "kind": str(kind)}))  # fmt: skip
            return task_of(task_row(connection, task_id), when)

    def withdraw(self, task_id: int, reason: str, now: datetime | None = None) -> None:
        """Close a task that nobody needs to answer; a triage or second look can only be answered.

        Raises:
            Conflict: when somebody has it or it is closed.
        """
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row = task_row(connection, task_id, lock=True)
            rights.need(Action.POLICY, row.site_id)
            if row.kind in (TaskKind.TRIAGE, TaskKind.SECOND_LOOK):
                raise Conflict("A held part is released by a review only.")
            if row.state != "open" or (row.leased_by and row.leased_until > when):
                raise Conflict(whose(connection, row, when))
            connection.execute(
                sa.update(tasks)
                .where(tasks.c.id == task_id)
                .values(NOBODYS | {"state": "withdrawn", "closed_by": self.actor.name, "closed_at": when})
            )
            record(connection, entry(when, self.actor.name, "task withdrawn", f"task {task_id}", site_id=row.site_id,
                                     reason=reason))  # fmt: skip

    def _seen(self, rights: Rights, asked: int | None = None) -> Wanted:
        site_ids = None if rights.site_ids is None else tuple(sorted(rights.site_ids))
        return Wanted(self.actor.name, site_ids if asked is None else (asked,))

    def _wanted(
        self,
        connection: Connection,
        rights: Rights,
        kinds: Collection[TaskKind] | None,
        site: str | None,
        narrow: Narrow = ALL,
    ) -> Wanted:
        asked = None
        if site is not None:
            asked = int(site_row(connection, site).id)
            rights.need(Action.REVIEW, asked)
        of = None if kinds is None else tuple(sorted(map(str, kinds)))
        return replace(self._seen(rights, asked), kinds=of, narrow=narrow)

    def _claim(self, connection: Connection, wanted: Wanted, now: datetime, until: datetime) -> Any | None:
        """Take a task, or be sure that there is none.

        PostgreSQL steps over rows that another transaction is writing to. One of those may be the last that is left,
        so before anybody is told that there is nothing, such rows are waited for.

        Raises:
            Busy: when others were quicker every time.
        """
        for attempt in range(_TRIES):
            claim = leasing.claim_one(wanted.shape, wait=attempt > 0)
            row = connection.execute(claim, wanted.values(now=now, until=until, at=now)).one_or_none()
            if row is not None or self.database.is_sqlite:
                return row
            if connection.execute(leasing.left_over(wanted.shape), wanted.values(now=now)).first() is None:
                return None
        raise Busy("Others take the last tasks at this moment: try again.")


def open_task(connection: Connection, part: Any, kind: TaskKind, now: datetime) -> int:
    """A new task about a part, as urgent as its decision or its pictures say."""
    decision = last_decisions(connection, [part.id]).get(part.id)
    image_ids = connection.scalars(sa.select(images.c.id).where(images.c.part_id == part.id)).all()
    said = newest_predictions(connection, image_ids).values()
    risk = decision.score if decision is not None else max((one.score for one in said), default=None)
    novelty = max((one.novelty for one in said if one.novelty is not None), default=None)
    values = task_values(part.site_id, part.id, kind, None if decision is None else decision.id, risk, novelty, now)
    return int(connection.execute(sa.insert(tasks).values(values).returning(tasks.c.id)).scalar_one())
