"""What is in force at a site at a moment: its taxonomy and its policy."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.policy import Policy
from core.pictures.quality import QualityLimits
from core.records import Route
from core.taxonomy import Taxonomy
from data.store.audit import entry, record
from data.tables import policies, policy_approvals, taxonomies

POLICY = sa.select(
    policies,
    policy_approvals.c.by.label("approved_by"),
    policy_approvals.c.reason.label("approval"),
    policy_approvals.c.approved_at,
).outerjoin(policy_approvals, policy_approvals.c.policy_id == policies.c.id)


def taxonomy_in_force(connection: Connection, site_id: int, at: datetime | None = None) -> tuple[int, Taxonomy]:
    """The newest version of a site, or the newest there was at a time; number 0 and no classes before the first."""
    chosen = sa.select(taxonomies.c.number, taxonomies.c.document).where(taxonomies.c.site_id == site_id)
    if at is not None:
        chosen = chosen.where(taxonomies.c.created_at <= at)
    row = connection.execute(chosen.order_by(taxonomies.c.number.desc()).limit(1)).one_or_none()
    return (0, Taxonomy("none", "0", ())) if row is None else (row.number, Taxonomy.from_json(row.document))


def append_version(
    connection: Connection, site_id: int, site: str, taxonomy: Taxonomy, note: str, by: str, now: datetime
) -> int:
    """The next numbered version of a taxonomy, with its audit event."""
    last = connection.scalar(sa.select(sa.func.max(taxonomies.c.number)).where(taxonomies.c.site_id == site_id)) or 0
    values = {
        "site_id": site_id,
        "number": last + 1,
        "document": taxonomy.to_json(),
        "note": note,
        "by": by,
        "created_at": now,
    }
    connection.execute(sa.insert(taxonomies).values(values))
    summary = {"number": last + 1, "classes": [one.id for one in taxonomy.classes]}
    old = {"number": last} if last else None
    record(connection, entry(now, by, "taxonomy changed", f"site {site}", site_id=site_id, old=old, new=summary,
                             reason=note))  # fmt: skip
    return last + 1


def policy_in_force(connection: Connection, site_id: int, site: str) -> Policy | None:
    """The policy that was approved last; None where none is approved."""
    chosen = (
        POLICY.where(policies.c.site_id == site_id, policy_approvals.c.id.is_not(None))
        .order_by(policy_approvals.c.id.desc())
        .limit(1)
    )
    row = connection.execute(chosen).one_or_none()
    return None if row is None else policy_of(row, site)


def policy_of(row: Any, site: str) -> Policy:
    """A row of POLICY."""
    return Policy(
        number=row.number,
        site=site,
        pass_below=row.pass_below,
        fail_above=row.fail_above,
        minimum_confidence=row.minimum_confidence,
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
    )
