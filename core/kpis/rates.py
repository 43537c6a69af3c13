"""What was decided against what is true, from parts that chance has picked, with intervals.

Nobody looks at most of what passed or failed by itself. So what is true of them is estimated from those that were
picked at random to be audited, each counting for as many as it was picked out of; what was held is answered anyway.
Everything is an array over the groups that are counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
OUTCOMES = ("PASS", "HOLD", "FAIL")


@dataclass(frozen=True)
class Stratum:
    """Decisions of one outcome and what is known of them; each field is an array over groups.

    Attributes:
        decided: how many there were.
        n: of which the truth is known.
        weight, weight2: sums of 1 / inclusion probability, and of its square, over those.
        defective: of `weight`, what is defective.
    """

    decided: Array
    n: Array
    weight: Array
    weight2: Array
    defective: Array


class Estimate(NamedTuple):
    """Of one measure, over groups; NaN where nothing is known.

    Attributes:
        n: truths that it rests on.
    """

    value: Array
    low: Array
    high: Array
    n: Array


class _Share(NamedTuple):
    value: Array
    low: Array
    high: Array


def _share(stratum: Stratum, confidence: float) -> _Share:
    """The defective share of a stratum with its interval; from 0 to 1, without a value, where no truth is known.

    Source: Clopper and Pearson 1934, with the effective number of trials of Korn and Graubard 1998.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = stratum.defective / stratum.weight
        trials = stratum.weight**2 / stratum.weight2
        hits = value * trials
        tail = (1 - confidence) / 2
        low = np.where(hits <= 0, 0.0, stats.beta.ppf(tail, hits, trials - hits + 1))
        high = np.where(hits >= trials, 1.0, stats.beta.ppf(1 - tail, hits + 1, trials - hits))
    none = stratum.weight <= 0
    return _Share(np.where(none, np.nan, value), np.where(none, 0.0, low), np.where(none, 1.0, high))


def measures(strata: Mapping[str, Stratum], confidence: float = 0.95) -> dict[str, Estimate]:
    """Every measure with its interval.

    - escape rate: of what passed by itself, the share that is defective.
    - miss rate: of what is defective, the share that passed by itself.
    - false reject rate: of what is good, the share that failed by itself.
    - precision: of what was stopped, held or failed, the share that is defective.
    - recall: of what is defective, the share that was stopped.
    - f1, f2: of precision and recall; f2 counts recall twice as much.

    Intervals of measures that rest on several outcomes add the squares of what each one's own interval would change.

    Args:
        strata: by outcome; all of OUTCOMES.
        confidence: of the intervals.

    Source: Zou and Donner 2008 (method of variance estimates recovery), in the form of Newcombe 1998.
    """
    shares = {name: _share(strata[name], confidence) for name in OUTCOMES}
    decided = {name: strata[name].decided for name in OUTCOMES}
    found = {
        name: _combined(rule, shares, decided, {one: strata[one].n for one in OUTCOMES}, needs)
        for name, (rule, needs) in _RULES.items()
    }
    none = decided["PASS"] <= 0
    escape = shares["PASS"]
    value, low, high = (np.where(none, np.nan, one) for one in escape)
    found["escape rate"] = Estimate(value, low, high, strata["PASS"].n)
    return {name: found[name] for name in MEASURES}


def accuracy(strata: Mapping[str, Stratum], confidence: float = 0.95) -> Estimate:
    """Of what passed or failed by itself, the share that was right."""
    shares = {name: _share(strata[name], confidence) for name in OUTCOMES}
    decided = {name: strata[name].decided for name in OUTCOMES}
    return _combined(_right, shares, decided, {one: strata[one].n for one in OUTCOMES}, ("PASS", "FAIL"))


def against_flag_all(strata: Mapping[str, Stratum]) -> tuple[float, float] | None:
    """F2 of all groups together, and that of stopping every part; None while either is unknown.

    A high recall proves nothing by itself: stopping everything has the highest.
    """
    whole = {
        name: Stratum(*(np.array([float(np.sum(getattr(one, field)))]) for field in Stratum.__dataclass_fields__))
        for name, one in strata.items()
    }
    ours = float(measures(whole)["f2"].value[0])
    if np.isnan(ours):
        return None
    defective = sum(
        float(one.decided[0] * one.defective[0] / one.weight[0]) for one in whole.values() if one.weight[0] > 0
    )
    good = float(sum(one.decided[0] for one in whole.values())) - defective
    return ours, 5 * defective / (5 * defective + good)


def _right(shares: Mapping[str, Array], decided: Mapping[str, Array]) -> Array:
    right = (1 - shares["PASS"]) * decided["PASS"] + shares["FAIL"] * decided["FAIL"]
    return right / (decided["PASS"] + decided["FAIL"])


