"""Rates that depend on how rare defects are, restated for the line: a list of pictures is not the line.

Recall and false rejects are each of one kind of part and hold wherever parts look the same. Precision is of what is
flagged, and that is good parts and bad ones together: where the list holds half defective pictures and the line one in
a hundred, a precision of .97 on the list is one of .25 on the line. So parts of either kind are weighed as the line has
them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.gates.limits import Limits
from core.gates.rates import MOST_NEEDED, Estimate, Question, Tally, bounds, tally
from core.learn.evaluation import Judged
from core.records import NO_DEFECT

Between = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class LineShare:
    """The share of defective parts at a site.

    Attributes:
        value: the estimate, between 0 and 1.
        between: of a level: bounds that are each wrong with that chance.
        answers: that it rests on.
    """

    site: str
    value: float
    between: Between
    answers: int

    @property
    def words(self) -> str:
        """Behind the name of a rate."""
        return f"at {self.site}'s share of defects"


class _Kinds(NamedTuple):
    """What is claimed, of the pictures of defective parts and of those of good parts.

    None where no picture of the kind can be so, such as a crack on a good part.
    """

    right_bad: Tally | None
    wrong_bad: Tally | None
    right_good: Tally | None
    wrong_good: Tally | None


def at_share(judged: Sequence[Judged], classes: Sequence[str], limits: Limits, line: LineShare) -> list[Question]:
    """Precision of what is flagged, of each class and of what is passed, where defects are as rare as on the line.

    They are reported; the first decides where the limits ask for it.

    Args:
        judged: labelled pictures; those of one part are of one kind: defective where any of them is.
        classes: the model's.
        limits: to keep.
        line: the share of defective parts there.
    """
    asked = limits.precision_at_site
    found = [
        _question(f"precision {line.words}", judged, [j.flagged for j in judged], [j.defective for j in judged],
                  limits.precision if asked is None else asked, line, decides=asked is not None)
    ]  # fmt: skip
    for name in (NO_DEFECT, *classes):
        shows = [not j.defective if name == NO_DEFECT else name in j.classes for j in judged]
        claimed = [j.said == name for j in judged]
        found.append(_question(f"precision of {name} {line.words}", judged, claimed, shows, limits.precision, line))
    return found


def not_known(site: str, limits: Limits) -> list[Question]:
    """What is asked where nobody knows the line's share: nothing can answer it, and where it decides nothing passes."""
    if limits.precision_at_site is None:
        return []
    name = f"precision at {site}'s share of defects"
    return [
        Question(name, limits.precision_at_site, True, 0, "answers of the line", lambda _: Estimate(None, 0.0, 1.0))
    ]


def _question(
    name: str, judged: Sequence[Judged], claimed: Sequence[bool], shows: Sequence[bool], limit: float, line: LineShare,
    *, decides: bool = False,
) -> Question:  # fmt: skip
    kinds = _kinds(judged, claimed, shows)

    def estimate(level: float) -> Estimate:
        shares = line.between(level / 4)
        value = _ratio(kinds, _rate, _rate, line.value)
        low, high = _bounds(kinds, shares, level / 2)
        return Estimate(value, low, high, _needed(kinds, shares, level / 2, limit, len(judged)))

    note = f"where {line.value:.2%} of the parts are defective"
    return Question(name, limit, True, len(judged), "pictures", estimate, decides, note=note)


def _kinds(judged: Sequence[Judged], claimed: Sequence[bool], shows: Sequence[bool]) -> _Kinds:
    bad_parts = {j.group for j in judged if j.defective}
    cells: list[Tally | None] = []
    for bad in (True, False):
        rows = [at for at, j in enumerate(judged) if (j.group in bad_parts) is bad]
        groups = [judged[at].group for at in rows]
        for right in (True, False):
            possible = any(shows[at] is right for at in rows)
            hits = [claimed[at] and shows[at] is right for at in rows]
            cells.append(tally(hits, groups) if possible or not rows else None)
    return _Kinds(*cells)


def _bounds(kinds: _Kinds, shares: tuple[float, float], level: float, times: float = 1.0) -> tuple[float, float]:
    """One-sided bounds, the level shared among the rates; the ratio rises or falls with the share all the way.

    Args:
        kinds: as counted.
        shares: bounds of the line's share.
        level: of all rates together.
        times: as if there were so many times the pictures, at the same rates.
    """
    each = level / max(1, sum(one is not None for one in kinds))

    def low(one: Tally) -> float:
        return bounds(_times(one, times), each)[0]

    def high(one: Tally) -> float:
        return bounds(_times(one, times), each)[1]

    worst = [_ratio(kinds, low, high, share) for share in shares]
    best = [_ratio(kinds, high, low, share) for share in shares]
    return min(0.0 if one is None else one for one in worst), max(1.0 if one is None else one for one in best)


def _ratio(
    kinds: _Kinds, right: Callable[[Tally], float], wrong: Callable[[Tally], float], share: float
) -> float | None:
    """Rightly claimed among those claimed, defective parts weighing as much as their share; None without a claim."""
    bad, good = share, 1 - share
    rightly = bad * _of(kinds.right_bad, right) + good * _of(kinds.right_good, right)
    wrongly = bad * _of(kinds.wrong_bad, wrong) + good * _of(kinds.wrong_good, wrong)
    return rightly / (rightly + wrongly) if rightly + wrongly > 0 else None


def _needed(kinds: _Kinds, shares: tuple[float, float], level: float, limit: float, n: int) -> int | None:
    """Further pictures at the same rates after which the lower bound keeps the limit; None where none would."""
    settled = [_ratio(kinds, _rate, _rate, share) for share in shares]
    if any(one is None or one <= limit for one in settled) or not n:
        return None

    def shown(times: float) -> bool:
        return _bounds(kinds, shares, level, times)[0] >= limit

    if shown(1.0):
        return 0
    high = 2.0
    while not shown(high):
        high *= 2
        if high * n > MOST_NEEDED:
            return None
    low = high / 2
    while (high - low) * n > max(1.0, 1e-3 * high * n):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return max(1, round((high - 1) * n))


def _times(one: Tally, times: float) -> Tally:
    return one if times == 1.0 else Tally(one.hits * times, max(1, round(one.n * times)), one.worth * times)


def _rate(one: Tally) -> float:
    return one.rate or 0.0


def _of(one: Tally | None, how: Callable[[Tally], float]) -> float:
    return 0.0 if one is None else how(one)
