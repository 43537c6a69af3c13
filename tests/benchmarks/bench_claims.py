"""Claims of damage against labelled pictures: how often a false one is confirmed by a model's word alone.

True and false claims are made from the labels of pictures that the model has not learnt from, with and without a place.
Parts are divided in two by a hash of their names: limits are set on one half and measured on the other. One part counts
once, whatever was claimed of it; the figures by claim stand beside it and take claims about one part for independent.

The demo plant's models are measured on pictures drawn for this (`HOLDPOINT_BENCH_PICTURES` of each, 1600). With
`HOLDPOINT_BENCH_HOMES`, a list of homes with a model and a dataset `fold-*` (as `bench_real` leaves them), separated by
colons, the test parts of each set are measured, too: all folds of a set together, though their models differ. What is
made under `HOLDPOINT_BENCH_WORK` is used again by a later run.
"""

import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.jobs.demo.checkpoint import draw_dataset
from app.jobs.intake.line import decoders, open_model
from app.settings import Settings, settings
from core.errors import Unreadable
from core.records import Label, LabelStatus, Prediction, Region, Verdict
from core.words.claims.constructing import constructed
from core.words.claims.limits import Constructed, calibrate, measure
from core.words.claims.promised import CONFIDENCE, RATE
from core.words.claims.records import Seen
from data.demo.plant import BOX_MODEL, METAL_MODEL

PICTURES = int(os.environ.get("HOLDPOINT_BENCH_PICTURES", "1600"))
SEED = 20261122
AT_ONCE = 16
BLOCK = 100  # pictures that are drawn and scored at once


def main() -> dict[str, Any]:
    """Figures of the shipped models and, where homes are named, of real sets."""
    found: dict[str, Any] = {"rate": RATE, "confidence": CONFIDENCE, "drawn_pictures": PICTURES}
    by_set: dict[str, list[Constructed]] = defaultdict(list)
    for home in filter(None, os.environ.get("HOLDPOINT_BENCH_HOMES", "").split(":")):
        name = Path(home).name
        by_set[name.rpartition("-seed")[0].rpartition("-")[0]] += kept(name, partial(claims_of_home, Path(home)))
    for model in (METAL_MODEL, BOX_MODEL):
        for block in range(0, PICTURES, BLOCK):
            by_set[model] += kept(f"{model}-{block}", partial(claims_of_block, model, SEED + block))
    return found | {name: figures(some) for name, some in by_set.items()}


def kept(name: str, make: Callable[[], Iterator[Constructed]]) -> list[Constructed]:
    """The same claims again where an earlier run that was ended has made them already."""
    work = os.environ.get("HOLDPOINT_BENCH_WORK")
    place = Path(work) / f"claims-{name}.json" if work else None
    if place is not None and place.exists():
        return [Constructed(**one) for one in json.loads(place.read_text())]
    made = [replace(one, unit=f"{name} {one.unit}") for one in make()]
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps([asdict(one) for one in made]))
    return made


def claims_of_block(model: str, seed: int) -> Iterator[Constructed]:
    """About parts that are drawn for it."""
    with tempfile.TemporaryDirectory() as folder:
        here = settings().model_copy(update={"home": Path(folder)})
        manifest = draw_dataset(here.home, model, BLOCK, seed, splits=(("test", 1.0),))
        yield from claims_of(here, model, manifest["items"], manifest["classes"])


def claims_of_home(home: Path) -> Iterator[Constructed]:
    """About the test parts of a home's one fold."""
    here = settings().model_copy(update={"home": home})
    (file,) = sorted((home / "datasets").glob("fold-*.json"))
    manifest = json.loads(file.read_text())
    items = [one for one in manifest["items"] if one["split"] == "test"]
    yield from claims_of(here, "model", items, manifest["classes"])


def claims_of(
    here: Settings, model: str, items: Sequence[Mapping[str, Any]], classes: Sequence[str]
) -> Iterator[Constructed]:
    """Every claim about labelled parts, with the strength of the model's word."""
    engine = open_model(None, here, model)
    parts: dict[str, list[Seen]] = defaultdict(list)
    with decoders(here) as pool:
        for start in range(0, len(items), AT_ONCE):
            some = items[start : start + AT_ONCE]
            reads = list(pool.decode(Path(str(one["path"])) for one in some))
            good = [(one, read) for one, read in zip(some, reads, strict=True) if not isinstance(read, Unreadable)]
            said = engine.score([read.decoded.pixels for _, read in good])
            for (one, _), prediction in zip(good, said, strict=True):
                mine = parts[str(one.get("part") or one["group"])]
                mine.append(_seen(len(mine), one, prediction))
            print(f"{model}: {start + len(some)} of {len(items)}", file=sys.stderr)
    for unit, seen in parts.items():
        yield from constructed(unit, seen, classes)


def _seen(number: int, item: Mapping[str, Any], prediction: Prediction) -> Seen:
    regions = tuple(
        Region(one["x"], one["y"], one["width"], one["height"], one["name"], one.get("class_id") or one["name"])
        for one in item["regions"]
    )
    verdict = Verdict.FAIL if item["defective"] else Verdict.PASS
    label = Label(number, bool(item["defective"]), verdict, tuple(item["classes"]), (), regions, LabelStatus.SINGLE,
                  "the set", datetime(2026, 1, 1, tzinfo=UTC), 0, None, None, False,
                  item.get("probability"))  # fmt: skip
    size = (item["width"], item["height"])
    return Seen(number, item.get("view"), size, "", label, prediction, prediction.regions)


def figures(claims: Sequence[Constructed]) -> dict[str, Any]:
    """Limits set on one half of the parts, and what they do on the other."""
    halves: tuple[list[Constructed], list[Constructed]] = ([], [])
    for one in claims:
        halves[sha256(one.unit.encode()).digest()[0] % 2].append(one)
    found: dict[str, Any] = {"parts": len({one.unit for one in claims}), "claims": len(claims)}
    for name, some in (("by_part", halves), ("as_if_claims_were_independent", tuple(map(alone, halves)))):
        limits = calibrate(some[0], "measured")
        found[name] = {
            "held_out": _rounded(asdict(measure(some[1], limits))),
            "without_place": _rounded(asdict(measure([one for one in some[1] if not one.placed], limits))),
            "with_place": _rounded(asdict(measure([one for one in some[1] if one.placed], limits))),
            "limits": [_rounded(asdict(one)) for one in limits.all],
        }
    return found


def alone(claims: Sequence[Constructed]) -> list[Constructed]:
    """The same claims, each counting for itself."""
    return [replace(one, unit=f"{number}") for number, one in enumerate(claims)]


def _rounded(document: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float)
        else [round(one, 4) for one in value] if isinstance(value, tuple) else value
        for name, value in document.items()
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
