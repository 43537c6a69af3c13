"""Policies: proposed by one person, approved by another, superseded and never edited."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.policy import Policy, approve
from core.errors import BadInput, Conflict, NotFound
from core.pictures.quality import QualityLimits
from core.records import Route
from core.roles import Action
from data.store.audit import entry, record
from data.store.base import SubStore, site_row
from data.store.in_force import POLICY, policy_in_force, policy_of
from data.tables import policies, policy_approvals


class Policies(SubStore):
    """The one approved last is in force from the next decision on."""

    def in_force(self, site: str) -> Policy | None:
        """The policy that decides now; None where none is approved."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return policy_in_force(connection, row.id, site)

    def history(self, site: str) -> list[Policy]:
        """Every policy of the site, newest first, approved or not."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = POLICY.where(policies.c.site_id == row.id).order_by(policies.c.number.desc())
            return [policy_of(one, site) for one in connection.execute(query)]

    def propose(
        self,
        site: str,
        pass_below: float,
        fail_above: float,
        reason: str,
        *,
        minimum_confidence: float | None = None,
        novelty_limit: float | None = None,
        quality_limits: QualityLimits | None = None,
        audit_pass: float = 0.0,
        audit_fail: float = 0.0,
        fail_route: Route = Route.REWORK,
        now: datetime | None = None,
    ) -> Policy:
        """A new numbered policy, waiting for somebody else's approval.

        Raises:
            BadInput: without a reason, or for numbers that cannot be meant.
        """
        if not reason.strip():
            raise BadInput("A proposal needs a reason: say in a sentence why these thresholds are right.")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "policy", row.id)
            newest = sa.select(sa.func.max(policies.c.number)).where(policies.c.site_id == row.id)
            policy = Policy(
                (connection.scalar(newest) or 0) + 1, site, pass_below, fail_above, minimum_confidence, novelty_limit,
                quality_limits, audit_pass, audit_fail, fail_route, self.actor.name, reason.strip(), when,
            )  # fmt: skip
            connection.execute(sa.insert(policies).values(site_id=row.id, **_values(policy)))
            record(connection, entry(when, self.actor.name, "policy proposed", f"policy {policy.number}",
                                     site_id=row.id, new=_figures(policy), reason=policy.reason,
                                     policy=policy.number))  # fmt: skip
            return policy

    def approve(self, site: str, number: int, reason: str, now: datetime | None = None) -> Policy:
        """Put a proposed policy in force.

        Raises:
            NotAllowed: for the one who proposed it.
            Conflict: when it has been approved already, or a newer one has.
        """
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site, lock=True)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "policy", row.id)
            found, policy_id = self._get(connection, row, number)
            before = policy_in_force(connection, row.id, site)
            if found.approved:
                raise Conflict(f"Policy {number} of {site} is approved already: propose a new one to change it.")
            if before is not None and before.number > number:
                raise Conflict(f"Policy {before.number} has come into force since: propose this one again.")
            policy = approve(found, self.actor.name, reason, when)
            connection.execute(
                sa.insert(policy_approvals).values(
                    policy_id=policy_id, by=self.actor.name, reason=policy.approval, approved_at=when
                )
            )
            record(connection, entry(when, self.actor.name, "policy approved", f"policy {number}", site_id=row.id,
                                     old=None if before is None else _figures(before), new=_figures(policy),
                                     reason=policy.approval, policy=number))  # fmt: skip
            return policy

    def _get(self, connection: Connection, site: Any, number: int) -> tuple[Policy, int]:
        query = POLICY.where(policies.c.site_id == site.id, policies.c.number == number)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"{site.name} has no policy {number}.")
        return policy_of(row, site.name), row.id


def _values(policy: Policy) -> dict[str, Any]:
    return {
        **_figures(policy),
        "number": policy.number,
        "proposed_by": policy.proposed_by,
        "reason": policy.reason,
        "proposed_at": policy.proposed_at,
    }


def _figures(policy: Policy) -> dict[str, Any]:
    return {
        "pass_below": policy.pass_below,
        "fail_above": policy.fail_above,
        "minimum_confidence": policy.minimum_confidence,
        "novelty_limit": policy.novelty_limit,
        "quality_limits": None if policy.quality_limits is None else asdict(policy.quality_limits),
        "audit_pass": policy.audit_pass,
        "audit_fail": policy.audit_fail,
        "fail_route": str(policy.fail_route),
    }
