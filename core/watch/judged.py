"""Misses and false rejects from audits: decided parts as items of a detector.

An item is a decided part, at the look in whose time it was decided. What a person has not said yet is taken in favour
of the rule: a held part is defective for the miss rate and good for the false-reject rate, an audit is clean. So an
early look never knows more than the truth does, answers may come in any order, and a late one still counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput
from core.records import Outcome
from core.watch.detector import Items, items


@dataclass(frozen=True)
class Judged:
    """Decided parts that count alike.

    Attributes:
        automatic: what the model and the policy said; a PASS that only a pause has held is a PASS.
        share: probability that a person looks, as it was recorded with the decision; 1 where one has to.
        asked: a person was really asked.
        defective: what the person said; None while nobody has, or where they were not sure.
        n: how many parts.
    """

    automatic: Outcome
    share: float
    asked: bool
    defective: bool | None
    n: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or (self.asked and self.share == 0):
            raise BadInput(f"A part was asked about with a probability of {self.share}: it has to lie in 0 to 1.")


def miss_items(parts: Iterable[Judged], limit: float, fail_share: float) -> Items:
    """Items that are 0 or less on average while P(PASS | defective) is at most the limit.

    Args:
        parts: decided in the time of one look.
        limit: of the rule.
        fail_share: smallest share of FAIL that is audited under the policies of that time; 0 for none.
    """
    heaviest = limit * (1 / fail_share if fail_share > 0 else 1.0)
    found = [(_miss(one, limit), one.n) for one in parts]
    return items([max(z, -heaviest) for z, _ in found], [n for _, n in found], -heaviest)


def _miss(part: Judged, limit: float) -> float:
    if part.automatic is Outcome.PASS:
        return (1 - limit) / part.share if part.asked and part.defective else 0.0
    if part.automatic is Outcome.FAIL and part.share > 0 and not part.asked:
        return 0.0  # another one of its kind was asked about and stands for it
    if part.defective is False:
        return 0.0
    return -limit / (part.share if part.automatic is Outcome.FAIL and part.share > 0 else 1.0)


def false_reject_items(parts: Iterable[Judged], limit: float) -> Items:
    """Items that are 0 or less on average while P(FAIL | good) is at most the limit."""
    found = [(_false_reject(one, limit), one.n) for one in parts]
    return items([z for z, _ in found], [n for _, n in found], -limit)


def _false_reject(part: Judged, limit: float) -> float:
    if part.automatic is Outcome.FAIL:
        return (1 - limit) / part.share if part.asked and part.defective is False else 0.0
    return 0.0 if part.defective else -limit


@dataclass(frozen=True)
class Shares:
    """What a rate is made of, for its interval: (k,) numerators, denominators and counts."""

    above: tuple[float, ...]
    below: tuple[float, ...]
    n: tuple[int, ...]

    @property
    def value(self) -> float | None:
        """The weighted rate; None without a denominator."""
        whole = float(np.dot(self.below, self.n)) if self.n else 0.0
        return float(np.dot(self.above, self.n)) / whole if whole else None


def miss_shares(parts: Iterable[Judged]) -> Shares:
    """Miss rate of what people have answered: audited PASS found defective, of all that was found defective."""
    seen = [one for one in parts if one.defective]
    return Shares(
        tuple(1 / one.share if one.automatic is Outcome.PASS else 0.0 for one in seen),
        tuple(1 / one.share for one in seen),
        tuple(one.n for one in seen),
    )


def false_reject_shares(parts: Iterable[Judged]) -> Shares:
    """False-reject rate: audited FAIL found good, of those and of what passed or was held and found good."""
    kept = [
        one for one in parts
        if one.defective is False or (one.automatic is Outcome.PASS and one.defective is None)
    ]  # fmt: skip
    weights = [1 / one.share if one.automatic is Outcome.FAIL else 1.0 for one in kept]
    above = [weight if one.automatic is Outcome.FAIL else 0.0 for one, weight in zip(kept, weights, strict=True)]
    return Shares(tuple(above), tuple(weights), tuple(one.n for one in kept))
