import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.jobs import runner
from app.jobs.runner import Clockwork, Teller, run_job, work
from app.settings import CHECKOUT, Settings
from core.plant import JobState, PartType
from core.records import ImageState
from core.roles import Actor, Role
from data.store import Store

Draw = Callable[..., list[Path]]
PASSWORD = "nine quiet looms at noon"


@pytest.fixture(autouse=True)
def _signals_stay_as_they_were():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def claimed(store: Store, kind: str, arguments: Mapping[str, Any], by: str | None = None) -> int:
    asking = store if by is None else store.acting_as(Actor(by))
    job = asking.jobs.submit(kind, arguments)
    assert store.jobs.claim("w1") is not None
    return job


def test_a_worker_runs_a_job_in_a_process_of_its_own(line_ready: Store, current: Settings, pictures: Draw):
    folder = pictures("a.png", "b.png")[0].parent
    job = line_ready.jobs.submit("ingest", {"sources": [str(folder)], "site": "lyon"})
    work(line_ready, current, once=True)
    done = line_ready.jobs.get(job)
    assert (done.state, done.error) == (JobState.DONE, "")
    assert done.result["images"] == 2
    assert line_ready.jobs.alive()


def test_a_job_that_cannot_be_done_says_why(held: Store, current: Settings):
    job = claimed(held, "ingest", {"sources": ["nothing.png"], "site": "lyon"})
    assert run_job(held, current, held.jobs.get(job), "w1") == 0
    done = held.jobs.get(job)
    assert done.state is JobState.FAILED
    assert "no picture at nothing.png" in done.error


@pytest.mark.parametrize(
    ("kind", "arguments", "word"), [("ingest", {"colour": "red"}, "arguments"), ("juggle", {}, "juggle")]
)
def test_a_job_nobody_can_run_fails_in_words(
    held: Store, current: Settings, kind: str, arguments: dict[str, str], word: str
):
    job = claimed(held, kind, arguments)
    run_job(held, current, held.jobs.get(job), "w1")
    assert word in held.jobs.get(job).error


def test_a_job_has_no_more_rights_than_whoever_asked(held: Store, current: Settings, pictures: Draw):
    held.sites.add("turin")
    held.people.add("dora", PASSWORD, Role.DATA_SCIENTIST, ["turin"])
    job = claimed(held, "ingest", {"sources": [str(pictures("a.png")[0])], "site": "lyon"}, by="dora")
    run_job(held, current, held.jobs.get(job), "w1")
    assert held.jobs.get(job).state is JobState.FAILED
    assert held.images.count() == 0


def test_a_qa_lead_has_one_quarantined_file_read_again_and_nothing_else(
    line_ready: Store, current: Settings, pictures: Draw
):
    path, good = pictures("a.png", "b.png")
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    job = claimed(line_ready, "ingest", {"sources": [str(path), str(good)], "site": "lyon"})
    run_job(line_ready, current, line_ready.jobs.get(job), "w1")
    (broken,) = line_ready.quarantine.list("lyon")
    path.write_bytes(whole)
    again = claimed(line_ready, "reread", {"image": broken.image.id}, by="ada")
    run_job(line_ready, current, line_ready.jobs.get(again), "w1")
    assert line_ready.jobs.get(again).error == ""
    mended = [image for image in line_ready.images.find(site="lyon") if image.path == str(path)]
    assert ImageState.OK in {image.state for image in mended}
    fine = next(image for image in line_ready.images.find(site="lyon") if image.path == str(good))
    refused = claimed(line_ready, "reread", {"image": fine.id}, by="ada")
    run_job(line_ready, current, line_ready.jobs.get(refused), "w1")
    assert "no file in quarantine" in line_ready.jobs.get(refused).error


def test_a_cancelled_job_stops_at_its_next_step(held: Store, current: Settings):
    job = claimed(held, "ingest", {})

    def endless(store: Store, _current: Settings, _given: Mapping[str, Any], progress: Any) -> None:
        store.jobs.cancel(job)
        for step in range(1000):
            progress(step, 0, "going on")
            time.sleep(0.01)

    run_job(held, current, held.jobs.get(job), "w1", {"ingest": endless})
    assert held.jobs.get(job).state is JobState.CANCELLED


def test_progress_reaches_the_store_about_once_a_second(held: Store):
    job = claimed(held, "ingest", {})
    now = [0.0]
    teller = Teller(held, job, "w1", clock=lambda: now[0])
    for step in range(50):
        now[0] += 0.1
        teller(step, 100, f"step {step}")
        if step < 9:
            assert held.jobs.get(job).done == 0
    assert held.jobs.get(job).done >= 40


def test_a_job_another_worker_has_taken_over_ends(held: Store):
    job = claimed(held, "ingest", {})
    with pytest.raises(runner.Ended):
        Teller(held, job, "somebody else")(1, 2, "")


def test_a_job_whose_process_dies_without_a_word_has_failed(
    held: Store, current: Settings, monkeypatch: pytest.MonkeyPatch
):
    job = held.jobs.submit("ingest", {})
    monkeypatch.setattr(runner.sys, "executable", "/bin/false")
    work(held, current, once=True)
    done = held.jobs.get(job)
    assert done.state is JobState.FAILED
    assert "exit status 1" in done.error


def test_a_worker_that_is_told_to_end_gives_its_job_back(
    held: Store, current: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    slow = tmp_path / "slow.sh"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(runner.sys, "executable", str(slow))
    job = held.jobs.submit("ingest", {})
    ending = threading.Event()
    threading.Timer(2.5, ending.set).start()
    started = time.monotonic()
    work(held, current, stop=ending)
    assert time.monotonic() - started < 30
    assert held.jobs.get(job).state is JobState.WAITING


def test_the_clockwork_closes_parts_whose_time_is_up(line_ready: Store, current: Settings, pictures: Draw):
    from app.jobs.intake.line import Line, Naming, Origin, Wanted
    from app.jobs.intake.sources import Source

    line_ready.part_types.put("lyon", PartType("bracket", views=("top", "side"), tile=64, stride=32, time_out_s=30))
    (file,) = pictures("a.png")
    wanted = Wanted(Source(str(file), file), Naming("1", "top"), Origin(part_type="bracket"))
    with Line(line_ready, current, "lyon") as line:
        (filed,) = line.take([wanted])
    assert filed.part_id is not None
    assert line_ready.parts.decision(filed.part_id) is None
    later = datetime.now(UTC) + timedelta(seconds=31)
    Clockwork(line_ready, lambda: later).tick()
    decision = line_ready.parts.decision(filed.part_id)
    assert decision is not None
    assert decision.reasons[0].code == "missing view"


def test_the_clockwork_notices_files_that_go_and_come_back(line_ready: Store, current: Settings, pictures: Draw):
    from app.jobs.intake.ingest import ingest

    (file,) = pictures("a.png")
    ingest(line_ready, current, [str(file)], "lyon")
    clockwork = Clockwork(line_ready, lambda: datetime.now(UTC))
    away = file.with_suffix(".away")
    file.rename(away)
    clockwork.sweep()
    (image,) = line_ready.images.find()
    assert image.state is ImageState.MISSING
    away.rename(file)
    clockwork.sweep()
    assert line_ready.images.get(image.id).state is ImageState.OK


def test_a_real_worker_process_beats_and_ends_cleanly(held: Store, current: Settings):
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen([sys.executable, "-m", "app.jobs.runner"], env=environment, cwd=CHECKOUT)
    deadline = time.monotonic() + 60
    while not held.jobs.alive() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert held.jobs.alive()
    process.terminate()
    assert process.wait(30) == 0
