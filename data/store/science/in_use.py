"""The act that makes another model decide at a site, whatever led to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.serving import Change, ModelChange
from data.store.rules.in_force import policies_in_force
from data.store.science.gates import latest
from data.store.trail.audit import entry, record
from data.tables import model_changes, models, shadows, sites

CHANGE = sa.select(model_changes, sites.c.name.label("site")).join(sites, sites.c.id == model_changes.c.site_id)
MOST_ALTERNATIVES = 10
ACTS = {Change.SET: "model set", Change.PROMOTION: "model promoted", Change.ROLLBACK: "model rolled back"}


def alternatives(connection: Connection, site: Any, model: str) -> list[dict[str, Any]]:
    """The other models there are, the newest first, with what their gate here said last."""
    query = sa.select(models.c.name, models.c.sha256).where(models.c.name != model).order_by(models.c.id.desc())
    found = []
    for row in connection.execute(query.limit(MOST_ALTERNATIVES)).all():
        last = latest(connection, site.id, row.name, row.sha256)
        found.append(
            {
                "model": row.name,
                "in_use": row.name == site.model,
                "gate": None if last is None else last.id,
                "answer": None if last is None else str(last.answer),
            }
        )
    return found


def put_in_use(
    connection: Connection, site: Any, model: str | None, kind: Change, by: str, reason: str, when: datetime, *,
    gate: int | None = None, request: int | None = None, undoes: int | None = None,
    restores: Any = None,
) -> ModelChange:  # fmt: skip
    """The act itself, in the transaction that has the site's row: the very next batch of every process obeys.

    Args:
        connection: of the transaction.
        site: a row of `sites`, locked.
        model: to be in use.
        kind: of change.
        by: who acts.
        reason: why.
        when: aware UTC.
        gate: that it passed.
        request: to which a second person agreed.
        undoes: the change that is taken back.
        restores: a row of `model_changes` whose calibration and reading of scores come back; else the model is not
            calibrated until two people say so.
    """
    shadow = connection.scalar(
        sa.select(sa.func.max(shadows.c.id)).where(shadows.c.site_id == site.id, shadows.c.model == model)
    )
    restored = restores is not None
    values = {
        "model": model,
        "calibrated": restored,
        "calibrated_until": restores.calibrated_until if restored else None,
        "score_map": restores.score_map if restored else None,
    }
    others = [] if model is None else alternatives(connection, site, model)
    row = {
        "site_id": site.id,
        "kind": str(kind),
        "model": model,
        "before": site.model,
        "calibrated": bool(site.calibrated),
        "calibrated_until": site.calibrated_until,
        "score_map": site.score_map,
        "policies": policy_numbers(connection, site),
        "gate_id": gate,
        "shadow_id": shadow,
        "request_id": request,
        "undoes": undoes,
        "restored": restored,
        "alternatives": others,
        "reason": reason,
        "by": by,
        "at": when,
    }
    connection.execute(sa.update(sites).where(sites.c.id == site.id).values(values))
    made = connection.execute(sa.insert(model_changes).values(row).returning(model_changes.c.id)).scalar_one()
    connection.execute(
        sa.update(shadows)
        .where(shadows.c.site_id == site.id, shadows.c.model == model, shadows.c.ended_at.is_(None))
        .values(ended_at=when, ended_by="it decides now")
    )
    new: Mapping[str, Any] = {"model": model, "calibrated": restored, "gate": gate, "shadow": shadow,
                              "request": request, "alternatives": others}  # fmt: skip
    record(connection, entry(when, by, ACTS[kind], f"site {site.name}", site_id=site.id,
                             old={"model": site.model, "calibrated": bool(site.calibrated)}, new=new, reason=reason,
                             model=model))  # fmt: skip
    return change_of(connection.execute(CHANGE.where(model_changes.c.id == made)).one())


def policy_numbers(connection: Connection, site: Any) -> list[int]:
    """Numbers of the policies in force."""
    return sorted(one.number for one in policies_in_force(connection, site.id, site.name))


def change_of(row: Any) -> ModelChange:
    """A row of CHANGE."""
    return ModelChange(
        row.id, row.site, Change(row.kind), row.model, row.before, row.reason, row.by, row.at, row.gate_id,
        row.shadow_id, row.request_id, tuple(row.alternatives or ()), bool(row.restored),
    )  # fmt: skip
