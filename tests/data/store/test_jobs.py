"""Jobs: claimed once, alive by heart-beat, resumed after a worker's death."""

import pytest

from core.errors import Conflict, NotAllowed
from core.plant import JobState
from core.roles import Role
from data.store import Store
from tests.data.store.plant import person


def test_a_job_runs_from_waiting_to_done(store: Store, clock) -> None:
    job_id = store.jobs.submit("train", {"epochs": 3})
    assert store.jobs.get(job_id).state is JobState.WAITING
    job = store.jobs.claim("w1")
    assert (job.id, job.arguments, job.worker, job.attempt) == (job_id, {"epochs": 3}, "w1", 1)
    assert store.jobs.claim("w2") is None
    assert store.jobs.progress(job_id, 1, 3, "epoch 1", "w1")
    clock.pass_(seconds=5)
    store.jobs.finish(job_id, {"auroc": 0.9}, "w1")
    job = store.jobs.get(job_id)
    assert (job.state, job.done, job.total, job.message) == (JobState.DONE, 1, 3, "epoch 1")
    assert (job.result, job.finished_at) == ({"auroc": 0.9}, clock.now)


def test_the_oldest_is_claimed_first_and_only_of_its_kind(store: Store) -> None:
    first, second = store.jobs.submit("train"), store.jobs.submit("export")
    assert store.jobs.claim("w", kinds=["export"]).id == second
    assert store.jobs.claim("w").id == first


def test_a_dead_workers_job_goes_to_the_next_and_the_dead_cannot_finish_it(store: Store, clock) -> None:
    job_id = store.jobs.submit("train")
    store.jobs.claim("w1")
    clock.pass_(seconds=20)
    assert store.jobs.beat("w1", job_id)
    clock.pass_(seconds=20)
    assert store.jobs.claim("w2") is None
    clock.pass_(seconds=11)
    job = store.jobs.claim("w2")
    assert (job.id, job.attempt, job.worker) == (job_id, 2, "w2")
    assert not store.jobs.progress(job_id, 1, 2, worker="w1")
    with pytest.raises(Conflict):
        store.jobs.finish(job_id, worker="w1")
    store.jobs.finish(job_id, worker="w2")


def test_a_job_that_kills_its_workers_is_given_up(store: Store, clock) -> None:
    job_id = store.jobs.submit("train")
    for _ in range(3):
        assert store.jobs.claim("w").id == job_id
        clock.pass_(minutes=1)
    assert store.jobs.claim("w") is None
    assert store.jobs.get(job_id).state is JobState.FAILED


def test_a_worker_that_shuts_down_leaves_its_job_without_blame(store: Store) -> None:
    job_id = store.jobs.submit("train")
    store.jobs.claim("w1")
    store.jobs.give_back(job_id, "w1")
    assert store.jobs.claim("w2").attempt == 1


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_step(store: Store) -> None:
    waiting, running = store.jobs.submit("train"), store.jobs.submit("train")
    store.jobs.cancel(waiting)
    assert store.jobs.get(waiting).state is JobState.CANCELLED
    assert store.jobs.claim("w").id == running
    store.jobs.cancel(running)
    assert not store.jobs.progress(running, 1, 2)
    assert not store.jobs.beat("w", running)
    store.jobs.stopped(running, "w")
    assert store.jobs.get(running).state is JobState.CANCELLED
    with pytest.raises(Conflict):
        store.jobs.cancel(running)


def test_a_failed_job_says_why(store: Store) -> None:
    job_id = store.jobs.submit("train")
    store.jobs.claim("w")
    store.jobs.fail(job_id, "There is no dataset 'x'.")
    assert store.jobs.get(job_id).error == "There is no dataset 'x'."


def test_without_a_heart_beat_no_worker_is_alive(store: Store, clock) -> None:
    assert not store.jobs.alive()
    store.jobs.beat("w")
    assert store.jobs.alive()
    clock.pass_(seconds=31)
    assert not store.jobs.alive()


def test_people_cancel_their_own_and_see_their_own_kind(store: Store) -> None:
    dana = person(store, "dana", Role.DATA_SCIENTIST)
    ana = person(store, "ana")
    job_id = dana.jobs.submit("train")
    with pytest.raises(NotAllowed):
        ana.jobs.cancel(job_id)
    assert ana.jobs.recent() == []
    assert [job.id for job in dana.jobs.recent()] == [job_id]
    dana.jobs.cancel(job_id)
