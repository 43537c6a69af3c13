"""The thresholds and rules in force at a site: numbered, approved by a second person, never edited."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from core.decide.attendance import Attendance
from core.decide.audit_steps import AuditStep, check_steps, share_of
from core.errors import BadInput, NotAllowed
from core.pictures.quality import QualityLimits
from core.records import Outcome, Route, Severity

PROVISIONAL_BELOW, PROVISIONAL_ABOVE = 0.40, 0.65  # sorts a queue where no policy decides; passes nothing


class Nobody(StrEnum):
    """What happens to a held part while nobody is at the desk, from the least to the most cautious."""

    HOLD = "hold"
    SECOND_SCAN = "second scan"
    STOP = "stop"


class Kind(StrEnum):
    """How a policy came to be."""

    CHANGE = "change"
    TIGHTENING = "tightening"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class ClassRule:
    """What holds for one class beside the thresholds for all; it only ever makes an outcome stricter.

    A part's risk of a class is its score times the class's share in it, so it is never above the score.

    Attributes:
        pass_below: a part passes only while its risk of this class is below.
        fail_above: it fails when that risk is above.
        report_above: every region of this class with a higher score is reported with the decision.
    """

    pass_below: float | None = None
    fail_above: float | None = None
    report_above: float | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name, value in (
            ("pass below", self.pass_below),
            ("fail above", self.fail_above),
            ("report limit", self.report_above),
        ):
            if value is not None and not 0 <= value <= 1:
                raise BadInput(f"A class's {name} is {value}: give a number from 0 to 1, or none.")
        if self.pass_below is not None and self.fail_above is not None and self.pass_below > self.fail_above:
            raise BadInput(
                f"A class would pass below {self.pass_below} and fail above {self.fail_above}, so some parts would do "
                "both: let 'pass below' be the smaller one."
            )

    @property
    def decides(self) -> bool:
        """Whether it limits anything beside what is reported."""
        return self.pass_below is not None or self.fail_above is not None


@dataclass(frozen=True)
class Costs:
    """What a wrong decision costs, in the plant's own money.

    Attributes:
        miss: of one defective part that passed, by the severity of its worst defect.
        false_reject: of one good part that was failed, by the severity that was wrongly seen.
        inspector_hour: of one inspector.
    """

    miss: Mapping[Severity, float] = field(default_factory=dict, hash=False)
    false_reject: Mapping[Severity, float] = field(default_factory=dict, hash=False)
    inspector_hour: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no amount."""
        for value in (*self.miss.values(), *self.false_reject.values(), self.inspector_hour):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise BadInput(f"A cost of {value} means nothing: give an amount of 0 or more.")


