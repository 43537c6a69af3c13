"""Pipelines in the store: numbered configurations, due exactly once, steps that survive their worker."""

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.learn.pipeline import ORDER, Cause, RunState, StepName, StepState
from core.plant import JobState
from core.roles import WORKER, Role
from core.watch.rules import DEFAULTS, Rule, RuleKind
from data.store import Store, open_store
from tests.data.store.plant import person, site

SPAWN = multiprocessing.get_context("spawn")
SATURDAY = "0 2 * * 6"
FRIDAY = datetime(2026, 3, 6, 12, tzinfo=UTC)
DUE = datetime(2026, 3, 7, 1, tzinfo=UTC)  # two in Paris


@pytest.fixture
def dora(store: Store) -> Store:
    site(store)
    store.sites.set_timezone("Lyon", "Europe/Paris")
    return person(store, "dora", Role.DATA_SCIENTIST)


def weekly(dora: Store, **more) -> None:
    dora.pipelines.configure("weekly", "Lyon", {"epochs": 1}, SATURDAY, on=True, now=FRIDAY, **more)


def states(store: Store, run: int) -> list[str]:
    return [str(one.state) for one in store.pipelines.run(run).steps]


def test_a_configuration_is_numbered_and_the_same_one_again_changes_nothing(dora: Store) -> None:
    first = dora.pipelines.configure("weekly", "Lyon", {"epochs": 1}, SATURDAY, now=FRIDAY)
    assert (first.number, first.on, first.next_at) == (1, False, None)
    assert dora.pipelines.configure("weekly", "Lyon", {"epochs": 1}, SATURDAY).number == 1
    second = dora.pipelines.configure(
        "weekly", "Lyon", {"epochs": 2}, SATURDAY, "more", based_on=1, on=True, now=FRIDAY
    )
    assert (second.number, second.next_at, second.reason) == (2, DUE, "more")
    assert dora.pipelines.configuration("weekly", 1) == {"epochs": 1}
    assert [one.name for one in dora.pipelines.all("Lyon")] == ["weekly"]


def test_whoever_saw_an_older_configuration_is_told(dora: Store) -> None:
    weekly(dora)
    dora.pipelines.configure("weekly", "Lyon", {"epochs": 2}, SATURDAY)
    with pytest.raises(Conflict, match="look at it once more"):
        dora.pipelines.configure("weekly", "Lyon", {"epochs": 3}, SATURDAY, based_on=1)


def test_a_pipeline_never_moves_to_another_site(store: Store, dora: Store) -> None:
    weekly(dora)
    store.sites.add("Bern")
    with pytest.raises(Conflict, match="another name"):
        store.pipelines.configure("weekly", "Bern", {}, SATURDAY)


def test_only_a_schedule_can_be_switched_on(dora: Store) -> None:
    dora.pipelines.configure("by hand", "Lyon", {})
    with pytest.raises(BadInput, match="no schedule"):
        dora.pipelines.switch("by hand", True)
    weekly(dora)
    assert dora.pipelines.switch("weekly", False).next_at is None
    assert dora.pipelines.switch("weekly", True, now=FRIDAY).next_at == DUE


def test_nothing_is_due_before_its_time_and_one_run_begins_at_it(store: Store, dora: Store) -> None:
    weekly(dora)
    worker = store.acting_as(WORKER)
    assert worker.pipelines.due(now=DUE - timedelta(seconds=1)) == []
    [run] = worker.pipelines.due(now=DUE + timedelta(seconds=5))
    assert (run.cause, run.due_at, run.missed, run.by, run.model) == (
        Cause.SCHEDULE,
        DUE,
        0,
        "dora",
        f"weekly-{run.id}",
    )
    job = store.jobs.get(run.job)
    assert (job.kind, job.by, job.arguments) == ("pipeline", "dora", {"run": run.id})
    assert worker.pipelines.due(now=DUE + timedelta(seconds=6)) == []
    assert store.pipelines.get("weekly").next_at == DUE + timedelta(days=7)
    assert states(store, run.id) == ["waiting"] * len(ORDER)


