"""One figure against its limit: shown to keep it, shown to break it, or not enough evidence and how much more.

value        ●                limit         bounds of the value at the level that was asked for
─────────────┼──[────●────]───              pass: all of them on the right side
────[────●───┼───]────────────              not enough evidence
─[───●────]──┼────────────────              fail: all of them on the wrong side
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from core.errors import BadInput
from core.gates.records import Answer, Criterion
from core.learn.metrics.groups import numbered

__all__ = [
    "Answer",
    "Criterion",
    "Estimate",
    "Question",
    "Tally",
    "bounds",
    "further",
    "judge",
    "plain",
    "rate_question",
    "tally",
]

MOST_NEEDED = 10**9  # further examples; more than that is never


class Tally(NamedTuple):
    """So many of so many.

    Attributes:
        worth: as how many independent examples they count; `n` where each stands for itself.
    """

    hits: float
    n: int
    worth: float

    @property
    def rate(self) -> float | None:
        return self.hits / self.n if self.n else None


class Estimate(NamedTuple):
    """A figure with one-sided bounds at the level asked for.

    Attributes:
        needed: further examples after which the same figure would keep its limit; None where no number would do.
    """

    value: float | None
    low: float
    high: float
    needed: int | None = None


@dataclass(frozen=True)
class Question:
    """One figure that has to keep a limit.

    Attributes:
        at_least: the limit is the lowest value that is good enough, not the highest.
        strictly: a value at the limit is not good enough, as for "better than".
        unit: what is counted, such as "defective pictures".
        estimate: of a level: one-sided bounds that each hold but with that chance.
        decides: the gate hangs on it; else it is only reported.
    """

    name: str
    limit: float
    at_least: bool
    n: int
    unit: str
    estimate: Callable[[float], Estimate]
    decides: bool = True
    strictly: bool = False
    note: str = ""


def tally(hits: npt.ArrayLike, groups: Sequence[Hashable] | None = None) -> Tally:
    """Count examples, those of one group as if they all said the same.

    How alike pictures of one part are cannot be seen where misses are rare, so the worst is taken: n equal groups are
    worth n examples, and groups of unequal size fewer, by Kish's n² / sum of squared sizes.

    Source: Kish 1965 for the design effect at an intraclass correlation of one.
    """
    found = np.asarray(hits, bool).ravel()
    if not len(found):
        return Tally(0, 0, 0.0)
    sizes = np.bincount(numbered(groups, len(found))).astype(np.float64)
    return Tally(float(found.sum()), len(found), float(sizes.sum() ** 2 / (sizes**2).sum()))


def plain(hits: int, n: int) -> Tally:
    """A tally of independent examples."""
    if not 0 <= hits <= n:
        raise BadInput(f"{hits} of {n}: the first must lie between 0 and the second.")
    return Tally(hits, n, float(n))


def bounds(found: Tally, level: float) -> tuple[float, float]:
    """One-sided bounds of a rate, each wrong with a chance of at most `level`; 0 and 1 without examples.

    Source: Clopper and Pearson 1934; Korn and Graubard 1998 for examples that are worth fewer than they are.
    """
    if found.n == 0:
        return 0.0, 1.0
    x, m = found.hits * found.worth / found.n, found.worth
    high = float(special.betaincinv(x + 1, m - x, 1 - level)) if x < m else 1.0
    return _lowest(x, m, level), high


def _lowest(x: float, m: float, level: float) -> float:
    """The lower bound of x of m; neither need be whole."""
    return float(special.betaincinv(x, m - x + 1, level)) if x > 0 else 0.0


def rate_question(
    name: str, found: Tally, limit: float, unit: str, *, at_least: bool = True, decides: bool = True,
    strictly: bool = False, per_example: float = 1.0, note: str = "",
) -> Question:  # fmt: skip
    """Ask whether a rate keeps its limit.

    Args:
        name: of the rate.
        found: what was counted.
        limit: of the rate, between 0 and 1.
        unit: what was counted.
        at_least: the limit is the lowest that is good enough.
        decides: the gate hangs on it.
        strictly: a rate at the limit is not good enough.
        per_example: how many of `unit` it takes to find one of those that were counted.
        note: shown beside it.
    """
    if not 0 < limit < 1:
        raise BadInput(f"A limit of {limit:g} for {name} is always or never kept: give a share between 0 and 1.")

    def estimate(level: float) -> Estimate:
        needed = further(found if at_least else _other(found), limit if at_least else 1 - limit, level)
        if needed is not None:
            needed = math.ceil(needed * per_example)
        return Estimate(found.rate, *bounds(found, level), needed)

    return Question(name, limit, at_least, found.n, unit, estimate, decides, strictly, note)


def further(found: Tally, limit: float, level: float) -> int | None:
    """How many more examples at the same rate show that it is at least `limit`; None where none would.

    Without any example: how many there must be, all of them hits.
    """
    if found.n == 0:
        return math.ceil(math.log(level) / math.log(limit) - 1e-9)
    share, each = found.hits / found.n, found.worth / found.n
    if share <= limit:
        return None

    def shown(worth: float) -> bool:
        return _lowest(share * worth, worth, level) >= limit

    if shown(found.worth):
        return 0
    high = max(1.0, found.worth)
    while not shown(high):
        high *= 2
        if high > MOST_NEEDED:
            return None
    low = high / 2
    while high - low > max(0.5, 1e-6 * high):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return max(1, math.ceil((high - found.worth) / each))


def judge(question: Question, level: float) -> Criterion:
    """Answer a question at one level."""
    found = question.estimate(level)
    sign, limit = (1.0, question.limit) if question.at_least else (-1.0, -question.limit)
    worst, best = (found.low, found.high) if question.at_least else (-found.high, -found.low)
    beyond = found.value is not None and (
        sign * found.value < limit or (question.strictly and sign * found.value <= limit)
    )
    needed: int | None = None
    if found.value is not None and (worst > limit or (worst >= limit and not question.strictly)):
        answer = Answer.PASS
    elif found.value is not None and best < limit:
        answer = Answer.FAIL
    else:
        answer = Answer.UNSURE
        needed = None if beyond else found.needed
    return Criterion(
        question.name, question.limit, question.at_least, found.value, found.low, found.high, question.n,
        question.unit, answer, needed, question.decides, question.note,
    )  # fmt: skip


def _other(found: Tally) -> Tally:
    """Those that were not counted."""
    return Tally(found.n - found.hits, found.n, found.worth)
