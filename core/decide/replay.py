"""What other thresholds would have done to the parts of the last weeks, by the whole decision function.

How a part is decided depends on the thresholds only through what its score alone gives. So three decisions of each
part (its score alone passing, holding, failing) tell what every pair of thresholds makes of it, every other reason for
HOLD included; `replay` itself asks the decision function once more for each part and trusts no short cut.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from core.decide.by_policy import STRICTNESS
from core.decide.decision import PartEvidence, SiteRules, decide, decide_strictly
from core.decide.optimum import Prices
from core.decide.policy import Policy, chosen
from core.learn.metrics.scored import Array, Flags
from core.records import Outcome

Codes = npt.NDArray[np.int8]
_OUTCOMES = tuple(sorted(STRICTNESS, key=STRICTNESS.__getitem__))  # by their code: PASS 0, HOLD 1, FAIL 2
PASS, HOLD, FAIL = (np.int8(STRICTNESS[one]) for one in (Outcome.PASS, Outcome.HOLD, Outcome.FAIL))


@dataclass(frozen=True)
class PastPart:
    """One part as it was decided, and what is known of it by now.

    Attributes:
        lines: that its pictures come from; None among them where a picture does not say.
        score: of that decision; None where nothing could be scored.
        was: the plant's own first decision.
        defective: the truth; None while nobody has said.
        probability: with which it was drawn to be looked at: 1 for a held part, the audited share for an audited one,
            None where no draw decided.
        audited: it was drawn from what had passed or failed by itself.
        classes: on it, by taxonomy id.
    """

    part_id: int
    decided_at: datetime
    evidence: PartEvidence
    was: Outcome
    score: float | None = None
    lines: tuple[str | None, ...] = (None,)
    part_type: str | None = None
    defective: bool | None = None
    probability: float | None = None
    audited: bool = False
    classes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Past:
    """Parts as columns; (n,) each.

    Attributes:
        scores: not a number where nothing could be scored.
        given: (n, 3) the decision's code where the score alone passes, holds, fails.
        known: somebody has said what it is.
        weights: 1 / probability; not a number where no draw decided.
    """

    part_ids: npt.NDArray[np.int64]
    scores: Array
    given: Codes
    was: Codes
    known: Flags
    defective: Flags
    weights: Array
    classes: Mapping[str, Flags] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.part_ids)

    @property
    def passable(self) -> Flags:
        """Which parts some threshold would pass; the others are held or failed for another reason."""
        return np.asarray((self.given[:, PASS] == PASS) & ~np.isnan(self.scores), bool)

    @property
    def drawn(self) -> Flags:
        """Which parts are labelled and have a known probability of having been."""
        return np.asarray(self.known & ~np.isnan(self.weights), bool)

    @property
    def passing_scores(self) -> Array:
        """The score where a threshold decides; 1, which no threshold passes, where another reason does."""
        return np.where(self.passable, np.nan_to_num(self.scores, nan=1.0), 1.0)

    def decided(self, pass_below: float, fail_above: float) -> Codes:
        """What a pair of thresholds makes of every part."""
        alone = np.where(self.scores < pass_below, PASS, np.where(self.scores > fail_above, FAIL, HOLD))
        return np.asarray(self.given[np.arange(self.n), alone], np.int8)


def past(parts: Sequence[PastPart], draft: Policy, in_force: Sequence[Policy] = (), calibrated: bool = True) -> Past:
    """Columns of parts, asked three times how they would be decided under a draft's other rules.

    Args:
        parts: any.
        draft: whose novelty, quality and class limits hold; its thresholds are left open.
        in_force: the site's other policies; a narrower one still decides its line or part type.
        calibrated: somebody has confirmed the scores at this site.
    """
    edges = ((1.0, 1.0), (0.0, 1.0), (0.0, 0.0))
    given = np.ones((len(parts), 3), np.int8)
    for column, (low, high) in enumerate(edges):
        opened = _approved(replace(draft, pass_below=low, fail_above=high))
        for row, part in enumerate(parts):
            given[row, column] = STRICTNESS[_outcome(part, opened, in_force, calibrated)]
    names = sorted({name for part in parts for name in part.classes})
    return Past(
        part_ids=np.array([part.part_id for part in parts], np.int64),
        scores=np.array([np.nan if part.score is None else part.score for part in parts], np.float64),
        given=given,
        was=np.array([STRICTNESS[part.was] for part in parts], np.int8),
        known=np.array([part.defective is not None for part in parts], bool),
        defective=np.array([part.defective is True for part in parts], bool),
        weights=np.array([1 / part.probability if part.probability else np.nan for part in parts], np.float64),
        classes={name: np.array([name in part.classes for part in parts], bool) for name in names},
    )


@dataclass(frozen=True)
class Replay:
    """What would have been different.

    Attributes:
        parts: that were decided in the time.
        outcomes: of the plant's own decisions and of the draft's, by outcome.
        changed: (part id, was, would be) of every part that would change, newest first.
        held_per_hour: in the hours in which parts came; before and with the draft.
        misses: defective parts that had passed and were found by audits.
        misses_held: those of them that the draft would not have passed.
        new_misses: known defective parts that it would pass and that had not passed.
        cost: of misses, false rejects and looks over the time, before and with the draft; None without prices. Misses
            and false rejects count with their weights, so that audited parts stand for those that were not.
    """

    parts: int
    was: Mapping[Outcome, int]
    would: Mapping[Outcome, int]
    changed: tuple[tuple[int, Outcome, Outcome], ...]
    held_per_hour: tuple[float, float]
    misses: int
    misses_held: int
    new_misses: int
    cost: tuple[float, float] | None


def replay(
    parts: Sequence[PastPart],
    draft: Policy,
    in_force: Sequence[Policy] = (),
    calibrated: bool = True,
    prices: Prices | None = None,
) -> Replay:
    """Decide every part again, by the whole decision function under a draft.

    A pause of today and who is at the desk are left out: they are not the draft's.
    """
    approved = _approved(draft)
    again = [(part, _outcome(part, approved, in_force, calibrated)) for part in parts]
    hours = len({part.decided_at.replace(minute=0, second=0, microsecond=0) for part in parts})
    held = [sum(outcome is Outcome.HOLD for outcome in some) for some in
            ([part.was for part in parts], [outcome for _, outcome in again])]  # fmt: skip
    escaped = [(part, outcome) for part, outcome in again
               if part.defective and part.audited and part.was is Outcome.PASS]  # fmt: skip
    costs = None
    if prices is not None:
        costs = (_cost(((part, part.was) for part in parts), prices), _cost(again, prices))
    newest = sorted(again, key=lambda one: one[0].decided_at, reverse=True)
    return Replay(
        parts=len(parts),
        was=_counted(part.was for part in parts),
        would=_counted(outcome for _, outcome in again),
        changed=tuple((part.part_id, part.was, outcome) for part, outcome in newest if outcome is not part.was),
        held_per_hour=(held[0] / hours, held[1] / hours) if hours else (0.0, 0.0),
        misses=len(escaped),
        misses_held=sum(outcome is not Outcome.PASS for _, outcome in escaped),
        new_misses=sum(
            outcome is Outcome.PASS and part.was is not Outcome.PASS for part, outcome in again if part.defective
        ),
        cost=costs,
    )


def _outcome(part: PastPart, draft: Policy, in_force: Sequence[Policy], calibrated: bool) -> Outcome:
    others = [one for one in in_force if (one.line, one.part_type) != (draft.line, draft.part_type)]
    rules = [SiteRules(chosen([*others, draft], line, part.part_type), calibrated) for line in part.lines]
    if len(rules) == 1:
        return decide(part.evidence, rules[0]).outcome
    return decide_strictly(part.evidence, rules)[0].outcome


def _approved(draft: Policy) -> Policy:
    """A draft as if it were in force, which a replay asks."""
    return replace(draft, proposed_by="", approved_by="replay")


def _counted(outcomes: Iterable[Outcome]) -> dict[Outcome, int]:
    found = dict.fromkeys(_OUTCOMES, 0)
    for one in outcomes:
        found[one] += 1
    return found


def _cost(decided: Iterable[tuple[PastPart, Outcome]], prices: Prices) -> float:
    total = 0.0
    for part, outcome in decided:
        weight = 1 / part.probability if part.probability else 1.0
        if outcome is Outcome.HOLD:
            total += prices.look
        elif outcome is Outcome.PASS and part.defective:
            total += weight * prices.miss
        elif outcome is Outcome.FAIL and part.defective is False:
            total += weight * prices.false_reject
    return total
