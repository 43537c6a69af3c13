"""`holdpoint run` as a real process: however it ends, its web app and its worker end with it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from app.jobs import together
from app.settings import CHECKOUT, Settings
from core.errors import BadInput
from core.plant import JobState
from data.store import Store

pytestmark = pytest.mark.timeout(290)
SLOW_S = 90.0  # for processes to start or end on a machine that is busy
Draw = Callable[..., list[Path]]


def wait_until(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SLOW_S
    while not there():
        assert time.monotonic() < deadline, f"{what} did not happen in {SLOW_S:.0f} s"
        time.sleep(0.05)


@dataclass
class House:
    """A running `holdpoint run`."""

    process: psutil.Popen
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def family(self) -> list[psutil.Process]:
        """Everything below it."""
        return self.process.children(recursive=True)

    def member(self, word: str) -> psutil.Process | None:
        """The child whose command line has a word in it."""
        for one in self.process.children():
            try:
                if word in " ".join(one.cmdline()):
                    return one
            except psutil.Error:
                continue  # it has just ended
        return None


@pytest.fixture
def house(held: Store, current: Settings, tmp_path: Path) -> Iterator[House]:
    """Web app and worker, both at work."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "run.log"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1", "HOLDPOINT_BATCH_IMAGES": "4"}
    command = [sys.executable, "-m", "app.cli", "run", "--port", str(port)]
    with log.open("w") as out:
        process = psutil.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    made = House(process, log)
    family: list[psutil.Process] = []
    try:
        wait_until(lambda: "Holdpoint is at" in made.said or process.poll() is not None, "opening the web app")
        wait_until(lambda: held.jobs.alive() or process.poll() is not None, "the worker's first beat")
        assert process.poll() is None, made.said
        family = made.family()
        yield made
    finally:
        for one in [*family, process]:
            if one.is_running():
                one.kill()
        process.wait(SLOW_S)


def all_gone(family: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(family, timeout=SLOW_S)
    assert [one.cmdline() for one in alive] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_told_to_end_it_ends_both_and_gives_the_job_back(
    house: House, line_ready: Store, pictures: Draw, number: signal.Signals
):
    folder = pictures(*(f"{number:03}.png" for number in range(300)))[0].parent
    job = line_ready.jobs.submit("ingest", {"sources": [str(folder)], "site": "lyon"})
    wait_until(lambda: line_ready.images.count() >= 4, "filing four pictures")
    family = house.family()
    house.process.send_signal(number)
    assert house.process.wait(SLOW_S) == 0
    all_gone(family)
    assert "Traceback" not in house.said
    left = line_ready.jobs.get(job)
    assert (left.state, left.attempt) == (JobState.WAITING, 0)
    assert line_ready.images.count() < 300


def test_killed_with_9_it_leaves_no_orphan(house: House, line_ready: Store, pictures: Draw):
    folder = pictures(*(f"{number:03}.png" for number in range(300)))[0].parent
    line_ready.jobs.submit("ingest", {"sources": [str(folder)], "site": "lyon"})
    wait_until(lambda: line_ready.images.count() >= 4, "filing four pictures")
    family = house.family()
    assert len(family) >= 3  # web app, worker, job
    house.process.kill()
    house.process.wait(SLOW_S)
    all_gone(family)
    assert "Traceback" not in house.said


def test_a_worker_that_dies_is_said_and_replaced_and_a_web_app_that_dies_ends_it_all(house: House, held: Store):
    worker = house.member("app.jobs.runner")
    assert worker is not None
    worker.kill()
    wait_until(lambda: "The worker ended by itself (SIGKILL)" in house.said, "noticing it")
    wait_until(lambda: house.member("app.jobs.runner") not in (None, worker), "starting another worker")
    web = house.member("streamlit")
    assert web is not None
    family = house.family()
    web.kill()
    assert house.process.wait(SLOW_S) == 1
    all_gone(family)
    assert "The web app ended by itself (SIGKILL)" in house.said
    assert "Traceback" not in house.said


def test_a_taken_port_is_said_before_anything_starts(current: Settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadInput, match="--port"):
            together.run_all(current, "127.0.0.1", taken.getsockname()[1], lambda _: None)
