"""The gate: a model is measured on pictures it has not seen, against its limits and against what is in use."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.intake.line import Progress, open_model, quiet
from app.jobs.quality.notices import channels
from app.jobs.science.evaluate import labelled
from app.jobs.science.learning import Reader, check_files, counted, manifest_of
from app.jobs.science.train import averaged_parts, part_types_of
from app.settings import Settings
from core.audits.estimates import estimate
from core.errors import BadInput, NotFound
from core.gates.gate import gate
from core.gates.limits import Limits
from core.gates.questions import Where, beyond_production, of_pictures
from core.gates.rates import Answer, Question, Tally, bounds
from core.gates.records import GateResult
from core.gates.restated import LineShare, at_share, not_known
from core.learn.evaluation import THRESHOLD, Judged
from core.learn.metrics import by_group
from core.learn.paired import Paired, compare
from core.pictures.quality import measure
from core.pictures.tiling import Look
from core.records import Pixels, TaskKind
from core.roles import WORKER
from core.watch.rules import RuleKind

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine
    from models.training.examples import Example

SEED = 20  # of the draws behind the calibration's bounds: the same pictures always give the same gate
LOOKED_AT_AGAIN = 12  # pictures it was most wrong about, which people are asked to look at
TIMING_S = 30.0
TIMED_BYTES = 200_000_000
SHARE_DAYS = 90  # of audits and held parts that tell how rare defects are at a site
WARM = 2  # first pictures, whose time is that of a cold start


@dataclass
class _Seen:
    """What a pass over the pictures leaves."""

    judged: list[Judged] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    where: list[Where] = field(default_factory=list)
    kept: list[Pixels] = field(default_factory=list)
    back_end: str = ""


def run_gate(
    store: "Store",
    settings: Settings,
    model: str,
    site: str,
    dataset: str,
    split: str = "test",
    *,
    limits: Limits | None = None,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> GateResult:
    """Measure a model and keep the answer; one that does not pass is alarmed about, and its mistakes are looked at.

    Args:
        store: bound to whoever asks.
        settings: home and device.
        model: by name.
        site: that it is to decide at.
        dataset: by name.
        split: test, or val, which shows how it stands but opens nothing.
        limits: to keep; the usual ones, with the joint risk that the site's rule has, where None.
        now: of the gate.
        progress: told after each picture.

    Raises:
        NotFound: no such model, site or dataset.
        BadInput: the pictures are gone, or the model has learned from them.
        ModelError: the model, or the one in use, cannot be opened.
    """
    at = now or datetime.now(UTC)
    there = store.sites.get(site)
    asked = limits or Limits(joint=store.alarms.rules(site)[RuleKind.GATE].limit)
    manifest, examples = labelled(store, settings, dataset, split)
    version = store.models.get(model)
    _refuse_learned(store, settings, dict(version.card), examples, split)
    check_files(examples, progress)
    look = part_types_of(store, manifest)[0]
    production = there.model if there.model != model else None
    with Reader(settings) as read:
        engine = open_model(store, settings, model)
        mine = _pass_over(engine, examples, read, look, progress, thorough=True)
        old = None
        if production is not None:
            old = _pass_over(open_model(store, settings, production), examples, read, look, progress)
    line = _line_share(store, site, at)
    places = [Where(name, one.quality) for name, one in zip(_sites(manifest, examples), mine.where, strict=True)]
    classes = tuple(str(one) for one in version.card.get("classes", ()))
    pair = None
    more: list[Question] = []
    restated = not_known(site, asked) if isinstance(line, str) else at_share(mine.judged, classes, asked, line)
    if old is not None and production is not None:
        pair = _paired(mine.judged, old.judged, averaged_parts(store, manifest))
        more = [beyond_production(pair, production)]

    def questions(milliseconds: Sequence[float]) -> list[Question]:
        rng = np.random.default_rng(SEED)
        by_itself = of_pictures(mine.judged, classes, asked, rng=rng, where=places, milliseconds=milliseconds)
        return [*by_itself, *more, *restated]

    deciding = sum(one.decides for one in questions([1.0]))
    needed = math.ceil(math.log(asked.joint / deciding) / math.log1p(-asked.slow_share))
    timed = _timed(engine, mine, look, needed, progress)
    verdict = gate(questions(timed), asked.joint)
    kept = store.gates.add(
        site, model, version.sha256, dataset, split, there.model, verdict, asked,
        {
            "counted": counted(examples),
            "threshold": THRESHOLD,
            "dataset_hash": manifest.get("hash"),
            "back_end": mine.back_end,
            "paired": None if pair is None else pair.to_json(),
            "line_share": None if isinstance(line, str) else _share_told(line, asked.joint),
            "cautions": _cautions(examples, split, line),
        },
        [one.name for one in channels(settings) if one.wants(RuleKind.GATE)],
        at,
    )  # fmt: skip
    if kept.answer is not Answer.PASS:
        ask_to_look(store, kept, examples, mine.judged, manifest, at)
    return kept


def _pass_over(
    engine: "Engine", examples: "Sequence[Example]", read: Reader, look: Look | None, progress: Progress, *,
    thorough: bool = False,
) -> _Seen:  # fmt: skip
    """Look at every picture through one engine; thorough also measures the pictures and keeps a few."""
    from models.training.finish import judge

    seen = _Seen(back_end=engine.back_end)
    room = TIMED_BYTES

    def pixels() -> Iterator[Pixels]:
        nonlocal room
        for one in read.stream(examples):
            if thorough:
                seen.where.append(Where(quality=measure(one)))
                if one.nbytes <= room:
                    seen.kept.append(one.copy())  # the shared memory goes back to the decoder
                    room -= one.nbytes
            yield one

    for example, prediction in zip(examples, engine.stream(pixels(), look), strict=True):
        seen.judged.append(judge(example, prediction))
        seen.milliseconds.append(prediction.milliseconds)
        progress(len(seen.judged), len(examples), f"{engine.card.name}: {Path(example.path).name}")
    return seen


def _timed(engine: "Engine", seen: _Seen, look: Look | None, needed: int, progress: Progress) -> list[float]:
    """Milliseconds of pictures: of those that were measured, and of the same ones again until there are enough."""
    found = seen.milliseconds[WARM:]
    began = time.monotonic()
    while len(found) < needed and seen.kept and time.monotonic() - began < TIMING_S:
        for prediction in engine.stream(seen.kept, look):
            found.append(prediction.milliseconds)
        progress(min(len(found), needed), needed, f"timing {engine.card.name}")
    return found


def _paired(mine: Sequence[Judged], old: Sequence[Judged], averaged: frozenset[str]) -> Paired:
    """By part, joined as on the line: independent examples, which McNemar's test asks for."""
    right = []
    for judged in (mine, old):
        parts = by_group([j.score for j in judged], [j.defective for j in judged], [j.group for j in judged],
                         [j.view for j in judged], averaged)  # fmt: skip
        right.append((parts.scores >= THRESHOLD) == parts.defective)
    return compare(*right)