def test_times_that_nobody_was_there_for_are_made_up_for_once_and_it_is_said(store: Store, dora: Store) -> None:
    weekly(dora)
    [run] = store.acting_as(WORKER).pipelines.due(now=DUE + timedelta(days=15))
    assert (run.cause, run.missed) == (Cause.CATCH_UP, 2)
    assert "Makes up for 07 Mar 2026, 01:00 UTC, and for 2 more" in run.said
    [alarm] = store.alarms.find("Lyon")
    assert (alarm.kind, alarm.subject) == (RuleKind.PIPELINE, "weekly")
    assert "360.0 hours after its time" in alarm.text


def test_a_run_on_its_way_lets_the_next_time_wait(store: Store, dora: Store) -> None:
    weekly(dora)
    worker = store.acting_as(WORKER)
    [run] = worker.pipelines.due(now=DUE)
    assert worker.pipelines.due(now=DUE + timedelta(days=7)) == []
    with pytest.raises(Conflict, match="on its way"):
        dora.pipelines.start("weekly")
    worker.pipelines.end(run.id, "done")
    [after] = worker.pipelines.due(now=DUE + timedelta(days=7, hours=1))
    assert (after.cause, after.due_at) == (Cause.CATCH_UP, DUE + timedelta(days=7))


def test_summer_time_moves_the_moment_and_not_the_clock(dora: Store) -> None:
    weekly(dora)
    made = dora.pipelines.configure("weekly", "Lyon", {"epochs": 2}, SATURDAY, now=datetime(2026, 3, 29, tzinfo=UTC))
    assert made.next_at == datetime(2026, 4, 4, 0, tzinfo=UTC)  # two in Paris, in summer


def _ask(url: str, times: int, answers) -> None:
    store = open_store(url, WORKER)
    for number in range(times):
        answers.put([run.id for run in store.pipelines.due(now=DUE + timedelta(days=7 * number, seconds=1))])
    store.close()


def test_many_workers_begin_each_due_run_once(store: Store, url: str, dora: Store) -> None:
    for name in ("a", "b", "c"):
        dora.pipelines.configure(name, "Lyon", {}, SATURDAY, on=True, now=FRIDAY)
    answers = SPAWN.Queue()
    workers = [SPAWN.Process(target=_ask, args=(url, 1, answers)) for _ in range(4)]
    for one in workers:
        one.start()
    begun = [run for _ in workers for run in answers.get(timeout=120)]
    for one in workers:
        one.join(120)
        assert one.exitcode == 0
    assert len(begun) == len(set(begun)) == 3
    assert sorted(run.pipeline for run in store.pipelines.runs()) == ["a", "b", "c"]
    assert len(store.jobs.recent(kind="pipeline")) == 3


def test_steps_tell_where_they_are_and_how_often_they_were_begun(store: Store, dora: Store) -> None:
    weekly(dora)
    run = dora.pipelines.start("weekly", now=FRIDAY)
    assert run.cause is Cause.HAND
    worker = store.acting_as(WORKER)
    worker.pipelines.begin(run.id, StepName.VALIDATE, FRIDAY)
    worker.pipelines.begin(run.id, StepName.VALIDATE, FRIDAY)
    worker.pipelines.done(run.id, StepName.VALIDATE, {"labels": 3}, FRIDAY + timedelta(seconds=9))
    worker.pipelines.skip(run.id, StepName.SHADOW, "the gate refused the model")
    first, *_, last = store.pipelines.run(run.id).steps
    assert (first.state, first.tries, first.seconds, first.result) == (StepState.DONE, 2, 9.0, {"labels": 3})
    assert (last.state, last.reason) == (StepState.NOT_RUN, "the gate refused the model")
    assert store.pipelines.run(run.id).state is RunState.RUNNING


def test_a_failed_step_leaves_the_later_ones_not_run_and_raises_one_alarm(store: Store, dora: Store) -> None:
    weekly(dora)
    worker = store.acting_as(WORKER)
    for _ in range(2):
        run = dora.pipelines.start("weekly")
        worker.pipelines.begin(run.id, StepName.VALIDATE)
        worker.pipelines.done(run.id, StepName.VALIDATE, {})
        worker.pipelines.begin(run.id, StepName.AUGMENT)
        worker.pipelines.fail(run.id, "a picture is gone", ["quality"])
    assert states(store, run.id) == ["done", "failed", "not run", "not run", "not run", "not run"]
    assert store.pipelines.run(run.id).steps[2].reason == "The step augment failed."
    assert store.pipelines.run(run.id).state is RunState.FAILED
    [alarm] = store.alarms.find("Lyon")
    assert (alarm.subject, alarm.paused) == ("weekly", False)
    assert "augment of weekly (run 1) failed: a picture is gone" in alarm.text
    assert [one.what for one in store.alarms.history(alarm.id)].count("again") == 1
    assert [one.channel for one in store.alarms.told(alarm.id)] == ["quality"]


