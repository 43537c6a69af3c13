"""One look at everything that needs no audit: from what came in since the last look to figures and new states.

States are plain JSON: what a look keeps for the next one. A state that is lost, or whose rule has another limit now,
begins anew, which costs evidence and never a false alarm.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from core.watch import drifting
from core.watch.detector import BETS, Array, Items, fires, growth, level, share_of_quarter, step
from core.watch.facts import Figure, Picture, StreamFacts
from core.watch.intervals import ratio_interval
from core.watch.rules import MEANING, Rule, RuleKind
from core.watch.streams import (
    REFERENCE,
    SLOWER,
    label_items,
    mean_items,
    minute_of,
    running_minutes,
    share_items,
    slow_run,
    throughput_growth,
)

IN_A_ROW = 5  # slow minutes
OUT_OF_SERVICE = timedelta(days=1)
MEAN_BINS = 50
_REFERENCES = (*drifting.KEPT, "reference")
State = dict[str, Any]
OpenAlarms = Mapping[tuple[RuleKind, str], int]


@dataclass
class Look:
    """What one look works on.

    Attributes:
        seconds: since the last look.
        day: the site's own date, which the shown figures begin anew with.
    """

    facts: StreamFacts
    state: State
    rules: Mapping[RuleKind, Rule]
    open_alarms: OpenAlarms
    seconds: float
    day: str
    figures: list[Figure] = field(default_factory=list)

    def track(self, kind: RuleKind, subject: str, shape: tuple[int, ...] = (len(BETS),)) -> State:
        """What is kept of one figure, begun anew where it has to be."""
        kinds = self.state.setdefault("kinds", {})
        subjects = kinds.setdefault(str(kind), {})
        found: State | None = subjects.get(subject)
        present = self.open_alarms.get((kind, subject))
        closed = found is not None and found["alarm"] is not None and found["alarm"] != present
        if found is None or found["limit"] != self.rules[kind].limit or closed:
            # Closing a drift alarm says that this is how pictures look now; another limit leaves the reference alone.
            kept = {} if found is None or closed else {name: found[name] for name in _REFERENCES if name in found}
            found = {"levels": np.zeros(shape).tolist(), "limit": self.rules[kind].limit,
                     "alarm": present, **kept}  # fmt: skip
            subjects[subject] = found
        found["alarm"] = present  # raised after the look that asked for it
        if found.get("day") != self.day:
            found.update(day=self.day, since=self.facts.now.isoformat(), hits=0.0, n=0)
        return found

    def bet(self, kind: RuleKind, track: State, found: Sequence[Items], among: int, bets: Sequence[float] = BETS
            ) -> tuple[float, bool]:  # fmt: skip
        """Move a track's detectors on; several of them share one promise, so their levels are averaged."""
        if not any(one.n.sum() for one in found):
            return self.evidence(kind, track), False
        grown = np.stack([growth(one, bets) for one in found])
        shaped = grown[0] if len(found) == 1 else grown
        return self.moved(kind, track, shaped, among)

    def moved(self, kind: RuleKind, track: State, grown: Array, among: int) -> tuple[float, bool]:
        """The same for a growth that is known already."""
        levels = np.asarray(track["levels"], np.float64)
        if levels.shape != grown.shape:
            levels = np.zeros(grown.shape)
        levels = step(levels, grown, share_of_quarter(self.seconds, among))
        broken = fires(levels.reshape(-1), self.rules[kind].rate)
        evidence = self._share(kind, levels)
        track["levels"] = (np.zeros(grown.shape) if broken else levels).tolist()
        return evidence, broken

    def evidence(self, kind: RuleKind, track: State) -> float:
        """What has come together so far, as a share of what an alarm takes."""
        return self._share(kind, np.asarray(track["levels"]))

    def _share(self, kind: RuleKind, levels: Array) -> float:
        return float(level(levels.reshape(-1))) * self.rules[kind].rate

    def say(self, kind: RuleKind, subject: str, track: State | None, value: float | None, evidence: float,
            broken: bool, interval: tuple[float, float] | None = None, **more: Any) -> None:  # fmt: skip
        """Add a figure."""
        note = str(more.pop("note", ""))
        since = None if track is None else datetime.fromisoformat(track["since"])
        low, high = interval or (None, None)
        n = int(more.pop("n", 0 if track is None else track["n"]))
        self.figures.append(Figure(kind, subject, value, low, high, n, since, evidence, broken, note, more))


def look(facts: StreamFacts, state: State, rules: Mapping[RuleKind, Rule], open_alarms: OpenAlarms, day: str
         ) -> tuple[State, list[Figure]]:  # fmt: skip
    """Look once.

    Args:
        facts: what has come since the last look.
        state: as the last look left it; it is changed.
        rules: in force.
        open_alarms: by kind and subject.
        day: the site's date.
    """
    if state.get("model") != facts.model:  # another model has other references, and other evidence
        state.pop("kinds", None)
        state["model"] = facts.model
    before = datetime.fromisoformat(state["looked"]) if "looked" in state else facts.now
    one = Look(facts, state, rules, open_alarms, (facts.now - before).total_seconds(), day)
    for kind, watch in _WATCHES.items():
        if rules[kind].on:
            watch(one)
    state["looked"] = facts.now.isoformat()
    return state, one.figures


