"""What a training is worth on real pictures: disjoint folds by group, everything through Holdpoint's own commands.

    python -m tests.benchmarks.bench_real FOLDER [--weights FILE] [--sets NAME ...] [--folds 0 1 2 3] [--seeds 0 1 2]
                                                 [--refit] [--work FOLDER]

FOLDER holds labelled sets, each a folder with an `index.csv`, at any depth; the environment may name it too, as
REAL_PICTURES, and the weights as REAL_WEIGHTS. The groups of a set are divided into four folds once and for all. For
each fold a plant of its own imports the set, trains on the other three (a sixth of them for validation) with the
default recipe, and is measured on the fold, so that every picture is scored once by a model that never saw its
group. `--seeds` are of the training, not of the folds; the last row of a set is the mean over them. What was measured
is kept in the work folder: a run that was stopped goes on.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scipy import stats

from app.jobs.science.datasets import manifest_hash
from app.jobs.science.train import summary
from core.learn import metrics, splits
from core.learn.evaluation import Judged
from core.learn.metrics import Interval
from core.learn.metrics.proportions import binomial_interval

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
        return run(Path(place), Path(work), os.environ.get("REAL_WEIGHTS"), list(SETS), range(FOLDS), (0, 1, 2))


def run(
    source: Path,
    work: Path,
    weights: str | None,
    names: Sequence[str],
    folds: Sequence[int],
    seeds: Sequence[int] = (0,),
    refit: bool = False,
) -> dict[str, Any]:
    """Measure, and return by set and seed what each fold gave and what all of them give together."""
    found: dict[str, Any] = {}
    for name in names:
        index = next(iter(sorted(source.glob(f"**/{name}/index.csv"))), None)
        if index is None:
            found[name] = {"skipped": f"There is no {name}/index.csv in the folder."}
            continue
        found[name] = {"seeds": {}}
        for seed in seeds:
            homes = {fold: work / f"{name}-{fold}-seed{seed}{'-refit' if refit else ''}" for fold in folds}
            measured = [fold_of(index, home, fold, weights, seed, refit) for fold, home in homes.items()]
            found[name]["seeds"][seed] = {"folds": measured, "together": together(measured)}
            print("\n".join(table(name, found[name]["seeds"][seed], seed)), file=sys.stderr, flush=True)
        over = means([one["folds"] for one in found[name]["seeds"].values()])
        print(mean_row(name, over), file=sys.stderr, flush=True)
        found[name]["means"] = {key: asdict(one) for key, one in over.items()}
    return found


def fold_of(index: Path, home: Path, fold: int, weights: str | None, seed: int, refit: bool = False) -> dict[str, Any]:
    """Import, divide, train and measure in a plant of its own; read where it was done before."""
    kept = home / "measured.json"
    if kept.exists():
        return json.loads(kept.read_text())  # type: ignore[no-any-return]
    home.mkdir(parents=True, exist_ok=True)
    holdpoint(home, "import", str(index), "--site", "real", "--taxonomy", "own")
    holdpoint(home, "dataset", "build", "all", "--keep", "part")  # the folds were made before look-alikes were known
    frozen = freeze(home / "datasets", fold)
    before = minutes()
    options = [*(["--weights", weights] if weights else []), *(["--refit"] if refit else [])]
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


@dataclass(frozen=True)
class Mean:
    """A figure over folds and seeds.

    Attributes:
        value: mean over the folds of a seed, and then over the seeds.
        seeds: the mean of each seed's folds; how far apart they lie is what chance in training does.
        interval: 95%, of other groups of the same kind; None where that cannot be said.
    """

    value: float
    seeds: tuple[float, ...]
    interval: Interval | None


def means(by_seed: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Mean]:
    """AUROC by picture and by part, and pointing, over the folds of every seed; without what a fold cannot say.

    The AUROC's interval is a jackknife over groups, each left out of its fold in all seeds at once, with Student's t
    and on log-odds (Efron and Stein 1981; strata as in Shao and Tu 1995, section 6.2). Pointing's is that of as many
    independent pictures as were pointed at once.
    """
    found = {}
    for key, score in SCORES.items():
        per_seed = [mean_of_folds(folds, score) for folds in by_seed]
        known = [v for v in per_seed if v is not None]
        if len(known) == len(per_seed) and known:
            value = sum(known) / len(known)
            if key == "pointing_game":
                pointed = sum(row["pointed"] is not None for fold in by_seed[0] for row in fold["pictures"])
                between: Interval | None = binomial_interval(value * pointed, pointed)
            else:
                between = jackknife(by_seed, score, value)
            found[key] = Mean(value, tuple(known), between)
    return found


def jackknife(
    by_seed: Sequence[Sequence[Mapping[str, Any]]], score: Callable[[Sequence[Mapping[str, Any]]], float | None],
    value: float,
) -> Interval | None:  # fmt: skip
    """Between which means of other groups would lie; None at the ends, and where a fold hangs on one group."""
    groups = [sorted({row["group"] for row in fold["pictures"]}) for fold in by_seed[0]]
    freedom = sum(len(one) - 1 for one in groups)
    if not 0 < value < 1 or freedom < 1 or min(map(len, groups)) < 2:
        return None
    variance = 0.0
    for at, names in enumerate(groups):
        without = []
        for name in names:
            each = [mean_of_folds(_left(folds, at, name), score) for folds in by_seed]
            if any(v is None for v in each):
                return None
            without.append(_log_odds(sum(v for v in each if v is not None) / len(each)))
        middle = sum(without) / len(without)
        variance += (len(without) - 1) / len(without) * sum((v - middle) ** 2 for v in without)
    reach = float(stats.t.ppf(0.975, freedom)) * math.sqrt(variance)
    return Interval(*(1 / (1 + math.exp(-_log_odds(value) - side)) for side in (-reach, reach)))


def _left(folds: Sequence[Mapping[str, Any]], at: int, group: str) -> list[Mapping[str, Any]]:
    """The folds of a seed without one group of fold number `at`."""
    rows = [row for row in folds[at]["pictures"] if row["group"] != group]
    return [{"pictures": rows} if n == at else fold for n, fold in enumerate(folds)]


def _log_odds(share: float) -> float:
    kept = min(max(share, 1e-3), 1 - 1e-3)
    return math.log(kept / (1 - kept))


def mean_of_folds(
    folds: Sequence[Mapping[str, Any]], score: Callable[[Sequence[Mapping[str, Any]]], float | None]
) -> float | None:
    """None where a fold cannot be scored."""
    found = [score(fold["pictures"]) for fold in folds]
    return None if any(v is None for v in found) else mean(found)


def by_picture(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """AUROC of pictures."""
    return metrics.auroc([row["score"] for row in rows], [row["defective"] for row in rows])


def by_part(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """AUROC of groups, their pictures being exposures of one view."""
    groups = [row["group"] for row in rows]
    parts = metrics.by_group(
        [row["score"] for row in rows], [row["defective"] for row in rows], groups, None, frozenset(groups)
    )
    return metrics.auroc(parts.scores, parts.defective)


def pointing(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Share of the drawn pictures whose hottest spot lies on what was drawn."""
    return mean([None if row["pointed"] is None else float(row["pointed"]) for row in rows])


