"""What a training is worth on real pictures: disjoint folds by group, everything through Holdpoint's own commands.

    python -m tests.benchmarks.bench_real FOLDER [--weights FILE] [--sets NAME ...] [--folds 0 1 2 3] [--work FOLDER]

FOLDER holds labelled sets, each a folder with an `index.csv`, at any depth; the environment may name it too, as
REAL_PICTURES, and the weights as REAL_WEIGHTS. The groups of a set are divided into four folds once and for all. For
each fold a plant of its own imports the set, trains on the other three (a sixth of them for validation) with the
default recipe, and is measured on the fold, so that every picture is scored once by a model that never saw its
group. `--seed` is of the training, not of the folds. What was measured is kept in the work folder: a run that was
stopped goes on.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.jobs.science.datasets import manifest_hash
from app.jobs.science.train import summary
from core.learn import splits
from core.learn.evaluation import Judged

FOLDS, FOLDS_SEED = 4, 7
CHECKOUT = Path(__file__).resolve().parents[2]
ARCH = "mobilenetv2_100"


@dataclass(frozen=True)
class Claims:
    """What may be claimed of a set.

    Attributes:
        scores: its good and defective pictures differ in nothing but the defect, so that scores mean something.
        parts: its groups are parts, and the pictures of one are exposures of it.
    """

    scores: bool = True
    parts: bool = False


SETS = {
    "magnetic_tile": Claims(parts=True),
    "elpv": Claims(),
    "bsdata": Claims(scores=False),  # the good pictures are the early ones: an untrained net tells them apart
}


def main() -> dict[str, Any]:
    """All sets below REAL_PICTURES; a sentence where there are none."""
    place = os.environ.get("REAL_PICTURES", "")
    if not place or not Path(place).is_dir():
        return {"skipped": "REAL_PICTURES names no folder of labelled sets: real pictures were not measured."}
    with tempfile.TemporaryDirectory() as work:
        return run(Path(place), Path(work), os.environ.get("REAL_WEIGHTS"), list(SETS), range(FOLDS))


def run(
    source: Path, work: Path, weights: str | None, names: Sequence[str], folds: Sequence[int], seed: int = 0
) -> dict[str, Any]:
    """Measure, and return by set what each fold gave and what all of them give together."""
    found: dict[str, Any] = {}
    for name in names:
        index = next(iter(sorted(source.glob(f"**/{name}/index.csv"))), None)
        if index is None:
            found[name] = {"skipped": f"There is no {name}/index.csv in the folder."}
            continue
        measured = [fold_of(index, work / f"{name}-{fold}-seed{seed}", fold, weights, seed) for fold in folds]
        found[name] = {"folds": measured, "together": together(measured)}
        print("\n".join(table(name, found[name])), file=sys.stderr, flush=True)
    return found


def fold_of(index: Path, home: Path, fold: int, weights: str | None, seed: int) -> dict[str, Any]:
    """Import, divide, train and measure in a plant of its own; read where it was done before."""
    kept = home / "measured.json"
    if kept.exists():
        return json.loads(kept.read_text())  # type: ignore[no-any-return]
    home.mkdir(parents=True, exist_ok=True)
    holdpoint(home, "import", str(index), "--site", "real", "--taxonomy", "own")
    holdpoint(home, "dataset", "build", "all", "--keep", "part")  # the folds were made before look-alikes were known
    frozen = freeze(home / "datasets", fold)
    before = minutes()
    options = ["--weights", weights] if weights else []
    trained = holdpoint(
        home, "train", "--dataset", frozen, "--arch", ARCH, "--seed", str(seed), "--name", "model", *options
    )
    spent = minutes() - before
    document = holdpoint(home, "evaluate", "--model", "model", "--dataset", frozen)
    rows = json.loads(Path(document["report"]).with_suffix(".json").read_text())["pictures"]
    measured = {
        "fold": fold,
        "seed": seed,
        "groups": len({row["group"] for row in rows}),
        "best_epoch": trained["best_epoch"],
        "epochs": trained["epochs"],
        "minutes": round(spent, 2),
        "validation": {key: trained["metrics"].get(key) for key in ("auroc", "part_auroc", "log_loss")},
        "evaluation": document,
        "pictures": rows,
    }
    kept.write_text(json.dumps(measured))
    return measured


def freeze(datasets: Path, fold: int) -> str:
    """Write the dataset of one fold beside the one of everything; the folds never change with anything else."""
    manifest = json.loads((datasets / "all.json").read_text())
    items = manifest["items"]
    kinds = [set(i["classes"]) or {"defective" if i["defective"] else "good"} for i in items]
    groups = [i["group"] for i in items]
    folds = splits.split_groups(groups, kinds, {str(f): 1 / FOLDS for f in range(FOLDS)}, FOLDS_SEED)
    rest = [n for n, group in enumerate(groups) if folds[group] != str(fold)]
    shares = {"train": 5 / 6, "val": 1 / 6}
    sides = splits.split_groups([groups[n] for n in rest], [kinds[n] for n in rest], shares, FOLDS_SEED + fold)
    name = f"fold-{fold}"
    manifest |= {
        "name": name,
        "certificate": {},  # that of the other division says nothing of this one
        "items": [{**i, "split": sides.get(i["group"], "test")} for i in items],
    }
    manifest["hash"] = manifest_hash(manifest)
    (datasets / f"{name}.json").write_text(json.dumps(manifest))
    return name


def holdpoint(home: Path, *arguments: str) -> dict[str, Any]:
    """Run one command and read its document."""
    environment = {**os.environ, "HOLDPOINT_HOME": str(home), "HOLDPOINT_OFFLINE": "1"}
    command = [sys.executable, "-m", "app.cli", *arguments, "--json"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def minutes() -> float:
    """Processor time of all commands that have ended, in minutes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) / 60


