"""What a detector is worth on real pictures: trained and measured by Holdpoint's own jobs, on groups it never saw.

    python -m tests.benchmarks.bench_detector FOLDER --weights FILE [--sets deeppcb neu_det] [--minutes 8] [--seed 0]

FOLDER holds the sets, each a folder with an `index.csv`, at any depth; REAL_PICTURES and REAL_WEIGHTS may name both.
PCBs: the boards of two groups are for the test and those of a third choose the threshold; a picture whose template is
there gets it beside it. NEU: the set's own division, of whose training part a sixth chooses the threshold. Minutes are
of the processor. What was measured is kept in the work folder.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.jobs.science.datasets import manifest_hash
from app.jobs.science.detectors.training import train_detector
from app.jobs.science.detectors.trial import evaluate_detector
from app.settings import Settings

ARCH = "mobilenetv2_100"
SETS = ("deeppcb", "neu_det")
PCB_TEST, PCB_VAL = ("group13000", "group77000"), ("group44000",)
AIMS = {"deeppcb": "F at IoU 0.33: class right 0.92, ignored 0.95", "neu_det": "mAP at IoU 0.5: 0.55"}


def main() -> dict[str, Any]:
    """Both sets below REAL_PICTURES; a sentence where there are none."""
    place = os.environ.get("REAL_PICTURES", "")
    if not place or not Path(place).is_dir():
        return {"skipped": "REAL_PICTURES names no folder of labelled sets: detectors were not measured."}
    import tempfile

    with tempfile.TemporaryDirectory() as work:
        return run(Path(place), Path(work), os.environ.get("REAL_WEIGHTS"), SETS, 15.0, 0)


def run(source: Path, work: Path, weights: str | None, names: Any, minutes: float, seed: int) -> dict[str, Any]:
    """Measure each set; one that is not there says so."""
    found: dict[str, Any] = {}
    for name in names:
        index = next(iter(sorted(source.glob(f"**/{name}/index.csv"))), None)
        found[name] = (
            {"skipped": f"There is no {name}/index.csv in the folder."}
            if index is None
            else measured(index, work / f"{name}-seed{seed}", weights, minutes, seed)
        )
    return found


def measured(index: Path, home: Path, weights: str | None, minutes: float, seed: int) -> dict[str, Any]:
    """Freeze the set as a dataset, train, measure; read where it was done before."""
    kept = home / "measured.json"
    if kept.exists():
        return json.loads(kept.read_text())  # type: ignore[no-any-return]
    name = index.parent.name
    current = Settings(home=home, offline=True, device="cpu")
    pairs = freeze(index, home, name)

    def say(done: int, total: int, message: str) -> None:
        print(f"{name}: {message}", file=sys.stderr, flush=True)

    called = f"{name}-boxes"
    trained: Mapping[str, Any] = {}
    if not (current.models / called).exists():
        trained = train_detector(
            None, current, name, ARCH, weights, epochs=60, minutes=minutes, seed=seed, name=called,
            templates=pairs, progress=say,
        )  # fmt: skip
    document = evaluate_detector(None, current, called, name, "test", templates=pairs, progress=say)
    result = {"aim": AIMS[name], "seed": seed, "minutes": minutes, "trained": dict(trained), "evaluation": document}
    kept.write_text(json.dumps(result, indent=1))
    return result


def freeze(index: Path, home: Path, name: str) -> Path | None:
    """Write the dataset and, where the set has templates, which picture has which; good pictures are left to them."""
    items, pairs = [], []
    with index.open(newline="") as file:
        rows = list(csv.DictReader(file))
    files = {row["file"] for row in rows}
    for row in rows:
        path = index.parent / row["file"]
        boxes = json.loads(row["boxes"] or "[]")
        items.append(
            {
                "path": str(path),
                "sha256": sha256(path.read_bytes()).hexdigest(),
                "split": side(name, row),
                "group": row["file"],  # each picture by itself: intervals are over pictures
                "defective": bool(boxes),
                "classes": sorted({box[4] for box in boxes}),
                "regions": [
                    {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1, "name": kind, "class_id": kind}
                    for x1, y1, x2, y2, kind in boxes
                ],
                "width": int(row["width"]),
                "height": int(row["height"]),
            }
        )
        other = row["file"].replace("_test", "_temp")
        if other != row["file"] and other in files:
            pairs.append((str(path), str(index.parent / other)))
    if name == "deeppcb":  # a template in the test part would be a picture without a box, easily right
        items = [item for item in items if item["split"] == "train" or item["defective"]]
    classes = sorted({c for item in items for c in item["classes"]})
    manifest: dict[str, Any] = {"name": name, "classes": classes, "items": items}
    manifest["hash"] = manifest_hash(manifest)
    (home / "datasets").mkdir(parents=True, exist_ok=True)
    (home / "datasets" / f"{name}.json").write_text(json.dumps(manifest))
    if not pairs:
        return None
    table = home / "templates.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("file", "template"), *pairs])
    return table


def side(name: str, row: Mapping[str, str]) -> str:
    """Which part of the dataset a picture belongs to."""
    if name == "deeppcb":
        return "test" if row["group"] in PCB_TEST else "val" if row["group"] in PCB_VAL else "train"
    if row["split"] == "val":
        return "test"
    return "val" if int(sha256(row["group"].encode()).hexdigest(), 16) % 6 == 0 else "train"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", default=os.environ.get("REAL_WEIGHTS"))
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    print(json.dumps(run(given.folder, given.work, given.weights, given.sets, given.minutes, given.seed), indent=1))