def _refuse_learned(
    store: "Store", settings: Settings, card: dict[str, Any], examples: "Sequence[Example]", split: str
) -> None:
    """Refuse pictures that the model has learned from.

    Raises:
        BadInput: naming how many.
    """
    if split == "train":
        raise BadInput("A gate on training pictures shows nothing: take the test part of a dataset.")
    name = (card.get("dataset") or {}).get("name")
    if not name:
        return
    try:
        manifest = manifest_of(store, settings, str(name))
    except NotFound:
        return  # what it learned from is not here, as with a model from elsewhere
    taught = card["dataset"].get("learned", ("train",))  # with the validation part after a refit
    learned = {str(one["sha256"]) for one in manifest["items"] if one.get("split") in taught}
    overlap = sum(one.sha256 in learned for one in examples)
    if overlap:
        raise BadInput(
            f"{overlap} of these {len(examples)} pictures taught the model, in the {' and '.join(taught)} part of "
            f"{name}: take pictures that it has not seen."
        )


def _sites(manifest: Any, examples: "Sequence[Example]") -> list[str]:
    """The site of each picture, as the dataset has it."""
    by_path = {str(one["path"]): str(one.get("site") or "") for one in manifest["items"]}
    return [by_path.get(one.path, "") for one in examples]


def _line_share(store: "Store", site: str, now: datetime) -> LineShare | str:
    """The share of defective parts at a site, from what was held and audited there lately; or why nobody knows it."""
    facts = store.acting_as(WORKER).auditing.facts(site, now - timedelta(days=SHARE_DAYS), now)
    parts = sum(cell.parts for cell in facts.cells)
    found = estimate(facts.cells, facts.settled, np.random.default_rng(SEED))
    if found.defective is None or not parts:
        return " ".join(found.missing) or "Nobody has looked at its parts."

    @cache
    def between(level: float) -> tuple[float, float]:
        """What is not known of these parts, and what these parts do not tell of the next ones: half the level each."""
        said = estimate(facts.cells, facts.settled, np.random.default_rng(SEED), confidence=1 - level).defective
        if said is None:
            return 0.0, 1.0
        least, most = (Tally(min(max(bad, 0.0), parts), parts, float(parts)) for bad in (said.low, said.high))
        return bounds(least, level / 2)[0], bounds(most, level / 2)[1]

    return LineShare(site, found.defective.value / parts, between, found.defective.n)


