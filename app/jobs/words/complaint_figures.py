"""What complaints show, for page and command line: trend, patterns, and what they prove about escapes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from app.jobs.quality.audits import measure
from core.audits.estimates import Rate
from core.errors import NotAllowed
from core.learn.metrics.proportions import Interval
from core.words.complaints.late import Proven, at_least, contradicts, proven
from core.words.complaints.notices import Draft, about_pattern
from core.words.complaints.patterns import Pattern, Tested, find_patterns
from core.words.complaints.trend import HORIZON_DAYS, BeforeAfter, Point, before_after, points

if TYPE_CHECKING:
    from data.store import Store

_SEED = 20_260_301  # of the resamples behind an interval: the same question gets the same answer
_CLUMPED = 0.05


@dataclass(frozen=True)
class Trend:
    """Weeks as they are drawn, and what changed on a day."""

    points: tuple[Point, ...]
    not_placed: int
    change: BeforeAfter | None
    horizon: int

    @property
    def notes(self) -> list[str]:
        """What has to be known beside the figures."""
        notes = []
        young = sum(one.young for one in self.points)
        if young:
            which = "week is" if young == 1 else "weeks are"
            notes.append(f"{young} {which} younger than {self.horizon} days: more may still be told of, so no "
                         "comparison counts them.")  # fmt: skip
        if self.not_placed:
            notes.append(f"{self.not_placed:,} complaints name neither a known part nor a day of leaving: they are in "
                         "no week.")  # fmt: skip
        change = self.change
        if change is not None and change.clumping is not None and change.clumping < _CLUMPED:
            notes.append(f"The weekly counts are more uneven than chance makes them (p = {change.clumping:.2g}): "
                         "complaints come in heaps, so the true intervals are wider than these.")  # fmt: skip
        return notes


@dataclass(frozen=True)
class Beside:
    """What complaints prove, beside what audits estimate.

    Attributes:
        audited: escape rate of the audits over the same time; None where they say nothing, or are not for this person.
        trouble: why the two cannot both be right; empty where they can.
    """

    proven: Proven
    audited: Rate | None
    trouble: str

    @property
    def sentences(self) -> list[str]:
        """In words."""
        found = self.proven
        told = [f"At least {found.parts:,} of the {found.left:,} parts that left were defective: customers reported "
                "them and a person saw it on the pictures."]  # fmt: skip
        if found.at_least is not None and found.rate is not None:
            told.append(f"Proven escape rate: {found.rate:.3%} as counted, above {found.at_least:.3%} with 95% "
                        "confidence. It is a lower bound: most escapes are never reported.")  # fmt: skip
        if found.delays is None:
            told.append("Too few escapes have a known delay to say how late they are told of.")
        else:
            half, most = found.delays.within(0.5), found.delays.within(0.9)
            told.append(f"Half of the reports come within {half} days of leaving, nine in ten within {most}, corrected "
                        "for those still to come.")  # fmt: skip
        if found.reported is not None and found.reported_within is not None:
            low, high = found.reported_within
            told.append(f"When all reports are in, {found.reported:.3%} ({low:.3%} to {high:.3%}) of what left will "
                        "have been reported and seen.")  # fmt: skip
        if self.audited is not None:
            told.append(f"The audits' estimate of all escapes: {self.audited.value:.3%} ({self.audited.low:.3%} to "
                        f"{self.audited.high:.3%}). Complaints are not in it.")  # fmt: skip
        return [*told, self.trouble] if self.trouble else told


def trend(
    store: "Store", site: str, since: date, today: date, change: date | None, horizon: int = HORIZON_DAYS
) -> Trend:
    """Complaints and returns beside interception, by week."""
    weekly = store.complaint_counts.weeks(site, since, today, horizon)
    changed = None if change is None else before_after(weekly.weeks, change, today, horizon)
    return Trend(tuple(points(weekly.weeks, today, horizon)), weekly.not_placed, changed, horizon)


def patterns(store: "Store", site: str, since: date) -> Tested:
    """What stands out, with false discoveries controlled."""
    return find_patterns(store.complaint_counts.groups(site, since))


def draft(store: "Store", site: str, pattern: Pattern, looked: Tested, since: date) -> Draft:
    """The notice about a pattern."""
    one = pattern.group
    references, images = store.complaint_counts.about(site, one.about, one.name, since, one.what)
    return about_pattern(site, pattern, looked, references, images)


def beside(store: "Store", site: str, since: date, today: date) -> Beside:
    """What complaints prove about escapes, beside the audits of the same time."""
    found = store.complaint_counts.leavers(site, since)
    shown = proven(found.escaped, found.left, today, np.random.default_rng(_SEED))
    zone = ZoneInfo(store.sites.get(site).timezone)
    until = datetime.combine(today + timedelta(days=1), time(), tzinfo=zone)
    try:
        audited = measure(store, site, (today - since).days + 1, until).answered.escape
    except NotAllowed:  # estimates are for whoever sets policies; what complaints prove is for all
        audited = None
    within = None if audited is None else Interval(audited.low, audited.high)
    by_itself = at_least([one for one in found.escaped if one.by_itself], sum(found.passed.values()))
    return Beside(shown, audited, contradicts(by_itself, within))


def trend_document(
    store: "Store", site: str, since: date, today: date, change: date | None, horizon: int
) -> dict[str, Any]:
    """The trend as JSON."""
    found = trend(store, site, since, today, change, horizon)
    weeks = [
        {"week": one.week.start.isoformat(), "told": one.week.told, "complaints": one.week.complaints,
         "returns": one.week.returns, "left": one.week.left, "decided": one.week.decided, "per_thousand": one.rate,
         "low": _edge(one.within, 0), "high": _edge(one.within, 1), "stopped": one.intercepted,
         "stopped_low": _edge(one.intercepted_within, 0), "stopped_high": _edge(one.intercepted_within, 1),
         "young": one.young}
        for one in found.points
    ]  # fmt: skip
    return {"site": site, "horizon_days": horizon, "weeks": weeks, "not_placed": found.not_placed,
            "change": None if found.change is None else _change(found.change),
            "notes": [*([] if found.change is None else [change_sentence(found.change)]), *found.notes]}  # fmt: skip


def patterns_document(store: "Store", site: str, since: date) -> dict[str, Any]:
    """The patterns as JSON."""
    found = patterns(store, site, since)
    shown = [
        {"about": one.group.about, "name": one.group.name, "what": one.group.what, "hits": one.group.hits,
         "of": one.group.of, "share": one.share, "elsewhere": one.elsewhere, "ratio": finite(one.ratio),
         "low": finite(_edge(one.within, 0)), "high": finite(_edge(one.within, 1)), "p": one.p,
         "p_adjusted": one.p_adjusted, "sentence": one.sentence}
        for one in found.patterns
    ]  # fmt: skip
    return {"site": site, "since": since.isoformat(), "tests": found.tests, "q": found.q, "patterns": shown}


def escapes_document(store: "Store", site: str, since: date, today: date) -> dict[str, Any]:
    """What complaints prove, as JSON."""
    found = beside(store, site, since, today)
    shown = found.proven
    delays = None if shown.delays is None else {
        "days": list(shown.delays.days), "share": list(shown.delays.share), "n": shown.delays.n
    }  # fmt: skip
    audited = None if found.audited is None else {
        "value": found.audited.value, "low": found.audited.low, "high": found.audited.high, "n": found.audited.n
    }  # fmt: skip
    return {
        "site": site, "since": since.isoformat(), "proven": shown.parts, "left": shown.left, "rate": shown.rate,
        "at_least": shown.at_least, "delays": delays, "reported_in_the_end": shown.reported,
        "low": _edge(shown.reported_within, 0), "high": _edge(shown.reported_within, 1), "audited_escape_rate": audited,
        "contradiction": found.trouble, "sentences": found.sentences,
    }  # fmt: skip


def change_sentence(found: BeforeAfter) -> str:
    """Before and after in words."""
    before, after = found.before, found.after
    if found.ratio is None or found.within is None or found.p is None:
        return f"Before and after {found.day}: not enough weeks, parts or complaints on both sides to compare."
    return (
        f"From {found.day} on {_rate(after.rate)} per thousand ({after.told:,} of {after.left:,}), before "
        f"{_rate(before.rate)} ({before.told:,} of {before.left:,}): {_times(found.ratio)} times as many (95%: "
        f"{_times(found.within.low)} to {_times(found.within.high)}, p = {found.p:.2g})."
    )


def finite(value: float | None) -> float | None:
    """JSON has no infinity."""
    return None if value is None or not np.isfinite(value) else value


def _change(found: BeforeAfter) -> dict[str, Any]:
    return {
        "day": found.day.isoformat(), "ratio": finite(found.ratio), "low": finite(_edge(found.within, 0)),
        "high": finite(_edge(found.within, 1)), "p": found.p, "clumping": found.clumping,
        "intercepted_ratio": finite(found.intercepted_ratio),
        "before": {"told": found.before.told, "left": found.before.left},
        "after": {"told": found.after.told, "left": found.after.left},
    }  # fmt: skip


def _edge(within: Sequence[float] | None, side: int) -> float | None:
    return None if within is None else float(within[side])


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _times(value: float) -> str:
    return "∞" if not np.isfinite(value) else f"{value:.2f}"
