"""What is in force at a site at a moment: its taxonomy and its policies."""

from datetime import datetime
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from core.decide.policy import Policy, chosen
from core.taxonomy import Taxonomy
from data.store.rules.policy_rows import POLICY, policy_of
from data.store.trail.audit import entry, record
from data.tables import policies, policy_approvals, taxonomies

# Asked in every answer: built once, and what a version says is read once.
_NUMBER = (
    sa.select(taxonomies.c.id, taxonomies.c.number, taxonomies.c.created_at)
    .where(taxonomies.c.site_id == sa.bindparam("site"))
    .order_by(taxonomies.c.number.desc())
    .limit(sa.literal_column("1"))
)
_NUMBER_AT = _NUMBER.where(taxonomies.c.created_at <= sa.bindparam("at"))
_DOCUMENT = sa.select(taxonomies.c.document).where(taxonomies.c.id == sa.bindparam("id"))
_NEWEST = (
    sa.select(sa.func.max(policy_approvals.c.id))
    .join(policies, policies.c.id == policy_approvals.c.policy_id)
    .where(policies.c.site_id == sa.bindparam("site"))
    .group_by(policies.c.line_id, policies.c.part_type_id)
)
_IN_FORCE = POLICY.where(policy_approvals.c.id.in_(_NEWEST)).order_by(policies.c.number)
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


def policies_in_force(connection: Connection, site_id: int, site: str) -> list[Policy]:
    """The policy approved last for the whole site and for each line and part type that has one."""
    return [policy_of(row, site) for row in connection.execute(_IN_FORCE, {"site": site_id})]


def policy_in_force(
    connection: Connection, site_id: int, site: str, line: str | None = None, part_type: str | None = None
) -> Policy | None:
    """The policy that decides a part of this line and part type; None where none is approved."""
    return chosen(policies_in_force(connection, site_id, site), line, part_type)
