"""The band of least expected cost that the inspectors can carry, and the rules that need no model beside it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.decide.sweep import Cells, Sweep
from core.errors import BadInput
from core.learn.metrics import Counts, beats_flag_all, flag_all, pass_all
from core.learn.metrics.scored import Array

MOST_EDGES = 1500  # candidate edges on each side; more levels are thinned to equal steps of parts


@dataclass(frozen=True)
class Prices:
    """What things cost, in any one currency.

    Attributes:
        miss: a defective part that passes by itself.
        false_reject: a good part that fails by itself.
        look: one held part, looked at by an inspector (seconds times wage).
    """

    miss: float
    false_reject: float
    look: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name, value in (("miss", self.miss), ("false reject", self.false_reject), ("look", self.look)):
            if not (np.isfinite(value) and value >= 0):
                raise BadInput(f"A {name} cannot cost {value}: give 0 or more.")


@dataclass(frozen=True)
class Prior:
    """How the examples at hand stand for the site's parts.

    Attributes:
        bad, good: how many of the site's parts one defective, one good example stands for; both 1 where the examples
            are the site's own mixture.
    """

    bad: float = 1.0
    good: float = 1.0


@dataclass(frozen=True)
class Best:
    """The best band.

    Attributes:
        cost: expected, per part.
        held: share of the parts that go to a person.
        bound: the inspectors' capacity is what stops it from holding more.
        cells: as counted among the examples.
    """

    pass_below: float
    fail_above: float
    cost: float
    held: float
    bound: bool
    cells: Cells


def prior_for(found: Sweep, prevalence: float | None) -> Prior:
    """The weights that restate the examples at a site's own share of defective parts.

    Raises:
        BadInput: a share outside 0 to 1, or one kind of example is missing.
    """
    if prevalence is None:
        return Prior()
    if not 0 < prevalence < 1:
        raise BadInput(f"A share of defective parts of {prevalence} cannot be: give one between 0 and 1.")
    if not found.bad or not found.good:
        raise BadInput("A share of defective parts needs examples of both kinds: label a good and a defective one.")
    return Prior(prevalence * found.n / found.bad, (1 - prevalence) * found.n / found.good)


def cost_of(cells: Cells, prices: Prices, prior: Prior = Prior()) -> float:
    """Expected cost per part of what a band does."""
    n = prior.bad * cells.bad + prior.good * cells.good
    held = prior.bad * cells.held_bad + prior.good * cells.held_good
    total = prices.miss * prior.bad * cells.passed_bad + prices.false_reject * prior.good * cells.failed_good
    return (total + prices.look * held) / n if n else 0.0


def optimum(
    found: Sweep,
    prices: Prices,
    capacity: float = 1.0,
    prior: Prior = Prior(),
    most_passed: float = 1.0,
    stream: Sweep | None = None,
) -> Best:
    """The band of least expected cost that holds no more parts than can be looked at.

    Every pair of edges is weighed: cost is the sum of a term of the lower edge and one of the upper edge, so that a
    table of both is two columns added, and the held share is another such table. Of bands that cost the same the one
    that holds least wins, then the stricter one.

    Args:
        found: counts of labelled examples.
        prices: of a miss, a false reject and a look.
        capacity: the share of the parts that inspectors can look at, in [0, 1].
        prior: restates the examples at the site's own share of defective parts.
        most_passed: the lower edge may be no higher than this: what the guarantee allows.
        stream: all the parts that come, labelled or not, whose held share is known exactly; the labelled ones stand
            for them where none is given.

    Raises:
        BadInput: nothing is labelled, or the capacity is no share.
    """
    if not 0 <= capacity <= 1:
        raise BadInput(f"Inspectors cannot look at a share of {capacity}: give one from 0 to 1.")
    if not found.n:
        raise BadInput("Nothing is labelled here, so nothing can be weighed: label some parts first.")
    edges = _edges(found)
    low = np.unique(np.r_[edges[edges <= most_passed], min(most_passed, 1.0)])
    good_under, bad_under = found.under(low)
    good_over, bad_over = found.over(edges)
    n = prior.bad * found.bad + prior.good * found.good
    passed = (prior.bad * bad_under + prior.good * good_under) / n  # (low,)
    failed = (prior.bad * bad_over + prior.good * good_over) / n  # (edges,)
    if stream is not None and stream.n:
        passed = np.add(*stream.under(low)) / stream.n
        failed = np.add(*stream.over(edges)) / stream.n
    at_low = prices.miss * prior.bad * bad_under / n - prices.look * passed
    at_high = prices.false_reject * prior.good * good_over / n - prices.look * failed
    at = _cheapest(low, edges, at_low, at_high, passed, failed, capacity)
    lower, upper = float(low[at[0]]), float(edges[at[1]])
    i, j = at
    free = _cheapest(low, edges, at_low, at_high, passed, failed, 1.0)
    cost = float(at_low[i] + at_high[j]) + prices.look  # a look at every part, less those that pass or fail
    return Best(lower, upper, cost, float(1 - passed[i] - failed[j]), free != at, found.cells(lower, upper))


def _cheapest(
    low: Array, high: Array, at_low: Array, at_high: Array, passed: Array, failed: Array, capacity: float
) -> tuple[int, int]:
    """Places of the best pair of edges."""
    cost = at_low[:, None] + at_high[None, :]  # (low, high)
    held = 1 - passed[:, None] - failed[None, :]
    barred = (low[:, None] > high[None, :]) | (held > capacity + 1e-12)
    cost = np.where(barred, np.inf, cost)
    near = cost <= cost.min() + 1e-12 * max(1.0, abs(float(cost.min())))
    tied = np.flatnonzero(near.ravel())
    i, j = np.unravel_index(tied, cost.shape)
    order = np.lexsort((high[j], low[i], held[i, j].round(12)))
    return int(i[order[0]]), int(j[order[0]])


def _edges(found: Sweep) -> Array:
    """Where an edge can lie: at levels and between them; 0 passes nothing and 1 fails nothing."""
    shown = found.shown(MOST_EDGES)
    if len(found.levels) > MOST_EDGES // 2:
        return shown
    return np.unique(np.r_[shown, (found.levels[1:] + found.levels[:-1]) / 2])


@dataclass(frozen=True)
class Baselines:
    """A threshold beside the rules that need no model.

    Attributes:
        better: it beats flagging everything by F2; a tie is no.
        sentence: what this matrix is, in words.
    """

    own: Counts
    flag_all: Counts
    pass_all: Counts
    better: bool
    sentence: str


def baselines(own: Counts) -> Baselines:
    """Call a matrix what it is: a model, or a rule that needs none.

    TP 6053, FN 2, FP 8618, TN 1 has a recall of 99.97% and an F2 of 77.82%; flagging everything has 77.84%.
    """
    everything = flag_all(own)
    better = beats_flag_all(own)
    mine, theirs = own.f(2), everything.f(2)
    if mine is None or theirs is None or own.tp + own.fn == 0:
        said = "No defective part is labelled, so this cannot be told from any other rule."
    elif own.tn + own.fn == 0:
        said = "This flags everything: no part would pass by itself."
    elif own.tp + own.fp == 0:
        said = "This passes everything: no part would be stopped."
    elif better:
        said = f"F2 {mine:.2%} against {theirs:.2%} for flagging everything."
    else:
        said = (
            f"This is the flag-everything rule with extra steps: F2 {mine:.2%}, {theirs:.2%} for flagging everything, "
            f"however good a recall of {own.recall or 0:.2%} looks."
        )
    return Baselines(own, everything, pass_all(own), better, said)


def best_f(found: Sweep, beta: float = 2.0, prior: Prior = Prior()) -> tuple[float, float] | None:
    """The threshold with the best F-beta, where all that does not pass counts as flagged, and that F-beta.

    None where nothing is defective.
    """
    if not found.bad:
        return None
    levels = np.r_[0.0, found.levels]
    good_under, bad_under = found.under(levels)
    tp = prior.bad * (found.bad - bad_under)
    fp = prior.good * (found.good - good_under)
    fn = prior.bad * bad_under
    weight = beta * beta
    f: npt.NDArray[np.float64] = (1 + weight) * tp / ((1 + weight) * tp + weight * fn + fp)
    best = int(np.argmax(f))
    return float(levels[best]), float(f[best])
