import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.jobs.intake.inspect import inspect
from app.scoring import Scorer
from app.settings import CHECKOUT, Settings
from core.errors import ModelError, QuarantineReason, Unreadable

SLOW_S = 120.0


@pytest.fixture
def scorer() -> Iterator[Scorer]:
    made = Scorer()
    yield made
    made.close()


def test_what_runs_there_runs_in_one_other_process(scorer: Scorer):
    first = scorer.run(os.getpid)
    assert first != os.getpid()
    assert scorer.run(os.getpid) == first


def test_a_broken_picture_is_refused_in_words_and_the_process_lives_on(scorer: Scorer, tmp_path: Path):
    child = scorer.run(os.getpid)
    with pytest.raises(Unreadable, match="cut off") as caught:
        scorer.run(inspect, Settings(home=tmp_path), "broken.jpg", b"\xff\xd8\xff broken", tmp_path / "no model")
    assert caught.value.reason is QuarantineReason.TRUNCATED
    assert caught.value.sha256
    assert scorer.run(os.getpid) == child


def test_a_model_that_cannot_be_used_is_said(scorer: Scorer, tmp_path: Path, draw_picture):
    picture = draw_picture(tmp_path / "a.png", 1).read_bytes()
    with pytest.raises(ModelError, match="nothing-here"):
        scorer.run(inspect, Settings(home=tmp_path), "a.png", picture, tmp_path / "nothing-here")


def test_a_process_that_dies_costs_one_answer_and_is_replaced(scorer: Scorer):
    child = scorer.run(os.getpid)
    with pytest.raises(ModelError, match="ended"):
        scorer.run(os._exit, 3)
    scorer.start(os.getpid)  # nobody waits for it, so nobody may be hit by the dead one either
    assert scorer.run(os.getpid) != child


def test_it_ends_when_its_server_is_killed():
    code = (
        "import os, time; from app.scoring import Scorer; print(Scorer().run(os.getpid), flush=True); time.sleep(600)"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code], cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None
    with server.stdout:
        child = psutil.Process(int(server.stdout.readline()))
    server.send_signal(signal.SIGKILL)
    server.wait()
    child.wait(SLOW_S)
