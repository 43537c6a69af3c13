"""The thresholds and rules in force at a site: numbered, approved by a second person, never edited."""

import math
from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import BadInput, NotAllowed
from core.pictures.quality import QualityLimits
from core.records import Outcome, Route

PROVISIONAL_BELOW, PROVISIONAL_ABOVE = 0.40, 0.65  # sorts a queue where no policy decides; passes nothing


@dataclass(frozen=True)
class Policy:
    """One numbered policy of one site; a change is a new one that supersedes it.

    A score under `pass_below` passes, one over `fail_above` fails, and the band between, edges included, is held.
    So 0 passes nothing by itself and 1 fails nothing by itself.

    Attributes:
        minimum_confidence: what is less sure goes to a person; 0.8 holds the whole band .20 to .80.
        novelty_limit: a picture more novel is held; None takes the model's own limit, 1.
        quality_limits: the site's own; None takes the flags measured on arrival.
        audit_pass, audit_fail: share of the decided parts that a person looks at all the same.
        fail_route: where a failed part goes, rework or divert.
        reason: why it was proposed.
        approval: why it was approved; empty while it waits.
    """

    number: int
    site: str
    pass_below: float
    fail_above: float
    minimum_confidence: float | None = None
    novelty_limit: float | None = None
    quality_limits: QualityLimits | None = None
    audit_pass: float = 0.0
    audit_fail: float = 0.0
    fail_route: Route = Route.REWORK
    proposed_by: str = ""
    reason: str = ""
    proposed_at: datetime | None = None
    approved_by: str | None = None
    approval: str = ""
    approved_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name, value in (
            ("pass below", self.pass_below),
            ("fail above", self.fail_above),
            ("audited share of passes", self.audit_pass),
            ("audited share of fails", self.audit_fail),
        ):
            if not (math.isfinite(value) and 0 <= value <= 1):
                raise BadInput(f"The policy's {name} is {value}: give a number from 0 to 1.")
        if self.pass_below > self.fail_above:
            raise BadInput(
                f"The policy would pass below {self.pass_below} and fail above {self.fail_above}, so some scores "
                "would do both: let 'pass below' be the smaller one."
            )
        if self.minimum_confidence is not None and not 0.5 <= self.minimum_confidence <= 1:
            raise BadInput(f"A minimum confidence of {self.minimum_confidence} means nothing: give one from 0.5 to 1.")
        if self.novelty_limit is not None and not (math.isfinite(self.novelty_limit) and self.novelty_limit > 0):
            raise BadInput(f"A novelty limit of {self.novelty_limit} means nothing: give one above 0.")
        if self.fail_route not in (Route.REWORK, Route.DIVERT):
            raise BadInput(f"A failed part cannot go to '{self.fail_route}': choose rework or divert.")
        if self.approved_by is not None and self.approved_by == self.proposed_by:
            raise NotAllowed(f"{self.approved_by} proposed this policy: somebody else has to approve it.")

    @property
    def approved(self) -> bool:
        """Whether a second person has put their name to it."""
        return self.approved_by is not None

    @property
    def audits(self) -> bool:
        """Whether a person looks at some of the parts that were decided without one."""
        return self.audit_pass > 0 or self.audit_fail > 0

    @property
    def band(self) -> tuple[float, float]:
        """The scores, both ends included, that go to a person: the thresholds, widened by the minimum confidence."""
        if self.minimum_confidence is None:
            return self.pass_below, self.fail_above
        # Rounded, because 1 - 0.8 is not 0.2 in binary and 0.2 has a confidence of exactly 0.8.
        unsure = round(1 - self.minimum_confidence, 12)
        return min(self.pass_below, unsure), max(self.fail_above, self.minimum_confidence)

    @property
    def flags_everything(self) -> bool:
        """Whether no part can pass by itself."""
        return self.band[0] <= 0

    def sort(self, score: float) -> Outcome:
        """What the score alone would give."""
        low, high = self.band
        if score < low:
            return Outcome.PASS
        return Outcome.FAIL if score > high else Outcome.HOLD


def provisional(site: str) -> Policy:
    """What sorts the queue of a site that has no approved policy: .40 and .65, never approved."""
    return Policy(0, site, PROVISIONAL_BELOW, PROVISIONAL_ABOVE, reason="Sorts the queue until a policy is approved.")


def approve(policy: Policy, by: str, reason: str, at: datetime) -> Policy:
    """The same policy, in force.

    Raises:
        NotAllowed: by the one who proposed it.
        BadInput: without a name or a reason, or when it is approved already.
    """
    if policy.approved:
        raise BadInput(f"Policy {policy.number} of {policy.site} is approved already: propose a new one to change it.")
    if not by.strip():
        raise BadInput("An approval needs a name.")
    if not reason.strip():
        raise BadInput("An approval needs a reason: say in a sentence why these thresholds are right.")
    return replace(policy, approved_by=by, approval=reason.strip(), approved_at=at)
