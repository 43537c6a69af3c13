"""How good a model is: ranks, rates, baselines, and how sure one can be of them.

Scores may be probabilities or logits unless a function says otherwise: only their order counts.
`defective` is boolean. A measure that needs both good and defective examples is None where one
kind is missing: it is shown as "not applicable", never as 0 or 1.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special, stats

from core.decide.decision import join
from core.errors import BadInput

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Interval(NamedTuple):
    """A two-sided confidence interval."""

    low: float
    high: float


class Curve(NamedTuple):
    """Two rates over falling thresholds; `thresholds[i]` is the lowest score that point i still flags."""

    x: Array
    y: Array
    thresholds: Array


def _checked(scores: npt.ArrayLike, defective: npt.ArrayLike) -> tuple[Array, Flags]:
    """Both as arrays of one length.

    Raises:
        BadInput: lengths differ, or a score is not a number.
    """
    s = np.asarray(scores, dtype=np.float64).ravel()
    d = np.asarray(defective, dtype=bool).ravel()
    if len(s) != len(d):
        raise BadInput(f"{len(s)} scores but {len(d)} labels: give one label for each score.")
    if np.isnan(s).any():
        raise BadInput(f"{int(np.isnan(s).sum())} of {len(s)} scores are not numbers: score those images again.")
    return s, d


# --- ranks ---------------------------------------------------------------------------------------


def auroc(scores: npt.ArrayLike, defective: npt.ArrayLike) -> float | None:
    """Chance that a defective example scores above a good one; ties count half."""
    s, d = _checked(scores, defective)
    bad, good = int(d.sum()), int((~d).sum())
    if not bad or not good:
        return None
    ranks = stats.rankdata(s)
    return float((ranks[d].sum() - bad * (bad + 1) / 2) / (bad * good))


def delong_interval(scores: npt.ArrayLike, defective: npt.ArrayLike, confidence: float = 0.95) -> Interval | None:
    """Interval of the AUROC for independent examples, on the logit scale so that it stays inside [0, 1].

    Where the two kinds are told apart without error the variance is zero and says nothing; there the
    interval is Newcombe's, which is never a single point.

    Source: DeLong et al. 1988, in the mid-rank form of Sun and Xu 2014; Newcombe 2006, method 5.
    """
    s, d = _checked(scores, defective)
    area = auroc(s, d)
    if area is None:
        return None
    bad, good = s[d], s[~d]
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    all_ranks = stats.rankdata(np.concatenate([bad, good]))
    above_good = (all_ranks[: len(bad)] - stats.rankdata(bad)) / len(good)
    below_bad = 1 - (all_ranks[len(bad) :] - stats.rankdata(good)) / len(bad)
    variance = (above_good.var(ddof=1) / len(bad) if len(bad) > 1 else np.inf) + (
        below_bad.var(ddof=1) / len(good) if len(good) > 1 else np.inf
    )
    if not 0 < area < 1 or not 0 < variance < np.inf:
        return _newcombe(area, len(bad), len(good), z)
    logit, error = special.logit(area), np.sqrt(variance) / (area * (1 - area))
    return Interval(float(special.expit(logit - z * error)), float(special.expit(logit + z * error)))


def _newcombe(area: float, bad: int, good: int, z: float) -> Interval:
    """Wilson-like interval: the areas whose own Hanley-McNeil error just reaches the one observed."""
    half = (bad + good) / 2 - 1

    def gap(true: float) -> float:
        spread = true * (1 - true) * (1 + half * (1 - true) / (2 - true) + half * true / (1 + true))
        return abs(area - true) - z * float(np.sqrt(max(spread, 0.0) / (bad * good)))

    low = 0.0 if area <= 0 else _edge(gap, 0.0, area)
    high = 1.0 if area >= 1 else _edge(gap, 1.0, area)
    return Interval(low, high)


def _edge(gap: Callable[[float], float], outside: float, inside: float) -> float:
    """Where `gap` falls through zero on the way from outside to inside (bisection)."""
    if gap(outside) <= 0:
        return outside
    for _ in range(60):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if gap(middle) > 0 else (outside, middle)
    return (outside + inside) / 2


def bootstrap_interval(
    measure: Callable[[Array, Flags], float | None],
    scores: npt.ArrayLike,
    defective: npt.ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    draws: int = 1000,
) -> Interval | None:
    """Interval of any measure, drawing whole groups with replacement.

    Pictures of one part are no independent evidence: give their part as `groups`. Groups with and
    without a defect are drawn apart, so that every draw holds both kinds.
    """
    s, d = _checked(scores, defective)
    if measure(s, d) is None:
        return None
    keys = np.arange(len(s)) if groups is None else _numbered(groups)
    if len(keys) != len(s):
        raise BadInput(f"{len(s)} scores but {len(keys)} groups: give one group for each score.")
    order = np.argsort(keys, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)
    kinds = [[m for m in members if d[m].any()], [m for m in members if not d[m].any()]]
    values = []
    for _ in range(draws):
        picked = [kind[i] for kind in kinds if kind for i in rng.integers(len(kind), size=len(kind))]
        rows = np.concatenate(picked)
        value = measure(s[rows], d[rows])
        if value is not None:
            values.append(value)
    if not values:
        return None
    low, high = np.quantile(values, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(float(low), float(high))


def _numbered(groups: Sequence[Hashable]) -> npt.NDArray[np.intp]:
    """A number for each group, by first appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(g, len(numbers)) for g in groups], dtype=np.intp)