def _share_told(line: LineShare, level: float) -> dict[str, Any]:
    low, high = line.between(level / 2)
    return {"site": line.site, "value": line.value, "low": low, "high": high, "answers": line.answers,
            "days": SHARE_DAYS}  # fmt: skip


def _cautions(examples: "Sequence[Example]", split: str, line: LineShare | str) -> list[str]:
    share = sum(one.defective for one in examples) / len(examples)
    told = f"Precision and F2 hold where {share:.0%} of the pictures are defective, as here; where defects are rarer, "
    if isinstance(line, str):
        found = [f"{told}precision is lower. How rare they are on the line is not known: {line}"]
    else:
        found = [f"{told}precision is lower. At {line.site} {line.value:.2%} of the parts are: see the figures there."]
    if split != "test":
        found.append("Validation pictures helped to make the model: this gate opens nothing.")
    return found


def ask_to_look(
    store: "Store", kept: GateResult, examples: "Sequence[Example]", judged: Sequence[Judged], manifest: Any,
    now: datetime,
) -> list[int]:  # fmt: skip
    """Ask people to look at the parts the model was most wrong about: the label may be what is wrong.

    Returns:
        Parts that were sent to the queue.
    """
    wrong = [(abs(j.score - THRESHOLD), e) for e, j in zip(examples, judged, strict=True) if j.flagged != j.defective]
    sites = dict(zip((one.path for one in examples), _sites(manifest, examples), strict=True))
    known = {one.name for one in store.sites.all()}
    sent: list[int] = []
    for _, example in sorted(wrong, key=lambda pair: -pair[0])[:LOOKED_AT_AGAIN]:
        site = sites[example.path]
        if site not in known:
            continue
        found = store.arrivals.known(site, [(example.path, example.sha256)])
        for image in store.images.many(found.values()).values():
            if image.part_id not in sent:
                reason = f"gate {kept.id}: {kept.model} disagrees with the label"
                store.queue.send(image.part_id, TaskKind.LABEL, reason, now)
                sent.append(image.part_id)
    return sent


def told(kept: GateResult) -> dict[str, Any]:
    """The JSON document of `holdpoint models gate`."""
    return {
        "gate": kept.id,
        "model": kept.model,
        "site": kept.site,
        "dataset": kept.dataset,
        "split": kept.split,
        "against": kept.against,
        "answer": str(kept.answer),
        **kept.document,
    }
