"""What an alarm sets off beside a pause: each is a record with figures in it that somebody reads and closes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from app.jobs.quality import recalibration
from app.settings import Settings
from core.errors import BadInput, HoldpointError, NotFound, Unreadable
from core.records import Image, ImageState
from core.watch.alarms import Alarm, FollowUp
from core.watch.checklist import CHECKS, differences
from core.watch.rules import MEANING, RuleKind, Step

if TYPE_CHECKING:
    from data.store import Store

T = TypeVar("T")

SIDE_BY_SIDE = 12  # pictures on either side
LATELY_DAYS = 7
COMPARED = 200  # pictures whose figures are compared on either side
CHANGES = ("model set", "model promoted", "model rolled back", "policy approved", "policy proposed",
           "policy tightened", "policy rollback proposed", "calibration confirmed", "calibration withdrawn",
           "auto-PASS paused", "auto-PASS resumed", "taxonomy changed", "alarm rule set",
           "alarm rule approved")  # fmt: skip


def asks(step: Step, kind: RuleKind, subject: str) -> str:
    """What a record asks for, in a sentence."""
    about = f" ({MEANING[kind].about} {subject})" if subject else ""
    return {
        Step.INVESTIGATE: f"Find out what broke the rule on {kind}{about}.",
        Step.PROPOSE: f"Approve or refuse the stricter policy that was proposed because of {kind}.",
        Step.RECALIBRATE: f"Look at the calibration again because of {kind}: do the scores still mean what they say?",
        Step.RETRAIN: f"Train on new pictures because of {kind}{about}.",
        Step.SCALE_UP: f"Add capacity because of {kind}{about}.",
    }[step]


def fill(store: "Store", current: Settings, alarm_id: int, now: datetime) -> None:
    """Find out what each record of a new alarm should tell, and add it.

    What cannot be found out is said in the record: the record itself is there in any case.
    """
    alarm = store.alarms.get(alarm_id)
    for one in store.alarms.follow_ups(alarm_id=alarm_id):
        if one.document:
            continue
        try:
            document = _DOCUMENTS[one.kind](store, current, alarm, one, now)
        except HoldpointError as error:
            document = {"trouble": str(error)}
        store.watching.add_document(one.id, document)


def _investigation(store: "Store", current: Settings, alarm: Alarm, _one: FollowUp, now: datetime) -> dict[str, Any]:
    """Side-by-side pictures, figures then and now, and what was changed lately."""
    camera = alarm.subject if MEANING[alarm.kind].about == "camera" else None
    present = store.images.find(alarm.site, ImageState.OK, limit=COMPARED, camera=camera)
    learned, where = _learned(store, alarm.site, camera)
    now_ids = {one.id for one in present}
    then = [one for one in learned if one.id not in now_ids]
    if not then:  # a young site: its older half stands for what it was
        half = len(present) // 2
        present, then = present[:half], present[half:]
    pairs = differences(_features(store, current, then), _features(store, current, present))
    events = [one for one in store.audit.recent(400, alarm.site, since=now - timedelta(days=30))
              if one.action in CHANGES]  # fmt: skip
    return {
        "learned_from": where,
        "train_images": [one.id for one in _spread(then)],
        "site_images": [one.id for one in _spread(present)],
        **_of_drift(store, alarm),
        "differences": [asdict(one) | {"stands_out": one.stands_out} for one in pairs],
        "changes": [
            {"at": one.at.isoformat(), "by": one.by, "what": one.action, "about": one.subject, "reason": one.reason}
            for one in events[:12]
        ],
        "checks": [{"key": key, "says": says} for key, says in CHECKS],
    }


def _of_drift(store: "Store", alarm: Alarm) -> dict[str, Any]:
    """Pictures of a camera that drifts, as it was and as it is, and how far each of its features has moved."""
    more = alarm.evidence.get("more") or {}
    if alarm.kind is not RuleKind.DRIFT or "began" not in more:
        return {}
    there = store.images.many([*more["before"], *more["after"]])  # a retention rule may have taken some
    return {
        "before_images": [one for one in more["before"] if one in there],
        "after_images": [one for one in more["after"] if one in there],
        "distances": more["distances"],
    }


def _learned(store: "Store", site: str, camera: str | None) -> tuple[list[Image], str]:
    """Pictures the model in use learned from, as far as the store has them; else the site's first ones."""
    model = store.sites.get(site).model
    if model is not None:
        name = str(store.models.get(model).card.get("dataset", {}).get("name") or "")
        found = _of_dataset(store, name) if name else []
        if found:
            return found, f"the training part of the dataset {name}"
    where = "the site's oldest pictures: what the model in use learned from is not in the store"
    every = store.images.count(site, ImageState.OK)
    back = max(0, every - COMPARED) if camera is None else 0
    return store.images.find(site, ImageState.OK, limit=COMPARED, camera=camera, offset=back), where