def auroc_interval(
    scores: npt.ArrayLike,
    defective: npt.ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> Interval | None:
    """DeLong for independent examples; where several share a group, whole groups are drawn again.

    Never narrower than if all examples were independent: a handful of groups draws too little spread.
    """
    s, d = _checked(scores, defective)
    alone = delong_interval(s, d, confidence)
    if alone is None or groups is None or len(set(groups)) == len(s):
        return alone
    drawn = bootstrap_interval(auroc, s, d, groups, rng=rng, confidence=confidence)
    if drawn is None:
        return alone
    return Interval(min(alone.low, drawn.low), max(alone.high, drawn.high))


def roc_curve(scores: npt.ArrayLike, defective: npt.ArrayLike) -> Curve | None:
    """False-reject rate (x) against recall (y), from nothing flagged to everything flagged."""
    s, d = _checked(scores, defective)
    if not d.any() or d.all():
        return None
    flagged, caught, levels = _steps(s, d)
    false = flagged - caught
    return Curve(
        np.r_[0.0, false / false[-1]], np.r_[0.0, caught / caught[-1]], np.r_[np.inf, levels].astype(np.float64)
    )


def precision_recall_curve(scores: npt.ArrayLike, defective: npt.ArrayLike) -> Curve | None:
    """Recall (x) against precision (y) at each distinct score; None where nothing is defective."""
    s, d = _checked(scores, defective)
    if not d.any():
        return None
    flagged, caught, levels = _steps(s, d)
    return Curve(caught / caught[-1], caught / flagged, levels)


def _steps(s: Array, d: Flags) -> tuple[Array, Array, Array]:
    """How many are flagged, how many of them are defective, and the threshold, at each distinct score from the top."""
    order = np.argsort(-s, kind="stable")
    s, d = s[order], d[order]
    last = np.r_[np.flatnonzero(np.diff(s)), len(s) - 1]
    return (last + 1).astype(np.float64), np.cumsum(d)[last].astype(np.float64), s[last]


def average_precision(scores: npt.ArrayLike, defective: npt.ArrayLike) -> float | None:
    """Area under the precision-recall curve as a step function; the prevalence for a random order."""
    curve = precision_recall_curve(scores, defective)
    if curve is None:
        return None
    return float(np.sum(np.diff(np.r_[0.0, curve.x]) * curve.y))


class OperatingPoint(NamedTuple):
    """What one threshold does; an example is flagged at `threshold` and above."""

    threshold: float
    recall: float
    false_reject_rate: float


def recall_at_false_reject_rate(
    scores: npt.ArrayLike, defective: npt.ArrayLike, rate: float = 0.05
) -> OperatingPoint | None:
    """The best recall of any threshold that flags at most `rate` of the good examples.

    Equal scores are flagged together or not at all, so a model that says the same of everything gets 0.
    """
    curve = roc_curve(scores, defective)
    if curve is None:
        return None
    i = int(np.flatnonzero(curve.x <= rate + 1e-12)[-1])
    return OperatingPoint(float(curve.thresholds[i]), float(curve.y[i]), float(curve.x[i]))


def recall_interval(
    scores: npt.ArrayLike,
    defective: npt.ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    rng: np.random.Generator,
    rate: float = 0.05,
    confidence: float = 0.95,
) -> Interval | None:
    """Interval of the recall at a false-reject rate; the threshold is found again in every draw.

    A recall of exactly 0 or 1 draws no spread at all: the exact binomial bound of as many defective
    groups is the floor of what is claimed.
    """
    s, d = _checked(scores, defective)
    point = recall_at_false_reject_rate(s, d, rate)
    if point is None:
        return None

    def recall(x: Array, y: Flags) -> float | None:
        at = recall_at_false_reject_rate(x, y, rate)
        return None if at is None else at.recall

    drawn = bootstrap_interval(recall, s, d, groups, rng=rng, confidence=confidence)
    keys = list(range(len(s))) if groups is None else list(groups)
    n = len({k for k, bad in zip(keys, d, strict=True) if bad})
    exact = proportion_interval(round(point.recall * n), n, confidence)
    if drawn is None or exact is None:
        return exact
    if point.recall in (0.0, 1.0):
        return Interval(min(drawn.low, exact.low), max(drawn.high, exact.high))
    return drawn


# --- proportions ---------------------------------------------------------------------------------


def proportion_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval | None:
    """Exact two-sided interval of a rate; None without trials.

    Source: Clopper and Pearson 1934.
    """
    if not 0 <= successes <= trials:
        raise BadInput(f"{successes} successes of {trials} trials: the first must lie between 0 and the second.")
    if trials == 0:
        return None
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(stats.beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes == trials else float(stats.beta.ppf(1 - tail, successes + 1, trials - successes))
    return Interval(low, high)


def lower_bound(successes: int, trials: int, confidence: float = 0.95) -> float | None:
    """Exact one-sided lower bound of a rate: what a guarantee may claim."""
    both = proportion_interval(successes, trials, 2 * confidence - 1)
    return None if both is None else both.low


# --- counts and baselines ------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """A good/defective confusion matrix; positive means defective."""

    tp: int
    fn: int
    fp: int
    tn: int

    @property
    def n(self) -> int:
        return self.tp + self.fn + self.fp + self.tn

    @property
    def prevalence(self) -> float | None:
        """Of whatever was counted: images, tiles or parts."""
        return _ratio(self.tp + self.fn, self.n)

    @property
    def precision(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def false_reject_rate(self) -> float | None:
        return _ratio(self.fp, self.fp + self.tn)

    def f(self, beta: float = 1.0) -> float | None:
        """F-beta: recall counts beta times as much as precision; None where nothing is defective or flagged."""
        weight = beta * beta
        return _ratio((1 + weight) * self.tp, (1 + weight) * self.tp + weight * self.fn + self.fp)

    def as_json(self) -> dict[str, float | int | None]:
        """Counts and the rates made of them."""
        return {
            "tp": self.tp,
            "fn": self.fn,
            "fp": self.fp,
            "tn": self.tn,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f(1),
            "f2": self.f(2),
            "false_reject_rate": self.false_reject_rate,
        }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def count(flagged: npt.ArrayLike, defective: npt.ArrayLike) -> Counts:
    """Count the four cells."""
    f, d = np.asarray(flagged, dtype=bool).ravel(), np.asarray(defective, dtype=bool).ravel()
    if len(f) != len(d):
        raise BadInput(f"{len(f)} answers but {len(d)} labels: give one label for each answer.")
    return Counts(int((f & d).sum()), int((~f & d).sum()), int((f & ~d).sum()), int((~f & ~d).sum()))


def flag_all(counts: Counts) -> Counts:
    """The same examples under the rule that stops everything."""
    return Counts(counts.tp + counts.fn, 0, counts.fp + counts.tn, 0)


def pass_all(counts: Counts) -> Counts:
    """The same examples under the rule that stops nothing."""
    return Counts(0, counts.tp + counts.fn, 0, counts.fp + counts.tn)


def beats_flag_all(counts: Counts, beta: float = 2.0) -> bool:
    """Whether the model is worth more than stopping everything, by F-beta; a tie is no."""
    model, everything = counts.f(beta), flag_all(counts).f(beta)
    return model is not None and everything is not None and model > everything


def precision_at_prevalence(recall: float, false_reject_rate: float, prevalence: float) -> float | None:
    """Restate a precision measured on a balanced set for a place where defects are rarer."""
    return _ratio(recall * prevalence, recall * prevalence + false_reject_rate * (1 - prevalence))


# --- classes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassScore:
    """One class against the rest, among `n` true examples of it; None where a rate has no denominator."""

    precision: float | None
    recall: float | None
    f1: float | None
    n: int
    pr_auc: float | None = None

    def as_json(self) -> dict[str, float | int | None]:
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "n": self.n,
            "pr_auc": self.pr_auc,
        }


def per_class(
    true: Sequence[frozenset[str]],
    said: Sequence[frozenset[str]],
    classes: Sequence[str],
    scores: Sequence[Mapping[str, float]] | None = None,
) -> dict[str, ClassScore]:
    """Precision, recall, F1 of each class; an example may show several.

    Args:
        true: the classes on each example; empty for a good one.
        said: the classes the model claims of it; empty where it passes it.
        classes: those to report.
        scores: how strongly each class is claimed, for the area under the precision-recall curve.
    """
    if len(true) != len(said):
        raise BadInput(f"{len(said)} answers but {len(true)} labels: give one label for each answer.")
    result = {}
    for name in classes:
        present = np.array([name in t for t in true], dtype=bool)
        cells = count([name in s for s in said], present)
        area = None
        if scores is not None and len(scores):
            area = average_precision([s.get(name, 0.0) for s in scores], present)
        result[name] = ClassScore(cells.precision, cells.recall, cells.f(1), int(present.sum()), area)
    return result


def confusion(true: Sequence[str], said: Sequence[str], names: Sequence[str]) -> list[list[int]]:
    """Rows are the truth, columns the answer, both in the order of `names`.

    Raises:
        BadInput: a name that is not listed.
    """
    at = {name: i for i, name in enumerate(names)}
    unknown = sorted({*true, *said} - set(names))
    if unknown:
        raise BadInput(f"{', '.join(unknown)}: not among the names of the matrix ({', '.join(names)}); add them.")
    matrix = np.zeros((len(names), len(names)), dtype=int)
    for t, s in zip(true, said, strict=True):
        matrix[at[t], at[s]] += 1
    return [[int(v) for v in row] for row in matrix]


# --- pictures of one part ------------------------------------------------------------------------


class Grouped(NamedTuple):
    """One row for each group, in the order of first appearance."""

    groups: tuple[Hashable, ...]
    scores: Array
    defective: Flags


def by_group(
    probabilities: npt.ArrayLike,
    defective: npt.ArrayLike,
    groups: Sequence[Hashable],
    views: Sequence[str | None] | None = None,
    averaged: Collection[Hashable] = (),
) -> Grouped:
    """Join the pictures of each part by the rule that decides about it on the line (core.decide.decision.join).

    A part is defective where any of its pictures is.

    Args:
        probabilities: calibrated, in [0, 1].
        defective: one label for each.
        groups: the part of each.
        views: the named view of each; None where nobody named one.
        averaged: parts whose pictures without a named view are exposures of one view.
    """
    p, d = _checked(probabilities, defective)
    if len(groups) != len(p):
        raise BadInput(f"{len(p)} scores but {len(groups)} groups: give one group for each score.")
    parts: dict[Hashable, list[int]] = {}
    for i, group in enumerate(groups):
        parts.setdefault(group, []).append(i)
    together = frozenset(averaged)
    joined = [
        join(((None if views is None else views[i], float(p[i])) for i in rows), group in together)
        for group, rows in parts.items()
    ]
    bad = [bool(d[rows].any()) for rows in parts.values()]
    return Grouped(tuple(parts), np.array(joined, np.float64), np.array(bad, dtype=bool))


# --- where ---------------------------------------------------------------------------------------


def points_inside(
    heat: npt.NDArray[np.floating], size_wh: tuple[int, int], mask: npt.NDArray[np.bool_], slack_px: int = 0
) -> bool:
    """Whether the hottest cell of a coarse map lies on the mask.

    Args:
        heat: (rows, columns) over the whole image; of equally hot cells the one among the hottest neighbours
            counts, since maps are stored in 8 bits and saturate.
        size_wh: of the image, in pixels.
        mask: (h, w) of that size.
        slack_px: how far beside the mask still counts; 0 asks for a hit.

    Source: Zhang et al. 2016, "Top-down neural attention by excitation backprop" (there with 15 px of slack).
    """
    width, height = size_wh
    if mask.shape != (height, width):
        raise BadInput(f"Mask is {mask.shape[1]}x{mask.shape[0]} but the image is {width}x{height}: redraw it here.")
    row, column = hottest_cell(heat)
    y = min(height - 1, int((row + 0.5) * height / heat.shape[0]))
    x = min(width - 1, int((column + 0.5) * width / heat.shape[1]))
    top, left = max(0, y - slack_px), max(0, x - slack_px)
    return bool(mask[top : y + slack_px + 1, left : x + slack_px + 1].any())


def hottest_cell(heat: npt.NDArray[np.floating]) -> tuple[int, int]:
    """Row and column of the hottest cell; of equally hot ones the one among the hottest neighbours."""
    around = ndimage.uniform_filter(heat.astype(np.float64), 3, mode="constant")
    row, column = np.unravel_index(int(np.argmax(np.where(heat == heat.max(), around, -np.inf))), heat.shape)
    return int(row), int(column)


@dataclass(frozen=True)
class PointingGame:
    """In how many defective images the hottest spot lies on a drawn region."""

    hits: int
    n: int

    @property
    def score(self) -> float | None:
        return _ratio(self.hits, self.n)

    def as_json(self) -> dict[str, float | int | list[float] | None]:
        interval = proportion_interval(self.hits, self.n)
        return {
            "score": self.score,
            "interval": None if interval is None else list(interval),
            "hits": self.hits,
            "n": self.n,
        }


# --- probabilities -------------------------------------------------------------------------------


class Bin(NamedTuple):
    """One bar of a reliability diagram."""

    low: float
    high: float
    said: float
    seen: float
    n: int


def reliability(probabilities: npt.ArrayLike, defective: npt.ArrayLike, bins: int = 10) -> list[Bin]:
    """Mean probability said and share of defects seen, in equal bins; empty bins are left out."""
    p, d = _checked(probabilities, defective)
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise BadInput(f"Probabilities run from {p.min():g} to {p.max():g}: calibrate the scores into [0, 1] first.")
    at = np.minimum((p * bins).astype(int), bins - 1)
    return [
        Bin(i / bins, (i + 1) / bins, float(p[at == i].mean()), float(d[at == i].mean()), int((at == i).sum()))
        for i in range(bins)
        if (at == i).any()
    ]


def calibration_error(probabilities: npt.ArrayLike, defective: npt.ArrayLike, bins: int = 10) -> float | None:
    """Expected calibration error: the mean gap of a reliability diagram, weighted by how many are in each bar."""
    bars = reliability(probabilities, defective, bins)
    n = sum(b.n for b in bars)
    return sum(b.n * abs(b.said - b.seen) for b in bars) / n if n else None


def log_loss(probabilities: npt.ArrayLike, targets: npt.ArrayLike) -> float | None:
    """Mean cross-entropy in nats; targets may be probabilities themselves."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64).ravel(), 1e-7, 1 - 1e-7)
    t = np.asarray(targets, dtype=np.float64).ravel()
    if len(p) != len(t):
        raise BadInput(f"{len(p)} probabilities but {len(t)} targets: give one target for each.")
    return float(-np.mean(t * np.log(p) + (1 - t) * np.log1p(-p))) if len(p) else None