MEASURES = ("escape rate", "miss rate", "false reject rate", "precision", "recall", "f1", "f2")
_Rule = Callable[[Mapping[str, Array], Mapping[str, Array]], Array]


def _totals(shares: Mapping[str, Array], decided: Mapping[str, Array]) -> tuple[Array, Array, Array]:
    """Defective and stopped, defective and passed, good and stopped."""
    stopped = shares["HOLD"] * decided["HOLD"] + shares["FAIL"] * decided["FAIL"]
    return stopped, shares["PASS"] * decided["PASS"], decided["HOLD"] + decided["FAIL"] - stopped


def _miss(shares: Mapping[str, Array], decided: Mapping[str, Array]) -> Array:
    stopped, passed, _ = _totals(shares, decided)
    return passed / (passed + stopped)


def _recall(shares: Mapping[str, Array], decided: Mapping[str, Array]) -> Array:
    return 1 - _miss(shares, decided)


def _false_reject(shares: Mapping[str, Array], decided: Mapping[str, Array]) -> Array:
    good = {name: (1 - shares[name]) * decided[name] for name in OUTCOMES}
    return good["FAIL"] / (good["PASS"] + good["HOLD"] + good["FAIL"])


def _precision(shares: Mapping[str, Array], decided: Mapping[str, Array]) -> Array:
    stopped, _, good = _totals(shares, decided)
    return stopped / (stopped + good)


def _f(beta: float) -> _Rule:
    def rule(shares: Mapping[str, Array], decided: Mapping[str, Array]) -> Array:
        tp, fn, fp = _totals(shares, decided)
        return (1 + beta**2) * tp / ((1 + beta**2) * tp + beta**2 * fn + fp)

    return rule


_RULES: Mapping[str, tuple[_Rule, tuple[str, ...]]] = {
    "miss rate": (_miss, OUTCOMES),
    "false reject rate": (_false_reject, OUTCOMES),
    "precision": (_precision, ("HOLD", "FAIL")),
    "recall": (_recall, OUTCOMES),
    "f1": (_f(1), OUTCOMES),
    "f2": (_f(2), OUTCOMES),
}


def _combined(
    rule: _Rule,
    shares: Mapping[str, _Share],
    decided: Mapping[str, Array],
    n: Mapping[str, Array],
    needs: tuple[str, ...],
) -> Estimate:
    """A measure of several shares; where one of them is unknown, only how far the others bound it."""
    empty = {name: decided[name] <= 0 for name in OUTCOMES}  # of an outcome that never occurred, no share is needed
    point = {name: np.where(empty[name], 0.0, shares[name].value) for name in OUTCOMES}
    centre = {name: np.where(np.isnan(point[name]), 0.5, point[name]) for name in OUTCOMES}
    with np.errstate(divide="ignore", invalid="ignore"):
        value = rule(centre, decided)
        down, up = np.zeros_like(value), np.zeros_like(value)
        for name in needs:
            ends = [
                rule({**centre, name: np.where(empty[name], 0.0, end)}, decided)
                for end in (shares[name].low, shares[name].high)
            ]
            down += np.square(np.maximum(value - np.minimum(*ends), 0))
            up += np.square(np.maximum(np.maximum(*ends) - value, 0))
        low, high = np.clip(value - np.sqrt(down), 0, 1), np.clip(value + np.sqrt(up), 0, 1)
    unknown = np.zeros(value.shape, bool)
    for name in needs:
        unknown |= np.isnan(point[name])
    worst = _extremes(rule, shares, decided, empty, needs)
    return Estimate(
        np.where(unknown, np.nan, value),
        np.where(unknown, worst[0], low),
        np.where(unknown, worst[1], high),
        np.sum([n[name] for name in needs], axis=0),
    )


def _extremes(
    rule: _Rule,
    shares: Mapping[str, _Share],
    decided: Mapping[str, Array],
    empty: Mapping[str, npt.NDArray[np.bool_]],
    needs: tuple[str, ...],
) -> tuple[Array, Array]:
    """The least and the most that a measure can be while each share stays in its own interval."""
    found: list[Array] = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for corner in range(2 ** len(needs)):
            ends = {name: np.zeros_like(decided[name]) for name in OUTCOMES}
            for place, name in enumerate(needs):
                end = shares[name].high if corner >> place & 1 else shares[name].low
                ends[name] = np.where(empty[name], 0.0, end)
            found.append(rule(ends, decided))
    with np.errstate(invalid="ignore"):
        return np.fmin.reduce(found), np.fmax.reduce(found)
