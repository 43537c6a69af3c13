"""Learning curves: what labels bought, how sure that is, what a choice saved against chance, and when to stop.

Seeds and test groups are drawn again together: a group of pictures counts as often as it was drawn, in every seed at
once, because all seeds are tested on the same pictures. A curve is made monotone before it is asked when it reached
its target, so that one lucky round reaches nothing.

Source: Efron and Tibshirani 1993, chapter 6 for the percentile interval; Barlow et al. 1972 for the monotone fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from core.errors import BadInput
from core.learn.backtest import Replay
from core.learn.metrics.proportions import Interval

Wide = npt.NDArray[np.float64]

DRAWS = 600
TARGET = 0.95  # of the score that the whole pool gives
GAIN = 0.01  # of the AUROC: less than this is not worth a round of labels
FEWEST_GROUPS = 8
CHANCE = "random"


class Estimate(NamedTuple):
    """A figure with its 95% interval; None where too few groups say how sure it is."""

    value: float
    between: Interval | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one strategy was worth.

    Attributes:
        labels: (r,); mean, low, high: (r,) AUROC, low and high NaN where nothing can be said of them.
        to_target: labels until the curve reaches the target, at most the whole pool.
        saved: share of the labels that random needs which it did not need; None for random itself.
        stop_at: labels after which the stopping rule would have ended it; None where it never would.
        at_stop: the score there.
    """

    labels: npt.NDArray[np.intp]
    mean: Wide
    low: Wide
    high: Wide
    to_target: Estimate
    saved: Estimate | None
    stop_at: int | None
    at_stop: float | None

    @property
    def better(self) -> bool:
        """Whether the whole interval says that it saves labels."""
        return self.saved is not None and self.saved.between is not None and self.saved.between.low > 0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Strategies beside chance.

    Attributes:
        target: AUROC that was to be reached; full: what the whole pool gives.
        groups: how many groups of pictures the intervals rest on.
    """

    target: float
    full: float
    groups: int
    outcomes: dict[str, Outcome]


def compare(found: Replay, target: float = TARGET, draws: int = DRAWS, seed: int = 0) -> Comparison:
    """Curves of every strategy, and labels to the target against random.

    Args:
        found: rounds as they were replayed, random among them.
        target: share of the whole pool's score.
        draws: of seeds and groups.
        seed: of the draws.

    Raises:
        BadInput: random was not replayed.
    """
    if CHANCE not in found.logits:
        raise BadInput("Without the random arm nothing can be compared: replay random, too.")
    rng = np.random.default_rng(seed)
    groups = int(found.groups.max()) + 1
    sure = groups >= FEWEST_GROUPS
    weights = np.ones((1 + draws, groups))
    weights[1:] = rng.multinomial(groups, np.full(groups, 1 / groups), size=draws)
    drawn = rng.integers(0, found.seeds, (draws, found.seeds))
    times = np.zeros((1 + draws, found.seeds))
    times[0] = 1
    for place, row in enumerate(drawn, start=1):
        times[place] = np.bincount(row, minlength=found.seeds)
    curves = {name: _curves(found, name, weights, times) for name in found.logits}
    # The last round of every strategy learns from the same labels: the whole pool.
    full = np.mean([curve[:, -1] for curve in curves.values()], axis=0)
    reached = {name: _labels_to(found.labels, curve, target * full) for name, curve in curves.items()}
    outcomes = {}
    for name, curve in curves.items():
        saved = None
        if name != CHANCE:
            saved = _estimate(1 - reached[name] / reached[CHANCE], sure)
        low, high = (
            np.nanpercentile(curve[1:], [2.5, 97.5], axis=0) if sure else np.full((2, len(found.labels)), np.nan)
        )
        at = _stop(curve, found.labels) if sure else None
        outcomes[name] = Outcome(
            found.labels, curve[0], low, high, _estimate(reached[name], sure), saved,
            None if at is None else int(found.labels[at]), None if at is None else float(curve[0, at]),
        )  # fmt: skip
    return Comparison(float(target * full[0]), float(full[0]), groups, outcomes)


def weighted_auroc(scores: npt.ArrayLike, defective: npt.ArrayLike, weights: Wide) -> Wide:
    """(b,) AUROC under each of b weightings of the same n pictures; NaN where one kind has no weight.

    Args:
        scores: (n,); ties count half.
        defective: (n,).
        weights: (b, n), 0 and more.
    """
    s, d = np.asarray(scores, np.float64), np.asarray(defective, bool)
    above = (s[d][:, None] > s[~d]) + 0.5 * (s[d][:, None] == s[~d])
    bad, good = weights[:, d], weights[:, ~d]
    total = bad.sum(axis=1) * good.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Wide = ((bad @ above) * good).sum(axis=1) / np.where(total > 0, total, np.nan)
    return found


def stopping_point(curves: Wide, labels: Sequence[int], gain: float = GAIN) -> int | None:
    """The first round after which more labels are surely worth less than a gain.

    Args:
        curves: (1 + b, r) AUROC: as it was, then as it was drawn again.
        labels: (r,).
        gain: between half the labels and all of them so far; the upper end of its interval has to lie below it.

    Returns:
        A round, or None.
    """
    return _stop(curves, np.asarray(labels), gain)


def _curves(found: Replay, name: str, weights: Wide, times: Wide) -> Wide:
    """(1 + draws, r) mean AUROC over the seeds that were drawn, the test groups weighing as they were drawn."""
    logits = found.logits[name]
    total = np.zeros((len(weights), logits.shape[1]))
    counted = np.zeros_like(total)
    for seed in range(logits.shape[0]):
        there = ~np.isnan(logits[seed, 0])
        own, d = weights[:, found.groups[there]], found.defective[there]
        for place in range(logits.shape[1]):
            area = weighted_auroc(logits[seed, place, there], d, own)
            known = ~np.isnan(area)
            total[known, place] += area[known] * times[known, seed]
            counted[known, place] += times[known, seed]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Wide = total / np.where(counted > 0, counted, np.nan)
    return mean


def _labels_to(labels: npt.NDArray[np.intp], curves: Wide, target: Wide) -> Wide:
    """(b,) labels at which each curve, made monotone, reaches its target; all of them at the latest."""
    found = np.full(len(curves), float(labels[-1]))
    for place, (curve, wanted) in enumerate(zip(curves, target, strict=True)):
        if np.isnan(curve).any() or np.isnan(wanted):
            found[place] = np.nan
            continue
        rising = isotonic_regression(curve).x
        there = np.flatnonzero(rising >= wanted - 1e-12)
        if not len(there):
            continue
        at = int(there[0])
        if at == 0 or rising[at] == rising[at - 1]:
            found[place] = labels[at]
            continue
        part = (wanted - rising[at - 1]) / (rising[at] - rising[at - 1])
        found[place] = labels[at - 1] + part * (labels[at] - labels[at - 1])
    return found


def _estimate(drawn: Wide, sure: bool) -> Estimate:
    """The first is the value, the rest its draws."""
    known = drawn[1:][~np.isnan(drawn[1:])]
    between = None
    if sure and len(known):
        low, high = np.percentile(known, [2.5, 97.5])
        between = Interval(float(low), float(high))
    return Estimate(float(drawn[0]), between)


def _stop(curves: Wide, labels: npt.NDArray[np.intp], gain: float = GAIN) -> int | None:
    for at in range(1, len(labels) - 1):
        before = int(np.searchsorted(labels, labels[at] / 2, side="right")) - 1
        if before < 0:
            continue
        gained = curves[1:, at] - curves[1:, before]
        known = gained[~np.isnan(gained)]
        if len(known) and float(np.percentile(known, 97.5)) < gain:
            return at
    return None
