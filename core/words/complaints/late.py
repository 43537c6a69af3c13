"""What complaints prove about escapes, and why that is no estimate of them.

An audit looks at parts that chance has drawn, each with a probability that was written down; from those the miss and
escape rates follow. A complaint looks at nothing by design: whether a defective part comes back as a complaint depends
on who bought it, how bad it is and how patient they are, and nobody wrote that probability down. It is unequal, unknown
and hangs together with the very thing that is measured. To weigh such a part like an audited one, or to add it to the
audited ones, would give a number without any meaning. So complaints stay out of the audits' estimate, and stand beside
it as what they are:

- a **proven count**: different parts that left, that a customer reported and on whose pictures a person saw the defect.
  There were at least so many escapes. As a rate it is a lower bound.
- their **delay** from leaving to telling. What left lately has not been complained about yet, so what is seen by now
  shows too many short delays (it is cut off on the right). The product-limit estimator in reversed time corrects that
  (Lagakos, Barraj and De Gruttola 1988; Kalbfleisch and Lawless 1991). It speaks of delays up to the longest one seen.
- what **will have been told**: the count so far over the parts that left, each weighed by the share of its reports that
  should be in by now. It is the rate of escapes that customers report in the end, still a lower bound of all escapes,
  and holds while customers report as fast as they did before.

Where even the proven lower bound lies above what the audits' interval allows, one of the two is wrong, and
`contradicts` says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.learn.metrics.proportions import Interval, lower_bound

FEWEST = 5  # escapes with a known delay, under which nothing is said about delays
DRAWS = 400
LEAST_IN = 0.05  # share of the reports that must be in by now, or the correction is a guess

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Escaped:
    """One part that got out, reported and seen; the first report of it counts.

    Attributes:
        by_itself: no person had looked at it: the model passed it.
    """

    part_id: int
    left_on: date
    told_on: date
    by_itself: bool = True

    @property
    def delay(self) -> int:
        """In days."""
        return (self.told_on - self.left_on).days


@dataclass(frozen=True)
class Delays:
    """How long reports take, corrected for those still to come.

    Attributes:
        days: different delays, rising.
        share: of all reports within the longest delay, the share that is in by each of them; the last is 1.
        n: escapes that it rests on.
    """

    days: tuple[int, ...]
    share: tuple[float, ...]
    n: int

    def by(self, age: int) -> float:
        """Share of the reports that are in after so many days."""
        place = int(np.searchsorted(self.days, age, side="right")) - 1
        return 0.0 if place < 0 else self.share[place]

    def within(self, share: float) -> int:
        """Days by which at least a share of the reports is in."""
        return self.days[int(np.searchsorted(self.share, share - 1e-12))]


@dataclass(frozen=True)
class Proven:
    """What complaints prove.

    Attributes:
        parts: different parts: at least so many escaped.
        left: parts that left in the time.
        rate: of those that left, as counted; None where none did.
        at_least: the rate that lies below with 95%, one-sided.
        delays: None with too few.
        reported: rate of escapes that customers will have reported in the end, corrected for delay; None where too
            little is in to say.
        reported_within: its 95% interval.
    """

    parts: int
    left: int
    rate: float | None
    at_least: float | None
    delays: Delays | None
    reported: float | None
    reported_within: Interval | None


def delays_of(escaped: Sequence[Escaped], today: date) -> Delays | None:
    """The distribution of delays, cut off on the right by today; None with too few."""
    times = np.array([one.delay for one in escaped if one.delay >= 0], dtype=np.int64)
    ages = np.array([(today - one.left_on).days for one in escaped if one.delay >= 0], dtype=np.int64)
    return None if len(times) < FEWEST else _reversed_time(times, ages)


def proven(escaped: Sequence[Escaped], left: Mapping[date, int], today: date, rng: np.random.Generator) -> Proven:
    """What complaints prove about the parts of a time.

    Args:
        escaped: parts that left in that time; of several reports of one part the first counts.
        left: parts that left on each day.
        today: at the site.
        rng: of the resamples behind the interval.
    """
    first: dict[int, Escaped] = {}
    for one in escaped:
        if one.part_id not in first or one.told_on < first[one.part_id].told_on:
            first[one.part_id] = one
    mine = list(first.values())
    count, everything = len(mine), sum(left.values())
    if not everything:
        return Proven(count, 0, None, None, delays_of(mine, today), None, None)
    found = delays_of(mine, today)
    rate, least = count / everything, at_least(mine, everything)
    if found is None:
        return Proven(count, everything, rate, least, None, None, None)
    value, within = _in_the_end(mine, left, today, found, rng)
    return Proven(count, everything, rate, least, found, value, within)


def at_least(escaped: Sequence[Escaped], left: int) -> float | None:
    """The rate that lies below the true one with 95%, one-sided; None where nothing left."""
    parts = len({one.part_id for one in escaped})
    return lower_bound(min(parts, left), left)


def contradicts(proven_rate: float | None, audited: Interval | None) -> str:
    """Why complaints and audits cannot both be right; empty where they can.

    Args:
        proven_rate: what complaints prove at least of the parts that passed by themselves, as `at_least` gives it.
        audited: interval of the audits' escape rate, which is about the same parts.
    """
    if audited is None or proven_rate is None or proven_rate <= audited.high:
        return ""
    return (
        f"Complaints prove that at least {proven_rate:.2%} of what passed by itself was defective, and the audits say "
        f"at most {audited.high:.2%}: either the audits do not see what customers see, or the answers about the "
        "pictures are wrong."
    )


def _reversed_time(times: npt.NDArray[np.int64], ages: npt.NDArray[np.int64]) -> Delays:
    days = np.unique(times)
    share = np.ones(len(days))
    for place in range(len(days) - 1, 0, -1):
        day = days[place]
        at_risk = int(((times <= day) & (ages >= day)).sum())
        here = int((times == day).sum())
        share[place - 1] = share[place] * (1 - here / at_risk)
    return Delays(tuple(int(day) for day in days), tuple(float(one) for one in share), len(times))


def _in_the_end(
    escaped: Sequence[Escaped], left: Mapping[date, int], today: date, found: Delays, rng: np.random.Generator
) -> tuple[float | None, Interval | None]:
    """Poisson count over the exposure that is in by now; the delays are drawn anew from the escapes themselves."""
    ages = np.array([(today - day).days for day in left], dtype=np.int64)
    parts = np.array(list(left.values()), dtype=np.float64)
    exposed = _exposed(found, ages, parts)
    if exposed < LEAST_IN * parts.sum():
        return None, None
    mine = [one for one in escaped if one.delay >= 0]
    times = np.array([one.delay for one in mine], dtype=np.int64)
    own_ages = np.array([(today - one.left_on).days for one in mine], dtype=np.int64)
    count = len(escaped)
    exposures = np.empty(DRAWS)
    for draw in range(DRAWS):
        picked = rng.integers(len(times), size=len(times))
        exposures[draw] = max(_exposed(_reversed_time(times[picked], own_ages[picked]), ages, parts), 1.0)
    levels = (np.arange(DRAWS) + 0.5) / DRAWS
    low = rng.permutation(stats.gamma.ppf(levels, count)) / exposures
    high = rng.permutation(stats.gamma.ppf(levels, count + 1)) / exposures
    return count / exposed, Interval(float(np.quantile(low, 0.025)), float(np.quantile(high, 0.975)))


def _exposed(found: Delays, ages: npt.NDArray[np.int64], parts: Array) -> float:
    places = np.searchsorted(np.array(found.days), ages, side="right") - 1
    shares = np.where(places < 0, 0.0, np.array(found.share)[np.maximum(places, 0)])
    return float((shares * parts).sum())