def _of_dataset(store: "Store", name: str) -> list[Image]:
    """Pictures of the training part of a frozen dataset that the store still has."""
    try:
        items = store.datasets.get(name).manifest.get("items", ())
    except NotFound:
        return []
    chosen = _spread([one for one in items if one.get("split", "train") == "train"], COMPARED)
    ids: list[int] = []
    for site in sorted({str(one["site"]) for one in chosen}):
        pairs = [(str(one["path"]), str(one["sha256"])) for one in chosen if one["site"] == site]
        ids += store.arrivals.known(site, pairs).values()
    return list(store.images.many(ids).values())


def _features(store: "Store", current: Settings, pictures: Sequence[Image]) -> Mapping[str, list[float | None]]:
    """Figures of pictures, by feature; colour of a few of them, because those have to be opened."""
    said = store.images.predictions([one.id for one in pictures])
    scores = [None if (p := said.get(one.id)) is None else p.score for one in pictures]
    quality = [one.quality for one in pictures]
    found: dict[str, list[float | None]] = {
        "exposure": [one.capture.exposure.shutter_s for one in pictures],
        "iso": [one.capture.exposure.iso for one in pictures],
        "aperture": [one.capture.exposure.aperture for one in pictures],
        "sharpness": [None if q is None else q.sharpness for q in quality],
        "brightness": [None if q is None else q.brightness for q in quality],
        "contrast": [None if q is None else q.contrast for q in quality],
        "score": list(scores),
        "confidence": [None if s is None else max(s, 1 - s) for s in scores],
        "novelty": [None if (p := said.get(one.id)) is None else p.novelty for one in pictures],
    }
    colours = _colours(current, _spread(pictures))
    for place, name in enumerate(("red", "green", "blue")):
        found[name] = [colour[place] for colour in colours]
    return found


def _colours(current: Settings, pictures: Sequence[Image]) -> list[tuple[float, float, float]]:
    """Mean red, green and blue of pictures, opened in a limited child process; unreadable ones are left out."""
    from core.pictures.decode import Limits
    from core.pictures.sandbox import DecodePool

    found = []
    paths = [Path(one.path) for one in pictures]
    with DecodePool(1, Limits(pixels=current.picture_pixels), current.decode_seconds) as pool:
        for read in pool.decode(paths):
            if isinstance(read, Unreadable):
                continue
            red, green, blue = np.asarray(read.decoded.pixels[::8, ::8]).reshape(-1, 3).mean(axis=0)
            found.append((float(red), float(green), float(blue)))
    return found


def _spread(values: Sequence[T], most: int = SIDE_BY_SIDE) -> list[T]:
    """Up to so many, evenly from the first to the last."""
    if len(values) <= most:
        return list(values)
    return [values[int(at)] for at in np.linspace(0, len(values) - 1, most).round()]