SCORES = {"auroc": by_picture, "part_auroc": by_part, "pointing_game": pointing}


def mean_row(name: str, found: Mapping[str, Mean]) -> str:
    """The README's row of a set over all seeds."""
    claims = SETS[name]
    claimed = {"auroc": claims.scores, "part_auroc": claims.parts, "pointing_game": True}
    return f"| {name} | {' | '.join(told(found.get(key)) if yes else '–' for key, yes in claimed.items())} |"


def told(one: Mean | None) -> str:
    """A mean with its interval, and what each seed gave."""
    if one is None:
        return "–"
    between = f" ({one.interval.low:.2f}–{one.interval.high:.2f})" if one.interval else ""
    return f"{one.value:.2f}{between}; {', '.join(f'{v:.2f}' for v in one.seeds)}"


def mean(values: Sequence[float | None]) -> float | None:
    """Of those that there are."""
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def table(name: str, found: Mapping[str, Any], seed: int) -> list[str]:
    """The rows of one set and seed: each fold, their mean, and all of them together."""
    claims = SETS[name]
    rows = [
        row(
            (name, f"{one['fold']}, seed {seed}"),
            one["evaluation"],
            one["groups"],
            claims,
            f"{one['best_epoch']} of {one['epochs']}",
            f"{one['minutes']:.1f}",
        )
        for one in found["folds"]
    ]
    whole = found["together"]
    averages = [number(whole[f"mean_{key}"]) for key in ("auroc", "part_auroc", "pointing_game")]
    shown = (averages[0] if claims.scores else "confounded", averages[1] if claims.parts else "–")
    rows.append(f"| {name} | mean | | | | {shown[0]} | {shown[1]} | | {averages[2]} | |")
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
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--refit", action="store_true", help="train once more on the validation pictures too")
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        print(f"{asked.folder} is no folder of labelled sets: real pictures were not measured.", file=sys.stderr)
        sys.exit(0)
    place = asked.work or Path(tempfile.mkdtemp(prefix="real-pictures-"))
    done = run(asked.folder, place, asked.weights, asked.sets, asked.folds, asked.seeds, asked.refit)
    print(json.dumps(done, indent=1))
