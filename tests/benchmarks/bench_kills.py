"""Ingest killed with -9 twenty times at moments drawn by chance, then run to its end: is the store whole?"""

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
import pysqlite3
import torch
from PIL import Image as Pillow

from app.jobs.models import add_model
from app.settings import CHECKOUT, Settings
from core.pictures.tiling import Look
from data.store import open_store
from models import checkpoint, nets

KILLS, PICTURES, SITE = 20, 400, "lyon"


def main() -> dict[str, object]:
    chance = random.Random(2026)
    with TemporaryDirectory() as folder:
        home, inbox = Path(folder) / "home", Path(folder) / "in"
        environment = _plant(home, inbox)
        command = [sys.executable, "-m", "app.cli", "ingest", str(inbox), "--site", SITE, "--json"]
        killed = 0
        for number in range(KILLS):
            before = _count(home)
            child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # Half of the kills while pictures are being filed, half at any moment, the start included.
            if number % 2:
                while _count(home) < min(PICTURES - 1, before + chance.randint(1, 25)) and child.poll() is None:
                    time.sleep(0.002)
            else:
                time.sleep(chance.uniform(0.2, 12))
            child.send_signal(signal.SIGKILL)
            killed += child.wait() == -signal.SIGKILL
            if _count(home) < before:
                sys.exit("Acknowledged pictures were lost.")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        report = json.loads(done.stdout)
        wrong = _wrong(home)
    if wrong:
        raise SystemExit(f"After {killed} kills the store is not whole: {'; '.join(wrong)}")
    return {
        "kills": killed,
        "pictures": PICTURES,
        "last_run": {"new": report["images"], "known": report["known"]},
        "lost": 0,
        "twice": 0,
        "integrity_check": "ok",
    }


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


def _wrong(home: Path) -> list[str]:
    expected = {
        "PRAGMA integrity_check": "ok",
        "SELECT count(*) FROM images": PICTURES,
        "SELECT count(DISTINCT source) FROM images": PICTURES,
        "SELECT count(*) FROM predictions": PICTURES,
        "SELECT count(DISTINCT image_id) FROM predictions": PICTURES,
        "SELECT count(*) FROM parts WHERE state = 'decided'": PICTURES,
        "SELECT count(*) FROM decisions": PICTURES,
        "SELECT count(*) FROM tasks": PICTURES,
        "SELECT count(*) FROM outbox": PICTURES,
        "SELECT count(*) FROM audit_events WHERE action = 'decided'": PICTURES,
    }
    return [f"{query}: {found}" for query, right in expected.items() if (found := _ask(home, query)) != right]


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
