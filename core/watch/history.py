"""Misses and false rejects through time: hourly buckets, looked at anew while answers still come in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from core.records import Outcome
from core.watch.detector import Array, fires, growth, level, share_of_quarter, start, step
from core.watch.facts import DecidedFacts, Figure
from core.watch.intervals import ratio_interval
from core.watch.judged import (
    Judged,
    Shares,
    false_reject_items,
    false_reject_shares,
    miss_items,
    miss_shares,
)
from core.watch.rules import Rule, RuleKind

HOUR_S = 3600.0
KEPT = 168  # hours in which a late answer still counts; older evidence stands as it was
KINDS = (RuleKind.MISSES, RuleKind.FALSE_REJECTS)


@dataclass(frozen=True)
class Bucket:
    """Parts decided within about an hour.

    Attributes:
        number: grows by one.
        decision: last id in it.
        review: last id there was when it ended; an answer to a younger part has a larger one.
        passes: parts that passed unasked.
        fail_share: smallest share of FAIL that was audited then.
    """

    number: int
    decision: int
    review: int
    passes: int
    fail_share: float
    ended: datetime


@dataclass(frozen=True)
class Track:
    """One rule's way through the buckets.

    Attributes:
        levels: (bets,) at the end of the last bucket that is no longer kept.
        first: number of the bucket in which it began, or began anew.
        limit: it was made for.
        alarm: the alarm it raised, while that is open.
    """

    levels: tuple[float, ...]
    first: int
    limit: float
    alarm: int | None = None


@dataclass(frozen=True)
class History:
    """What is kept of one site between looks.

    Attributes:
        decision, review: last ids before the first bucket.
        began: when the present, unfinished bucket began.
    """

    decision: int
    review: int
    began: datetime
    buckets: tuple[Bucket, ...] = ()
    number: int = 0
    tracks: Mapping[RuleKind, Track] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The last decision in a finished bucket."""
        return self.buckets[-1].decision if self.buckets else self.decision

    def to_json(self) -> dict[str, Any]:
        return {
            "decision": self.decision,
            "review": self.review,
            "began": self.began.isoformat(),
            "number": self.number,
            "buckets": [
                [b.number, b.decision, b.review, b.passes, b.fail_share, b.ended.isoformat()] for b in self.buckets
            ],
            "tracks": {str(k): [list(t.levels), t.first, t.limit, t.alarm] for k, t in self.tracks.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "History":
        return cls(
            decision=int(document["decision"]),
            review=int(document["review"]),
            began=datetime.fromisoformat(document["began"]),
            buckets=tuple(
                Bucket(number, decision, review, passes, share, datetime.fromisoformat(ended))
                for number, decision, review, passes, share, ended in document["buckets"]
            ),
            number=int(document["number"]),
            tracks={
                RuleKind(kind): Track(tuple(levels), first, limit, alarm)
                for kind, (levels, first, limit, alarm) in document["tracks"].items()
            },
        )


def begin(decision: int, review: int, now: datetime) -> History:
    """Watching starts here: what was decided before is not looked at."""
    return History(decision, review, now)


def look(
    history: History, facts: DecidedFacts, rules: Mapping[RuleKind, Rule], open_alarms: Mapping[RuleKind, int]
) -> tuple[History, list[Figure]]:
    """Look once.

    Args:
        history: as the last look left it.
        facts: every decided part since `history.decision`, with what people have said of it by now; `passes` are
            those after `history.last`.
        rules: in force.
        open_alarms: by kind.

    Returns:
        What to keep, and a figure for each rule that is on. A rule whose figure is broken has begun anew.
    """
    present = Bucket(history.number, facts.decision, facts.review, facts.passes, facts.fail_share, facts.now)
    buckets = (*history.buckets, present)
    parts = _by_bucket(buckets, facts)
    tracks: dict[RuleKind, Track] = {}
    figures = []
    anew = []
    for kind in KINDS:
        rule = rules[kind]
        if not rule.on:
            continue
        track = history.tracks.get(kind)
        closed = track is not None and track.alarm is not None and track.alarm != open_alarms.get(kind)
        if track is None or track.limit != rule.limit or closed:
            track = Track(tuple(start()), present.number, rule.limit, open_alarms.get(kind))
        track = replace(track, alarm=open_alarms.get(kind))  # raised after the look that asked for it
        levels = _levels(kind, track, buckets, parts, rule.limit)
        broken = fires(levels, rule.rate)
        mine = [bucket for bucket in buckets if bucket.number >= track.first]
        figures.append(_figure(kind, rule, mine, parts, levels, broken))
        if broken:
            anew.append(kind)
        tracks[kind] = track
    finished = bool(anew) or facts.now - history.began >= timedelta(seconds=HOUR_S)
    if not finished:
        return replace(history, tracks=tracks), figures
    for kind in anew:
        tracks[kind] = Track(tuple(start()), present.number + 1, rules[kind].limit, open_alarms.get(kind))
    after = replace(history, buckets=buckets, number=present.number + 1, began=facts.now, tracks=tracks)
    return _trimmed(after, parts, rules), figures


def _by_bucket(buckets: Sequence[Bucket], facts: DecidedFacts) -> dict[int, list[Judged]]:
    """What each bucket holds, alike parts together."""
    counts: dict[int, Counter[Judged]] = {bucket.number: Counter() for bucket in buckets}
    ends = np.array([bucket.decision for bucket in buckets])
    for one in facts.decided:
        at = int(np.searchsorted(ends, one.id))
        if at < len(buckets):
            counts[buckets[at].number][one.part] += 1
    return {number: [replace(part, n=n) for part, n in found.items()] for number, found in counts.items()}


def _levels(
    kind: RuleKind, track: Track, buckets: Sequence[Bucket], parts: Mapping[int, Sequence[Judged]], limit: float
) -> Array:
    levels: Array = np.asarray(track.levels)
    for bucket in buckets:
        if bucket.number >= track.first:
            levels = step(levels, _grown(kind, bucket, parts[bucket.number], limit), share_of_quarter(HOUR_S))
    return levels


def _grown(kind: RuleKind, bucket: Bucket, parts: Sequence[Judged], limit: float) -> Array:
    if kind is RuleKind.MISSES:
        return growth(miss_items(parts, limit, bucket.fail_share))
    return growth(false_reject_items([*parts, *_passed(bucket.passes)], limit))


def _passed(n: int) -> list[Judged]:
    return [Judged(Outcome.PASS, 0.0, False, None, n)] if n else []


def _trimmed(history: History, parts: Mapping[int, Sequence[Judged]], rules: Mapping[RuleKind, Rule]) -> History:
    """Fold buckets that are older than a week into the levels."""
    while len(history.buckets) > KEPT:
        oldest = history.buckets[0]
        tracks = {}
        for kind, track in history.tracks.items():
            levels = np.asarray(track.levels)
            if oldest.number >= track.first:
                grown = _grown(kind, oldest, parts[oldest.number], rules[kind].limit)
                levels = step(levels, grown, share_of_quarter(HOUR_S))
            tracks[kind] = replace(track, levels=tuple(map(float, levels)))
        rest = history.buckets[1:]
        history = replace(history, buckets=rest, decision=oldest.decision, review=oldest.review, tracks=tracks)
    return history


def _figure(
    kind: RuleKind,
    rule: Rule,
    buckets: Sequence[Bucket],
    parts: Mapping[int, Sequence[Judged]],
    levels: Array,
    broken: bool,
) -> Figure:
    mine = [one for bucket in buckets for one in parts[bucket.number]]
    passed = _passed(sum(bucket.passes for bucket in buckets))
    found: Shares = miss_shares(mine) if kind is RuleKind.MISSES else false_reject_shares([*mine, *passed])
    interval = ratio_interval(np.array(found.above), np.array(found.below), np.array(found.n))
    asked = [one for one in mine if one.asked]
    waiting = sum(one.n for one in asked if one.defective is None)
    audited = sum(one.n for one in asked if one.automatic is not Outcome.HOLD and one.defective is not None)
    return Figure(
        kind,
        "",
        found.value,
        None if interval is None else interval.low,
        None if interval is None else interval.high,
        sum(found.n),
        buckets[0].ended - timedelta(seconds=HOUR_S) if buckets else None,
        float(level(levels)) * rule.rate,
        broken,
        _note(kind, mine, waiting),
        {"waiting": waiting, "audited": audited},
    )


def _note(kind: RuleKind, parts: Sequence[Judged], waiting: int) -> str:
    if kind is RuleKind.FALSE_REJECTS and any(one.automatic is Outcome.FAIL and one.share == 0 for one in parts):
        return "The policy audits no FAIL, so false rejects cannot be seen: let it audit a share of them."
    if kind is RuleKind.MISSES and not any(one.automatic is Outcome.PASS and one.asked for one in parts):
        return "No PASS has been audited lately, so misses cannot be seen: let the policy audit a share of them."
    return f"{waiting} more have been asked about and wait for an answer." if waiting else ""
