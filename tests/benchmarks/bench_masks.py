"""What outlines are worth on real pictures: a detector with a mask head, trained and measured on groups it never saw.

    python -m tests.benchmarks.bench_masks FOLDER --work FOLDER [--weights FILE] [--set magnetic_tile] [--folds 0]
                                                  [--seeds 0] [--minutes 14]

FOLDER holds the set, a folder with an `index.csv` that names masks, at any depth; REAL_PICTURES and REAL_WEIGHTS may
name both. The groups are divided into the four folds of `bench_real`, a sixth of the rest chooses epoch and thresholds.
Minutes are of the processor. Three figures have aims: the macro F1 of the classes, where a picture is of the class of
its surest box and good without one; how often the surest box's middle lies in a drawn box; and F1 over the pixels.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.jobs.science.detectors.training import opened, train_detector
from app.jobs.science.detectors.trial import Pass, detector_pass, evaluate_detector, known_places
from app.jobs.science.learning import Reader, examples_of, manifest_of
from app.jobs.science.train import INTERVAL_SEED
from app.settings import Settings
from core.learn.metrics import proportion_interval
from core.learn.over_groups import Floats64, interval, listed
from tests.benchmarks.bench_real import ARCH, FOLDS, freeze, holdpoint

SET = "magnetic_tile"
AIMS = {"macro_f1": 0.62, "pointing": 0.85, "pixel_f1": 0.55}
GOOD = "good"


def main() -> dict[str, Any]:
    """One fold of the set below REAL_PICTURES; a sentence where there is none."""
    place = os.environ.get("REAL_PICTURES", "")
    if not place or not Path(place).is_dir():
        return {"skipped": "REAL_PICTURES names no folder of labelled sets: outlines were not measured."}
    import tempfile

    with tempfile.TemporaryDirectory() as work:
        return run(Path(place), Path(work), os.environ.get("REAL_WEIGHTS"), SET, [0], [0], 14.0)


def run(
    source: Path, work: Path, weights: str | None, name: str, folds: Sequence[int], seeds: Sequence[int],
    minutes: float,
) -> dict[str, Any]:  # fmt: skip
    """Measure each fold and seed; a set that is not there says so."""
    index = next(iter(sorted(source.glob(f"**/{name}/index.csv"))), None)
    if index is None:
        return {"skipped": f"There is no {name}/index.csv in the folder."}
    measured = [
        fold_of(index, work / f"{name}-{fold}-masks-seed{seed}", fold, weights, seed, minutes)
        for fold in folds
        for seed in seeds
    ]
    return {"aims": AIMS, "minutes": minutes, "folds": measured}


def fold_of(index: Path, home: Path, fold: int, weights: str | None, seed: int, minutes: float) -> dict[str, Any]:
    """Import, divide, train and measure in a plant of its own; read where it was done before."""
    kept = home / "measured.json"
    if kept.exists():
        return json.loads(kept.read_text())  # type: ignore[no-any-return]
    home.mkdir(parents=True, exist_ok=True)
    frozen = f"fold-{fold}"
    if not (home / "datasets" / f"{frozen}.json").exists():
        holdpoint(home, "import", str(index), "--site", "real", "--taxonomy", "own")
        holdpoint(home, "dataset", "build", "all", "--keep", "part")
        freeze(home / "datasets", fold)
    current = Settings(home=home, offline=True, device="cpu")

    def say(done: int, total: int, message: str) -> None:
        print(f"{index.parent.name} {fold}: {message}", file=sys.stderr, flush=True)

    if not (current.models / "detector").exists():
        train_detector(
            None, current, frozen, ARCH, weights, epochs=80, minutes=minutes, seed=seed, name="detector", masks=True,
            progress=say,
        )  # fmt: skip
    document = evaluate_detector(None, current, "detector", frozen, "test", progress=say)
    engine = opened(None, current, "detector")
    examples = known_places(examples_of(manifest_of(None, current, frozen), "test"))
    with Reader(current) as read:
        seen = detector_pass(engine, examples, read, {}, say)
    groups = [e.part or e.group for e in examples]
    true = [e.classes[0] if e.classes else GOOD for e in examples]
    said = named(seen, engine.card.classes, engine.card.threshold)
    pointed = [one for one in seen.pointed if one is not None]
    bounds = proportion_interval(sum(pointed), len(pointed))
    result = {
        "fold": fold,
        "seed": seed,
        "images": len(examples),
        "groups": len(set(groups)),
        "macro_f1": macro_f1(true, said)(np.ones(len(true))),
        "macro_f1_interval": listed(interval(groups, macro_f1(true, said), np.random.default_rng(INTERVAL_SEED))),
        "of_class": {name: true.count(name) for name in sorted(set(true))},
        "pointing": sum(pointed) / len(pointed) if pointed else None,
        "pointing_interval": None if bounds is None else [bounds.low, bounds.high],
        "pointed_pictures": len(pointed),
        "cpu_minutes": engine.card.training["cpu_seconds"] / 60,
        "epochs": len(engine.card.training["history"]),
        "best_epoch": engine.card.training["best_epoch"],
        "validation": dict(engine.card.metrics),
        "evaluation": document,
    }
    kept.write_text(json.dumps(result, indent=1))
    return result


def named(seen: Pass, classes: Sequence[str], threshold: float) -> list[str]:
    """The class of each picture: that of its surest box, and good where none is sure enough."""
    found = []
    for one in seen.ranked:
        best = int(one.scores.argmax()) if len(one.scores) else -1
        found.append(GOOD if best < 0 or one.scores[best] < threshold else classes[int(one.classes[best])])
    return found


def macro_f1(true: Sequence[str], said: Sequence[str]) -> Callable[[Floats64], float | None]:
    """Mean F1 of the classes that there are, from how often each picture counts."""
    names = sorted(set(true))
    hit = np.array([[t == s == name for name in names] for t, s in zip(true, said, strict=True)], np.float64)
    there = np.array([[t == name for name in names] for t in true], np.float64)
    found = np.array([[s == name for name in names] for s in said], np.float64)

    def mean(weights: Floats64) -> float | None:
        drawn = weights @ there
        both = drawn + weights @ found
        known = drawn > 0
        return float(np.mean(2 * (weights @ hit)[known] / both[known])) if known.any() else None

    return mean


def told(result: Mapping[str, Any]) -> str:
    """The figures with aims, in a line."""
    masks = result["evaluation"]["masks"]
    rows = {
        "macro F1": (result["macro_f1"], result["macro_f1_interval"]),
        "pointing": (result["pointing"], result["pointing_interval"]),
        "pixel F1": (masks["pixels"]["f1"], masks["pixels"]["f1_interval"]),
        "pixel F1, mean of pictures": (masks["pixels"]["f1_by_picture"], masks["pixels"]["f1_by_picture_interval"]),
    }
    return "; ".join(
        f"{name} {value:.2f}" + (f" ({bounds[0]:.2f}–{bounds[1]:.2f})" if bounds else "")
        for name, (value, bounds) in rows.items()
        if value is not None
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--weights", default=os.environ.get("REAL_WEIGHTS"))
    parser.add_argument("--set", default=SET)
    parser.add_argument("--folds", nargs="+", type=int, choices=range(FOLDS), default=[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--minutes", type=float, default=14.0)
    given = parser.parse_args()
    done = run(given.folder, given.work, given.weights, given.set, given.folds, given.seeds, given.minutes)
    for one in done.get("folds", ()):
        print(f"fold {one['fold']}, seed {one['seed']}: {told(one)}", file=sys.stderr)
    print(json.dumps(done, indent=1))