def _policy(store: "Store", _current: Settings, alarm: Alarm, _one: FollowUp, now: datetime) -> dict[str, Any]:
    """Propose stricter policies: such as would have held what was missed lately."""
    missed = store.watching.missed_scores(alarm.site, now - timedelta(days=LATELY_DAYS))
    found = []
    for policy in store.policies.all_in_force(alarm.site):
        below = stricter(policy.pass_below, missed)
        if policy.ends or below >= policy.pass_below:
            continue
        why = (
            f"would have held all {len(missed)} missed parts of {LATELY_DAYS} days"
            if missed
            else "halves the threshold"
        )
        made = store.policies.put_forward(
            replace(policy, pass_below=below, optimum=None), f"Alarm {alarm.id}, {alarm.kind}: {why}."[:300], now=now
        )
        found.append({"number": made.number, "pass_below": below, "was": policy.pass_below})
    if not found:
        return {"trouble": "no policy in force passes anything by itself, so there is nothing to tighten"}
    return {"policies": found, "missed": len(missed)}


def stricter(pass_below: float, missed: Iterable[float]) -> float:
    """The largest threshold that would have held every missed part; half of today's where none of them is known."""
    lower = [score for score in missed if score < pass_below]
    return min(lower) if lower else pass_below / 2


def _recalibration(store: "Store", _current: Settings, alarm: Alarm, _one: FollowUp, now: datetime) -> dict[str, Any]:
    """Measure scores against labels, and fit them anew from the parts that chance drew.

    The confirmation itself is for two people: if the worker asked for it, one alone could agree.
    """
    matrix = store.requests.matrix(alarm.site, now=now)
    if matrix is None:
        return {"trouble": "no labelled picture of the last 90 days has a score of the model in use"}
    try:
        fitted = recalibration.document(recalibration.fit(store, alarm.site, now))
    except BadInput as error:
        fitted = {"trouble": str(error)}
    return {
        "model": matrix.model,
        "source": matrix.source,
        "refit": fitted,
        "confusion": asdict(matrix.counts),
        "bars": [bar._asdict() for bar in matrix.bins],
        "gap": sum(bar.n * abs(bar.said - bar.seen) for bar in matrix.bins) / sum(bar.n for bar in matrix.bins),
    }


def _retraining(store: "Store", _current: Settings, alarm: Alarm, _one: FollowUp, now: datetime) -> dict[str, Any]:
    """What a new dataset could hold that the model in use has not seen."""
    model = store.sites.get(alarm.site).model
    since = now - timedelta(days=90) if model is None else store.models.get(model).created_at
    classes: Counter[str] = Counter()
    labels = changed = 0
    for one in store.labels.find(site=alarm.site, since=since):
        labels += 1
        changed += one.label.changed
        classes.update(one.label.classes or (("unmapped",) if one.label.unmapped else ("no defect",)))
    return {
        "model": model,
        "since": since.isoformat(),
        "labels": labels,
        "corrected": changed,
        "classes": dict(classes),
    }


def _capacity(store: "Store", _current: Settings, alarm: Alarm, _one: FollowUp, now: datetime) -> dict[str, Any]:
    """What the machine and the desk did at that time."""
    waits = store.queue.counts(alarm.site, now)
    keep = ("kind", "subject", "value", "low", "high", "n", "note")
    wanted = {str(kind) for kind in (RuleKind.THROUGHPUT, RuleKind.LATENCY, RuleKind.SPEED, RuleKind.BACKLOG)}
    figures = [{name: one.get(name) for name in keep} for one in store.alarms.figures(alarm.site)
               if one["kind"] in wanted]  # fmt: skip
    return {"figures": figures, "waiting": waits.waiting, "leased": waits.leased}


_DOCUMENTS = {
    Step.INVESTIGATE: _investigation,
    Step.PROPOSE: _policy,
    Step.RECALIBRATE: _recalibration,
    Step.RETRAIN: _retraining,
    Step.SCALE_UP: _capacity,
}