def _rate(one: Look, kind: RuleKind, hits: int, n: int, limit: float, turned: bool = False) -> None:
    """A share that has to stay within a limit; `turned` shows one minus it, as for availability."""
    track = one.track(kind, "")
    evidence, broken = one.bet(kind, track, [share_items(hits, n, limit)], 1)
    track["hits"] += hits
    track["n"] += n
    value = track["hits"] / track["n"] if track["n"] else None
    interval = ratio_interval(
        np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.array([track["hits"], track["n"] - track["hits"]])
    )
    shown = interval
    if turned and value is not None and interval is not None:
        value, shown = 1 - value, type(interval)(1 - interval.high, 1 - interval.low)
    one.say(kind, "", track, value, evidence, broken, shown)


def _overrides(one: Look) -> None:
    seen = one.facts.overrides
    _rate(one, RuleKind.OVERRIDES, sum(seen), len(seen), one.rules[RuleKind.OVERRIDES].limit)


def _availability(one: Look) -> None:
    tried = [p for p in one.facts.pictures if p.failed or p.score is not None]
    failed = sum(p.failed for p in tried)
    _rate(one, RuleKind.AVAILABILITY, failed, len(tried), 1 - one.rules[RuleKind.AVAILABILITY].limit, turned=True)


def _confidence(one: Look) -> None:
    kind = RuleKind.CONFIDENCE
    values = np.array([p.confidence for p in one.facts.pictures if p.confidence is not None])
    track = one.track(kind, "")
    evidence, broken = one.bet(kind, track, [mean_items(values, one.rules[kind].limit)], 1)
    bins = np.asarray(track.get("bins") or [0] * MEAN_BINS)
    if track["n"] == 0:
        bins = np.zeros(MEAN_BINS, int)
    bins = bins + np.histogram(values, MEAN_BINS, (0, 1))[0]
    track.update(bins=bins.tolist(), hits=track["hits"] + float(values.sum()), n=track["n"] + len(values))
    middles = (np.arange(MEAN_BINS) + 0.5) / MEAN_BINS
    interval = ratio_interval(middles, np.ones(MEAN_BINS), bins)
    one.say(kind, "", track, track["hits"] / track["n"] if track["n"] else None, evidence, broken, interval)


def _speed(one: Look) -> None:
    kind = RuleKind.SPEED
    spent = np.array([p.milliseconds for p in one.facts.pictures if p.milliseconds])
    track = one.track(kind, "")
    slow = int((spent > 1000 / one.rules[kind].limit).sum())
    evidence, broken = one.bet(kind, track, [share_items(slow, len(spent), 0.5)], 1)
    track["hits"] += float(spent.sum())
    track["n"] += len(spent)
    one.say(kind, "", track, 1000 * track["n"] / track["hits"] if track["hits"] else None, evidence, broken)


def _latency(one: Look) -> None:
    """Evidence that over 1% are slower, and five slow minutes in a row: both, as the rule says."""
    kind = RuleKind.LATENCY
    limit = one.rules[kind].limit
    track = one.track(kind, "")
    minutes = _whole_minutes(one, track, one.facts.pictures, lambda p: p.milliseconds)
    judged = [minute_of(values, limit) for _, values in minutes if values]
    n, over = sum(m.n for m in judged), sum(m.over for m in judged)
    levels_before = track["levels"]
    evidence, enough = one.bet(kind, track, [share_items(over, n, 0.01)], 1)
    track["p99"] = [*track.get("p99", []), *(m.p99 for m in judged)][-IN_A_ROW:]
    track["slow"] = [*track.get("slow", []), *(m.slow for m in judged)][-2 * IN_A_ROW :]
    run = slow_run(track["slow"])
    broken = enough and run >= IN_A_ROW
    if enough and not broken:  # the evidence stays: the minutes are still to come
        track["levels"] = levels_before
    track["n"] += n
    value = max(track["p99"], default=None)
    one.say(
        kind,
        "",
        track,
        value,
        evidence,
        broken,
        note=f"{run} slow minute{'s' if run > 1 else ''} in a row" if run else "",
    )
    if broken:
        track.update(p99=[], slow=[])


