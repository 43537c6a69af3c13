"""The queue: one task at a time, the most urgent first, each in at most one person's hands."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.plant import QueueCounts
from core.records import Task, TaskKind
from core.roles import Action
from data.store.audit import entry, record
from data.store.base import Rights, SubStore, site_row, within
from data.store.deciding import last_decisions, task_values
from data.store.parts import part_row
from data.store.rows import TASK, newest_predictions, task_of
from data.tables import IS_OPEN, images, reviews, sites, tasks

LEASE_S = 300
_LONGEST_S = 8 * 3600


class Queue(SubStore):
    """Tasks are leased and given back here; they are answered in `reviews`."""

    def lease(
        self,
        kinds: Collection[TaskKind] | None = None,
        site: str | None = None,
        seconds: float = LEASE_S,
        now: datetime | None = None,
    ) -> Task | None:
        """The actor's own task, or the most urgent one that nobody has; None when nothing is left to do.

        A lease lapses by itself. Who comes back before that gets the same task under the same fence; whoever gets it
        afterwards has a higher one. A person holds one task: asking for another kind or site gives the old one back.

        Args:
            kinds: only these; None for all.
            site: only this one; None for all that the person was given.
            seconds: until the lease lapses.
            now: aware UTC.
        """
        if not 0 < seconds <= _LONGEST_S:
            raise BadInput(f"A lease of {seconds} s is outside 0 to {_LONGEST_S} s.")
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            wanted = self._wanted(connection, rights, kinds, site)
            self.database.one_at_a_time(connection, "lease", self.actor.name)
            row = connection.execute(self._claim(wanted, when, when + timedelta(seconds=seconds))).one_or_none()
            if row is None:
                return None
            self._give_back_others(connection, row.id)
            return task_of(connection.execute(TASK.where(tasks.c.id == row.id)).one(), when)

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
            query = TASK.where(
                IS_OPEN,
                tasks.c.leased_by == self.actor.name,
                tasks.c.leased_until > when,
                *within(rights, tasks.c.site_id),
            ).order_by(tasks.c.leased_until.desc())
            row = connection.execute(query.limit(1)).one_or_none()
            return None if row is None else task_of(row, when)

    def next(self, n: int = 2, kinds: Collection[TaskKind] | None = None, site: str | None = None,
             now: datetime | None = None) -> list[Task]:  # fmt: skip
        """What would be leased after this, to fetch its pictures ahead; nothing is taken."""
        when = self.now(now)
        with self.seeing(Action.REVIEW) as (connection, rights):
            wanted = self._wanted(connection, rights, kinds, site)
            query = TASK.where(*wanted, self._free(when)).order_by(tasks.c.rank, tasks.c.id).limit(n)
            return [task_of(row, when) for row in connection.execute(query)]

    def renew(self, task_id: int, fence: int, seconds: float = LEASE_S, now: datetime | None = None) -> Task:
        """Hold a task longer.

        Raises:
            Conflict: when the lease is no longer the actor's.
        """
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            row = held_row(connection, rights, task_id, fence, self.actor.name, when)
            until = when + timedelta(seconds=min(seconds, _LONGEST_S))
            connection.execute(
                sa.update(tasks).where(tasks.c.id == row.id).values(leased_by=self.actor.name, leased_until=until)
            )
            return task_of(task_row(connection, task_id), when)

    def release(self, task_id: int, fence: int, now: datetime | None = None) -> None:
        """Give a task back unanswered; nothing happens when the lease has gone to somebody else."""
        with self.writing(Action.REVIEW) as (connection, _):
            connection.execute(
                sa.update(tasks)
                .where(tasks.c.id == task_id, tasks.c.fence == fence, tasks.c.leased_by == self.actor.name)
                .where(IS_OPEN)
                .values(leased_by=None, leased_until=None)
            )

    def counts(self, site: str | None = None, now: datetime | None = None) -> QueueCounts:
        """How much there is to do at the actor's sites, and how much the actor has done today."""
        when = self.now(now)
        with self.seeing() as (connection, rights):
            asked, zone = None, "UTC"
            if site is not None:
                at: Any = site_row(connection, site)
                rights.need(Action.SEE, at.id)
                asked, zone = at.id, at.timezone
            mine = [IS_OPEN, *within(rights, tasks.c.site_id, asked)]
            kinds = connection.execute(
                sa.select(tasks.c.kind, sa.func.count()).where(*mine).group_by(tasks.c.kind)
            ).all()
            # Without its site, so that the few leased tasks are found by their own index and not among all open ones.
            out = sa.select(tasks.c.site_id).where(IS_OPEN, tasks.c.leased_by.is_not(None), tasks.c.leased_until > when)
            held = [site_id for site_id in connection.scalars(out) if rights.sees(site_id)]
            leased = sum(1 for site_id in held if asked in (None, site_id))
            midnight = when.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
            undo = reviews.alias("undo")
            again = sa.exists().where(undo.c.undoes == reviews.c.id)
            done = (
                sa.select(sa.func.count())
                .select_from(reviews)
                .where(reviews.c.by == self.actor.name, reviews.c.undoes.is_(None), reviews.c.task_id.is_not(None))
                .where(reviews.c.reviewed_at >= midnight, ~again)
                .where(*within(rights, reviews.c.site_id, asked))
            )
            return QueueCounts(
                waiting=sum(count for _, count in kinds) - leased,
                leased=leased,
                kinds=dict(sorted(tuple(row) for row in kinds)),
                done_today=int(connection.scalar(done) or 0),
            )

    def previous(self, n: int = 20, now: datetime | None = None) -> list[Task]:
        """Tasks that the actor answered and that nobody has touched since, the last one first: they can be undone."""
        when = self.now(now)
        with self.seeing(Action.REVIEW) as (connection, rights):
            query = TASK.where(
                tasks.c.closed_by == self.actor.name, tasks.c.state == "done", *within(rights, tasks.c.site_id)
            )
            query = query.order_by(tasks.c.closed_at.desc(), tasks.c.id.desc()).limit(n)
            return [task_of(row, when) for row in connection.execute(query)]

    def send(
        self, part_id: int, kind: TaskKind = TaskKind.TRIAGE, reason: str = "", now: datetime | None = None
    ) -> Task:
        """Ask that a person look at a part; an open task of the kind is returned as it is."""
        when = self.now(now)
        with self.writing(Action.SEE) as (connection, rights):
            part = part_row(connection, part_id)
            rights.need(Action.SEE, part.site_id)
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
                .values(state="withdrawn", closed_by=self.actor.name, closed_at=when, leased_by=None, leased_until=None)
            )
            record(connection, entry(when, self.actor.name, "task withdrawn", f"task {task_id}", site_id=row.site_id,
                                     reason=reason))  # fmt: skip

    def _wanted(
        self, connection: Connection, rights: Rights, kinds: Collection[TaskKind] | None, site: str | None
    ) -> list[sa.ColumnElement[bool]]:
        asked = None
        if site is not None:
            asked = site_row(connection, site).id
            rights.need(Action.REVIEW, asked)
        wanted = [IS_OPEN, *within(rights, tasks.c.site_id, asked)]
        if kinds is not None:
            wanted.append(tasks.c.kind.in_(sorted(str(kind) for kind in kinds)))
        undo = reviews.alias("undo")
        mine = sa.exists().where(
            reviews.c.part_id == tasks.c.part_id,
            reviews.c.by == self.actor.name,
            reviews.c.undoes.is_(None),
            ~sa.exists().where(undo.c.undoes == reviews.c.id),
        )
        wanted.append(sa.or_(tasks.c.kind != str(TaskKind.SECOND_LOOK), ~mine))  # a second look needs a second person
        return wanted

    def _free(self, now: datetime) -> sa.ColumnElement[bool]:
        return sa.or_(tasks.c.leased_by.is_(None), tasks.c.leased_until <= now)

    def _claim(self, wanted: list[sa.ColumnElement[bool]], now: datetime, until: datetime) -> sa.Update:
        """The one statement that takes a task; on PostgreSQL it steps over tasks that others are taking."""
        me = self.actor.name
        own = (
            sa.select(tasks.c.id)
            .where(*wanted, tasks.c.leased_by == me, tasks.c.leased_until > now)
            .order_by(tasks.c.rank, tasks.c.id)
            .limit(1)
            .scalar_subquery()
        )
        free = (
            sa.select(tasks.c.id)
            .where(*wanted, self._free(now))
            .order_by(tasks.c.rank, tasks.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        again = sa.and_(tasks.c.leased_by == me, tasks.c.leased_until > now)
        return (
            sa.update(tasks)
            .where(tasks.c.id == sa.func.coalesce(own, free))
            .values(
                fence=tasks.c.fence + sa.case((again, 0), else_=1),
                leased_by=me,
                leased_until=until,
            )
            .returning(tasks.c.id)
        )

    def _give_back_others(self, connection: Connection, kept: int) -> None:
        connection.execute(
            sa.update(tasks)
            .where(IS_OPEN, tasks.c.leased_by == self.actor.name, tasks.c.id != kept)
            .values(leased_by=None, leased_until=None)
        )


def open_task(connection: Connection, part: Any, kind: TaskKind, now: datetime) -> int:
    """A new task about a part, as urgent as its decision or its pictures say."""
    decision = last_decisions(connection, [part.id]).get(part.id)
    image_ids = connection.scalars(sa.select(images.c.id).where(images.c.part_id == part.id)).all()
    said = newest_predictions(connection, image_ids).values()
    risk = decision.score if decision is not None else max((one.score for one in said), default=None)
    novelty = max((one.novelty for one in said if one.novelty is not None), default=None)
    values = task_values(part.site_id, part.id, kind, None if decision is None else decision.id, risk, novelty, now)
    return int(connection.execute(sa.insert(tasks).values(values).returning(tasks.c.id)).scalar_one())


def task_row(connection: Connection, task_id: int, lock: bool = False) -> Any:
    """A task with the name of its site."""
    query = TASK.where(tasks.c.id == task_id)
    row = connection.execute(query.with_for_update(of=tasks) if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no task {task_id}.")
    return row


def held_row(connection: Connection, rights: Rights, task_id: int, fence: int, by: str, now: datetime) -> Any:
    """The task, locked, if its lease is this person's; a lapsed one counts while nobody else has taken it."""
    row = task_row(connection, task_id, lock=True)
    rights.need(Action.REVIEW, row.site_id)
    if row.state != "open" or row.fence != fence or row.leased_by != by:
        raise Conflict(whose(connection, row, now))
    return row


def whose(connection: Connection, row: Any, now: datetime) -> str:
    """Who has a task or what became of it, in a sentence."""
    if row.state == "done":
        last = connection.execute(
            sa.select(reviews.c.verdict).where(reviews.c.task_id == row.id).order_by(reviews.c.id.desc()).limit(1)
        ).scalar_one_or_none()
        zone = connection.scalar(sa.select(sites.c.timezone).where(sites.c.id == row.site_id)) or "UTC"
        at = row.closed_at.astimezone(ZoneInfo(zone))
        return f"{row.closed_by} has answered this at {at:%H:%M} with {last}: nothing was saved, take the next one."
    if row.state == "withdrawn":
        return "This task was withdrawn: nothing was saved, take the next one."
    if row.leased_by is not None and row.leased_until > now:
        left = max(1, round((row.leased_until - now).total_seconds() / 60))
        return f"{row.leased_by} has this part now, for up to {left} min: nothing was saved, take the next one."
    return "You have no lease on this part any more: nothing was saved, take it again."
