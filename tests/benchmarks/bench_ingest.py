"""What filing costs: 1,000 small pictures through decoders and engine alone, and through `ingest` into SQLite.

Both in one process with the same open net, in turns; a fresh store for every turn. The target is at most 10% more.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import cv2
import torch

from app.jobs.intake.ingest import ingest
from app.jobs.science.models import add_model
from app.settings import Settings
from core.pictures.sandbox import DecodePool, Read
from data.store import Store, open_store
from models import checkpoint, nets
from models.engine import Engine, open_engine
from tests.benchmarks.bench_engine import CLASSES, lively, strip

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARCH = "efficientnet_b0"
PICTURES, SIDE, TURNS = 1000, 256, 3


def main() -> dict[str, Any]:
    """Measure, and return seconds of both and their ratio, turn by turn."""
    torch.manual_seed(0)
    with TemporaryDirectory() as place:
        folder = Path(place)
        made = folder / "bench"
        net = lively(nets.build(ARCH, CLASSES, weights="scratch").eval())
        checkpoint.save(made, net, checkpoint.card_of(net, "bench", NOW))
        pictures = folder / "pictures"
        pictures.mkdir()
        for number in range(PICTURES):
            cv2.imwrite(str(pictures / f"{number:04}.png"), strip(SIDE, SIDE, number))
        engine_s, ingest_s = [], []
        for turn in range(TURNS):
            settings = Settings(home=folder / f"home-{turn}", device="cpu", offline=True, settle_seconds=0)
            settings.home.mkdir()
            store = open_store(settings.database_url)
            store.sites.add("Lyon")
            add_model(store, settings, made)
            store.sites.set_model("Lyon", "bench")
            engine = open_engine(settings.models / "bench", "cpu", cache=settings.compiled)
            runs: list[tuple[list[float], Callable[[], int]]] = [
                (engine_s, partial(_engine_alone, engine, pictures)),
                (ingest_s, partial(_ingest, store, settings, pictures)),
            ]
            for seconds, run in runs if turn % 2 == 0 else reversed(runs):
                start = perf_counter()
                found = run()
                seconds.append(perf_counter() - start)
                if found != PICTURES:
                    raise RuntimeError(f"{found} pictures came through, not {PICTURES}")
            store.close()
        ratios = [b / a for a, b in zip(engine_s, ingest_s, strict=True)]
        return {
            "pictures": f"{PICTURES} of {SIDE}x{SIDE}, {ARCH}, {engine.back_end}",
            "engine_s": [round(s, 2) for s in engine_s],
            "ingest_s": [round(s, 2) for s in ingest_s],
            "ingest_over_engine": {"median": round(median(ratios), 3), "turns": [round(r, 3) for r in ratios]},
            "target": "at most 1.10",
        }


def _ingest(store: Store, settings: Settings, pictures: Path) -> int:
    """Everything: image, prediction, decision, task, outbox and audit row of each."""
    return ingest(store, settings, [str(pictures)], "Lyon").images


def _engine_alone(engine: Engine, pictures: Path) -> int:
    """Decoders and net, nothing filed."""
    with DecodePool(2) as pool:
        reads = (read.decoded.pixels for read in pool.decode(sorted(pictures.iterdir())) if isinstance(read, Read))
        return sum(1 for _ in engine.stream(reads))
