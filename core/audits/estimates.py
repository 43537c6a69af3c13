"""Miss rate, escape rate and false-reject rate from audited parts, with intervals.

Nobody looks at what passed by itself, so what people override says nothing about escapes. A random share of the parts
that were decided without a person is looked at all the same; each was drawn with a probability that was written down
with its decision. A part that was looked at stands for 1 / probability parts (Horvitz and Thompson 1952), corrected to
the known number of parts of its kind (Hajek 1971), which are kept apart by line, score and part type as far as there
are answers for it (post-stratification: Holt and Smith 1979).

- miss rate: P(PASS | defective), of all defective parts the share that passed by itself;
- escape rate: P(defective | PASS), of all parts that passed by themselves the share that is defective;
- false-reject rate: P(FAIL | good), of all good parts the share that failed by itself.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.audits.confidence import DRAWS, Draws, interval, proportion_draws, total_draws
from core.errors import BadInput
from core.records import Outcome

Floats64 = npt.NDArray[np.float64]
Stratum = tuple[str, ...]  # from the widest on: score bin, line, part type, ...

ENOUGH = 10  # answers that a stratum needs to stand for itself, and gold items of either kind to restate anything
HELPS = 0.95  # predictions are used where they leave at most this share of the variance
EVENTS_FOR_PREDICTIONS = 10
LEAST_SKILL = 0.05  # sensitivity + specificity - 1; with less, people's answers say nothing


@dataclass(frozen=True)
class Cell:
    """Parts that were decided one way in one stratum.

    Attributes:
        parts: how many there are.
        scores: sum of their scores.
    """

    outcome: Outcome
    stratum: Stratum
    parts: int
    scores: float = 0.0


class Look(NamedTuple):
    """One part that a person looked at.

    Attributes:
        share: the probability with which it was drawn, in (0, 1]; 1 for a held part.
        defective: what the person said.
        score: of the part.
    """

    outcome: Outcome
    stratum: Stratum
    share: float
    defective: bool
    score: float | None = None


@dataclass(frozen=True)
class Eyes:
    """How often people's answers to gold items were right.

    Attributes:
        seen, defective: defective items that were called so, of how many.
        cleared, good: good items that were passed, of how many.
    """

    seen: int = 0
    defective: int = 0
    cleared: int = 0
    good: int = 0

    @property
    def usable(self) -> bool:
        """Whether both sides were measured often enough and the answers carry information."""
        if min(self.defective, self.good) < ENOUGH:
            return False
        return self.seen / self.defective + self.cleared / self.good - 1 > LEAST_SKILL

    def draws(self, rng: np.random.Generator, draws: int = DRAWS) -> tuple[Draws, Draws]:
        """Sensitivity and specificity."""
        return (
            proportion_draws(self.seen, self.defective, rng, draws),
            proportion_draws(self.cleared, self.good, rng, draws),
        )


@dataclass(frozen=True)
class Rate:
    """A rate with its interval.

    Attributes:
        value: the estimate.
        low, high: 95% unless something else was asked for.
        n: answers that it rests on.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def width(self) -> float:
        """Of the interval."""
        return self.high - self.low


@dataclass(frozen=True)
class Estimates:
    """What a period's audits say.

    Attributes:
        miss, escape, false_reject: None where nothing can be said; `missing` says why.
        defective: estimated number of defective parts in the period.
        missing: sentences about what is not there.
        powered: sides whose estimate the scores made sharper.
    """

    miss: Rate | None
    escape: Rate | None
    false_reject: Rate | None
    defective: Rate | None
    missing: tuple[str, ...] = ()
    powered: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class _Side:
    """One outcome's parts and answers, as arrays over the answers.

    Attributes:
        weights: parts that each answer stands for; they add up to `parts`.
        flagged: 1 where the person said defective.
        groups: number of each answer's stratum after joining small ones.
    """

    parts: int
    weights: Floats64 = field(default_factory=lambda: np.zeros(0))
    flagged: Floats64 = field(default_factory=lambda: np.zeros(0))
    groups: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    scores: Floats64 = field(default_factory=lambda: np.zeros(0))
    scores_total: Floats64 = field(default_factory=lambda: np.zeros(0))  # by group; NaN where a score is missing


