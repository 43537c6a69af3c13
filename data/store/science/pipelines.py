"""Pipelines: numbered configurations, what is due, and the steps of every run; a failed step raises an alarm."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.learn import pipeline_schedule as schedules
from core.learn.pipeline import ORDER, Cause, Pipeline, Run, RunState, StepName, StepState, again, stopped
from core.roles import Action
from core.watch.rules import RuleKind
from data.store.base import Rights, SubStore, site_row, within
from data.store.rules.alarm_rows import in_force, rule_rows
from data.store.science.jobs import submitted
from data.store.science.pipeline_alarms import alarm_about
from data.store.science.pipeline_rows import PIPELINE, RUN, pipeline_of, runs_of
from data.store.trail.audit import entry, record
from data.tables import jobs, pipeline_configurations, pipeline_runs, pipeline_steps, pipelines, sites

_WORKS = (str(RunState.WAITING), str(RunState.RUNNING))


class Pipelines(SubStore):
    """People configure and start them; the worker starts those that are due and says where they are."""

    # --- configurations ---------------------------------------------------------------------------------------------

    def configure(
        self, name: str, site: str, document: Mapping[str, Any], schedule: str = "", reason: str = "",
        based_on: int | None = None, on: bool | None = None, now: datetime | None = None,
    ) -> Pipeline:  # fmt: skip
        """Put a configuration in force; the same one again changes nothing.

        Args:
            name: of the pipeline.
            site: whose model it makes; a pipeline never moves to another one.
            document: the whole configuration, as JSON.
            schedule: a cron line on the site's clock; empty where it only runs by hand.
            reason: why it was changed.
            based_on: number of the configuration that was seen; None where nobody looked.
            on: whether the schedule is obeyed; as before where None, off where there is nothing before.
            now: aware UTC.

        Raises:
            Conflict: somebody has changed it since, or it is another site's.
        """
        if not name.strip():
            raise BadInput("A pipeline needs a name.")
        line = schedules.check(schedule) if schedule.strip() else ""
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.TRAIN, row.id)
            self.database.one_at_a_time(connection, "pipelines", name)
            before = self._row(connection, name)
            if before is not None and before.site_id != row.id:
                raise Conflict(f"The pipeline {name} is one of {before.site}: give this one another name.")
            if before is not None and based_on is not None and before.number != based_on:
                raise Conflict(f"{before.by} has changed {name} since you saw it: look at it once more.")
            same = before is not None and before.document == dict(document) and before.schedule == line
            goes_on = (before is not None and bool(before.on)) if on is None else on
            if same and before is not None and bool(before.on) == goes_on:
                return pipeline_of(before)
            number = before.number if before is not None and same else (0 if before is None else before.number) + 1
            due = schedules.next_times(line, row.timezone, when)[0] if line and goes_on else None
            values = {"number": number, "on": goes_on, "next_at": due}
            if before is None:
                made = sa.insert(pipelines).values(name=name, site_id=row.id, **values).returning(pipelines.c.id)
                pipeline_id = int(connection.execute(made).scalar_one())
            else:
                pipeline_id = before.id
                connection.execute(sa.update(pipelines).where(pipelines.c.id == pipeline_id).values(values))
            if not same:
                connection.execute(sa.insert(pipeline_configurations).values(
                    pipeline_id=pipeline_id, number=number, schedule=line, document=dict(document),
                    reason=reason.strip(), by=self.actor.name, made_at=when))  # fmt: skip
            record(connection, entry(when, self.actor.name, "pipeline set", f"pipeline {name}", site_id=row.id,
                                     old=None if before is None else _seen(before),
                                     new={"number": number, "on": goes_on, "schedule": line},
                                     reason=reason.strip()))  # fmt: skip
            return pipeline_of(self._row(connection, name))

    def switch(self, name: str, on: bool, reason: str = "", now: datetime | None = None) -> Pipeline:
        """Let its schedule begin runs, or not."""
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, rights):
            row = self._need(connection, rights, name, Action.TRAIN)
            if on and not row.schedule:
                raise BadInput(f"{name} has no schedule: give its configuration one, such as 0 2 * * 6.")
            if bool(row.on) != on:
                due = schedules.next_times(row.schedule, row.timezone, when)[0] if on else None
                connection.execute(
                    sa.update(pipelines).where(pipelines.c.id == row.id).values({"on": on, "next_at": due})
                )
                what = "pipeline switched on" if on else "pipeline switched off"
                record(connection, entry(when, self.actor.name, what, f"pipeline {name}", site_id=row.site_id,
                                         reason=reason.strip()))  # fmt: skip
            return pipeline_of(self._row(connection, name))

    def get(self, name: str) -> Pipeline:
        """One pipeline with the configuration in force."""
        with self.seeing() as (connection, rights):
            return pipeline_of(self._need(connection, rights, name, Action.SEE))

    def all(self, site: str | None = None) -> list[Pipeline]:
        """Every pipeline of a site, or of all sites the actor was given, by name."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = int(getattr(site_row(connection, site), "id"))  # noqa: B009  # a row's columns are not typed
                rights.need(Action.SEE, asked)
            query = PIPELINE.where(*within(rights, pipelines.c.site_id, asked)).order_by(pipelines.c.name)
            return [pipeline_of(row) for row in connection.execute(query)]

    def configuration(self, name: str, number: int) -> dict[str, Any]:
        """The document of one configuration, in force or not.

        Raises:
            NotFound: it has had none of that number.
        """
        with self.seeing() as (connection, rights):
            row = self._need(connection, rights, name, Action.SEE)
            mine = pipeline_configurations.c.pipeline_id == row.id
            query = sa.select(pipeline_configurations.c.document).where(
                mine, pipeline_configurations.c.number == number
            )
            found = connection.scalar(query)
            if found is None:
                raise NotFound(f"{name} has had no configuration {number}.")
            return dict(found)

    # --- runs -------------------------------------------------------------------------------------------------------

    def start(self, name: str, now: datetime | None = None) -> Run:
        """Begin a run by hand.

        Raises:
            Conflict: one is on its way.
        """
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, rights):
            row = self._need(connection, rights, name, Action.TRAIN)
            self.database.one_at_a_time(connection, "pipelines", name)
            busy = connection.scalar(sa.select(pipeline_runs.c.id).where(*_busy(row.id)))
            if busy is not None:
                raise Conflict(f"Run {busy} of {name} is on its way: wait for its end, or cancel its job.")
            made = self._begin(connection, row, Cause.HAND, self.actor.name, when, None, 0, "")
            return self._runs(connection, pipeline_runs.c.id == made)[0]

    def due(self, channels: Sequence[str] = (), now: datetime | None = None) -> list[Run]:
        """Begin a run of each pipeline whose time has come and that has none on its way; for the worker.

        However many workers ask at once, one time of a schedule begins one run. Times that passed while nobody was
        there, or while a run was on its way, are made up for by one run that says how many there were.
        """
        when = self.now(now)
        with self.seeing(None) as (connection, rights):
            self._system_only(rights)
            mine = (pipelines.c.on, pipelines.c.next_at <= when)
            if connection.scalar(sa.select(pipelines.c.id).where(*mine).limit(1)) is None:
                return []
        made: list[int] = []
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            locked = sa.select(pipelines.c.id).where(*mine).order_by(pipelines.c.id).with_for_update(skip_locked=True)
            for pipeline_id in list(connection.scalars(locked)):
                row = connection.execute(PIPELINE.where(pipelines.c.id == pipeline_id)).one()
                if connection.scalar(sa.select(pipeline_runs.c.id).where(*_busy(row.id))) is not None:
                    continue
                made.append(self._make_up(connection, row, channels, when))
            return self._runs(connection, pipeline_runs.c.id.in_(made)) if made else []

    def _make_up(self, connection: Connection, row: Any, channels: Sequence[str], when: datetime) -> int:
        """One run for the time that is due, and for those that passed since."""
        passed = schedules.missed(row.schedule, row.timezone, row.next_at, when)
        cause = Cause.CATCH_UP if passed or schedules.late(row.next_at, when) else Cause.SCHEDULE
        hours = (when - row.next_at) / timedelta(hours=1)
        said = ""
        if cause is Cause.CATCH_UP:
            more = f", and for {passed} more that passed since" if passed else ""
            said = f"Makes up for {row.next_at:%d %b %Y, %H:%M} UTC{more}: no worker was free to begin it then."
        made = self._begin(connection, row, cause, row.by, when, row.next_at, passed, said)
        following = schedules.next_times(row.schedule, row.timezone, when)[0]
        connection.execute(sa.update(pipelines).where(pipelines.c.id == row.id).values(next_at=following))
        rule = in_force(rule_rows(connection, row.site_id, RuleKind.PIPELINE))[RuleKind.PIPELINE]
        if hours > rule.limit:
            text = f"Run {made} of {row.name} began {hours:.1f} hours after its time. {said}"
            alarm_about(connection, row.site_id, row.name, text, {"run": made}, self.actor.name, channels, when)
        return made

    def resume(self, run_id: int, now: datetime | None = None) -> Run:
        """Let a run that failed or was cancelled go on with the step that did not end well.

        Raises:
            Conflict: it has not ended early, or another run is on its way.
        """
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, rights):
            run = self._run(connection, rights, run_id, Action.TRAIN)
            row = self._need(connection, rights, run.pipeline, Action.TRAIN)
            self.database.one_at_a_time(connection, "pipelines", run.pipeline)
            if connection.scalar(sa.select(pipeline_runs.c.id).where(*_busy(row.id))) is not None:
                raise Conflict(f"Another run of {run.pipeline} is on its way: wait for its end.")
            waiting = [ORDER.index(name) for name in again(run.state, run.steps)]
            job = submitted(connection, "pipeline", {"run": run_id}, self.actor.name, self.actor.name, when)
            connection.execute(sa.update(pipeline_steps).where(
                pipeline_steps.c.run_id == run_id, pipeline_steps.c.place.in_(waiting)
            ).values(state=str(StepState.WAITING), ended_at=None, result=None, reason=""))  # fmt: skip
            self._set(connection, run_id, state=str(RunState.WAITING), job_id=job, ended_at=None, said="")
            record(connection, entry(when, self.actor.name, "pipeline run resumed", f"pipeline run {run_id}",
                                     site_id=row.site_id, new={"job": job}))  # fmt: skip
            return self._runs(connection, pipeline_runs.c.id == run_id)[0]

    def run(self, run_id: int) -> Run:
        """One run with its steps."""
        with self.seeing() as (connection, rights):
            return self._run(connection, rights, run_id, Action.SEE)

    def runs(self, name: str | None = None, limit: int = 20) -> list[Run]:
        """The newest first."""
        with self.seeing() as (connection, rights):
            found = within(rights, pipelines.c.site_id)
            if name is not None:
                found.append(pipelines.c.name == name)
            return self._runs(connection, *found, limit=limit)

    # --- what a run says of itself ----------------------------------------------------------------------------------

    def begin(self, run_id: int, step: StepName, now: datetime | None = None) -> None:
        """A step begins, for the first time or again; for the job that runs it."""
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            tries = pipeline_steps.c.tries + 1
            self._step(connection, run_id, step, state=str(StepState.RUNNING), tries=tries, started_at=when,
                       ended_at=None, reason="")  # fmt: skip
            self._set(connection, run_id, state=str(RunState.RUNNING))

    def done(self, run_id: int, step: StepName, result: Mapping[str, Any], now: datetime | None = None) -> None:
        """A step has ended well."""
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            self._step(connection, run_id, step, state=str(StepState.DONE), ended_at=when, result=dict(result))
            self._trail(connection, run_id, f"pipeline step {step} done", when)

    def skip(self, run_id: int, step: StepName, reason: str, now: datetime | None = None) -> None:
        """A step is not run, for a reason that is no failure."""
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            self._step(connection, run_id, step, state=str(StepState.NOT_RUN), ended_at=when, reason=reason)
            self._trail(connection, run_id, f"pipeline step {step} not run", when, reason)

    def end(self, run_id: int, said: str, now: datetime | None = None) -> None:
        """All its steps are over."""
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            self._set(connection, run_id, state=str(RunState.DONE), ended_at=when, said=said)
            self._trail(connection, run_id, "pipeline run done", when, said)

    def fail(self, run_id: int, reason: str, channels: Sequence[str] = (), now: datetime | None = None) -> None:
        """The present step has failed: those after it are not run, and an alarm is raised."""
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            self._fail(connection, self._run(connection, rights, run_id, Action.SEE), reason, channels, when)

    def settle(self, channels: Sequence[str] = (), now: datetime | None = None) -> list[int]:
        """End the runs whose job ended without a word: cancelled, or killed once too often; for the worker.

        Returns:
            Their ids.
        """
        when = self.now(now)
        over = (
            sa.select(pipeline_runs.c.id, jobs.c.state, jobs.c.error)
            .join(jobs, jobs.c.id == pipeline_runs.c.job_id)
            .where(pipeline_runs.c.state.in_(_WORKS), jobs.c.state.in_(("done", "failed", "cancelled")))
            .order_by(pipeline_runs.c.id)
        )
        with self.seeing(None) as (connection, rights):
            self._system_only(rights)
            if connection.execute(over.limit(1)).one_or_none() is None:
                return []
        with self.writing(None) as (connection, rights):
            self._system_only(rights)
            found = connection.execute(over.with_for_update(of=pipeline_runs)).all()
            for row in found:
                run = self._runs(connection, pipeline_runs.c.id == row.id)[0]
                if row.state == "cancelled":
                    self._stop(connection, run, StepState.CANCELLED, RunState.CANCELLED, "Somebody cancelled it.", when)
                    self._trail(connection, run.id, "pipeline run cancelled", when)
                else:
                    reason = row.error or "Its job ended without a word."
                    self._fail(connection, run, reason, channels, when)
            return [row.id for row in found]

    # --- the parts of it --------------------------------------------------------------------------------------------

    def _fail(
        self, connection: Connection, run: Run, reason: str, channels: Sequence[str], when: datetime
    ) -> None:  # fmt: skip
        if run.state.over:
            return
        at = self._stop(connection, run, StepState.FAILED, RunState.FAILED, reason, when)
        said = f"The step {at} of {run.pipeline} (run {run.id}) failed: {reason}" if at else reason
        self._trail(connection, run.id, "pipeline run failed", when, said)
        row: Any = site_row(connection, run.site)
        alarm_about(connection, row.id, run.pipeline, said, {"run": run.id}, self.actor.name, channels, when)

    def _stop(
        self, connection: Connection, run: Run, step: StepState, state: RunState, reason: str, when: datetime
    ) -> StepName | None:  # fmt: skip
        """End a run early; the step it was at."""
        word = "failed" if step is StepState.FAILED else "was cancelled"
        present = None
        later = "A step before it was not done."
        for name, (becomes, why) in stopped(run.steps, step, reason, later).items():
            if becomes is step:
                present = name
                later = f"The step {name} {word}."
            self._step(connection, run.id, name, state=str(becomes), ended_at=when,
                       reason=why if becomes is step else later)  # fmt: skip
        self._set(connection, run.id, state=str(state), ended_at=when,
                  said=f"The step {present} {word}." if present else f"It {word}.")  # fmt: skip
        return present

    def _begin(
        self, connection: Connection, row: Any, cause: Cause, by: str, when: datetime, due: datetime | None,
        passed: int, said: str,
    ) -> int:  # fmt: skip
        values = {
            "pipeline_id": row.id, "number": row.number, "cause": str(cause), "state": str(RunState.WAITING),
            "due_at": due, "missed": passed, "by": by, "created_at": when, "said": said,
        }  # fmt: skip
        made = connection.execute(sa.insert(pipeline_runs).values(values).returning(pipeline_runs.c.id)).scalar_one()
        job = submitted(connection, "pipeline", {"run": made}, by, self.actor.name, when)
        self._set(connection, made, job_id=job)
        connection.execute(sa.insert(pipeline_steps), [
            {"run_id": made, "place": place, "name": str(name), "state": str(StepState.WAITING), "tries": 0,
             "reason": ""}
            for place, name in enumerate(ORDER)
        ])  # fmt: skip
        record(connection, entry(when, self.actor.name, "pipeline run begun", f"pipeline run {made}",
                                 site_id=row.site_id, reason=said,
                                 new={"pipeline": row.name, "number": row.number, "cause": str(cause),
                                      "job": job}))  # fmt: skip
        return int(made)

    def _row(self, connection: Connection, name: str) -> Any:
        return connection.execute(PIPELINE.where(pipelines.c.name == name)).one_or_none()

    def _need(self, connection: Connection, rights: Rights, name: str, action: Action) -> Any:
        row = self._row(connection, name)
        if row is None:
            rights.need(action)
            known = ", ".join(connection.scalars(
                sa.select(pipelines.c.name).where(*within(rights, pipelines.c.site_id)).order_by(pipelines.c.name)
            ))  # fmt: skip
            raise NotFound(f"There is no pipeline '{name}': there are {known or 'none yet'}.")
        rights.need(action, row.site_id)
        return row

    def _run(self, connection: Connection, rights: Rights, run_id: int, action: Action) -> Run:
        found = self._runs(connection, pipeline_runs.c.id == run_id)
        if not found:
            rights.need(action)
            raise NotFound(f"There is no run {run_id} of a pipeline.")
        rights.need(action, connection.scalar(sa.select(sites.c.id).where(sites.c.name == found[0].site)))
        return found[0]

    def _runs(self, connection: Connection, *where: Any, limit: int = 100) -> list[Run]:
        return runs_of(connection, RUN.where(*where).order_by(pipeline_runs.c.id.desc()).limit(limit))

    def _set(self, connection: Connection, run_id: int, **values: Any) -> None:
        connection.execute(sa.update(pipeline_runs).where(pipeline_runs.c.id == run_id).values(values))

    def _step(self, connection: Connection, run_id: int, step: StepName, **values: Any) -> None:
        mine = (pipeline_steps.c.run_id == run_id) & (pipeline_steps.c.place == ORDER.index(step))
        connection.execute(sa.update(pipeline_steps).where(mine).values(values))

    def _trail(self, connection: Connection, run_id: int, what: str, when: datetime, reason: str = "") -> None:
        query = sa.select(pipelines.c.site_id).join(pipeline_runs, pipeline_runs.c.pipeline_id == pipelines.c.id)
        at = connection.scalar(query.where(pipeline_runs.c.id == run_id))
        record(connection, entry(when, self.actor.name, what, f"pipeline run {run_id}", site_id=at, reason=reason))

    def _system_only(self, rights: Rights) -> None:
        if rights.role is not None:
            raise NotAllowed("Only the plant's own processes say where a run is.")


def _busy(pipeline_id: int) -> tuple[Any, ...]:
    return (pipeline_runs.c.pipeline_id == pipeline_id, pipeline_runs.c.state.in_(_WORKS))


def _seen(row: Any) -> dict[str, Any]:
    return {"number": row.number, "on": bool(row.on), "schedule": row.schedule}
