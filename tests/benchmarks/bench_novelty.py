"""Novelty beside the classifier: what a second look at each picture costs, in turns in one process."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import torch

from core.learn.novelty.limit import by_part, limit_of
from core.learn.novelty.memory import BUDGET_BYTES, memory_of
from core.pictures.tiling import Look
from models import checkpoint, nets
from models.engine import Engine
from models.novelty import file, judge
from models.novelty.eye import Eye
from models.novelty.patches import lens_of

ARCH = "efficientnet_b0"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PICTURE, LOOK = (256, 1600), Look(256, 128)
TURNS = 9
POOL = 60_000  # patches that a memory is chosen from


def main() -> dict[str, Any]:
    """Milliseconds of a 256x1600 picture (12 tiles of the classifier, 7 of the memory), and seconds of a fit."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = nets.build(ARCH, ("SCRATCH", "CRACK"), True, "scratch", size=256).eval()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "net"
        checkpoint.save(folder, net, checkpoint.card_of(net, "bench", NOW, look=LOOK))
        loaded = checkpoint.load(folder)
        engine = Engine(loaded, "cpu", cache=Path(scratch) / "compiled")
        lens = lens_of(net, 256)
        eye = Eye(loaded, lens, LOOK, "cpu", Path(scratch) / "compiled")
        pixels = rng.integers(0, 256, (*PICTURE, 3), np.uint8)
        seen = eye.see(pixels).patches
        pool = rng.normal(seen.mean(), seen.std(), (POOL, lens.width)).astype(np.float32)
        started = perf_counter()
        memory = memory_of([pool], BUDGET_BYTES)
        fitting = perf_counter() - started
        apart = by_part([float(one) for one in rng.uniform(1, 2, 40)], list(range(40)))
        card = file.MemoryCard("bench", "bench", None, "bench", loaded.card.sha256, LOOK, lens.levels, limit_of(apart),
                               1, 1, (0.0, 0.0))  # fmt: skip
        kept = file.Kept(card, memory, lens, apart)
        kept = replace(kept, card=replace(card, probe=judge.probe_of(kept, eye)))
        mine = judge.Judge(kept, eye)
        times: dict[str, list[float]] = {"classifier": [], "memory": [], "its net": []}
        for _ in range(TURNS + 1):
            for name, run in (
                ("classifier", lambda: engine.score([pixels])),
                ("memory", lambda: mine.judge(pixels)),
                ("its net", lambda: eye.see(pixels)),
            ):
                started = perf_counter()
                run()
                times[name].append(1000 * (perf_counter() - started))
        found = {name: float(np.median(values[1:])) for name, values in times.items()}  # the first one compiles
        return {
            "ms": {name: round(value, 1) for name, value in found.items()},
            "both_to_classifier": round((found["classifier"] + found["memory"]) / found["classifier"], 3),
            "patches_in_memory": len(memory.vectors),
            "fit_s": round(fitting, 2),
            "back_end": {"classifier": engine.back_end, "memory": mine.back_end},
        }


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