def together(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All folds as one: each picture with the calibrated score of the model that had not seen its group."""
    judged = [
        Judged(row["file"], row["group"], row["defective"], tuple(row["classes"]), row["score"], pointed=row["pointed"])
        for one in measured
        for row in one["pictures"]
    ]
    found = summary(judged, (), frozenset(j.group for j in judged))
    scored = [one["evaluation"] for one in measured]
    return {
        **{key: found[key] for key in SHOWN},
        "mean_auroc": mean([one["auroc"] for one in scored]),
        "mean_part_auroc": mean([one["part_auroc"] for one in scored]),
        "mean_pointing_game": mean([one["pointing_game"] for one in scored]),
    }


SHOWN = (
    "images",
    "defective",
    "parts",
    "auroc",
    "auroc_interval",
    "part_auroc",
    "part_auroc_interval",
    "recall_at_5_percent_frr",
    "recall_at_5_percent_frr_interval",
    "pointing_game",
    "pointing_game_interval",
    "flag_all",
)


def mean(values: Sequence[float | None]) -> float | None:
    """Of those that there are."""
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def table(name: str, found: Mapping[str, Any]) -> list[str]:
    """The README's rows of one set: each fold, their mean, and all of them together."""
    claims = SETS[name]
    rows = [
        row(
            (name, str(one["fold"])),
            one["evaluation"],
            one["groups"],
            claims,
            f"{one['best_epoch']} of {one['epochs']}",
            f"{one['minutes']:.1f}",
        )
        for one in found["folds"]
    ]
    whole = found["together"]
    means = [number(whole[f"mean_{key}"]) for key in ("auroc", "part_auroc", "pointing_game")]
    shown = (means[0] if claims.scores else "confounded", means[1] if claims.parts else "–")
    rows.append(f"| {name} | mean | | | | {shown[0]} | {shown[1]} | | {means[2]} | |")
    rows.append(row((name, "together"), whole, whole["parts"], claims, "", ""))
    return rows


def row(
    names: tuple[str, str], document: Mapping[str, Any], groups: int, claims: Claims, epoch: str, spent: str
) -> str:
    """One row."""
    confounded = "confounded"
    cells = [
        *names,
        f"{document['images']} ({document['defective']}), {groups}",
        epoch,
        spent,
        ranged(document, "auroc") if claims.scores else confounded,
        ranged(document, "part_auroc") if claims.parts else "–",
        ranged(document, "recall_at_5_percent_frr") if claims.scores else confounded,
        ranged(document, "pointing_game"),
        number(document["flag_all"]["f2"]),
    ]
    return f"| {' | '.join(cells)} |"


def ranged(document: Mapping[str, Any], key: str) -> str:
    """A number with its interval where one is claimed."""
    between = document.get(f"{key}_interval")
    return number(document[key]) + (f" ({between[0]:.2f}–{between[1]:.2f})" if between else "")


def number(value: float | None) -> str:
    """Two digits, or a dash."""
    return "–" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--folds", nargs="+", type=int, choices=range(FOLDS), default=list(range(FOLDS)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        print(f"{asked.folder} is no folder of labelled sets: real pictures were not measured.", file=sys.stderr)
        sys.exit(0)
    place = asked.work or Path(tempfile.mkdtemp(prefix="real-pictures-"))
    print(json.dumps(run(asked.folder, place, asked.weights, asked.sets, asked.folds, asked.seed), indent=1))
