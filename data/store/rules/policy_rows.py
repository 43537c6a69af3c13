"""Policies as rows: their rules as columns and JSON on one side, one frozen object on the other."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from core.decide.attendance import Attendance, Shift
from core.decide.audit_steps import AuditStep
from core.decide.policy import ClassRule, Costs, Kind, Nobody, Optimum, Policy, widened
from core.pictures.quality import QualityLimits
from core.records import Outcome, Route, Severity
from data.tables import lines, part_types, policies, policy_approvals

POLICY = (
    sa.select(
        policies,
        lines.c.name.label("line"),
        part_types.c.name.label("part_type"),
        policy_approvals.c.by.label("approved_by"),
        policy_approvals.c.reason.label("approval"),
        policy_approvals.c.approved_at,
        policy_approvals.c.optimum.label("optimum_approved"),
    )
    .outerjoin(policy_approvals, policy_approvals.c.policy_id == policies.c.id)
    .outerjoin(lines, lines.c.id == policies.c.line_id)
    .outerjoin(part_types, part_types.c.id == policies.c.part_type_id)
)


def policy_of(row: Any, site: str) -> Policy:
    """A row of POLICY."""
    below, above = row.pass_below, row.fail_above
    if row.minimum_confidence is not None:  # from before it was about classes
        below, above = widened(below, above, row.minimum_confidence)
    optimum = row.optimum_approved or row.optimum
    return Policy(
        number=row.number,
        site=site,
        pass_below=below,
        fail_above=above,
        minimum_confidence=row.class_confidence,
        novelty_limit=row.novelty_limit,
        quality_limits=None if row.quality_limits is None else QualityLimits(**row.quality_limits),
        audit_pass=row.audit_pass,
        audit_fail=row.audit_fail,
        fail_route=Route(row.fail_route),
        proposed_by=row.proposed_by,
        reason=row.reason,
        proposed_at=row.proposed_at,
        approved_by=row.approved_by,
        approval=row.approval or "",
        approved_at=row.approved_at,
        line=row.line,
        part_type=row.part_type,
        classes={name: ClassRule(**limits) for name, limits in (row.classes or {}).items()},
        costs=_costs(row.costs),
        attendance=_attendance(row.attendance),
        when_nobody=Nobody(row.when_nobody),
        ends=row.ends,
        kind=Kind(row.kind),
        rolls_back_to=row.rolls_back_to,
        optimum=None if optimum is None else Optimum(**optimum),
        audit_steps=tuple(
            AuditStep(Outcome(one["outcome"]), one["low"], one["high"], one["share"]) for one in row.audit_steps or ()
        ),
    )


def values_of(policy: Policy, line_id: int | None, part_type_id: int | None) -> dict[str, Any]:
    """A new row of `policies`, but for its site."""
    figures = rules_of(policy)
    return {
        **{name: figures[name] for name in figures if name not in ("line", "part_type", "minimum_confidence")},
        "class_confidence": policy.minimum_confidence,
        "line_id": line_id,
        "part_type_id": part_type_id,
        "number": policy.number,
        "proposed_by": policy.proposed_by,
        "reason": policy.reason,
        "proposed_at": policy.proposed_at,
        "kind": str(policy.kind),
        "rolls_back_to": policy.rolls_back_to,
        "optimum": optimum_json(policy.optimum),
    }


def optimum_json(optimum: Optimum | None) -> dict[str, Any] | None:
    """What the figures alone would have chosen, as JSON takes it."""
    return None if optimum is None else asdict(optimum)


def rules_of(policy: Policy) -> dict[str, Any]:
    """What a policy says, as JSON takes it; for its row and for the audit trail."""
    return {
        "line": policy.line,
        "part_type": policy.part_type,
        "pass_below": policy.pass_below,
        "fail_above": policy.fail_above,
        "minimum_confidence": policy.minimum_confidence,
        "novelty_limit": policy.novelty_limit,
        "quality_limits": None if policy.quality_limits is None else asdict(policy.quality_limits),
        "audit_pass": policy.audit_pass,
        "audit_fail": policy.audit_fail,
        "audit_steps": [{**asdict(one), "outcome": str(one.outcome)} for one in policy.audit_steps] or None,
        "fail_route": str(policy.fail_route),
        "classes": {name: asdict(rule) for name, rule in policy.classes.items()} or None,
        "costs": None if policy.costs is None else _plain_costs(policy.costs),
        "attendance": None if policy.attendance is None else asdict(policy.attendance),
        "when_nobody": str(policy.when_nobody),
        "ends": policy.ends,
    }


def _plain_costs(costs: Costs) -> dict[str, Any]:
    return {
        "miss": {str(severity): value for severity, value in costs.miss.items()},
        "false_reject": {str(severity): value for severity, value in costs.false_reject.items()},
        "inspector_hour": costs.inspector_hour,
    }


def _costs(found: Mapping[str, Any] | None) -> Costs | None:
    if found is None:
        return None
    by_severity = [
        {Severity(name): float(value) for name, value in found[side].items()} for side in ("miss", "false_reject")
    ]
    return Costs(by_severity[0], by_severity[1], found["inspector_hour"])


def _attendance(found: Mapping[str, Any] | None) -> Attendance | None:
    if found is None:
        return None
    shifts = tuple(Shift(tuple(one["days"]), one["start"], one["end"]) for one in found["hours"])
    figures = {name: None if value is None else float(value) for name, value in found.items() if name != "hours"}
    return Attendance(shifts, **figures)  # type: ignore[arg-type]