def _throughput(one: Look) -> None:
    """Parts, not pictures: four views of a part come together and would make the counts vary more than Poisson's."""
    kind = RuleKind.THROUGHPUT
    by_line: dict[str, list[Picture]] = defaultdict(list)
    for picture in one.facts.pictures:
        if picture.line and picture.starts:
            by_line[picture.line].append(picture)
    known = set(one.state.get("kinds", {}).get(str(kind), {})) | by_line.keys()
    for line in sorted(known):
        track = one.track(kind, line, (len(SLOWER),))
        counts = [len(values) for _, values in _whole_minutes(one, track, by_line.get(line, ()), lambda p: 1.0)]
        ran = running_minutes(counts)
        grown = throughput_growth(ran, one.rules[kind].limit)
        evidence, broken = one.moved(kind, track, grown, len(known)) if ran else (one.evidence(kind, track), False)
        track["hits"] += sum(ran)
        track["n"] += len(ran)
        value = track["hits"] / track["n"] if track["n"] else None
        one.say(kind, line, track, value, evidence, broken, note="" if ran else "does not run")


def _whole_minutes(
    one: Look, track: State, pictures: Sequence[Picture], value: Callable[[Picture], float | None]
) -> list[tuple[int, list[float]]]:
    """Values by whole minute since the last look, empty ones too; what is left over waits for the next look."""
    present = int(one.facts.now.timestamp() // 60)
    waiting: dict[int, list[float]] = {int(k): list(v) for k, v in (track.get("open") or {}).items()}
    for picture in pictures:
        found = value(picture)
        if found is not None:
            waiting.setdefault(int(picture.at.timestamp() // 60), []).append(float(found))
    first = int(track.get("minute") or min(waiting, default=present))
    track["minute"] = present
    track["open"] = {str(k): v for k, v in waiting.items() if k >= present}
    first = max(first, present - 24 * 60)
    late = sorted(k for k in waiting if k < first)  # filed by a slower process: counted, in their own minute
    return [(k, waiting[k]) for k in late] + [(k, waiting.get(k, [])) for k in range(first, present)]


def _labels(one: Look) -> None:
    kind = RuleKind.LABELS
    came = Counter(one.facts.labels)
    track = one.track(kind, "")
    reference: dict[str, float] | None = track.get("reference")
    if reference is None:
        first = Counter(track.get("first", {})) + came
        track["first"] = dict(first)
        if first.total() >= REFERENCE:
            track["reference"] = {name: count / first.total() for name, count in first.items()}
            del track["first"]
        one.say(kind, "", track, None, 0.0, False, n=first.total(), note="still gathers its reference")
        return
    bets = label_items(came, reference, one.rules[kind].limit)
    evidence, broken = one.bet(kind, track, bets, 1)
    seen = Counter(track.get("seen", {}) if track["n"] else {}) + came
    track.update(seen=dict(seen), n=track["n"] + came.total())
    far = {
        name: abs(seen[name] / seen.total() - reference.get(name, 0.0)) for name in {*seen, *reference} if seen.total()
    }
    most = max(far, key=lambda name: (far[name], name), default=None)
    one.say(kind, "", track, None if most is None else far[most], evidence, broken,
            note="" if most is None else f"most of all {most}", distances=far)  # fmt: skip


def _stalled(one: Look) -> None:
    kind = RuleKind.STALLED
    last: dict[str, str] = one.state.setdefault("cameras", {})
    for picture in one.facts.pictures:
        if picture.camera:
            last[picture.camera] = max(last.get(picture.camera, ""), picture.at.isoformat())
    times = {camera: datetime.fromisoformat(at) for camera, at in last.items()}
    newest = max(times.values(), default=None)
    for camera, at in sorted(times.items()):
        rests = one.facts.now - at
        if rests > OUT_OF_SERVICE:
            del last[camera]
            continue
        minutes = rests.total_seconds() / 60
        others = newest is not None and newest > at and one.facts.now - newest < rests / 2
        broken = others and minutes > one.rules[kind].limit
        one.say(kind, camera, None, minutes, float(broken), broken)


def _backlog(one: Look) -> None:
    kind = RuleKind.BACKLOG
    oldest = one.facts.oldest_task
    hours = 0.0 if oldest is None else (one.facts.now - oldest).total_seconds() / 3600
    broken = hours > one.rules[kind].limit
    one.say(kind, "", None, hours, float(broken), broken)


_WATCHES: Mapping[RuleKind, Callable[[Look], None]] = {
    RuleKind.OVERRIDES: _overrides,
    RuleKind.CONFIDENCE: _confidence,
    RuleKind.DRIFT: drifting.drift,
    RuleKind.LABELS: _labels,
    RuleKind.THROUGHPUT: _throughput,
    RuleKind.LATENCY: _latency,
    RuleKind.SPEED: _speed,
    RuleKind.AVAILABILITY: _availability,
    RuleKind.STALLED: _stalled,
    RuleKind.BACKLOG: _backlog,
}


def spoken(kind: RuleKind, subject: str) -> str:
    """What a figure is about: the site, or a line or camera by name."""
    return f"{MEANING[kind].about} {subject}" if subject else "the site"
