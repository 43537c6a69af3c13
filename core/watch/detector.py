"""Detectors of change that stay honest however often somebody looks.

A figure comes as items z, each of which is 0 or less on average, whatever came before, as long as the rule is kept: for
"overrides at most 10%", z is 1 - 0.10 for an override and -0.10 for any other answer. Betting the share l of one's
capital on such items can on average win nothing, so each factor 1 + l z is an e-value. The detector is the mixture of
everybody who began to bet at some look,

    level <- (level + share of a quarter that this look stands for) x product of (1 + l z),

averaged over several bets. It adds no more than 1 on average in a quarter, and an alarm takes away 1 / rate: so the
expected number of false alarms in any quarter is at most `rate`, exactly and from the first look on, for dependent
items too. Because somebody begins anew at every look, a late change is seen as fast as an early one.

Source: Shin, Ramdas and Rinaldo 2024, "E-detectors: a nonparametric framework for sequential change detection",
definition 2.2 and section 3 (Shiryaev-Roberts e-detectors and mixtures of them); the bets are those of Waudby-Smith
and Ramdas 2024, "Estimating means of bounded random variables by betting". The count of alarms in a quarter follows
from their theorem on the average run length by adding up over restarts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadInput

Array = npt.NDArray[np.float64]

QUARTER_S = 365.25 / 4 * 86400
# Of the most that may be bet, .0001 to .66: the smallest are for audits of one part in fifty, which weigh fifty each.
BETS = tuple(0.0001 * 3**k for k in range(9))
_MOST = 1e250  # a level is only ever compared, and must not become infinite


class Items(NamedTuple):
    """Items of one look, grouped by value.

    Attributes:
        z: (k,) values.
        n: (k,) how many there are of each.
        least: no item that could have come is smaller; below 0, and known before the items are.
    """

    z: Array
    n: Array
    least: float


def items(z: Sequence[float] | Array, n: Sequence[float] | Array, least: float) -> Items:
    """Check and pack.

    Raises:
        BadInput: for lists of different lengths, or a value below `least`.
    """
    values, counts = np.asarray(z, np.float64), np.asarray(n, np.float64)
    if values.shape != counts.shape:
        raise BadInput(f"{values.size} values but {counts.size} counts: give one count for each value.")
    if not least < 0:
        raise BadInput(f"The smallest value that an item may have is {least}: it has to be below 0.")
    if values.size and values.min() < least * (1 + 1e-9):
        raise BadInput(f"An item of {values.min():g} is below the smallest that was announced, {least:g}.")
    return Items(values, counts, least)


def growth(found: Items, bets: Sequence[float] = BETS) -> Array:
    """(bets,) logarithm of what each bettor's capital is multiplied by."""
    if not found.z.size:
        return np.zeros(len(bets))
    stakes = np.asarray(bets) / -found.least
    logs: Array = np.log1p(np.outer(stakes, found.z)) @ found.n
    return logs


def start(bets: Sequence[float] = BETS) -> Array:
    """(bets,) levels before the first look."""
    return np.zeros(len(bets))


def step(levels: Array, grown: Array, share: float | Array) -> Array:
    """The levels after one more look.

    Args:
        levels: (..., bets) after the look before.
        grown: (..., bets) as `growth` gives it.
        share: of a quarter that passes until the next look, divided among all that is watched under one rate; it is
            what may newly be bet, and must not depend on the items of this look.
    """
    logs = np.minimum(grown, 500.0)
    raised: Array = np.minimum((levels + share) * np.exp(logs), _MOST)
    return raised


def level(levels: Array) -> Array:
    """(...,) mean over the bettors; an alarm is due where it reaches 1 / rate."""
    mean: Array = levels.mean(axis=-1)
    return mean


def fires(levels: Array, rate: float) -> bool:
    """Whether the evidence is enough for an alarm.

    Args:
        levels: (bets,).
        rate: expected false alarms a quarter that somebody is ready to bear.
    """
    if not rate > 0:
        raise BadInput(f"A rate of {rate} false alarms a quarter can be promised by no rule: give more than 0.")
    return float(level(levels)) >= 1 / rate


def share_of_quarter(seconds: float, among: int = 1) -> float:
    """What a look that stands for so many seconds adds, divided among so many lines or cameras."""
    return max(0.0, seconds) / QUARTER_S / max(1, among)