def estimate(
    cells: Sequence[Cell],
    looks: Sequence[Look],
    rng: np.random.Generator,
    *,
    eyes: Eyes | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
) -> Estimates:
    """The three rates of a period.

    Args:
        cells: every part decided in the period.
        looks: those that a person has answered, held ones included. Of the drawn and held parts of a stratum, the
            answered ones stand for those that still wait.
        rng: of the draws.
        eyes: how well people see; with it the rates are restated for their own error, and what is uncertain about it
            is in the intervals (Rogan and Gladen 1978, "Estimating prevalence from the results of a screening test";
            Lang and Reiczigel 2014). It takes gold items to be as hard as what is audited.
        confidence: of the two-sided intervals.
        draws: for each number.

    Raises:
        BadInput: for a probability outside (0, 1], or an answer about a stratum without parts.
    """
    if eyes is not None and not eyes.usable:
        return Estimates(None, None, None, None, (_unusable(eyes),))
    by_outcome: dict[Outcome, list[Look]] = {outcome: [] for outcome in Outcome}
    for look in looks:
        by_outcome[look.outcome].append(look)
    sides = {outcome: _side(outcome, cells, mine) for outcome, mine in by_outcome.items()}
    skills = None if eyes is None else eyes.draws(rng, draws)
    points: dict[Outcome, float] = {}
    spread: dict[Outcome, Draws] = {}
    missing, powered = [], []
    for outcome, side in sides.items():
        if side.parts and not side.flagged.size:
            missing.append(f"None of {side.parts:,} parts decided {outcome} has been looked at.")
            continue
        points[outcome], spread[outcome], helped = _defective(side, eyes, skills, rng, draws)
        if helped:
            powered.append(outcome)
    if missing:
        return _partly(sides, points, spread, tuple(missing), confidence)
    n = sum(side.flagged.size for side in sides.values())
    bad = sum(points.values())
    bads = sum(spread.values(), np.zeros(draws))
    parts = sum(side.parts for side in sides.values())
    failed = sides[Outcome.FAIL].parts
    return Estimates(
        miss=_ratio(points[Outcome.PASS], bad, spread[Outcome.PASS], bads, n, confidence),
        escape=_escape(sides, points, spread, confidence),
        false_reject=_ratio(failed - points[Outcome.FAIL], parts - bad, failed - spread[Outcome.FAIL], parts - bads, n,
                            confidence),
        defective=Rate(bad, *interval(bads, confidence), n) if parts else None,
        missing=() if parts else ("Nothing was decided in this time.",),
        powered=tuple(powered),
    )  # fmt: skip


def override_only(looks: Sequence[Look], leanings: Sequence[bool]) -> Mapping[str, tuple[int, int]]:
    """The same rates as a dashboard would take them from overrides: hits and trials among the held parts alone.

    It is shown beside the estimates because it is wrong: what passed by itself was never looked at.

    Args:
        looks: answers; those about held parts count.
        leanings: for each, whether the model leaned to defective.
    """
    held = [(look.defective, lean) for look, lean in zip(looks, leanings, strict=True) if look.outcome is Outcome.HOLD]
    passed = [bad for bad, lean in held if not lean]
    bad_leanings = [lean for bad, lean in held if bad]
    good_leanings = [lean for bad, lean in held if not bad]
    return {
        "miss": (bad_leanings.count(False), len(bad_leanings)),
        "escape": (passed.count(True), len(passed)),
        "false_reject": (good_leanings.count(True), len(good_leanings)),
    }


def _unusable(eyes: Eyes) -> str:
    if min(eyes.defective, eyes.good) < ENOUGH:
        return (
            f"{eyes.defective} answers to defective and {eyes.good} to good gold items: {ENOUGH} of either kind are "
            "needed to restate for inspectors' own error."
        )
    return "Answers to gold items are no better than chance, so nothing can be restated from them."


