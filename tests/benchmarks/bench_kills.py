"""Ingest and the web app killed with -9 twenty times each at moments drawn by chance: is the store whole?

Ingest: after each kill everything that was filed has to be there once and complete: image, prediction, decided part,
decision, task, event and trace are one transaction. And no decoder may outlive the process that started it.

The web app, while three people answer: what they were told is stored has to be in the store, in the audit trail, in
what the line was told and in the export, each exactly once, and nothing else.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import pysqlite3
import torch
from PIL import Image as Pillow

from app.jobs.science.models import add_model
from app.settings import CHECKOUT, Settings
from core.pictures.tiling import Look
from data.store import open_store
from models import checkpoint, nets
from tests.e2e.crowded import fill
from tests.e2e.house import House
from tests.e2e.killing import disagreements, review_under_kills
from tests.small_plant import make_plant

KILLS, PICTURES, TASKS, SITE = 20, 800, 6000, "lyon"
MOST_A_RUN = 25  # pictures before a run is killed, so that there are some left for the last one
PATIENCE_S = 60.0  # for a decoder to notice that it is alone


def main() -> dict[str, object]:
    return {"ingest": _ingest(), "reviews": _reviews()}


def _reviews() -> dict[str, object]:
    with TemporaryDirectory() as folder:
        plant = make_plant(Path(folder) / "home", parts=6, demo=True)
        fill(plant.url, TASKS, plant.home / "pictures")
        with House(plant) as house:
            ledger = review_under_kills(house, KILLS, seed=2026)
            if wrong := disagreements(house, ledger):
                sys.exit(f"After {KILLS} kills of the web app the books disagree: {'; '.join(wrong[:10])}")
    return {
        "kills": KILLS,
        "acknowledged": len(ledger.acknowledged),
        "refused": len(ledger.refused),
        "sent_again": ledger.again,
        "lost": 0,
        "twice": 0,
        "audit_trail": "verified",
    }


def _ingest() -> dict[str, object]:
    chance = random.Random(2026)
    with TemporaryDirectory() as folder:
        home, inbox = Path(folder) / "home", Path(folder) / "in"
        environment = _plant(home, inbox)
        command = [sys.executable, "-m", "app.cli", "ingest", str(inbox), "--site", SITE, "--json"]
        filed_at_kill = []
        start_s = 0.0  # until the first picture of a run is filed
        for number in range(KILLS):
            before = _count(home)
            began = time.monotonic()
            child = psutil.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # Half of the kills while pictures are being filed, half at any moment of the start and a little later.
            if number % 2 == 0:
                _wait_for(home, before + 1, child)
                start_s = time.monotonic() - began
                _wait_for(home, before + chance.randint(1, MOST_A_RUN), child)
            else:
                moment = began + chance.uniform(0.0, 1.2 * start_s)
                while time.monotonic() < moment and _count(home) < before + MOST_A_RUN:
                    time.sleep(0.002)
            below = child.children(recursive=True)
            child.send_signal(signal.SIGKILL)
            if child.wait() != -signal.SIGKILL:
                sys.exit(f"Run {number + 1} ended before it was killed: {PICTURES} pictures are too few.")
            _, alive = psutil.wait_procs(below, timeout=PATIENCE_S)
            if alive:
                sys.exit(f"{len(alive)} decoders outlived kill {number + 1} by {PATIENCE_S:.0f} s.")
            after = _count(home)
            if wrong := _wrong(home, max(before, after)):
                sys.exit(f"After kill {number + 1} the store is not whole: {'; '.join(wrong)}")
            filed_at_kill.append(after - before)
            print(f"kill {number + 1}: {after - before} filed in this run, {after} in all", file=sys.stderr)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        report = json.loads(done.stdout)
        if wrong := _wrong(home, PICTURES):
            sys.exit(f"After {KILLS} kills and a whole run the store is not whole: {'; '.join(wrong)}")
    return {
        "kills": len(filed_at_kill),
        "kills_before_the_first_picture": filed_at_kill.count(0),
        "filed_by_the_killed_runs": filed_at_kill,
        "pictures": PICTURES,
        "last_run": {"new": report["images"], "known": report["known"]},
        "lost": 0,
        "twice": 0,
        "integrity_check": "ok",
    }


def _wait_for(home: Path, images: int, child: psutil.Popen) -> None:
    while _count(home) < images and child.poll() is None:
        time.sleep(0.002)


def _plant(home: Path, inbox: Path) -> dict[str, str]:
    inbox.mkdir(parents=True)
    rng = np.random.default_rng(5)
    for number in range(PICTURES):
        pixels = np.clip(rng.normal(120, 40, (72, 96, 3)), 0, 255).astype(np.uint8)
        Pillow.fromarray(pixels).save(inbox / f"{number:04}.png")
    settings = Settings(home=home)
    store = open_store(settings.database_url)
    store.sites.add(SITE)
    torch.manual_seed(3)
    net = nets.build("test_resnet", ("CRACK",), True, "scratch", size=64).eval()
    card = replace(checkpoint.card_of(net, "tiny", datetime.now(UTC), look=Look(64, 32)), heatmap_scale=0.05)
    checkpoint.save(home / "made" / "tiny", net, card)
    add_model(store, settings, home / "made" / "tiny")
    store.sites.set_model(SITE, "tiny", "bench")
    store.close()
    more = {"HOLDPOINT_HOME": str(home), "HOLDPOINT_SETTLE_SECONDS": "0", "HOLDPOINT_BATCH_IMAGES": "4"}
    return {**os.environ, **more, "HOLDPOINT_DEVICE": "cpu", "PYTHONPATH": str(CHECKOUT)}


def _ask(home: Path, query: str) -> object:
    connection = pysqlite3.dbapi2.connect(str(home / "holdpoint.sqlite3"), timeout=30)
    try:
        return connection.execute(query).fetchone()[0]
    finally:
        connection.close()


def _count(home: Path) -> int:
    return int(str(_ask(home, "SELECT count(*) FROM images")))


def _wrong(home: Path, images: int) -> list[str]:
    """What is not as it has to be with so many pictures filed; each is a part of its own that a person has to see."""
    expected = {
        "PRAGMA integrity_check": "ok",
        "SELECT count(*) FROM images": images,
        "SELECT count(DISTINCT source) FROM images": images,
        "SELECT count(*) FROM predictions": images,
        "SELECT count(DISTINCT image_id) FROM predictions": images,
        "SELECT count(*) FROM parts": images,
        "SELECT count(*) FROM parts WHERE state = 'decided'": images,
        "SELECT count(*) FROM decisions": images,
        "SELECT count(DISTINCT part_id) FROM tasks": images,
        "SELECT count(*) FROM tasks": images,
        "SELECT count(*) FROM outbox": images,
        "SELECT count(*) FROM audit_events WHERE action = 'decided'": images,
    }
    return [f"{query}: {found}" for query, right in expected.items() if (found := _ask(home, query)) != right]


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
