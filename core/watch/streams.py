"""Figures that need no person: overrides, confidence, drift, labels, throughput, latency, speed, availability.

Each function turns what came in since the last look into the items of one or more detectors. They only group values:
the promise about false alarms is the detector's.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from core.errors import BadInput
from core.watch.detector import Array, Items, items

DECILES = tuple(k / 10 for k in range(1, 10))
REFERENCE = 200  # values of a feature before it has a reference
BY_CHANCE = 0.05  # of the minutes of a fast engine that may seem slow
RESTS_MINUTES = 5  # minutes in a row without a picture after which a line does not run
SLOWER = (0.75, 0.5, 0.25)  # of the limit: how slow a line is supposed to be by the three bettors on it


def share_items(hits: int, n: int, limit: float) -> Items:
    """Items of a share that has to stay at or below the limit."""
    return items([1 - limit, -limit], [hits, n - hits], -limit)


def mean_items(values: Sequence[float] | Array, limit: float, low: float = 0.0, high: float = 1.0) -> Items:
    """Items of a mean that has to stay at or above the limit; values outside low and high count as these."""
    if not low < limit < high:
        raise BadInput(f"A limit of {limit:g} for a mean has to lie between {low:g} and {high:g}.")
    z = limit - np.clip(np.asarray(values, np.float64), low, high)
    return items(z, np.ones(len(z)), limit - high)


@dataclass(frozen=True)
class Reference:
    """Where nine tenths of a feature's first values end; None where too few have come.

    Attributes:
        edges: (9,) deciles.
        under: (9,) share of the reference below each edge.
        upto: (9,) share at or below it; with ties the two differ, and their tenth lies between.
    """

    edges: tuple[float, ...]
    under: tuple[float, ...]
    upto: tuple[float, ...]


def reference_of(values: Sequence[float] | Array) -> Reference | None:
    """The reference of a feature; None for fewer than 200 values."""
    ordered = np.sort(np.asarray(values, np.float64))
    if len(ordered) < REFERENCE:
        return None
    edges = np.quantile(ordered, DECILES, method="inverted_cdf")
    under, upto = (np.searchsorted(ordered, edges, side=side) / len(ordered) for side in ("left", "right"))
    return Reference(tuple(map(float, edges)), tuple(map(float, under)), tuple(map(float, upto)))


class Crossed(NamedTuple):
    """What 18 bettors, two at each decile, saw of some values.

    Attributes:
        hits: (18,) values below the nine edges, then values above them.
        usual: (18,) share of the reference that lies there.
        n: how many values there were.
    """

    hits: Array
    usual: Array
    n: int


def crossed(values: Sequence[float] | Array, reference: Reference) -> Crossed:
    """Count values on either side of each edge of their reference."""
    ordered = np.sort(np.asarray(values, np.float64))
    under, upto = (np.searchsorted(ordered, reference.edges, side=side) for side in ("left", "right"))
    usual = np.concatenate([reference.under, 1 - np.asarray(reference.upto)])
    return Crossed(np.concatenate([under, len(ordered) - upto]).astype(np.float64), usual, len(ordered))


def drift_growth(seen: Crossed, limit: float, bets: Sequence[float]) -> Array:
    """(18, bets) growth of those bettors; what each bets on is 0 or less on average while the distance is in the limit.

    "More values lie below the edge than its share and the limit allow", and "more lie above": a Kolmogorov-Smirnov
    distance beyond the limit makes at least one of them true, as far as nine edges can tell. An item is 1 - allowed
    for a value that lies there and -allowed for any other, of which the bet is a share of the most that may be bet.
    """
    allowed = np.minimum(seen.usual + limit, 0.999)[:, None]
    staked = np.asarray(bets)
    won = seen.hits[:, None] * np.log1p(staked * (1 - allowed) / allowed)
    found: Array = won + (seen.n - seen.hits[:, None]) * np.log1p(-staked)
    return found


def gaps(seen: Crossed) -> Array:
    """(18,) how many more values than usual lie on each side of each edge; they can be added up."""
    found: Array = seen.hits - seen.n * seen.usual
    return found


def distance(found: Sequence[float] | Array, n: int) -> float:
    """Kolmogorov-Smirnov distance of n values from their reference, at its nine edges, from their gaps."""
    return float(np.abs(np.asarray(found)).max() / n) if n else 0.0


def label_items(counts: Mapping[str, int], reference: Mapping[str, float], limit: float) -> list[Items]:
    """Two for each class of the reference and one for all that is new: its share went up, or down, by more."""
    n = sum(counts.values())
    found = []
    for name, share in sorted(reference.items()):
        hits = counts.get(name, 0)
        found.append(_beyond(hits, n, min(share + limit, 0.999)))
        found.append(_beyond(n - hits, n, min(1 - share + limit, 0.999)))
    new = sum(count for name, count in counts.items() if name not in reference)
    found.append(_beyond(new, n, limit))
    return found


def _beyond(hits: int, n: int, allowed: float) -> Items:
    return items([1 - allowed, -allowed], [hits, n - hits], -allowed)


def running_minutes(counts: Sequence[int]) -> list[int]:
    """Pictures of the minutes in which a line ran: five empty ones in a row, and what lies at an end, are a rest.

    Args:
        counts: pictures of each whole minute, in order, one line.
    """
    kept: list[int] = []
    empty: list[int] = []
    for count in counts:
        if count:
            if kept and len(empty) < RESTS_MINUTES:
                kept += empty
            empty = []
            kept.append(count)
        else:
            empty.append(count)
    return kept


def throughput_growth(minutes: Sequence[int], limit: float) -> Array:
    """(3,) growth of bettors on a slower line: likelihood ratios of Poisson counts of parts.

    Their mean is at most 1 for any count whose mean is the limit or more and that varies no more than Poisson's; a
    line that runs regularly varies less, and so does one of several that parts are dealt to by chance. `least` plays no
    part, so they are not `Items`.
    """
    slower = np.asarray(SLOWER)
    grown: Array = sum(minutes) * np.log(slower) + len(minutes) * limit * (1 - slower)
    return grown


@dataclass(frozen=True)
class Minute:
    """One minute's latency.

    Attributes:
        p99: milliseconds.
        over: pictures that took longer than the limit.
        slow: more of them than one minute in twenty would have by chance while 1% are slower. Of fewer than a hundred
            pictures the largest is the 99th percentile, and a single hiccup would make a slow minute of every one.
    """

    n: int
    p99: float
    over: int
    slow: bool


def minute_of(milliseconds: Sequence[float], limit: float) -> Minute:
    """What one minute's pictures took.

    Source: exact binomial test of a quantile (Conover 1999, section 3.2).
    """
    ordered = np.sort(np.asarray(milliseconds, np.float64))
    if not len(ordered):
        return Minute(0, 0.0, 0, False)
    at = math.ceil(0.99 * len(ordered)) - 1
    over = int((ordered > limit).sum())
    by_chance = float(stats.binom.sf(over - 1, len(ordered), 0.01))
    return Minute(len(ordered), float(ordered[at]), over, over > 0 and by_chance <= BY_CHANCE)


def slow_run(slow: Iterable[bool]) -> int:
    """How many of the last minutes with pictures were slow, one after the other."""
    run = 0
    for one in slow:
        run = run + 1 if one else 0
    return run
