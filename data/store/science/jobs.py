"""Jobs: long work that waits, runs in a worker, can be cancelled and survives the worker."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.plant import Job, JobState
from core.roles import Action
from data.store.base import Rights, SubStore
from data.store.trail.audit import entry, record
from data.tables import jobs, workers

STALE_S = 30  # a worker beats every few seconds; after this long without, its job is anybody's
ATTEMPTS = 3  # a job that has taken that many workers down is not given to another
NEEDS: Mapping[str, Action] = {
    "ingest": Action.INGEST,
    "import": Action.IMPORT,
    "export": Action.EXPORT,
    "dataset": Action.DATASET,
    "suspects": Action.DATASET,
    "train": Action.TRAIN,
    "pipeline": Action.TRAIN,
    "evaluate": Action.TRAIN,
    "select": Action.DATASET,
    "ask": Action.DATASET,
    "backtest": Action.DATASET,
    "novelty": Action.TRAIN,
    "proposals": Action.DATASET,
    "fewlabels": Action.DATASET,
    "gate": Action.TRAIN,
    "heatmaps": Action.TRAIN,
    "detector": Action.TRAIN,
    "detector evaluate": Action.TRAIN,
    "detector try": Action.TRAIN,
    "ladder": Action.TRAIN,
    "draw": Action.INGEST,
    "looks": Action.PART_TYPE,
    "notes": Action.TAXONOMY,
    "complaints": Action.COMPLAINTS,
    "reread": Action.RESTORE,
    "retention": Action.UPKEEP,
    "backup": Action.UPKEEP,
    "covering": Action.UPKEEP,
}


class Jobs(SubStore):
    """People submit and cancel; a worker claims, beats and finishes."""

    def submit(self, kind: str, arguments: Mapping[str, Any] | None = None, now: datetime | None = None) -> int:
        """Ask for work; the role must allow that kind of work.

        Returns:
            The job's id.
        """
        if not kind.strip():
            raise BadInput("A job needs a kind.")
        when = self.now(now)
        with self.writing(NEEDS.get(kind, Action.PEOPLE)) as (connection, _):
            return submitted(connection, kind, arguments or {}, self.actor.name, self.actor.name, when)

    def claim(
        self, worker: str, now: datetime | None = None, kinds: Collection[str] | None = None, only: int | None = None
    ) -> Job | None:
        """The oldest job that waits or whose worker has died, in one statement; None when there is none.

        Args:
            worker: who takes it.
            now: aware UTC.
            kinds: of jobs; None is all.
            only: this job and no other.
        """
        when = self.now(now)
        dead = sa.and_(jobs.c.state == "running", jobs.c.heartbeat_at < when - timedelta(seconds=STALE_S))
        free = sa.or_(jobs.c.state == "waiting", dead)
        wanted: list[sa.ColumnElement[bool]] = [] if kinds is None else [jobs.c.kind.in_(sorted(kinds))]
        if only is not None:
            wanted.append(jobs.c.id == only)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            lost = sa.update(jobs).where(dead, jobs.c.attempt >= ATTEMPTS)
            connection.execute(
                lost.values(state=str(JobState.FAILED), finished_at=when,
                            error=f"The worker died {ATTEMPTS} times during this job: see its log.")
            )  # fmt: skip
            chosen = (
                sa.select(jobs.c.id).where(free, *wanted).order_by(jobs.c.id).limit(1).with_for_update(skip_locked=True)
            )
            claim = (
                sa.update(jobs)
                .where(jobs.c.id == chosen.scalar_subquery())
                .values(state="running", worker=worker, attempt=jobs.c.attempt + 1, heartbeat_at=when,
                        started_at=sa.func.coalesce(jobs.c.started_at, when))
                .returning(*jobs.c)
            )  # fmt: skip
            row = connection.execute(claim).one_or_none()
            return None if row is None else _job(row)

    def progress(
        self, job_id: int, done: int, total: int, message: str = "", worker: str | None = None,
        now: datetime | None = None,
    ) -> bool:  # fmt: skip
        """Say how far it is; counts as a heart-beat.

        Returns:
            Whether to go on: False once somebody has cancelled the job or another worker has it.
        """
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            mine = [jobs.c.id == job_id, jobs.c.state == "running"]
            if worker is not None:
                mine.append(jobs.c.worker == worker)
            step = sa.update(jobs).where(*mine).values(done=done, total=total, message=message, heartbeat_at=when)
            cancel = connection.scalar(step.returning(jobs.c.cancel))
            return cancel is not None and not cancel

    def beat(self, worker: str, job_id: int | None = None, now: datetime | None = None) -> bool:
        """A worker's sign of life, and its job's.

        Returns:
            Whether the job goes on; True without one.
        """
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            moved = connection.execute(sa.update(workers).where(workers.c.name == worker).values(heartbeat_at=when))
            if not moved.rowcount:
                connection.execute(sa.insert(workers).values(name=worker, heartbeat_at=when))
            connection.execute(sa.delete(workers).where(workers.c.heartbeat_at < when - timedelta(days=1)))
            if job_id is None:
                return True
            mine = (jobs.c.id == job_id) & (jobs.c.worker == worker) & (jobs.c.state == "running")
            cancel = connection.scalar(sa.update(jobs).where(mine).values(heartbeat_at=when).returning(jobs.c.cancel))
            return cancel is not None and not cancel

    def finish(self, job_id: int, result: Any = None, worker: str | None = None, now: datetime | None = None) -> None:
        """It is done; the result is JSON."""
        self._end(job_id, JobState.DONE, worker, now, result=result)

    def fail(self, job_id: int, error: str, worker: str | None = None, now: datetime | None = None) -> None:
        """It could not be done, for a reason that a person can read."""
        self._end(job_id, JobState.FAILED, worker, now, error=error)

    def stopped(self, job_id: int, worker: str | None = None, now: datetime | None = None) -> None:
        """It has ended because somebody cancelled it."""
        self._end(job_id, JobState.CANCELLED, worker, now)

    def give_back(self, job_id: int, worker: str | None = None) -> None:
        """A worker that shuts down leaves the job to the next one; that is no failed attempt."""
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            mine = [jobs.c.id == job_id, jobs.c.state == "running"]
            if worker is not None:
                mine.append(jobs.c.worker == worker)
            connection.execute(
                sa.update(jobs).where(*mine).values(state="waiting", worker=None, attempt=jobs.c.attempt - 1)
            )

    def cancel(self, job_id: int, now: datetime | None = None) -> None:
        """Ask for an end: at once for one that waits, at its next step for one that runs."""
        when = self.now(now)
        with self.writing(Action.SEE) as (connection, rights):
            row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id).with_for_update()).one_or_none()
            if row is None:
                raise NotFound(f"There is no job {job_id}.")
            own = NEEDS.get(row.kind, Action.PEOPLE)  # whoever may no longer ask for it may no longer stop it
            rights.need(own if row.by == self.actor.name else Action.PEOPLE)
            if row.state not in ("waiting", "running"):
                raise Conflict(f"Job {job_id} is {row.state} already.")
            values: dict[str, Any] = {"cancel": True}
            if row.state == "waiting":
                values |= {"state": str(JobState.CANCELLED), "finished_at": when}
            connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(values))
            record(connection, entry(when, self.actor.name, "job cancelled", f"job {job_id}", old={"state": row.state}))

    def get(self, job_id: int) -> Job:
        """One job.

        Raises:
            NotFound: when there is none of that id.
        """
        with self.seeing() as (connection, rights):
            row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).one_or_none()
            if row is None:
                raise NotFound(f"There is no job {job_id}.")
            self._may_see(rights, row)
            return _job(row)

    def recent(self, limit: int = 20, kind: str | None = None) -> list[Job]:
        """The newest first; people see their own and those their role could have asked for."""
        with self.seeing() as (connection, rights):
            query = sa.select(jobs).order_by(jobs.c.id.desc()).limit(limit)
            if kind is not None:
                query = query.where(jobs.c.kind == kind)
            if rights.role is not None:
                mine = [name for name, action in NEEDS.items() if self._allowed(rights, action)]
                if not self._allowed(rights, Action.PEOPLE):
                    query = query.where(sa.or_(jobs.c.by == self.actor.name, jobs.c.kind.in_(mine)))
            return [_job(row) for row in connection.execute(query)]

    def alive(self, now: datetime | None = None) -> bool:
        """Whether any worker has given a sign of life lately; without one, jobs wait."""
        after = self.now(now) - timedelta(seconds=STALE_S)
        with self.seeing() as (connection, _):
            return (
                connection.scalar(sa.select(workers.c.name).where(workers.c.heartbeat_at >= after).limit(1)) is not None
            )

    def _end(
        self,
        job_id: int,
        state: JobState,
        worker: str | None,
        now: datetime | None,
        result: Any = None,
        error: str = "",
    ) -> None:
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            mine = [jobs.c.id == job_id, jobs.c.state == "running"]
            if worker is not None:
                mine.append(jobs.c.worker == worker)
            values = {"state": str(state), "result": result, "error": error, "finished_at": when}
            kind = connection.scalar(sa.update(jobs).where(*mine).values(values).returning(jobs.c.kind))
            if kind is None:
                raise Conflict(f"Job {job_id} is not running in this worker any more: its answer is dropped.")
            record(connection, entry(when, self.actor.name, f"job {state}", f"job {job_id}", new={"kind": kind},
                                     reason=error))  # fmt: skip

    def _system_only(self, rights: Rights) -> None:
        if rights.role is not None:
            raise NotAllowed("Only a worker runs jobs.")

    def _allowed(self, rights: Rights, action: Action) -> bool:
        try:
            rights.need(action)
        except NotAllowed:
            return False
        return True

    def _may_see(self, rights: Rights, row: Any) -> None:
        if row.by != self.actor.name:
            rights.need(NEEDS.get(row.kind, Action.PEOPLE))


def submitted(
    connection: Connection, kind: str, arguments: Mapping[str, Any], by: str, actor: str, now: datetime
) -> int:
    """File a job in the transaction that asks for it; its id.

    Args:
        connection: of the transaction.
        kind: of the job.
        arguments: JSON.
        by: in whose name it runs.
        actor: who files it.
        now: aware UTC.
    """
    values = {
        "kind": kind,
        "arguments": dict(arguments),
        "state": str(JobState.WAITING),
        "by": by,
        "attempt": 0,
        "done": 0,
        "total": 0,
        "message": "",
        "cancel": False,
        "error": "",
        "submitted_at": now,
    }
    job_id = int(connection.execute(sa.insert(jobs).values(values).returning(jobs.c.id)).scalar_one())
    record(connection, entry(now, actor, "job submitted", f"job {job_id}", new={"kind": kind}))
    return job_id


def _job(row: Any) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        arguments=row.arguments,
        state=JobState(row.state),
        by=row.by,
        submitted_at=row.submitted_at,
        attempt=row.attempt,
        done=row.done,
        total=row.total,
        message=row.message,
        cancel=row.cancel,
        worker=row.worker,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        finished_at=row.finished_at,
        result=row.result,
        error=row.error,
    )
