"""Policies: proposed by one person, approved by another, superseded and never edited.

Only what tightens needs no second person, and what tightens is decided by a rule of core, in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.attendance import Attendance, Rates
from core.decide.policy import ClassRule, Costs, Kind, Nobody, Optimum, Policy, approve
from core.decide.tighter import differences, looser_anywhere
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.pictures.quality import QualityLimits
from core.records import Route
from core.roles import Action
from data.store.base import SubStore, site_row
from data.store.rules.in_force import policies_in_force, policy_in_force
from data.store.rules.paces import rates_of
from data.store.rules.policy_rows import POLICY, optimum_json, policy_of, rules_of, values_of
from data.store.trail.audit import entry, record
from data.tables import lines, part_types, policies, policy_approvals

_NAMED = {"line": lines, "part type": part_types}


class Policies(SubStore):
    """For each part the narrowest one that was approved last, from the next decision on."""

    def in_force(self, site: str, line: str | None = None, part_type: str | None = None) -> Policy | None:
        """The policy that decides a part of this line and part type now; None where none is approved."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return policy_in_force(connection, row.id, site, line, part_type)

    def all_in_force(self, site: str) -> list[Policy]:
        """The one for the whole site and those of its lines and part types, by number."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return policies_in_force(connection, row.id, site)

    def history(self, site: str) -> list[Policy]:
        """Every policy of the site, newest first, approved or not."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = POLICY.where(policies.c.site_id == row.id).order_by(policies.c.number.desc())
            return [policy_of(one, site) for one in connection.execute(query)]

    def version(self, site: str) -> int:
        """Grows with every proposal and approval: give it back as `seen`, and nobody's change is overwritten."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return _version(connection, row.id)

    def rates(self, site: str, days: float = 28, now: datetime | None = None) -> Rates:
        """How fast parts have come and how long inspectors have taken, over the last days."""
        when = self.now(now)
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return rates_of(connection, row.id, days, when)

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
        line: str | None = None,
        part_type: str | None = None,
        classes: Mapping[str, ClassRule] | None = None,
        costs: Costs | None = None,
        attendance: Attendance | None = None,
        when_nobody: Nobody = Nobody.HOLD,
        optimum: Optimum | None = None,
        seen: int | None = None,
        now: datetime | None = None,
    ) -> Policy:
        """A new numbered policy made of these figures alone; see `put_forward`."""
        draft = Policy(
            0, site, pass_below, fail_above, minimum_confidence, novelty_limit, quality_limits, audit_pass, audit_fail,
            fail_route, line=line, part_type=part_type, classes=classes or {}, costs=costs, attendance=attendance,
            when_nobody=when_nobody, optimum=optimum,
        )  # fmt: skip
        return self.put_forward(draft, reason, seen=seen, now=now)

    def put_forward(
        self, draft: Policy, reason: str, *, seen: int | None = None, now: datetime | None = None
    ) -> Policy:
        """A new numbered policy with a draft's rules, waiting for somebody else's approval.

        Args:
            draft: its number, names and times are not looked at.
            reason: why; the one who approves reads it.
            seen: the version of the site's policies that the draft was made from; None does not ask.
            now: aware UTC.

        Raises:
            BadInput: without a reason, or for numbers that cannot be meant.
            Conflict: when somebody has changed the policies since `seen`.
        """
        _needs_reason(reason)
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, draft.site)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "policy", row.id)
            _check_seen(connection, row, seen)
            policy = self._numbered(connection, row, draft, Kind.CHANGE, reason, when)
            self._insert(connection, row, policy, "policy proposed")
            return policy

    def tighten(self, draft: Policy, reason: str, *, seen: int | None = None, now: datetime | None = None) -> Policy:
        """Put a policy in force alone, which is allowed where it decides no possible part less strictly.

        Raises:
            NotAllowed: saying what would be looser.
            BadInput: without a reason, or where nothing would change.
            Conflict: when somebody has changed the policies since `seen`.
        """
        _needs_reason(reason)
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, draft.site, lock=True)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "policy", row.id)
            _check_seen(connection, row, seen)
            in_force = policies_in_force(connection, row.id, row.name)
            policy = self._numbered(connection, row, draft, Kind.TIGHTENING, reason, when)
            loose = looser_anywhere(in_force, policy)
            if loose:
                raise NotAllowed(f"One person alone may only tighten, and {'; '.join(loose)}: propose it instead.")
            before = _same_scope(in_force, policy)
            if before is not None and before.ends == policy.ends and not differences(policy, before):
                raise BadInput(f"Policy {before.number} says the same already: nothing was changed.")
            policy = replace(policy, approved_by=self.actor.name, approval=policy.reason, approved_at=when)
            policy_id = self._insert(connection, row, policy, "policy tightened", before)
            self._approve(connection, policy_id, policy)
            return policy

    def rollback(
        self, site: str, number: int, reason: str, *, seen: int | None = None, now: datetime | None = None
    ) -> Policy:
        """Propose the rules of an earlier policy again; like any other proposal it waits for somebody else.

        Raises:
            BadInput: for one that was never in force.
        """
        _needs_reason(reason)
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "policy", row.id)
            _check_seen(connection, row, seen)
            found, _ = self._get(connection, row, number)
            if not found.approved:
                raise BadInput(f"Policy {number} of {site} was never in force: approve it, or go back to another one.")
            if _same_scope(policies_in_force(connection, row.id, site), found) == found:
                raise BadInput(f"Policy {number} is in force at {site}: there is nothing to go back to.")
            policy = self._numbered(connection, row, found, Kind.ROLLBACK, reason, when)
            policy = replace(policy, rolls_back_to=number, optimum=None)  # the one of then is not the one of now
            self._insert(connection, row, policy, "policy rollback proposed")
            return policy

    def approve(
        self, site: str, number: int, reason: str, now: datetime | None = None, *, optimum: Optimum | None = None
    ) -> Policy:
        """Put a proposed policy in force.

        Args:
            site: of the policy.
            number: of the policy.
            reason: why it is right, and why not the optimum where that is another one.
            now: aware UTC.
            optimum: what the figures alone choose now; None keeps what came with the proposal.

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
            before = _same_scope(policies_in_force(connection, row.id, site), found)
            if found.approved:
                raise Conflict(f"Policy {number} of {site} is approved already: propose a new one to change it.")
            if before is not None and before.number > number:
                raise Conflict(f"Policy {before.number} has come into force since: propose this one again.")
            policy = approve(found, self.actor.name, reason, when)
            best = optimum or policy.optimum
            if best is not None:
                apart = (best.pass_below, best.fail_above) != (policy.pass_below, policy.fail_above)
                policy = replace(policy, optimum=replace(best, why=best.why or (policy.approval if apart else "")))
            self._approve(connection, policy_id, policy)
            record(connection, entry(when, self.actor.name, "policy approved", f"policy {number}", site_id=row.id,
                                     old=None if before is None else rules_of(before),
                                     new={**rules_of(policy), "optimum": optimum_json(policy.optimum)},
                                     reason=policy.approval, policy=number))  # fmt: skip
            return policy

    def _numbered(
        self, connection: Connection, site: Any, draft: Policy, kind: Kind, reason: str, when: datetime
    ) -> Policy:
        newest = sa.select(sa.func.max(policies.c.number)).where(policies.c.site_id == site.id)
        return replace(
            draft, number=(connection.scalar(newest) or 0) + 1, kind=kind, rolls_back_to=None,
            proposed_by=self.actor.name, reason=reason.strip(), proposed_at=when, approved_by=None, approval="",
            approved_at=None,
        )  # fmt: skip

    def _insert(self, connection: Connection, site: Any, policy: Policy, act: str, before: Policy | None = None) -> int:
        """Its row and its audit event."""
        line_id = _id_of(connection, site, "line", policy.line)
        part_type_id = _id_of(connection, site, "part type", policy.part_type)
        row = {"site_id": site.id, **values_of(policy, line_id, part_type_id)}
        policy_id = connection.execute(sa.insert(policies).values(row).returning(policies.c.id)).scalar_one()
        record(connection, entry(policy.proposed_at or self.now(), self.actor.name, act, f"policy {policy.number}",
                                 site_id=site.id, old=None if before is None else rules_of(before),
                                 new=rules_of(policy), reason=policy.reason, policy=policy.number))  # fmt: skip
        return int(policy_id)

    def _approve(self, connection: Connection, policy_id: int, policy: Policy) -> None:
        connection.execute(
            sa.insert(policy_approvals).values(
                policy_id=policy_id,
                by=policy.approved_by,
                reason=policy.approval,
                approved_at=policy.approved_at,
                optimum=optimum_json(policy.optimum),
            )
        )

    def _get(self, connection: Connection, site: Any, number: int) -> tuple[Policy, int]:
        query = POLICY.where(policies.c.site_id == site.id, policies.c.number == number)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"{site.name} has no policy {number}.")
        return policy_of(row, site.name), row.id


