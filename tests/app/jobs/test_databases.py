"""What the jobs do, on both databases, with real worker processes that are really killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from app.jobs.intake.imports import import_labels
from app.jobs.intake.ingest import ingest
from app.jobs.intake.watch import watch
from app.jobs.runner import Clockwork, work
from app.jobs.science.exports import export_labels
from app.settings import CHECKOUT, Settings
from core.plant import JobState, PartType
from data.store import Store, open_store
from data.tables import audit_events, decisions, images, outbox, predictions

Draw = Callable[..., list[Path]]
SLOW_S = 120.0  # for a process to start and do something on a machine that is busy


@pytest.fixture(params=["sqlite", "postgresql"])
def current(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a plant of its own on either database, in the environment too, for the processes that are started."""
    monkeypatch.setenv("HOLDPOINT_HOME", str(home))
    monkeypatch.setenv("HOLDPOINT_DEVICE", "cpu")
    monkeypatch.setenv("HOLDPOINT_SETTLE_SECONDS", "0")
    monkeypatch.setenv("HOLDPOINT_DECODERS", "1")
    monkeypatch.setenv("HOLDPOINT_BATCH_IMAGES", "4")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HOLDPOINT_DATABASE_URL", request.getfixturevalue(f"{request.param}_url"))
    return Settings()


@pytest.fixture
def start_worker(current: Settings) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Starts real workers, and ends those that still run."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        started.append(subprocess.Popen([sys.executable, "-m", "app.jobs.runner"], env=environment, cwd=CHECKOUT))
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.terminate()
            one.wait(60)


