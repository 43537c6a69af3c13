"""What a site's thresholds do, guarantee and cost: the store's parts on one side, the rules of core on the other."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from core.decide.attendance import Attendance, Rates, pace
from core.decide.guarantee import Guarantee, bound_at, guarantee
from core.decide.optimum import Best, Prices, best_f, optimum
from core.decide.policy import Costs, Optimum, Policy, chosen, provisional
from core.decide.replay import FAIL, HOLD, PASS, Past, PastPart, past
from core.decide.staffing import Staffing
from core.decide.sweep import Sweep, sweep, weighted_sweep
from core.learn.metrics import Counts
from core.plant import Site
from core.records import Severity

if TYPE_CHECKING:
    from data.store import Store

ASSUMED_SECONDS = 45.0  # for a look, until one is typed or measured; always said to be an assumption
ASSUMED_PRICES = Prices(miss=1000.0, false_reject=20.0, look=0.5)
WORKDAY_H = 8.0
WEEKS = 4  # that an approval looks back
DIGITS = 4  # of a threshold that is proposed


@dataclass(frozen=True)
class Study:
    """A site's parts of some weeks, and what is in force there.

    Attributes:
        base: whose other rules hold while thresholds are tried; the policy for the whole site, or a draft without one.
        version: of the site's policies, given back with a proposal.
        unanswered: held or audited parts that nobody has answered; their truth is open.
    """

    site: Site
    base: Policy
    standing: bool
    in_force: tuple[Policy, ...]
    parts: tuple[PastPart, ...]
    past: Past
    rates: Rates
    version: int
    weeks: int
    unanswered: int

    @property
    def safety_classes(self) -> tuple[str, ...]:
        """Classes whose defects are always critical, and those with a limit of their own."""
        always = [one.id for one in self.site.taxonomy.classes if one.severities == (Severity.CRITICAL,)]
        limited = [name for name, rule in self.base.classes.items() if rule.pass_below is not None]
        return tuple(dict.fromkeys([*always, *limited]))


def gather(store: "Store", site: str, weeks: int, now: datetime) -> Study:
    """Read a site's last weeks; every part is asked how it would be decided.

    Args:
        store: acting for somebody who may set policies.
        site: its name.
        weeks: to look back.
        now: aware UTC.
    """
    version = store.policies.version(site)
    standing = store.policies.in_force(site)
    base = standing or replace(provisional(site), reason="", number=0)
    in_force = tuple(store.policies.all_in_force(site))
    parts = tuple(store.replays.parts(site, now - timedelta(weeks=weeks), now))
    open_ones = sum((one.was.value == "HOLD" or one.audited) and one.defective is None for one in parts)
    return Study(
        site=store.sites.get(site),
        base=base,
        standing=standing is not None,
        in_force=in_force,
        parts=parts,
        past=past(parts, base, in_force),
        rates=store.policies.rates(site, days=7.0 * weeks, now=now),
        version=version,
        weeks=weeks,
        unanswered=open_ones,
    )


def promise(found: Past, miss: float, confidence: float, classes: Collection[str] = ()) -> Guarantee:
    """What the parts that were drawn by chance guarantee, with every other reason for HOLD counted.

    A part that another reason holds cannot be missed, whatever the threshold: it counts with a score of 1.
    """
    drawn = found.drawn
    empty = np.zeros(int(drawn.sum()), bool)
    return guarantee(
        found.passing_scores[drawn],
        found.defective[drawn],
        found.weights[drawn],
        miss,
        confidence,
        {name: found.classes[name][drawn] if name in found.classes else empty for name in classes},
    )


def counted(found: Past) -> Sweep:
    """Weighted counts of the parts drawn by chance, at the score where a threshold lets them pass."""
    drawn = found.drawn
    return weighted_sweep(found.passing_scores[drawn], found.defective[drawn], found.weights[drawn])


def best_band(found: Past, prices: Prices, staffing: Staffing, most_passed: float = 1.0) -> Best | None:
    """The band of least expected cost under the inspectors' capacity; None while nothing is labelled.

    Misses and false rejects are estimated from the parts drawn by chance; what is held is counted among all parts.
    Parts that another reason holds take their share of the looks first.
    """
    open_ones, drawn = found.passable, found.drawn
    mine = drawn & open_ones
    if not mine.any():
        return None
    share = float(open_ones.mean())  # of the parts, that thresholds decide
    worth = float(found.weights[mine].sum() / found.weights[drawn].sum())
    best = optimum(
        weighted_sweep(found.scores[mine], found.defective[mine], found.weights[mine]),
        Prices(prices.miss * worth, prices.false_reject * worth, prices.look * share),
        min(1.0, max(0.0, (staffing.capacity - (1 - share)) / share)),
        most_passed=most_passed,
        stream=sweep(found.scores[open_ones], np.zeros(int(open_ones.sum()), bool)),
    )
    return replace(best, cost=best.cost + prices.look * (1 - share), held=1 - share + share * best.held)


def best_f2(found: Past) -> tuple[float, float] | None:
    """The threshold of the best F2 and that F2, of the parts drawn by chance."""
    counts = counted(found)
    return best_f(counts, 2.0) if counts.n else None


def staffing_of(attendance: Attendance | None, rates: Rates) -> tuple[Staffing, bool]:
    """Who looks and how fast, and whether the seconds are only an assumption."""
    seconds, assumed = pace(attendance, rates)
    a_week = attendance.hours_per_week if attendance is not None and attendance.hours else 5 * WORKDAY_H
    running = min(24.0, rates.hours / rates.days) if rates.days else WORKDAY_H
    staffed = Staffing(
        parts_per_hour=rates.parts_per_hour or 0.0,
        seconds_per_look=seconds or ASSUMED_SECONDS,
        inspectors=attendance.inspectors if attendance is not None else 1.0,
        hours=min(24.0, a_week / 7),
        running_hours=running,
    )
    return staffed, assumed


def prices_of(costs: Costs | None, seconds_per_look: float) -> tuple[Prices, bool]:
    """What things cost at the site, of the worst severity that has a price; and whether any of it is assumed."""
    if costs is None:
        return ASSUMED_PRICES, True
    look = None if costs.inspector_hour is None else costs.inspector_hour * seconds_per_look / 3600
    found = (max(costs.miss.values(), default=None), max(costs.false_reject.values(), default=None), look)
    assumed = (ASSUMED_PRICES.miss, ASSUMED_PRICES.false_reject, ASSUMED_PRICES.look)
    taken = [other if one is None else one for one, other in zip(found, assumed, strict=True)]
    return Prices(*taken), None in found


def near_misses(study: Study, pass_below: float, fail_above: float, most: int = 6) -> list[PastPart]:
    """Parts just outside the band: those that pass nearest under it, and those that fail nearest over it."""
    under = sorted(_scored(study.parts, 0.0, pass_below), key=lambda one: -(one.score or 0.0))[:most]
    over = sorted(_scored(study.parts, np.nextafter(fail_above, 2), 2.0), key=lambda one: one.score or 0.0)[:most]
    return [*under, *over]


def _scored(parts: Sequence[PastPart], low: float, high: float) -> list[PastPart]:
    return [one for one in parts if one.score is not None and low <= one.score < high]


def rounded_down(edge: float) -> float:
    """A lower edge as it is proposed: never looser than what was found."""
    return float(np.floor(edge * 10**DIGITS) / 10**DIGITS)


def rounded_up(edge: float) -> float:
    """An upper edge as it is proposed."""
    return float(min(1.0, np.ceil(edge * 10**DIGITS) / 10**DIGITS))


def recorded(study: Study, best: Best, band: tuple[float, float], prices: Prices, why: str) -> Optimum:
    """The optimum as a policy keeps it, beside what was chosen.

    Args:
        study: of the parts that the policy decides.
        best: of them.
        band: that was chosen.
        prices: that both are weighed with.
        why: something else was chosen; left out where it is the same.
    """
    found = rounded_down(best.pass_below), rounded_up(best.fail_above)
    there, here = (None if (cost := effect(study.past, *one, prices).cost) is None else 1000 * cost
                   for one in (found, band))  # fmt: skip
    basis = (
        f"{int(study.past.drawn.sum()):,} parts drawn by chance in the last {study.weeks} weeks, under the inspectors' "
        "capacity"
    )
    return Optimum(*found, basis, there, here, "" if found == band else why)


def optimum_of(store: "Store", policy: Policy, now: datetime, why: str = "") -> Optimum | None:
    """What the figures of the last weeks alone would choose in a policy's place, for the parts that it decides.

    Args:
        store: acting for whoever puts the policy in force.
        policy: whose other rules, costs and attendance hold.
        now: aware UTC.
        why: something else was chosen.

    Returns:
        None where nothing can be weighed: no part that it decides is labelled by chance, or it only ends another one.
    """
    if policy.ends:
        return None
    study = gather(store, policy.site, WEEKS, now)
    scope = (policy.line, policy.part_type)
    others = [one for one in study.in_force if (one.line, one.part_type) != scope]
    mine = tuple(part for part in study.parts
                 if any(chosen([*others, policy], line, part.part_type) is policy for line in part.lines))  # fmt: skip
    study = replace(study, base=policy, parts=mine, past=past(mine, policy, others))
    staffing, _ = staffing_of(policy.attendance, study.rates)
    prices, _ = prices_of(policy.costs, staffing.seconds_per_look)
    best = best_band(study.past, prices, staffing)
    return None if best is None else recorded(study, best, policy.band, prices, why)


@dataclass(frozen=True)
class Effect:
    """What one band does to the parts of the weeks, with every reason for HOLD counted.

    Attributes:
        passed, held, failed: shares of the parts.
        caught, false: weighted counts of the parts drawn by chance: not passed and defective or good.
        missed, cleared: the same of those that pass.
        cost: expected, per part; None while nothing is known of any part.
    """

    passed: float
    held: float
    failed: float
    caught: float
    false: float
    missed: float
    cleared: float
    cost: float | None

    @property
    def counts(self) -> Counts:
        """For the measures of good and defective, flagged and not."""
        return Counts(round(self.caught), round(self.missed), round(self.false), round(self.cleared))

    @property
    def miss_rate(self) -> float | None:
        """P(PASS | defective), as estimated."""
        bad = self.caught + self.missed
        return self.missed / bad if bad else None


def effect(found: Past, low: float, high: float, prices: Prices) -> Effect:
    """Look what a band makes of every part."""
    codes = found.decided(low, high)
    n = max(1, found.n)
    drawn = found.drawn
    w, bad, passes = found.weights[drawn], found.defective[drawn], codes[drawn] == PASS
    missed, cleared = float(w[bad & passes].sum()), float(w[~bad & passes].sum())
    caught, false = float(w[bad & ~passes].sum()), float(w[~bad & ~passes].sum())
    total = missed + cleared + caught + false
    held = float((codes == HOLD).sum()) / n
    cost = None
    if total:
        rejected = float(w[~bad & (codes[drawn] == FAIL)].sum())
        cost = (prices.miss * missed + prices.false_reject * rejected) / total + prices.look * held
    return Effect(
        float((codes == PASS).sum()) / n, held, float((codes == FAIL).sum()) / n, caught, false, missed, cleared, cost
    )


def miss_bound(found: Past, threshold: float, confidence: float) -> float:
    """Upper bound of the miss rate at a chosen threshold; 1 while no defective part was drawn."""
    drawn = found.drawn
    return bound_at(found.passing_scores[drawn], found.defective[drawn], found.weights[drawn], threshold, confidence)


def meaning(study: Study, now: Effect, today: Effect | None, bound: float, confidence: float,
            staffing: Staffing) -> list[str]:  # fmt: skip
    """A band in sentences, of a thousand parts."""
    minutes = 1000 * now.held * staffing.seconds_per_look / 60
    lines = [
        f"Of 1,000 parts {1000 * now.passed:.0f} pass by themselves, {1000 * now.held:.0f} are held ({minutes:.0f} "
        f"minutes of one inspector) and {1000 * now.failed:.0f} fail."
    ]
    bad = int((study.past.drawn & study.past.defective).sum())
    if bad:
        lines.append(
            f"Missed defects: at most {bound:.2%} of the defective parts, {confidence:.0%} sure, from {bad:,} "
            f"defective {'one' if bad == 1 else 'ones'} that were drawn by chance."
        )
    else:
        lines.append("Of missed defects nothing can be said: no defective part has been drawn by chance yet.")
    if today is not None:
        difference = 1000 * (now.held - today.held)
        word = "more" if difference > 0 else "fewer"
        lines.append(
            f"Against today: {abs(difference):.0f} {word} held of 1,000."
            if round(abs(difference))
            else "As many are held as today."
        )
    if now.held > staffing.capacity:
        lines.append(
            f"That is more than can be looked at: {staffing.said} At most {staffing.capacity:.1%} of the parts can be "
            "held, or the queue grows."
        )
    return lines