def _side(outcome: Outcome, cells: Sequence[Cell], mine: Sequence[Look]) -> _Side:
    parts: dict[Stratum, int] = {}
    scores: dict[Stratum, float] = {}
    for cell in cells:
        if cell.outcome is outcome:
            parts[cell.stratum] = parts.get(cell.stratum, 0) + cell.parts
            scores[cell.stratum] = scores.get(cell.stratum, 0.0) + cell.scores
    total = sum(parts.values())
    if not mine:
        return _Side(total)
    _, strata, shares, said, scored = zip(*mine, strict=True)  # columns: there may be many thousands
    answered = Counter(strata)
    share = np.array(shares, np.float64)
    if not (share.min() > 0 and share.max() <= 1):
        raise BadInput(f"A part was drawn with probability {share.min():g}: it has to be above 0 and at most 1.")
    for stratum in answered:
        if stratum not in parts:
            raise BadInput(f"A part of {stratum} was looked at, but none was decided there.")
    group_of = joined(parts, answered)
    groups = np.fromiter((group_of[stratum] for stratum in strata), np.intp, len(strata))
    count = max(group_of.values()) + 1
    base = 1 / share
    sizes, score_sums = np.zeros(count), np.zeros(count)
    for stratum, group in group_of.items():
        sizes[group] += parts[stratum]
        score_sums[group] += scores[stratum]
    weights = base * (sizes / np.bincount(groups, base, count))[groups]
    known = np.array(scored, np.float64)  # None becomes NaN
    flagged = np.array(said, np.float64)
    return _Side(total, np.maximum(weights, 1.0), flagged, groups, known, score_sums)


def joined(parts: Mapping[Stratum, int], answered: Mapping[Stratum, int]) -> dict[Stratum, int]:
    """Number each stratum, joining those with fewer than ENOUGH answers to others that are alike.

    Args:
        parts: how many parts each stratum has.
        answered: how many answers.
    """
    found: dict[Stratum, Stratum] = {}
    depth = max((len(stratum) for stratum in parts), default=0)
    for length in range(depth, -1, -1):  # what comes last in a stratum is given up first
        counts: Counter[Stratum] = Counter()
        for stratum, n in answered.items():
            if stratum not in found:
                counts[stratum[:length]] += n
        found |= {one: one[:length] for one in parts if one not in found and counts[one[:length]] >= ENOUGH}
    if not found:
        return dict.fromkeys(parts, 0)
    homes = dict(found)
    for stratum in parts:
        if stratum not in found:
            nearest = max(homes, key=lambda one: _alike(one, stratum))
            found[stratum] = homes[nearest]
    numbers = {group: number for number, group in enumerate(sorted(set(found.values())))}
    return {stratum: numbers[group] for stratum, group in found.items()}