@dataclass(frozen=True)
class Optimum:
    """What the figures alone would have chosen, kept beside what people did choose.

    Attributes:
        pass_below, fail_above: of least expected cost.
        basis: what it was computed from, in a sentence.
        cost_per_thousand: expected cost of 1,000 parts there; `chosen_cost_per_thousand` at what was chosen.
        why: why something else was chosen; empty where nothing else was.
    """

    pass_below: float
    fail_above: float
    basis: str
    cost_per_thousand: float | None = None
    chosen_cost_per_thousand: float | None = None
    why: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no pair of thresholds."""
        if not 0 <= self.pass_below <= self.fail_above <= 1:
            raise BadInput(f"An optimum of {self.pass_below} to {self.fail_above} is no pair of thresholds.")


@dataclass(frozen=True)
class Policy:
    """One numbered policy of one site; a change is a new one that supersedes it.

    A score under `pass_below` passes, one over `fail_above` fails, and the band between, edges included, is held.
    So 0 passes nothing by itself and 1 fails nothing by itself.

    Attributes:
        minimum_confidence: a part that would fail, but whose likeliest class has a smaller share given that it is
            defective, is held so that a person names the defect. None, the default, asks for nothing. It never lets
            a part pass and never holds one that would.
        novelty_limit: a picture more novel is held; None takes the model's own limit, 1.
        quality_limits: the site's own; None takes the flags measured on arrival.
        audit_pass, audit_fail: share of the decided parts that a person looks at all the same.
        audit_steps: strata of scores with a share of their own.
        fail_route: where a failed part goes, rework or divert.
        reason: why it was proposed.
        approval: why it was approved; empty while it waits.
        line, part_type: which parts it is for; None is any. The narrowest decides: see `chosen`.
        classes: limits of single classes, by taxonomy id.
        when_nobody: what happens to a held part while nobody is at the desk.
        ends: it takes back the policies of its line or part type: the wider one decides there again.
        kind: how it came to be; a tightening is in force without a second person.
        rolls_back_to: the number whose rules these are again; None unless it is a rollback.
        optimum: what the figures alone would have chosen; None where nobody computed it.
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
    line: str | None = None
    part_type: str | None = None
    classes: Mapping[str, ClassRule] = field(default_factory=dict, hash=False)
    costs: Costs | None = None
    attendance: Attendance | None = None
    when_nobody: Nobody = Nobody.HOLD
    ends: bool = False
    kind: Kind = Kind.CHANGE
    rolls_back_to: int | None = None
    optimum: Optimum | None = None
    audit_steps: tuple[AuditStep, ...] = ()

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
        check_steps(self.audit_steps, self.audit_pass, self.audit_fail)
        if self.minimum_confidence is not None and not 0 < self.minimum_confidence <= 1:
            raise BadInput(
                f"A minimum confidence of {self.minimum_confidence} means nothing: it is the share of the likeliest "
                "class, above 0 and up to 1."
            )
        if self.novelty_limit is not None and not (math.isfinite(self.novelty_limit) and self.novelty_limit > 0):
            raise BadInput(f"A novelty limit of {self.novelty_limit} means nothing: give one above 0.")
        if self.fail_route not in (Route.REWORK, Route.DIVERT):
            raise BadInput(f"A failed part cannot go to '{self.fail_route}': choose rework or divert.")
        if self.ends and self.line is None and self.part_type is None:
            raise BadInput("A policy for the whole site cannot be taken back: propose another one, or pause auto-PASS.")
        alone = self.kind is Kind.TIGHTENING
        if self.approved_by is not None and self.approved_by == self.proposed_by and not alone:
            raise NotAllowed(f"{self.approved_by} proposed this policy: somebody else has to approve it.")

    @property
    def approved(self) -> bool:
        """Whether it has been put in force: by a second person, or alone where it only tightens."""
        return self.approved_by is not None

    @property
    def audits(self) -> bool:
        """Whether a person looks at some of the parts that were decided without one."""
        return self.audit_pass > 0 or self.audit_fail > 0

    def audit_share(self, outcome: Outcome, score: float | None) -> float:
        """With which probability a part that was decided so is drawn to be looked at; held ones are seen anyway."""
        if outcome is Outcome.HOLD:
            return 0.0
        base = self.audit_pass if outcome is Outcome.PASS else self.audit_fail
        return share_of(self.audit_steps, outcome, base, score)

    @property
    def least_audit_fail(self) -> float:
        """The smallest share of what fails that is audited at any score."""
        return min([self.audit_fail, *(one.share for one in self.audit_steps if one.outcome is Outcome.FAIL)])

    @property
    def band(self) -> tuple[float, float]:
        """The scores, both ends included, that go to a person."""
        return self.pass_below, self.fail_above

    @property
    def flags_everything(self) -> bool:
        """Whether no part can pass by itself."""
        return self.pass_below <= 0 or any(one.pass_below is not None and one.pass_below <= 0
                                           for one in self.classes.values())  # fmt: skip

    @property
    def fails_nothing(self) -> bool:
        """Whether no part can fail by itself."""
        return self.fail_above >= 1 and all(
            one.fail_above is None or one.fail_above >= 1 for one in self.classes.values()
        )

    @property
    def scope(self) -> str:
        """Which parts it is for, in words."""
        line = self.line if self.line is None or self.line.lower().startswith("line") else f"line {self.line}"
        if self.part_type is not None:
            return f"part type {self.part_type}" + (f" on {line}" if line is not None else "")
        return "the whole site" if line is None else line

    def sort(self, score: float) -> Outcome:
        """What the score alone would give."""
        low, high = self.band
        if score < low:
            return Outcome.PASS
        return Outcome.FAIL if score > high else Outcome.HOLD


def widened(pass_below: float, fail_above: float, confidence: float) -> tuple[float, float]:
    """The band of a policy from before a minimum confidence was about classes.

    Such a policy held whatever was less sure than `confidence` either way: 0.8 held all of .20 to .80. It is read with
    the thresholds that did the same, so that what was approved then decides the same now.
    """
    # Rounded, because 1 - 0.8 is not 0.2 in binary and 0.2 has a confidence of exactly 0.8.
    return min(pass_below, round(1 - confidence, 12)), max(fail_above, confidence)


def provisional(site: str) -> Policy:
    """What sorts the queue of a site that has no approved policy: .40 and .65, never approved."""
    return Policy(0, site, PROVISIONAL_BELOW, PROVISIONAL_ABOVE, reason="Sorts the queue until a policy is approved.")


def chosen(policies: Iterable[Policy], line: str | None, part_type: str | None) -> Policy | None:
    """The one that decides a part: the narrowest that is for it.

    A part type on a line goes before the part type, that before the line, and the line before the whole site.

    Args:
        policies: in force at the part's site, at most one for each line and part type.
        line: of the part; None where nobody said.
        part_type: likewise.
    """
    by_scope = {(one.line, one.part_type): one for one in policies}
    for scope in ((line, part_type), (None, part_type), (line, None), (None, None)):
        found = by_scope.get(scope)
        if found is not None and not found.ends:
            return found
    return None


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