def wait_until(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SLOW_S
    while not there():
        assert time.monotonic() < deadline, f"{what} did not happen in {SLOW_S:.0f} s"
        time.sleep(0.02)


def wrong_with(store: Store, pictures: int) -> list[str]:
    """What is lost or there twice, where each picture is a part of its own that was decided once."""
    wanted = {
        "images": sa.select(sa.func.count()).select_from(images),
        "sources": sa.select(sa.func.count(images.c.source.distinct())),
        "predictions": sa.select(sa.func.count()).select_from(predictions),
        "scored images": sa.select(sa.func.count(predictions.c.image_id.distinct())),
        "decisions": sa.select(sa.func.count()).select_from(decisions),
        "decided parts": sa.select(sa.func.count(decisions.c.part_id.distinct())),
        "events": sa.select(sa.func.count()).select_from(outbox),
        "traces": sa.select(sa.func.count()).where(audit_events.c.action == "decided"),
    }
    with store.database.reading() as connection:
        found = {name: connection.scalar(query) for name, query in wanted.items()}
    return [f"{name}: {number} instead of {pictures}" for name, number in found.items() if number != pictures]


def test_the_same_files_twice_are_filed_once(line_ready: Store, current: Settings, pictures: Draw):
    files = pictures(*(f"{number}.png" for number in range(9)))
    files[-1].write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    first = ingest(line_ready, current, [str(files[0].parent)], "lyon")
    assert (first.images, first.known, sum(first.quarantined.values())) == (8, 0, 1)
    assert first.decisions == {"PASS": 8, "HOLD": 1, "FAIL": 0}
    again = ingest(line_ready, current, [str(files[0].parent)], "lyon")
    assert (again.images, again.known) == (0, 9)
    assert line_ready.images.count() == 9


def test_pictures_that_two_deliveries_bring_at_once_are_filed_once(
    line_ready: Store, current: Settings, pictures: Draw
):
    folder = pictures(*(f"{number}.png" for number in range(12)))[0].parent
    reports = []

    def deliver() -> None:
        store = open_store(current.database_url)
        reports.append(ingest(store, current, [str(folder)], "lyon"))
        store.close()

    both = [threading.Thread(target=deliver) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [report.images + report.known for report in reports] == [12, 12]
    assert sum(report.images for report in reports) == 12
    assert wrong_with(line_ready, 12) == []


def test_a_watched_part_of_uncounted_views_is_decided_by_the_clock(
    line_ready: Store, current: Settings, pictures: Draw
):
    folder = pictures("7_top.png", "7_side.png")[0].parent
    rounds: list[float] = []
    pattern = "(?P<part>[^_]+)_(?P<view>[^.]+)"
    watch(
        line_ready, current, folder, "lyon", part_from=pattern, stop=lambda: len(rounds) > 1, sleep=rounds.append
    )  # fmt: skip
    part = line_ready.parts.find("lyon", "7")
    assert part is not None
    assert line_ready.parts.history(part.id) == []
    Clockwork(line_ready, lambda: datetime.now(UTC) + timedelta(seconds=31)).tick()
    assert [decision.outcome.value for decision in line_ready.parts.history(part.id)] == ["PASS"]


def test_a_part_that_an_import_left_open_is_closed_by_the_clock(line_ready: Store, current: Settings, tmp_path: Path,
                                                                draw_picture: Any):  # fmt: skip
    line_ready.part_types.put("lyon", PartType("bracket", views=("top", "side"), tile=64, stride=32, time_out_s=30))
    top = draw_picture(tmp_path / "labelled" / "7_top.png", 1)
    (top.parent / "labels.csv").write_text("file,label,part,part_type\n7_top.png,good,7,bracket\n")
    import_labels(line_ready, current, top.parent / "labels.csv", "lyon")
    part = line_ready.parts.find("lyon", "7")
    assert part is not None
    draw_picture(tmp_path / "in" / "7_back.png", 2)
    watch(
        line_ready, current, tmp_path / "in", "lyon", part_from="(?P<part>[^_]+)_(?P<view>[^.]+)", part_type="bracket",
        once=True, sleep=lambda _: None, now=_Forward(),
    )  # fmt: skip
    (decision,) = line_ready.parts.history(part.id)
    assert decision.reasons[0].code == "missing view"


class _Forward:
    """A clock that gains a second with each look at it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def test_labels_come_in_twice_as_one_and_go_out_again(held: Store, current: Settings, tmp_path: Path, pictures: Draw):
    files = pictures("good/a.png", "good/b.png", "scratch/c.png", "dent/d.png")
    first = import_labels(held, current, files[0].parents[1], "lyon", "folder")
    assert (first.read, first.new, first.known) == (4, 4, 0)
    again = import_labels(held, current, files[0].parents[1], "lyon", "folder")
    assert (again.read, again.new, again.known) == (4, 0, 4)
    for name in ("coco", "csv", "parquet"):
        assert export_labels(held, current, tmp_path / name, name, "lyon").images == 4
    back = import_labels(held, current, tmp_path / "coco", "nantes", "coco")
    assert (back.read, back.new, sum(back.quarantined.values())) == (4, 4, 0)


def test_a_worker_runs_what_people_asked_for(line_ready: Store, current: Settings, pictures: Draw, tmp_path: Path):
    files = pictures("a.png", "good/b.png")
    filing = line_ready.jobs.submit("ingest", {"sources": [str(files[0])], "site": "lyon"})
    labels = line_ready.jobs.submit("import", {"source": str(files[1].parent.parent), "site": "lyon",
                                               "format": "folder"})  # fmt: skip
    leaving = line_ready.jobs.submit("export", {"dest": str(tmp_path / "out"), "format": "csv", "site": "lyon"})
    work(line_ready, current, once=True)
    ended = {job: line_ready.jobs.get(job) for job in (filing, labels, leaving)}
    assert {job: (one.state, one.error) for job, one in ended.items()} == dict.fromkeys(ended, (JobState.DONE, ""))
    assert ended[leaving].result["images"] == 1


@pytest.mark.parametrize("how", ["the worker alone", "the worker and its job at one blow"])
def test_a_worker_killed_in_the_middle_of_a_job_leaves_it_to_the_next_one(
    line_ready: Store, current: Settings, pictures: Draw, start_worker: Any, how: str
):
    folder = pictures(*(f"{number:03}.png" for number in range(60)))[0].parent
    job = line_ready.jobs.submit("ingest", {"sources": [str(folder)], "site": "lyon"})
    worker = start_worker()
    unfinished = (JobState.WAITING, JobState.RUNNING)
    wait_until(
        lambda: line_ready.images.count() >= 8 or line_ready.jobs.get(job).state not in unfinished, "filing pictures"
    )
    assert line_ready.jobs.get(job).error == ""
    running = psutil.Process(worker.pid).children()
    if how == "the worker and its job at one blow":
        for one in running:
            one.kill()
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(60) == -signal.SIGKILL
    _, alive = psutil.wait_procs(running, timeout=SLOW_S)
    assert alive == []
    assert 8 <= line_ready.images.count() < 60
    assert line_ready.jobs.get(job).state is JobState.RUNNING
    # The next worker's clock is a minute ahead: by then nobody has heard of the first one for half a minute.
    work(line_ready, current, once=True, now=lambda: datetime.now(UTC) + timedelta(seconds=60))
    done = line_ready.jobs.get(job)
    assert (done.state, done.error, done.attempt) == (JobState.DONE, "", 2)
    assert done.result["images"] + done.result["known"] == 60
    assert wrong_with(line_ready, 60) == []


def test_two_workers_never_take_one_job(held: Store, current: Settings, tmp_path: Path, start_worker: Any):
    numbers = [
        held.jobs.submit("export", {"dest": str(tmp_path / f"out{n}"), "format": "csv", "site": "lyon"})
        for n in range(6)
    ]
    workers = [start_worker(), start_worker()]
    wait_until(lambda: all(held.jobs.get(n).state is JobState.DONE for n in numbers), "doing six jobs")
    assert [held.jobs.get(n).attempt for n in numbers] == [1] * 6
    with held.database.reading() as connection:
        query = sa.select(audit_events.c.subject).where(audit_events.c.action == "job done")
        assert Counter(connection.scalars(query)) == {f"job {n}": 1 for n in numbers}
    for one in workers:
        one.terminate()
    assert [one.wait(60) for one in workers] == [0, 0]


def test_a_lost_connection_costs_one_act_and_not_the_plant(postgresql_url: str):
    store = open_store(postgresql_url)
    store.sites.add("lyon")
    other = sa.create_engine(postgresql_url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with other.connect() as connection:
        connection.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        )  # fmt: skip
    other.dispose()
    assert [site.name for site in store.sites.all()] == ["lyon"]
    assert store.jobs.beat("w1")
    store.close()