def _needs_reason(reason: str) -> None:
    if not reason.strip():
        raise BadInput("A proposal needs a reason: say in a sentence why these thresholds are right.")


def _same_scope(in_force: list[Policy], policy: Policy) -> Policy | None:
    wanted = (policy.line, policy.part_type)
    return next((one for one in in_force if (one.line, one.part_type) == wanted), None)


def _version(connection: Connection, site_id: int) -> int:
    proposed = sa.select(sa.func.count()).select_from(policies).where(policies.c.site_id == site_id)
    approved = (
        sa.select(sa.func.count())
        .select_from(policy_approvals)
        .join(policies, policies.c.id == policy_approvals.c.policy_id)
        .where(policies.c.site_id == site_id)
    )
    return (connection.scalar(proposed) or 0) + (connection.scalar(approved) or 0)


def _check_seen(connection: Connection, site: Any, seen: int | None) -> None:
    """Refuse what was made from a site's policies as they no longer are."""
    if seen is None or seen == _version(connection, site.id):
        return
    last: Any = connection.execute(
        POLICY.where(policies.c.site_id == site.id)
        .order_by(sa.func.coalesce(policy_approvals.c.approved_at, policies.c.proposed_at).desc(),
                  policies.c.number.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip
    if last is None:
        raise Conflict(f"{site.name} has no such version of its policies: look again.")
    act = f"approved by {last.approved_by}" if last.approved_by else f"proposed by {last.proposed_by}"
    raise Conflict(
        f"Policy {last.number} was {act} since you began: nothing was changed. Look at it, then propose yours again."
    )


def _id_of(connection: Connection, site: Any, kind: str, name: str | None) -> int | None:
    """The number of a line or part type; None where the policy is for all of them."""
    if name is None:
        return None
    rows = _NAMED[kind]
    found = connection.scalar(sa.select(rows.c.id).where(rows.c.site_id == site.id, rows.c.name == name))
    if found is None:
        known = ", ".join(connection.scalars(sa.select(rows.c.name).where(rows.c.site_id == site.id).limit(20)))
        raise NotFound(f"{site.name} has no {kind} '{name}': there are {known or 'none yet'}.")
    return int(found)
