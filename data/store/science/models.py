"""Model versions: which nets there are; which one is in use is a site's own setting."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.errors import BadInput, Conflict, NotFound
from core.plant import ModelVersion
from core.roles import Action
from data.store.base import SubStore
from data.store.trail.audit import entry, record
from data.tables import models


class Models(SubStore):
    """A version is never changed; another net has another name."""

    def add(self, card: Mapping[str, Any], path: str, sha256: str, now: datetime | None = None) -> ModelVersion:
        """Enter a trained net under the name on its card; the same net twice is one.

        Raises:
            Conflict: when another net has that name.
        """
        name = str(card.get("name") or "").strip()
        if not name:
            raise BadInput("The model's card has no name.")
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, _):
            row = connection.execute(sa.select(models).where(models.c.name == name)).one_or_none()
            if row is not None:
                if row.sha256 != sha256:
                    raise Conflict(f"There is another model called {name}: give this one a new name.")
                return _model(row)
            values = {"name": name, "path": path, "sha256": sha256, "card": dict(card), "by": self.actor.name,
                      "created_at": when}  # fmt: skip
            connection.execute(sa.insert(models).values(values))
            record(connection, entry(when, self.actor.name, "model added", f"model {name}", new={"sha256": sha256},
                                     model=name))  # fmt: skip
            return ModelVersion(name, path, sha256, dict(card), self.actor.name, when)

    def get(self, name: str) -> ModelVersion:
        """One version.

        Raises:
            NotFound: naming those there are.
        """
        with self.seeing() as (connection, _):
            row = connection.execute(sa.select(models).where(models.c.name == name)).one_or_none()
            if row is None:
                known = ", ".join(connection.scalars(sa.select(models.c.name).order_by(models.c.id.desc()).limit(10)))
                raise NotFound(f"There is no model '{name}': there are {known or 'none yet'}.")
            return _model(row)

    def all(self) -> list[ModelVersion]:
        """Every version, newest first."""
        with self.seeing() as (connection, _):
            return [_model(row) for row in connection.execute(sa.select(models).order_by(models.c.id.desc()))]


def _model(row: Any) -> ModelVersion:
    return ModelVersion(row.name, row.path, row.sha256, row.card, row.by, row.created_at)
