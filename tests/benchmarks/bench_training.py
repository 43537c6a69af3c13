"""Whether loading starves training: a step with real loading beside the same step on windows that lie in memory.

The same net takes the same kind of batches in turns: windows drawn beforehand; windows cut while it trains from
pictures that were decoded once; windows cut while it trains from files that are decoded anew each time, as with a set
that memory does not hold. In each turn every way takes two steps, of which the second counts: while the first was
taken, the second's batch was drawn.

Beside other work the wall says nothing, so what counts is the processor's time, of this process and of the decoders:
each turn's ratio to the cached step of the same turn, its median, and a 95% interval over turns. Where everything runs
on the processor that is the most a step can be held up, for what loads cannot compute; on a card the wall counts, too.
What drawing a batch costs by itself is measured besides.
"""

import json
import os
import sys
from collections.abc import Iterator
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, thread_time
from typing import Any

import cv2
import numpy as np
import psutil
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
from models.training.sampling import Window, draw, epoch_order, windows_of
from models.training.schedule import optimiser, set_rates, trunk_norms
from models.training.step import LossRule

ARCH = os.environ.get("HOLDPOINT_BENCH_ARCH", "efficientnet_b0")
WIDTH, HEIGHT = 1600, 256
PICTURES = 48
TURNS = int(os.environ.get("HOLDPOINT_BENCH_TURNS", "9"))
BATCH = int(os.environ.get("HOLDPOINT_BENCH_BATCH", "4"))  # short steps, so that turns lie close together
RECIPE = Recipe(epochs=12, batch=BATCH, look=Look(tile=256, stride=128), transplant=0.5)


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
                    began, worked = perf_counter(), _processor()
                    step(net, next(ways[name]), adam, rule, RECIPE, device)
                    if turn:  # the first turn is for warming up
                        walls[name].append(perf_counter() - began)
                        works[name].append(_processor() - worked)
            drawing = [_drawing(kept, order, turn) for turn in range(TURNS)]
    print(json.dumps({name: [round(1000 * one) for one in found] for name, found in walls.items()}), file=sys.stderr)
    return {
        "arch": ARCH,
        "device": str(device),
        "batch": RECIPE.batch,
        "steps_of_each": TURNS,
        "step_ms": {name: round(1000 * median(found), 1) for name, found in walls.items()},
        "step_processor_ms": {name: round(1000 * median(found), 1) for name, found in works.items()},
        "drawing_a_batch_processor_ms": round(1000 * median(drawing), 1),
        **{f"ratio_{name}": _ratio(walls[name], walls["cached"]) for name in ("in_memory", "from_files")},
        **{f"processor_ratio_{name}": _ratio(works[name], works["cached"]) for name in ("in_memory", "from_files")},
        **{
            f"processor_ratio_interval_{name}": _interval(works[name], works["cached"])
            for name in ("in_memory", "from_files")
        },
        "load_of_the_machine": [round(one, 2) for one in os.getloadavg()],
        "promised": 1.1,
    }


def _endless(pictures: Pictures, order: Any) -> Iterator[list[Window]]:
    """Batches of one epoch after the other."""
    for epoch in count():
        yield from _batches(pictures, order, RECIPE, epoch)


def _processor() -> float:
    """Seconds of the processor that this process and the decoders it started have taken."""
    children = psutil.Process().children(recursive=True)
    return process_time() + sum(sum(one.cpu_times()[:2]) for one in children)


def _drawing(pictures: Pictures, order: Any, turn: int) -> float:
    """Processor seconds that one batch takes by itself, drawn in this thread from pictures in memory."""
    rng = np.random.default_rng(turn)
    began = thread_time()
    for number in order[turn * RECIPE.batch : (turn + 1) * RECIPE.batch].tolist():
        draw(pictures[number], RECIPE.look.tile, RECIPE.rule, RECIPE.augmentation, rng)
    return thread_time() - began


def _interval(mine: list[float], base: list[float]) -> list[float]:
    """95% of the medians of turns that are drawn anew."""
    ratios = np.array(mine) / np.array(base)
    rng = np.random.default_rng(0)
    medians = np.median(ratios[rng.integers(0, len(ratios), (2000, len(ratios)))], axis=1)
    return [round(float(one), 3) for one in np.quantile(medians, [0.025, 0.975])]


def _ratio(mine: list[float], base: list[float]) -> float:
    """Median of the turns' own ratios: whatever else the machine does falls on both sides of each."""
    return round(median(a / b for a, b in zip(mine, base, strict=True)), 3)


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