def _alike(one: Stratum, other: Stratum) -> int:
    """How many of the first parts of two strata's names are the same."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _defective(
    side: _Side, eyes: Eyes | None, skills: tuple[Draws, Draws] | None, rng: np.random.Generator, draws: int
) -> tuple[float, Draws, bool]:
    """Defective parts of one side: the estimate, draws of it, and whether the scores made it sharper."""
    if not side.parts:
        return 0.0, np.zeros(draws), False
    turned = bool(side.weights @ side.flagged > side.parts / 2)  # the rarer answer is the one that is counted
    events = 1 - side.flagged if turned else side.flagged
    total, variance, helped = _total(side, events, turned)
    typical = float(side.weights @ side.weights / side.weights.sum())
    if eyes is None or skills is None:
        seen = float(events.sum())
        # What was looked at is known; only what was not is drawn.
        hidden = total_draws(max(0.0, total - seen), variance, typical - 1, typical * (typical - 1), rng, draws)
        most = side.parts - float((1 - events).sum())
        found = np.minimum(seen + hidden, most)
        point = float(np.clip(total, seen, most))
        return (side.parts - point, side.parts - found, helped) if turned else (point, found, helped)
    sees, clears = eyes.seen / eyes.defective, eyes.cleared / eyes.good
    flagged = side.parts - total if turned else total
    point = float(_restated(np.array([flagged]), side.parts, np.array([sees]), np.array([clears]))[0])
    variance += point * sees * (1 - sees) + (side.parts - point) * clears * (1 - clears)
    drawn = np.minimum(total_draws(total, variance, typical, typical * typical, rng, draws), side.parts)
    drawn = side.parts - drawn if turned else drawn
    return point, _restated(drawn, side.parts, *skills), helped


def _total(side: _Side, events: Floats64, turned: bool) -> tuple[float, float, bool]:
    """The number of events on a side, its variance under the drawing, and whether scores were used for it.

    With p the probability of each part, the variance of a sum over a Poisson sample is the sum of (1 - p) / p² times
    the squared distance from the stratum's mean (Särndal, Swensson and Wretman 1992, section 3.5 and 7.6).
    """
    weights, groups = side.weights, side.groups
    count = int(groups.max()) + 1
    size = np.bincount(groups, weights, count)
    answers = np.bincount(groups, minlength=count)
    correction = (answers / np.maximum(answers - 1, 1))[groups]
    spread = weights * (weights - 1) * correction

    def residual(values: Floats64) -> Floats64:
        means = np.bincount(groups, weights * values, count) / np.where(size > 0, size, 1)
        found: Floats64 = values - means[groups]
        return found

    of_events = residual(events)
    total, variance = float(weights @ events), float(spread @ of_events**2)
    if events.sum() < EVENTS_FOR_PREDICTIONS or not np.isfinite(side.scores).all() or variance <= 0:
        return total, variance, False
    scores = 1 - side.scores if turned else side.scores
    known = size - side.scores_total if turned else side.scores_total
    of_scores = residual(scores)
    scatter = float(spread @ of_scores**2)
    if scatter <= 0:
        return total, variance, False
    # Prediction-powered inference, power-tuned (Angelopoulos, Duchi and Zrnic 2023): never worse than without.
    power = float(np.clip(spread @ (of_events * of_scores) / scatter, 0, 1))
    sharper = float(spread @ (of_events - power * of_scores) ** 2)
    if sharper > HELPS * variance:
        return total, variance, False
    moved = power * (float(known.sum()) - float(weights @ scores))
    return max(0.0, total + moved), sharper, True


def _restated(flagged: Draws, parts: int, sees: Draws, clears: Draws) -> Draws:
    """Defective parts, from how many people would have called so."""
    skill = np.maximum(sees + clears - 1, LEAST_SKILL)
    found: Draws = np.clip((flagged - (1 - clears) * parts) / skill, 0, parts)
    return found


def _ratio(top: float, bottom: float, tops: Draws, bottoms: Draws, n: int, confidence: float) -> Rate | None:
    """One number over another that contains it; None where there is nothing to divide by."""
    if bottom <= 0:
        return None
    shares = np.divide(tops, bottoms, out=np.zeros_like(tops), where=bottoms > 0)
    return Rate(top / bottom, *interval(np.clip(shares, 0, 1), confidence), n)


def _escape(
    sides: Mapping[Outcome, _Side], points: Mapping[Outcome, float], spread: Mapping[Outcome, Draws], confidence: float
) -> Rate | None:
    side = sides[Outcome.PASS]
    if not side.parts or Outcome.PASS not in points:
        return None
    low, high = interval(spread[Outcome.PASS] / side.parts, confidence)
    return Rate(points[Outcome.PASS] / side.parts, low, high, side.flagged.size)


def _partly(
    sides: Mapping[Outcome, _Side], points: Mapping[Outcome, float], spread: Mapping[Outcome, Draws],
    missing: tuple[str, ...], confidence: float,
) -> Estimates:  # fmt: skip
    """Where one side was never looked at, only the escape rate may still be known."""
    return Estimates(None, _escape(sides, points, spread, confidence), None, None, missing)
