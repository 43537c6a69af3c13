"""Gates that models went through: kept for good; one that does not open raises an alarm in the same transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.gates.limits import Limits
from core.gates.records import Answer, GateResult, Verdict
from core.roles import Action
from core.watch.alarms import Raised
from core.watch.rules import RuleKind, Step
from data.store.base import SubStore, site_row, within
from data.store.rules.alarm_rows import in_force, rule_rows
from data.store.rules.alarms import NOT_CLOSED
from data.store.rules.watching import raise_alarm
from data.store.trail.audit import entry, record
from data.tables import alarms, gates, models, sites

_GATE = sa.select(gates, sites.c.name.label("site")).join(sites, sites.c.id == gates.c.site_id)


class Gates(SubStore):
    """What was shown of a model, where, on which pictures."""

    def add(
        self, site: str, model: str, sha256: str, dataset: str, split: str, against: str | None, verdict: Verdict,
        limits: Limits, document: Mapping[str, Any], channels: Sequence[str] = (), now: datetime | None = None,
    ) -> GateResult:  # fmt: skip
        """Keep a gate. Where it does not pass, an alarm is raised and a retraining asked for.

        Args:
            site: that the model would decide at.
            model: that was measured.
            sha256: of its weights.
            dataset: that it was measured on.
            split: part of it.
            against: the model in use at the site, which it was compared with.
            verdict: what came out.
            limits: that were asked for.
            document: further facts.
            channels: names of those who are told of an alarm.
            now: aware UTC.

        Raises:
            Conflict: the store knows other weights under that name.
        """
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.TRAIN, row.id)
            if connection.scalar(sa.select(models.c.sha256).where(models.c.name == model)) != sha256:
                raise Conflict(f"The store knows other weights of {model} than were measured: measure it again.")
            values = {
                "model": model,
                "sha256": sha256,
                "site_id": row.id,
                "dataset": dataset,
                "split": split,
                "against": against,
                "answer": str(verdict.answer),
                "document": {
                    **document,
                    "limits": limits.to_json(),
                    "level": verdict.level,
                    "sentence": verdict.sentence,
                    "criteria": [one.to_json() for one in verdict.criteria],
                },
                "by": self.actor.name,
                "made_at": when,
            }
            made = int(connection.execute(sa.insert(gates).values(values).returning(gates.c.id)).scalar_one())
            record(connection, entry(when, self.actor.name, "gate", f"model {model}", site_id=row.id,
                                     new={"gate": made, "answer": str(verdict.answer), "dataset": dataset,
                                          "split": split}, reason=verdict.sentence, model=model))  # fmt: skip
            if verdict.answer is not Answer.PASS:
                self._alarm(connection, row, made, model, verdict, channels, when)
            return _gate(connection.execute(_GATE.where(gates.c.id == made)).one())

    def get(self, gate_id: int) -> GateResult | None:
        """One gate; None where there is none of that number."""
        with self.seeing() as (connection, rights):
            row = connection.execute(_GATE.where(gates.c.id == gate_id)).one_or_none()
            if row is None:
                return None
            rights.need(Action.SEE, row.site_id)
            return _gate(row)

    def of(self, model: str | None = None, site: str | None = None, limit: int = 50) -> list[GateResult]:
        """Gates of a model, or of a site, or all of them; the newest first."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            query = _GATE.where(*within(rights, gates.c.site_id, asked))
            if model is not None:
                query = query.where(gates.c.model == model)
            return [_gate(row) for row in connection.execute(query.order_by(gates.c.id.desc()).limit(limit))]

    def _alarm(
        self, connection: Connection, site: Any, gate: int, model: str, verdict: Verdict, channels: Sequence[str],
        when: datetime,
    ) -> None:  # fmt: skip
        """At most one alarm about a model is open at a site; a second gate of it adds no other.

        It never pauses auto-PASS: what is refused does not decide.
        """
        rule = in_force(rule_rows(connection, site.id, RuleKind.GATE))[RuleKind.GATE]
        mine = (alarms.c.site_id == site.id) & (alarms.c.kind == str(RuleKind.GATE)) & (alarms.c.subject == model)
        if not rule.on or connection.scalar(sa.select(alarms.c.id).where(mine, NOT_CLOSED)) is not None:
            return
        said = "was refused by its gate" if verdict.answer is Answer.FAIL else "was not let through its gate"
        text = f"{model} {said} ({verdict.sentence}) Label and train until it passes."
        asked: list[tuple[Step, str, Mapping[str, Any]]] = []
        if Step.RETRAIN in rule.steps:
            asked.append((Step.RETRAIN, text, {}))
        raise_alarm(
            connection,
            self.actor.name,
            site,
            Raised(
                RuleKind.GATE, model, rule.number, f"{model} {said}: {verdict.sentence}", {"gate": gate}, False,
                channels if Step.NOTIFY in rule.steps else (), asked,
            ),
            when,
        )  # fmt: skip


def latest(connection: Connection, site_id: int, model: str, sha256: str) -> GateResult | None:
    """The last gate of these very weights at a site."""
    mine = (gates.c.site_id == site_id) & (gates.c.model == model) & (gates.c.sha256 == sha256)
    row = connection.execute(_GATE.where(mine).order_by(gates.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _gate(row)


def _gate(row: Any) -> GateResult:
    return GateResult(
        row.id, row.model, row.sha256, row.site, row.dataset, row.split, row.against, Answer(row.answer), row.document,
        row.by, row.made_at,
    )  # fmt: skip
