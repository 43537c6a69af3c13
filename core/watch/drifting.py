"""Drift of each camera: of confidence, of what was measured on the picture, and of what it looks like to the net."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from core.watch.detector import Array
from core.watch.embedding import GATHERED, Usual, Way, gathered, spread, spread_reference, tried, usual_of
from core.watch.facts import Picture
from core.watch.rules import RuleKind
from core.watch.streams import DECILES, REFERENCE, Reference, crossed, distance, drift_growth, gaps, reference_of

if TYPE_CHECKING:
    from core.watch.watched import Look

EMBEDDING, SPREAD = "embedding", "embedding spread"
MEASURED = ("confidence", "sharpness", "brightness", "contrast", "novelty")
FEATURES = (*MEASURED, EMBEDDING, SPREAD)
FEW_BETS = (0.05, 0.2, 0.5)  # where a camera has well over a hundred detectors
SHAPE = (len(FEATURES), 2 * len(DECILES), len(FEW_BETS))
SHOWN = 12  # pictures on either side
KEPT = ("references", "first", "looks", "before")  # of a camera whose rule has another limit now
State = dict[str, Any]
Lots = Sequence[tuple[Array, Reference]]  # of values, each with what it is compared with


def drift(one: "Look") -> None:
    """Look at every camera that has ever sent a picture under this model."""
    kind = RuleKind.DRIFT
    by_camera: dict[str, list[Picture]] = defaultdict(list)
    for picture in one.facts.pictures:
        if picture.camera and picture.readable:
            by_camera[picture.camera].append(picture)
    known = set(one.state.get("kinds", {}).get(str(kind), {})) | by_camera.keys()
    for camera in sorted(known):
        _camera(one, camera, by_camera.get(camera, []), len(known))


def _camera(one: "Look", camera: str, pictures: Sequence[Picture], among: int) -> None:
    kind = RuleKind.DRIFT
    track = one.track(kind, camera, SHAPE)
    if track["n"] == 0 or "gaps" not in track:  # a new day
        track.update(gaps={}, counted={})
    limit = one.rules[kind].limit
    grown, over, n = np.zeros(SHAPE), np.zeros(SHAPE[:2]), np.zeros(SHAPE[:2])
    lots = {**{feature: _measured(track, feature, pictures) for feature in MEASURED}, **_looks(track, pictures)}
    for place, feature in enumerate(FEATURES):
        for values, reference in lots[feature]:
            seen = crossed(values, reference)
            grown[place] += drift_growth(seen, limit, FEW_BETS)
            over[place] += gaps(seen)
            n[place] += seen.n
    _count(track, over, n)
    came = bool(n.any())
    evidence, broken = one.moved(kind, track, grown, among) if came else (one.evidence(kind, track), False)
    rising = _rising(track, grown, over, n, pictures)
    _examples(track, pictures)
    track["n"] += len(pictures)
    distances = {name: distance(found, track["counted"][name]) for name, found in track["gaps"].items()}
    most = max(distances, key=lambda name: distances[name], default=None)
    note = "still gathers its reference" if most is None else f"most of all {most}"
    if not broken or rising is None:
        value = None if most is None else distances[most]
        one.say(kind, camera, track, value, evidence, broken, note=note, distances=distances)
        return
    # What the alarm is about began before or after midnight: its figures are those since then.
    feature, value, count, began = rising
    one.say(kind, camera, {**track, "since": began.isoformat()}, value, evidence, True, note=f"most of all {feature}",
            n=count, distances=distances, feature=feature, began=began.isoformat(), before=track["before"],
            after=track["after"])  # fmt: skip
    del track["rising"]


def _measured(track: State, feature: str, pictures: Sequence[Picture]) -> Lots:
    """New values of a feature; nothing while its reference is still gathered."""
    references: dict[str, Any] = track.setdefault("references", {})
    first: dict[str, list[float]] = track.setdefault("first", {})
    values = [found for p in pictures if (found := _value(p, feature)) is not None]
    if feature in references:
        return [(np.asarray(values), Reference(*map(tuple, references[feature])))] if values else []
    first[feature] = [*first.get(feature, []), *values][: 5 * REFERENCE]
    if (made := reference_of(first[feature])) is not None:
        references[feature] = [list(made.edges), list(made.under), list(made.upto)]
        del first[feature]
    return []


def _value(picture: Picture, feature: str) -> float | None:
    return picture.confidence if feature == "confidence" else picture.features.get(feature)


def _looks(track: State, pictures: Sequence[Picture]) -> dict[str, Lots]:
    """What pictures look like to the net: along the way in which they move, and how far from the middle."""
    looks: State = track.setdefault("looks", {})
    texts = [one.sketch for one in pictures if one.sketch is not None]
    usual = None if "usual" not in looks else Usual.from_json(looks["usual"])
    if usual is None:
        looks["first"] = [*looks.get("first", []), *texts][:GATHERED]
        if (made := usual_of(gathered(looks["first"]))) is not None:
            track["looks"] = {"usual": made.to_json()}
        elif len(looks["first"]) == GATHERED:  # some of them were no sketches
            looks["first"] = []
        return {EMBEDDING: [], SPREAD: []}
    sketches = gathered(texts)
    far = spread_reference(usual)
    if not len(sketches) or far is None:
        return {EMBEDDING: [], SPREAD: []}
    lots, way = tried(usual, Way.from_json(looks.get("way")), sketches)
    looks["way"] = way.to_json()
    return {EMBEDDING: lots, SPREAD: [(spread(usual, sketches), far)]}


def _count(track: State, over: Array, n: Array) -> None:
    for place, feature in enumerate(FEATURES):
        if count := int(n[place, 0]):
            before = np.asarray(track["gaps"].get(feature, 0.0))
            track["gaps"][feature] = (before + over[place]).round(4).tolist()
            track["counted"][feature] = track["counted"].get(feature, 0) + count


def _rising(
    track: State, grown: Array, over: Array, n: Array, pictures: Sequence[Picture]
) -> tuple[str, float, int, datetime] | None:
    """The feature with the most evidence since it last had none: by how much, of how many pictures, since when.

    The time at which a cumulative sum last left zero estimates when a change began (Page 1954).
    """
    kept: State = track.setdefault("rising", {})
    nothing = np.zeros(SHAPE[:2])
    sums, since, beyond, count = (np.asarray(kept.get(name, nothing)) for name in ("sums", "since", "beyond", "count"))
    if sums.shape != nothing.shape:
        sums = since = beyond = count = nothing
    raised = np.maximum(0.0, sums + grown[..., 1])
    up = raised > 0
    if pictures:
        since = np.where(up & (sums == 0), pictures[0].at.timestamp(), since)
    beyond, count = beyond + over, count + n
    found = {"sums": raised.round(3), "since": since.round(), "beyond": beyond.round(2), "count": count}
    track["rising"] = {name: np.where(up, one, 0).tolist() for name, one in found.items()}
    if not up.any():
        return None
    at = np.unravel_index(int(raised.argmax()), raised.shape)
    most = float(beyond[at] / max(1.0, count[at]))
    return FEATURES[int(at[0])], most, int(count[at]), datetime.fromtimestamp(float(since[at]), UTC)


def _examples(track: State, pictures: Sequence[Picture]) -> None:
    """Some of the pictures that the reference was gathered from, and the latest."""
    before: list[int] = track.setdefault("before", [])
    step = max(1, len(pictures) // 4)
    before += [one.id for one in pictures[::step]][: min(4, SHOWN - len(before))]
    track["after"] = [*track.get("after", []), *(one.id for one in pictures)][-SHOWN:]


def since_of(more: Mapping[str, Any]) -> datetime | None:
    """When the drift of an alarm began, from its evidence; None where it does not say."""
    began = more.get("began")
    return None if not isinstance(began, str) else datetime.fromisoformat(began)
