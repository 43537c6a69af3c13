"""A pipeline whose process is really killed while it trains."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.jobs.runner import run_job
from app.jobs.science import gate as gate_module
from app.jobs.science.pipelines.configuration import read_text
from app.jobs.science.pipelines.running import run_pipeline
from app.settings import CHECKOUT, Settings
from core.learn.pipeline import StepName, StepState
from core.plant import JobState, PartType
from core.roles import WORKER
from data.store import Store
from data.taxonomies import shipped
from models.checkpoint import load
from tests.app.jobs.small_dataset import drawn, keep

LONGEST_S = 300
TEXT = """
experiment: pits
site: Lyon
dataset: {name: pits}
architecture: test_resnet
weights: scratch
epochs: 5
shadow: off
"""


def begin(store: Store) -> int:
    made = read_text(TEXT)
    store.pipelines.configure(made.experiment, made.site, made.to_json())
    return store.pipelines.start(made.experiment).id


def test_kill_9_in_the_middle_of_training_loses_no_epoch(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is really killed; the next worker's model is the one that an unbroken run makes."""
    monkeypatch.setattr(gate_module, "TIMING_S", 0.0)
    settings = Settings(home=tmp_path, device="cpu", offline=True, decoders=1)
    store.sites.add("Lyon", shipped("machined"))
    store.part_types.put("Lyon", PartType("plate", tile=64, stride=32))  # small tiles, so that an epoch is short
    manifest = drawn(settings)
    for item in manifest["items"]:
        item["part_type"] = "plate"
    keep(settings, manifest)
    run = begin(store)
    worker = store.acting_as(WORKER)
    job = worker.jobs.claim("first")
    environment = {**os.environ, "HOLDPOINT_HOME": str(settings.home), "HOLDPOINT_DEVICE": "cpu",
                   "HOLDPOINT_OFFLINE": "1", "PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"}  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-m", "app.jobs.runner", str(job.id), "first"], cwd=CHECKOUT, env=environment
    )
    ends = time.monotonic() + LONGEST_S
    half = settings.models / ".training"
    while not list(half.glob("*.safetensors")) and time.monotonic() < ends and child.poll() is None:
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert list(half.glob("*.safetensors")), "it was killed in the middle of the training"
    assert store.pipelines.run(run).step(StepName.TRAIN).state is StepState.RUNNING
    again = worker.jobs.claim("second", datetime.now(UTC) + timedelta(minutes=5))
    assert again.id == job.id
    run_job(worker, settings, again, "second")
    assert worker.jobs.get(job.id).state is JobState.DONE
    assert store.pipelines.run(run).step(StepName.TRAIN).tries == 2
    whole = begin(store)
    run_pipeline(store, settings, whole)
    killed, unbroken = (load(settings.models / f"pits-{one}").card for one in (run, whole))
    assert killed.sha256 == unbroken.sha256