def test_a_rule_that_is_off_raises_nothing(store: Store, dora: Store) -> None:
    weekly(dora)
    lea, max_ = (person(store, name, Role.QA_LEAD) for name in ("lea", "max"))
    rule = DEFAULTS[RuleKind.PIPELINE]
    made = lea.alarms.set_rule("Lyon", Rule(rule.kind, rule.limit, rule.steps, on=False), "nobody reads it", 0)
    max_.alarms.approve_rule("Lyon", rule.kind, made.number, "so it is")
    run = dora.pipelines.start("weekly")
    store.acting_as(WORKER).pipelines.fail(run.id, "why")
    assert store.alarms.find("Lyon") == []


def test_a_run_goes_on_where_it_failed(store: Store, dora: Store) -> None:
    weekly(dora)
    worker = store.acting_as(WORKER)
    run = dora.pipelines.start("weekly")
    worker.pipelines.begin(run.id, StepName.VALIDATE)
    worker.pipelines.done(run.id, StepName.VALIDATE, {"labels": 3})
    worker.pipelines.fail(run.id, "no disk")
    again = dora.pipelines.resume(run.id)
    assert states(store, run.id) == ["done", *["waiting"] * 5]
    assert (again.state, again.job > run.job) == (RunState.WAITING, True)
    with pytest.raises(Conflict):
        dora.pipelines.resume(run.id)


def test_a_job_that_died_or_was_cancelled_ends_its_run(store: Store, dora: Store) -> None:
    weekly(dora)
    worker = store.acting_as(WORKER)
    run = dora.pipelines.start("weekly")
    job = worker.jobs.claim("w")
    worker.pipelines.begin(run.id, StepName.VALIDATE)
    assert worker.pipelines.settle() == []
    worker.jobs.fail(job.id, "The job's process ended unexpectedly (SIGKILL).", "w")
    assert worker.pipelines.settle(["quality"]) == [run.id]
    assert states(store, run.id)[:2] == ["failed", "not run"]
    assert "SIGKILL" in store.pipelines.run(run.id).steps[0].reason
    assert len(store.alarms.find("Lyon")) == 1
    other = dora.pipelines.start("weekly")
    dora.jobs.cancel(other.job)
    assert store.jobs.get(other.job).state is JobState.CANCELLED
    assert worker.pipelines.settle() == [other.id]
    assert states(store, other.id) == ["cancelled", *["not run"] * 5]
    assert store.pipelines.run(other.id).state is RunState.CANCELLED
    assert worker.pipelines.settle() == []


def test_people_see_and_start_only_what_is_of_their_sites(store: Store, dora: Store) -> None:
    weekly(dora)
    run = dora.pipelines.start("weekly")
    store.sites.add("Bern")
    other = person(store, "nils", Role.DATA_SCIENTIST, ["Bern"])
    assert other.pipelines.all() == other.pipelines.runs() == []
    for call in (
        lambda: other.pipelines.get("weekly"),
        lambda: other.pipelines.run(run.id),
        lambda: other.pipelines.start("weekly"),
        lambda: other.pipelines.resume(run.id),
        lambda: dora.pipelines.due(),
        lambda: dora.pipelines.begin(run.id, StepName.TRAIN),
    ):
        with pytest.raises(NotAllowed):
            call()
    with pytest.raises(NotFound, match="there are weekly"):
        dora.pipelines.get("daily")


def test_every_act_stands_in_the_audit_trail(store: Store, dora: Store) -> None:
    weekly(dora, reason="every week")
    run = dora.pipelines.start("weekly")
    store.acting_as(WORKER).pipelines.fail(run.id, "why")
    dora.pipelines.resume(run.id)
    said = {one.action for one in store.audit.recent()}
    assert {"pipeline set", "pipeline run begun", "pipeline run failed", "pipeline run resumed"} <= said
