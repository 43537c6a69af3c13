"""Whether a weekly rate rises or falls, and how sure that is, when many are looked at together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FEWEST = 4  # weeks: with fewer no order of them is rarer than 1 in 20


@dataclass(frozen=True)
class Trend:
    """Of one rate over equally long periods.

    Attributes:
        slope: change per period, as the rate has its unit.
        low, high: 95% interval of the slope.
        p: of no trend, two-sided.
        periods: that had anything to count in.
    """

    slope: float
    low: float
    high: float
    p: float
    periods: int


def trend(rates: Sequence[float | None]) -> Trend | None:
    """Theil-Sen slope with Mann and Kendall's test; None with fewer than four periods.

    The test asks about the order of the rates only, so that one wild week, or counts that come in clusters, do not
    make a trend.

    Args:
        rates: one for each period in order; None where there was nothing to count.

    Source: Mann 1945; Kendall 1975; Sen 1968, by way of scipy.stats.kendalltau and theilslopes.
    """
    there = [(place, rate) for place, rate in enumerate(rates) if rate is not None]
    if len(there) < FEWEST:
        return None
    x, y = np.array([place for place, _ in there], float), np.array([rate for _, rate in there], float)
    if np.ptp(y) == 0:
        return Trend(0.0, 0.0, 0.0, 1.0, len(there))
    p = float(stats.kendalltau(x, y).pvalue)
    slope = stats.theilslopes(y, x, alpha=0.95)
    return Trend(float(slope.slope), float(slope.low_slope), float(slope.high_slope), p, len(there))


def controlled(p_values: Sequence[float | None]) -> list[float | None]:
    """P values adjusted so that calling all those up to q keeps the share of false calls at q or less.

    Source: Benjamini and Hochberg 1995, by way of scipy.stats.false_discovery_control.
    """
    places = [place for place, p in enumerate(p_values) if p is not None]
    found: list[float | None] = [None] * len(p_values)
    if places:
        adjusted = stats.false_discovery_control([p_values[place] for place in places], method="bh")
        for place, p in zip(places, adjusted, strict=True):
            found[place] = float(p)
    return found
