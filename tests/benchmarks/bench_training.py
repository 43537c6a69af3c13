"""Whether loading starves training: a step with real loading beside the same step on windows that lie in memory.

The same net takes the same kind of batches in turns: windows drawn beforehand; windows cut while it trains from
pictures that were decoded once; windows cut while it trains from files that are decoded anew each time, as with a set
that memory does not hold. In each turn every way takes two steps, of which the second counts: while the first was
taken, the second's batch was drawn. The processor's time says the same where the machine has other work.
"""

import json
import os
import sys
from collections.abc import Iterator
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import cv2
import numpy as np
import torch

from app.jobs.science.learning import Reader
from app.settings import Settings
from core.pictures.decode import sha256_of
from core.pictures.tiling import Look
from core.records import Region
from models import nets
from models.engine import chosen_device
from models.training.examples import Example
from models.training.loop import Recipe, _batches, step
from models.training.pictures import Pictures
from models.training.sampling import Window, epoch_order, windows_of
from models.training.schedule import optimiser, set_rates, trunk_norms
from models.training.step import LossRule

ARCH = os.environ.get("HOLDPOINT_BENCH_ARCH", "efficientnet_b0")
WIDTH, HEIGHT = 1600, 256
PICTURES = 48
TURNS = int(os.environ.get("HOLDPOINT_BENCH_TURNS", "9"))
RECIPE = Recipe(epochs=12, look=Look(tile=256, stride=128), transplant=0.5)


def _files(folder: Path) -> list[Example]:
    """Steel-like strips as JPEG, every second one with two drawn flaws."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(PICTURES):
        pixels = np.clip(rng.normal(120, 12, (HEIGHT, WIDTH, 1)).repeat(3, 2), 0, 255).astype(np.uint8)
        regions = []
        for x in (200 + 10 * number, 900) if number % 2 == 0 else ():
            cv2.line(pixels, (x, 60), (x + 90, 140), (30, 30, 30), 4)
            regions.append(Region(float(x), 60.0, 92.0, 82.0, "scratch", "SCRATCH"))
        path = folder / f"{number}.jpg"
        cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])
        bad = bool(regions)
        found.append(
            Example(str(path), sha256_of(path.read_bytes()), "train", f"g{number}", bad, WIDTH, HEIGHT, None,
                    ("SCRATCH",) if bad else (), tuple(regions))
        )  # fmt: skip
    return found


def main() -> dict[str, Any]:
    """Milliseconds of a step, and what loading adds."""
    device = torch.device(chosen_device("auto"))
    torch.manual_seed(0)
    net = nets.build(ARCH, ("SCRATCH",), True, "scratch", size=256).to(device).to(memory_format=torch.channels_last)
    net.train()
    for norm in trunk_norms(net):
        norm.eval()
    adam = optimiser(net, RECIPE.schedule)
    set_rates(adam, RECIPE.schedule, 500, 1000)  # all that learns takes part...
    for group in adam.param_groups:
        group["lr"] = 0.0  # ...and stays: batches that are seen again and again would be learned by heart
    with TemporaryDirectory() as place:
        examples = _files(Path(place))
        windows = [windows_of(one, RECIPE.look) for one in examples]
        order = epoch_order(windows, RECIPE.least_windows, np.random.default_rng(0))
        with Reader(Settings(home=Path(place) / "home")) as read:
            kept, unkept = (Pictures(examples, read, net.classes, RECIPE.look, room) for room in (10**9, 0))
            for number in range(len(kept)):
                kept[number]
            ready = list(islice(_batches(kept, order, RECIPE, 0), 4))
            rule = LossRule()
            ways: dict[str, Iterator[list[Window]]] = {
                "cached": cycle(ready),
                "in_memory": _endless(kept, order),
                "from_files": _endless(unkept, order),
            }
            walls: dict[str, list[float]] = {name: [] for name in ways}
            works: dict[str, list[float]] = {name: [] for name in ways}
            for turn in range(TURNS + 1):
                for name in [*ways][turn % 3 :] + [*ways][: turn % 3]:
                    step(net, next(ways[name]), adam, rule, RECIPE, device)  # the next batch is drawn meanwhile
                    began, worked = perf_counter(), process_time()
                    step(net, next(ways[name]), adam, rule, RECIPE, device)
                    if turn:  # the first turn is for warming up
                        walls[name].append(perf_counter() - began)
                        works[name].append(process_time() - worked)
    print(json.dumps({name: [round(1000 * one) for one in found] for name, found in walls.items()}), file=sys.stderr)
    return {
        "arch": ARCH,
        "device": str(device),
        "batch": RECIPE.batch,
        "steps_of_each": TURNS,
        "step_ms": {name: round(1000 * median(found), 1) for name, found in walls.items()},
        "step_processor_ms": {name: round(1000 * median(found), 1) for name, found in works.items()},
        **{f"ratio_{name}": _ratio(walls[name], walls["cached"]) for name in ("in_memory", "from_files")},
        **{f"processor_ratio_{name}": _ratio(works[name], works["cached"]) for name in ("in_memory", "from_files")},
        "promised": 1.1,
    }


def _endless(pictures: Pictures, order: Any) -> Iterator[list[Window]]:
    """Batches of one epoch after the other."""
    for epoch in count():
        yield from _batches(pictures, order, RECIPE, epoch)


def _ratio(mine: list[float], base: list[float]) -> float:
    """Median of the turns' own ratios: whatever else the machine does falls on both sides of each."""
    return round(median(a / b for a, b in zip(mine, base, strict=True)), 3)


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
