"""Audits by score: parts whose score lies in a stratum are drawn at a share of that stratum's own.

A part close to the band is more often wrong than one far from it, so looking there oftener tells more for the same
work. The share that a part was drawn with is written down with its decision, so every estimate stays exact whatever the
strata; each part keeps a chance above nought, or nothing could be said of those like it (Horvitz and Thompson 1952).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.decide.wording import amount, percent
from core.errors import BadInput
from core.records import Outcome

_FORM = re.compile(r"(pass|fail)\s+(\d*\.?\d+)\s*(?:-|–|to)\s*(\d*\.?\d+)\s*:?\s*(\d*\.?\d+)\s*(%?)", re.IGNORECASE)
MOST = 12


@dataclass(frozen=True)
class AuditStep:
    """One stratum of scores.

    Attributes:
        outcome: PASS or FAIL, as it was decided without a person.
        low, high: scores from `low` on and under `high`; 1 itself belongs to a stratum that ends there.
        share: of its parts that a person looks at all the same, above 0.
    """

    outcome: Outcome
    low: float
    high: float
    share: float

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if self.outcome is Outcome.HOLD:
            raise BadInput("Held parts are seen anyway: audits are about PASS and FAIL.")
        if not 0 <= self.low < self.high <= 1:
            raise BadInput(
                f"Scores from {self.low} to {self.high}: give two numbers from 0 to 1, the smaller one first."
            )
        if not 0 < self.share <= 1:
            raise BadInput(
                f"A share of {self.share} in {self.outcome} {self.low}-{self.high}: give above 0 and up to 1."
            )

    def holds(self, score: float) -> bool:
        """Whether a score lies in it."""
        return self.low <= score < self.high or score == self.high == 1


def check_steps(steps: Sequence[AuditStep], audit_pass: float, audit_fail: float) -> None:
    """Refuse strata that overlap, and those beside parts that nobody would ever look at.

    Raises:
        BadInput: naming the stratum.
    """
    if len(steps) > MOST:
        raise BadInput(f"{len(steps)} strata of scores are too many to have answers in each: give at most {MOST}.")
    for outcome, base in ((Outcome.PASS, audit_pass), (Outcome.FAIL, audit_fail)):
        mine = sorted((one for one in steps if one.outcome is outcome), key=lambda one: one.low)
        if mine and base <= 0:
            raise BadInput(
                f"Some {outcome} would be audited by their score and all others never, so nothing could be said of "
                "those: audit a share of them, however small."
            )
        for one, following in pairwise(mine):
            if following.low < one.high:
                raise BadInput(f"Two strata of {outcome} hold the score {following.low}: let them not overlap.")


def share_of(steps: Iterable[AuditStep], outcome: Outcome, base: float, score: float | None) -> float:
    """The share that a part of this score is audited with; the base where no stratum holds it."""
    if score is None:
        return base
    return next((one.share for one in steps if one.outcome is outcome and one.holds(score)), base)


def audits_less(
    new: Sequence[AuditStep], new_base: float, old: Sequence[AuditStep], old_base: float, outcome: Outcome
) -> bool:
    """Whether some score would be looked at less often than before."""
    edges = {0.0, 1.0, *(edge for one in (*new, *old) for edge in (one.low, one.high))}
    return any(share_of(new, outcome, new_base, edge) < share_of(old, outcome, old_base, edge) for edge in edges)


def parse_steps(text: str) -> tuple[AuditStep, ...]:
    """Strata as people write them: "pass .10-.30: 25%, fail .70-.80: 0.5"; none for an empty text.

    Raises:
        BadInput: showing what could not be read.
    """
    found = []
    for piece in re.split(r"[;,\n]", text):
        if not piece.strip():
            continue
        read = _FORM.fullmatch(piece.strip())
        if read is None:
            raise BadInput(f"'{piece.strip()[:60]}' is no stratum: write it as pass .10-.30: 25%.")
        said, low, high, share, sign = read.groups()
        part = round(float(share) / (100 if sign else 1), 12)  # 58.3 / 100 is not 0.583 in binary
        found.append(AuditStep(Outcome(said.upper()), float(low), float(high), part))
    return tuple(sorted(found, key=lambda one: (one.outcome, one.low)))


def steps_in_words(steps: Iterable[AuditStep]) -> str:
    """As `parse_steps` reads them; empty for none."""
    return ", ".join(
        f"{one.outcome.lower()} {amount(one.low)}-{amount(one.high)}: {percent(one.share)}" for one in steps
    )
