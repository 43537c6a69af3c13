"""What is in force at a site at a moment: its taxonomy and its policy."""

from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

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


# Asked in every answer: built once, and what a version says is read once.
_NUMBER = (
    sa.select(taxonomies.c.id, taxonomies.c.number, taxonomies.c.created_at)
    .where(taxonomies.c.site_id == sa.bindparam("site"))
    .order_by(taxonomies.c.number.desc())
    .limit(sa.literal_column("1"))
)
_NUMBER_AT = _NUMBER.where(taxonomies.c.created_at <= sa.bindparam("at"))
_DOCUMENT = sa.select(taxonomies.c.document).where(taxonomies.c.id == sa.bindparam("id"))
_known: WeakKeyDictionary[Engine, dict[tuple[int, datetime], Taxonomy]] = WeakKeyDictionary()


def taxonomy_in_force(connection: Connection, site_id: int, at: datetime | None = None) -> tuple[int, Taxonomy]:
    """The newest version of a site, or the newest there was at a time; number 0 and no classes before the first."""
    query, values = (_NUMBER, {"site": site_id}) if at is None else (_NUMBER_AT, {"site": site_id, "at": at})
    row = connection.execute(query, values).one_or_none()
    if row is None:
        return 0, Taxonomy("none", "0", ())
    known = _known.setdefault(connection.engine, {})
    version = (row.id, row.created_at)  # which is never changed
    if version not in known:
        known[version] = Taxonomy.from_json(connection.execute(_DOCUMENT, {"id": row.id}).scalar_one())
    return row.number, known[version]


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
