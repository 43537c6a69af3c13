"""Fitting a site's reading of scores anew, and whether it is better than the present one on parts it has not seen.

Each labelled part was drawn with a recorded probability and counts 1 / probability, so the fit is that of all parts of
the time and not of those that were held. Fitted by weighted maximum likelihood with Platt's soft targets; compared by
the weighted log loss over folds that the fit has not seen.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit, logit

from core.decide.score_map import EDGE, INTERCEPTS, SLOPES, ScoreMap
from core.errors import BadInput
from core.learn.metrics import Counts
from core.learn.metrics.calibration import Bin

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
FOLDS = 5
ENOUGH = 20  # labelled parts of either kind, under which nothing is fitted
_BINS = 10


class Better(StrEnum):
    """What the comparison says."""

    YES = "better"
    NO = "worse"
    UNSURE = "not enough evidence"


@dataclass(frozen=True)
class Reading:
    """One reading of scores against labels that it was not fitted to.

    Attributes:
        loss: weighted log loss, in nats.
        gap: weighted mean distance between what is said and what is seen, in tenths of scores.
        counts: labelled parts, unweighted; flagged is one half or more.
        bins: said and seen, weighted; n is how many parts.
    """

    loss: float
    gap: float
    counts: Counts
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Refit:
    """A reading fitted anew beside the present one.

    Attributes:
        fitted: to all labelled parts.
        present: None where the model's scores are taken as they are.
        new, old: both on the folds.
        gain: log loss saved for a part by the new reading; above 0 is better.
        low, high: 95% interval of it.
        defective, good: labelled parts.
    """

    fitted: ScoreMap
    present: ScoreMap | None
    new: Reading
    old: Reading
    gain: float
    low: float
    high: float
    defective: int
    good: int

    @property
    def better(self) -> Better:
        """Only where the whole interval says so."""
        if self.low > 0:
            return Better.YES
        return Better.NO if self.high < 0 else Better.UNSURE


def refit(
    scores: Array, defective: Flags, weights: Array, model: str, rng: np.random.Generator,
    present: ScoreMap | None = None,
) -> Refit:  # fmt: skip
    """Fit the reading of a model's scores at a site anew and compare it with the present one.

    Args:
        scores: (n,) the model's own, of whole parts.
        defective: (n,) what people said of them.
        weights: (n,) 1 / the probability with which each was drawn.
        model: whose scores.
        rng: deals the parts into folds.
        present: in force now.

    Raises:
        BadInput: with too few labelled parts of either kind.

    Source: Platt 1999; the interval is that of a weighted mean over parts (Särndal, Swensson and Wretman 1992). Folds
    share parts of their fits, so it is a little too short (Bates, Hastie and Tibshirani 2024); two numbers fitted to
    hundreds of parts keep that small, and the simulation of its test says how small.
    """
    bad = int(defective.sum())
    good = len(defective) - bad
    if min(bad, good) < ENOUGH:
        raise BadInput(
            f"{bad:,} defective and {good:,} good parts were drawn by chance and labelled: {ENOUGH} of either kind are "
            "needed to fit scores anew. Hold or audit more, or wait."
        )
    if not (weights > 0).all() or not ((scores >= 0) & (scores <= 1)).all():
        raise BadInput("A part was drawn with a probability above nought, and a score lies in 0 to 1.")
    odds = logit(np.clip(scores, EDGE, 1 - EDGE))
    said = odds if present is None else present.slope * odds + present.intercept
    held_out = np.empty_like(odds)
    folds = dealt(defective, rng)
    for fold in range(FOLDS):
        mine = folds == fold
        slope, intercept = _fitted(odds[~mine], defective[~mine], weights[~mine])
        held_out[mine] = slope * odds[mine] + intercept
    saved = _losses(said, defective) - _losses(held_out, defective)
    gain = float(weights @ saved / weights.sum())
    error = float(np.sqrt(np.sum((weights * (saved - gain)) ** 2)) / weights.sum())
    effective = float(weights.sum() ** 2 / np.sum(weights**2))
    reach = float(stats.t.ppf(0.975, max(1.0, effective - 1))) * error
    slope, intercept = _fitted(odds, defective, weights)
    return Refit(
        ScoreMap(model, slope, intercept), present, _reading(held_out, defective, weights),
        _reading(said, defective, weights), gain, gain - reach, gain + reach, bad, good,
    )  # fmt: skip


def dealt(defective: Flags, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """(n,) the fold of each part, defective and good ones dealt out evenly."""
    folds = np.empty(len(defective), np.intp)
    for side in (True, False):
        mine = np.flatnonzero(defective == side)
        folds[rng.permutation(mine)] = np.arange(len(mine)) % FOLDS
    return folds


def _fitted(odds: Array, defective: Flags, weights: Array) -> tuple[float, float]:
    share = weights / weights.sum()
    bad, good = int(defective.sum()), int((~defective).sum())
    soft = np.where(defective, (bad + 1) / (bad + 2), 1 / (good + 2))

    def loss(free: Array) -> tuple[float, Array]:
        slope, intercept = np.exp(free[0]), free[1]
        z = slope * odds + intercept
        wrong = share * (expit(z) - soft)
        return float(share @ (np.logaddexp(0, z) - soft * z)), np.array([wrong @ odds * slope, wrong.sum()])

    bounds = [(np.log(SLOPES[0]), np.log(SLOPES[1])), INTERCEPTS]
    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=bounds)
    slope = float(np.clip(np.exp(found.x[0]), *SLOPES))
    return slope, float(np.clip(found.x[1], *INTERCEPTS))


def _losses(log_odds: Array, defective: Flags) -> Array:
    losses: Array = np.logaddexp(0, np.where(defective, -log_odds, log_odds))
    return losses


def _reading(log_odds: Array, defective: Flags, weights: Array) -> Reading:
    said = expit(log_odds)
    at = np.minimum((said * _BINS).astype(int), _BINS - 1)
    bins, gap = [], 0.0
    for place in range(_BINS):
        mine = at == place
        if mine.any():
            w = weights[mine]
            told, seen = float(w @ said[mine] / w.sum()), float(w @ defective[mine] / w.sum())
            bins.append(Bin(place / _BINS, (place + 1) / _BINS, told, seen, int(mine.sum())))
            gap += float(w.sum() / weights.sum()) * abs(told - seen)
    flagged = said >= 0.5
    counts = Counts(
        int((flagged & defective).sum()), int((~flagged & defective).sum()), int((flagged & ~defective).sum()),
        int((~flagged & ~defective).sum()),
    )  # fmt: skip
    loss = float(weights @ _losses(log_odds, defective) / weights.sum())
    return Reading(loss, gap, counts, tuple(bins))
