"""Novelty beside the classifier: what a memory in force costs, as a share of scoring without one.

Each turn scores one picture without a memory, with one that shares the model's pass, and with one that has a pass of
its own, one after the other in one process. Ratios are of processor time of the whole process, within a turn, so that
other work on the machine weighs on both sides alike; the median over turns counts.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import cv2
import numpy as np
import torch

from core.learn.novelty.limit import by_part, limit_of
from core.learn.novelty.memory import BUDGET_BYTES, Memory, room_for, some_of
from core.pictures.tiling import Look
from core.records import Pixels
from models import checkpoint, nets
from models.engine import Engine
from models.novelty import file, judge
from models.novelty.eye import Eye, own_eye, shared_eye
from models.novelty.patches import Lens, lens_of

ARCH = "efficientnet_b0"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PICTURE, LOOK = (256, 1600), Look(256, 128)
TURNS, EACH = 12, 3
GOOD = 16  # pictures that fill the memory


def main() -> dict[str, Any]:
    """Processor milliseconds of a 256x1600 picture (12 tiles of the classifier, 7 of the memory), a full memory."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = nets.build(ARCH, ("SCRATCH", "CRACK"), True, "scratch", size=256).eval()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "net"
        checkpoint.save(folder, net, checkpoint.card_of(net, "bench", NOW, look=LOOK))
        loaded = checkpoint.load(folder)
        lens = lens_of(net, 256)
        compiled = Path(scratch) / "compiled"
        plain = Engine(loaded, "cpu", cache=compiled)
        sharing = Engine(loaded, "cpu", cache=compiled, levels=lens.levels)
        (pixels,) = strips(rng, 1)
        shared, own = shared_eye(sharing, lens, LOOK), own_eye(loaded, lens, LOOK, "cpu", compiled)
        judges = {
            "shared": judge.Judge(_kept(shared, lens, loaded.card.sha256, rng, True), shared, sharing),
            "own": judge.Judge(_kept(own, lens, loaded.card.sha256, rng, False), own),
        }

        def with_memory(engine: Engine, judging: judge.Judge) -> None:
            (seen,) = engine.observe([pixels])
            engine.read(seen)
            judging.beside(pixels, seen if judging.engine is engine else None)

        runs: dict[str, Callable[[], Any]] = {
            "no memory": lambda: plain.score([pixels]),
            "shared pass": lambda: with_memory(sharing, judges["shared"]),
            "pass of its own": lambda: with_memory(plain, judges["own"]),
        }
        processor: dict[str, list[float]] = {name: [] for name in runs}
        wall: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(TURNS + 1):
            for name, run in runs.items():
                at, clock = process_time(), perf_counter()
                for _ in range(EACH):
                    run()
                processor[name].append(1000 * (process_time() - at) / EACH)
                wall[name].append(1000 * (perf_counter() - clock) / EACH)
        ratios = {
            kind: {name: _ratio(times[name][1:], times["no memory"][1:]) for name in runs if name != "no memory"}
            for kind, times in (("processor", processor), ("wall", wall))
        }
        return {
            "processor_ms": {name: round(float(np.median(values[1:])), 1) for name, values in processor.items()},
            "times_as_long": ratios,
            "turns": TURNS,
            "patches_in_memory": len(judges["shared"].kept.memory.vectors),
            "back_end": {"classifier": plain.back_end, "pass of its own": own.back_end},
        }


def strips(rng: np.random.Generator, count: int) -> list[Pixels]:
    """Steel-like strips: grain, and light that changes along them."""
    made = []
    for _ in range(count):
        light = 120 + 25 * np.sin(np.arange(PICTURE[1]) / rng.uniform(40, 200) + rng.uniform(0, 6))
        grey = light[None] + cv2.GaussianBlur(rng.normal(0, 40, PICTURE), (0, 0), rng.uniform(0.7, 2))
        made.append(np.repeat(grey.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2))
    return made


def _ratio(mine: list[float], without: list[float]) -> dict[str, float]:
    """Median and quartiles of the ratios within turns."""
    low, middle, high = np.quantile(np.array(mine) / np.array(without), [0.25, 0.5, 0.75])
    return {"median": round(float(middle), 3), "low_quartile": round(float(low), 3),
            "high_quartile": round(float(high), 3)}  # fmt: skip


def _kept(
    eye: Eye, lens: Lens, net_sha256: str, rng: np.random.Generator, shared: bool
) -> file.Kept:  # fmt: skip
    room = room_for(lens.width, BUDGET_BYTES)
    found = [eye.see(one).patches for one in strips(rng, GOOD)]
    memory = Memory(np.concatenate([some_of(one, -(-room // GOOD), rng) for one in found])[:room])
    apart = by_part([float(one) for one in rng.uniform(1, 2, 40)], list(range(40)))
    card = file.MemoryCard("bench", "bench", None, "bench", net_sha256, LOOK, lens.levels, limit_of(apart), 1, 1,
                           (0.0, 0.0), shared=shared)  # fmt: skip
    kept = file.Kept(card, memory, lens, apart)
    return replace(kept, card=replace(card, probe=judge.probe_of(kept, eye)))


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
