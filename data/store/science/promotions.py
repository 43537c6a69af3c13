"""Which model decides at a site: promoted on what it has shown, rolled back in one act, both on record for good.

Another model is not calibrated until two people have said so, so a change of the model alone only tightens: every part
is held. That is why one person may promote a model that has passed its gate, and why anything else needs two. Going
back is one act, too: it restores what was in force before the promotion and no more, the calibration included where
two people had confirmed it, its time is not over, and neither a policy nor a memory of good parts has changed since.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.requests import Request, Wish
from core.errors import BadInput, Conflict, GateFailed, NotFound
from core.gates.limits import Limits
from core.gates.records import Answer, GateResult
from core.roles import Action
from core.serving import Change, ModelChange
from core.watch.rules import RuleKind
from data.store.base import Rights, SubStore, site_row
from data.store.rules.alarm_rows import in_force, rule_rows
from data.store.rules.requests import enter_request
from data.store.science.gates import latest
from data.store.science.in_use import CHANGE, alternatives, change_of, policy_numbers, put_in_use
from data.store.science.memories import changed_since
from data.tables import model_changes, models, sites

_IN_USE = sa.select(sites.c.id, sites.c.model).where(sites.c.name == sa.bindparam("site"))


class Promotions(SubStore):
    """Promoting, overriding with two, rolling back."""

    def in_use(self, site: str) -> str | None:
        """The model that decides at a site at this moment; asked by every process before each batch.

        Raises:
            NotFound: no such site.
        """
        with self.seeing() as (connection, rights):
            row = connection.execute(_IN_USE, {"site": site}).one_or_none()
            if row is None:
                site_row(connection, site)  # which names the sites there are
                return None
            rights.need(Action.SEE, row.id)
            return None if row.model is None else str(row.model)

    def hindered(self, site: str, model: str) -> str:
        """What stands between a model and its promotion at a site, in a sentence; empty where nothing does."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return hindrance(connection, row, model)[0]

    def history(self, site: str, limit: int = 50) -> list[ModelChange]:
        """How the model in use came about, the newest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = CHANGE.where(model_changes.c.site_id == row.id).order_by(model_changes.c.id.desc()).limit(limit)
            return [change_of(one) for one in connection.execute(query)]

    def way_back(self, site: str) -> str | None:
        """The model that a roll back would put in use; None where there is none to go back to."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            step = _to_undo(connection, row)
            return None if step is None else step.before

    def promote(self, site: str, model: str, reason: str, now: datetime | None = None) -> ModelChange:
        """Put a model in use that has passed its gate here, against the model it replaces.

        Raises:
            GateFailed: it has not; two people may override that, see `ask_override`.
            Conflict: it is in use already.
        """
        if not reason.strip():
            raise BadInput("A promotion needs a reason: say in a sentence why this model and none of the others.")
        when = self.now(now)
        with self.writing(Action.PROMOTE) as (connection, rights):
            row = self._site(connection, rights, site)
            why_not, passed = hindrance(connection, row, model)
            if why_not or passed is None:
                raise GateFailed(f"{model} cannot be promoted at {site}: {why_not} Two people may override that.")
            return put_in_use(connection, row, model, Change.PROMOTION, self.actor.name, reason.strip(), when,
                              gate=passed.id)  # fmt: skip

    def ask_override(self, site: str, model: str, reason: str, now: datetime | None = None) -> Request:
        """Ask that a model be put in use though nothing shows that it should be; a QA lead or admin has to agree.

        Raises:
            Conflict: nothing hinders it, it is in use, or somebody has asked already.
        """
        when = self.now(now)
        with self.writing(Action.PROMOTE) as (connection, rights):
            row = self._site(connection, rights, site)
            why_not, found = hindrance(connection, row, model)
            if not why_not:
                raise Conflict(f"Nothing hinders {model}: promote it.")
            content = {
                "model": model,
                "sha256": connection.scalar(sa.select(models.c.sha256).where(models.c.name == model)),
                "before": row.model,
                "gate": None if found is None else found.id,
                "hindrance": why_not,
                "alternatives": alternatives(connection, row, model),
            }
            return enter_request(connection, self.actor.name, row, Wish.PROMOTION, content, reason, when)

    def rollback(self, site: str, reason: str, now: datetime | None = None) -> ModelChange:
        """Put the model back in use that the present one replaced, in one act.

        Raises:
            NotFound: there is none to go back to.
        """
        if not reason.strip():
            raise BadInput("Going back needs a reason: say in a sentence what is wrong with the model in use.")
        when = self.now(now)
        with self.writing(Action.PROMOTE) as (connection, rights):
            row = self._site(connection, rights, site)
            step = _to_undo(connection, row)
            if step is None or step.before is None:
                raise NotFound(f"{site} has had no other model before {row.model or 'now'}: there is no way back.")
            again = (
                bool(step.calibrated)
                and (step.calibrated_until is None or step.calibrated_until > when)
                and list(step.policies) == policy_numbers(connection, row)
                and not changed_since(connection, row.id, step.at)
            )
            return put_in_use(
                connection, row, step.before, Change.ROLLBACK, self.actor.name, reason.strip(), when,
                undoes=step.id, restores=step if again else None,
            )  # fmt: skip

    def _site(self, connection: Connection, rights: Rights, name: str) -> Any:
        """The site's row, of which nobody else changes model, pause or calibration until the transaction ends."""
        row: Any = site_row(connection, name)
        rights.need(Action.PROMOTE, row.id)
        self.database.one_at_a_time(connection, "requests", row.id)
        return connection.execute(sa.select(sites).where(sites.c.id == row.id).with_for_update()).one()


def hindrance(connection: Connection, site: Any, model: str) -> tuple[str, GateResult | None]:
    """What stands between a model and its promotion, and its last gate here.

    Raises:
        NotFound: no such model.
        Conflict: it is in use.
    """
    sha256 = connection.scalar(sa.select(models.c.sha256).where(models.c.name == model))
    if sha256 is None:
        raise NotFound(f"There is no model '{model}': train or add it first.")
    if site.model == model:
        raise Conflict(f"{model} is in use at {site.name} already.")
    found = latest(connection, site.id, model, sha256)
    if found is None:
        return "it has not been through the gate here.", None
    if found.answer is not Answer.PASS:
        return f"its gate says: {found.answer} ({found.document['sentence']})", found
    if found.split != "test":
        return f"its gate was measured on {found.split} pictures, which helped to make it.", found
    if found.against != site.model:
        was = found.against or "no model"
        return f"its gate compared it with {was}, and {site.model or 'none'} is in use now.", found
    rule = in_force(rule_rows(connection, site.id, RuleKind.GATE))[RuleKind.GATE]
    looser = found.limits.looser_than(Limits(joint=rule.limit))
    if looser:
        return f"its gate asked for less than is usual here: {', '.join(looser)}.", found
    return "", found


def _to_undo(connection: Connection, site: Any) -> Any:
    """The change that brought the present model in and that nobody has taken back; None where there is none."""
    query = sa.select(model_changes).where(model_changes.c.site_id == site.id).order_by(model_changes.c.id)
    standing: list[Any] = []
    for row in connection.execute(query):
        if row.kind == str(Change.ROLLBACK):
            standing = [one for one in standing if one.id < row.undoes]
        else:
            standing.append(row)
    return standing[-1] if standing and standing[-1].model == site.model else None
