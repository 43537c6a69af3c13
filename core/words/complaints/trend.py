"""Complaints and returns per thousand parts that left, beside what was intercepted, week by week and around a change.

A complaint counts in the week in which its part left, not in the week in which somebody told of it, because that is the
week whose inspection let it out. Young weeks have had less time to be complained about; so a count takes only what was
told within a fixed number of days of leaving, and a week younger than that is marked and kept out of any comparison.

Counts of complaints are taken to be Poisson, exactly (Garwood 1936); a ratio of two rates follows from the binomial
distribution of the one count given both together (Przyborowski and Wilenski 1940). Both hold for complaints that come
one by one: `clumping` says where they come in heaps, and then the intervals are too narrow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scipy import stats

from core.errors import BadInput
from core.learn.metrics.proportions import Interval, binomial_interval, proportion_interval

HORIZON_DAYS = 28
WEEK = timedelta(days=7)
HEAPS = 0.05  # p of plain chance under which counts are said to come in heaps


@dataclass(frozen=True)
class Week:
    """One week of one site.

    Attributes:
        start: its Monday.
        left: parts that were let go in it.
        decided: parts that were decided in it; `stopped` of them as defective, by the model or a person.
        complaints, returns: told within the horizon about parts that left in it, one a part.
    """

    start: date
    left: int
    decided: int
    stopped: int
    complaints: int
    returns: int

    @property
    def told(self) -> int:
        """Both together."""
        return self.complaints + self.returns


@dataclass(frozen=True)
class Point:
    """A week as it is drawn.

    Attributes:
        rate: complaints and returns per thousand parts that left; None where none did.
        intercepted: share of the decided parts that were stopped as defective; None where none was decided.
        young: it is younger than the horizon, so that more may still be told.
    """

    week: Week
    rate: float | None
    within: Interval | None
    intercepted: float | None
    intercepted_within: Interval | None
    young: bool


@dataclass(frozen=True)
class Side:
    """Everything on one side of a change."""

    told: int
    left: int
    stopped: int
    decided: int

    @property
    def rate(self) -> float | None:
        """Per thousand parts that left."""
        return 1000 * self.told / self.left if self.left else None


@dataclass(frozen=True)
class BeforeAfter:
    """What changed on a day.

    Attributes:
        ratio: of the rates, after over before; None where either side has no part, or no complaint came at all.
        p: of no change.
        intercepted_ratio: the same of the interception rates.
        clumping: p of plain chance making the weekly counts so uneven; None with too few weeks.
    """

    day: date
    before: Side
    after: Side
    ratio: float | None
    within: Interval | None
    p: float | None
    intercepted_ratio: float | None
    intercepted_within: Interval | None
    clumping: float | None


def garwood(count: float, confidence: float = 0.95) -> Interval:
    """Exact two-sided interval of the mean behind a Poisson count."""
    tail = (1 - confidence) / 2
    low = 0.0 if count <= 0 else float(stats.gamma.ppf(tail, count))
    return Interval(low, float(stats.gamma.ppf(1 - tail, count + 1)))


def points(weeks: Sequence[Week], today: date, horizon: int = HORIZON_DAYS) -> list[Point]:
    """Every week with its rates."""
    found = []
    for week in weeks:
        within = garwood(week.told)
        scale = 1000 / week.left if week.left else None
        found.append(Point(
            week,
            None if scale is None else week.told * scale,
            None if scale is None else Interval(within.low * scale, within.high * scale),
            week.stopped / week.decided if week.decided else None,
            proportion_interval(week.stopped, week.decided),
            week.start + WEEK + timedelta(days=horizon) > today,
        ))  # fmt: skip
    return found


def ratio_interval(
    before: int, exposed_before: float, after: int, exposed_after: float, confidence: float = 0.95
) -> tuple[float | None, Interval | None, float | None]:
    """Ratio of two Poisson rates, after over before, with its exact interval and the p value of one.

    Returns:
        All None where a side has no exposure or nothing was counted at all; a ratio of infinity where nothing was
        counted before.

    Raises:
        BadInput: for a count or exposure below 0.
    """
    if min(before, after, exposed_before, exposed_after) < 0:
        raise BadInput("Counts and exposures cannot be below 0.")
    if not exposed_before or not exposed_after or not before + after:
        return None, None, None
    scale = exposed_before / exposed_after
    share = binomial_interval(after, before + after, confidence)
    low = share.low / (1 - share.low) * scale if share.low < 1 else math.inf
    high = share.high / (1 - share.high) * scale if share.high < 1 else math.inf
    expected = exposed_after / (exposed_before + exposed_after)
    p = float(stats.binomtest(after, before + after, expected).pvalue)
    return (after / before * scale if before else math.inf), Interval(low, high), p


def before_after(weeks: Sequence[Week], day: date, today: date, horizon: int = HORIZON_DAYS) -> BeforeAfter:
    """What was different from a day on; the week that the day lies in counts to neither side, nor does a young one."""
    old = [week for week in weeks if week.start + WEEK + timedelta(days=horizon) <= today]
    sides = [week for week in old if week.start + WEEK <= day], [week for week in old if week.start >= day]
    before, after = (
        Side(sum(one.told for one in side), sum(one.left for one in side), sum(one.stopped for one in side),
             sum(one.decided for one in side))
        for side in sides
    )  # fmt: skip
    ratio, within, p = ratio_interval(before.told, before.left, after.told, after.left)
    caught, caught_within, _ = ratio_interval(before.stopped, before.decided, after.stopped, after.decided)
    return BeforeAfter(day, before, after, ratio, within, p, caught, caught_within, clumping(sides))


def clumping(sides: Sequence[Sequence[Week]]) -> float | None:
    """How likely plain chance makes the weekly counts of both sides as uneven as they are, by their dispersion.

    Source: Fisher's index of dispersion, each side around its own rate; weeks with an expected count below one are
    joined to the next.
    """
    square, freedom = 0.0, 0
    for side in sides:
        left = sum(week.left for week in side)
        told = sum(week.told for week in side)
        if not left or not told:
            continue
        cells, seen, expected = 0, 0, 0.0
        for week in side:
            seen, expected = seen + week.told, expected + told * week.left / left
            if expected >= 1:
                square += (seen - expected) ** 2 / expected
                cells, seen, expected = cells + 1, 0, 0.0
        freedom += max(0, cells - 1)
    return float(stats.chi2.sf(square, freedom)) if freedom >= 3 else None
