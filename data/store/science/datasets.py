"""Datasets: frozen lists of labelled images."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.errors import BadInput, Conflict, NotFound
from core.plant import DatasetVersion
from core.roles import Action
from data.store.base import SubStore
from data.store.trail.audit import entry, record
from data.tables import datasets


class Datasets(SubStore):
    """A dataset is never changed; another list has another name."""

    def add(self, name: str, manifest: Mapping[str, Any], sha256: str, now: datetime | None = None) -> DatasetVersion:
        """Enter a list; the same list twice is one.

        Raises:
            Conflict: when another list has that name.
        """
        if not name.strip():
            raise BadInput("A dataset needs a name.")
        when = self.now(now)
        with self.writing(Action.DATASET) as (connection, _):
            row = connection.execute(sa.select(datasets).where(datasets.c.name == name)).one_or_none()
            if row is not None:
                if row.sha256 != sha256:
                    raise Conflict(f"There is another dataset called {name}: give this one a new name.")
                return _dataset(row)
            values = {"name": name, "sha256": sha256, "manifest": dict(manifest), "by": self.actor.name,
                      "created_at": when}  # fmt: skip
            connection.execute(sa.insert(datasets).values(values))
            record(connection, entry(when, self.actor.name, "dataset built", f"dataset {name}", new={"sha256": sha256}))
            return DatasetVersion(name, sha256, dict(manifest), self.actor.name, when)

    def get(self, name: str) -> DatasetVersion:
        """One list.

        Raises:
            NotFound: naming those there are.
        """
        with self.seeing() as (connection, _):
            row = connection.execute(sa.select(datasets).where(datasets.c.name == name)).one_or_none()
            if row is None:
                known = connection.scalars(sa.select(datasets.c.name).order_by(datasets.c.id.desc()).limit(10))
                raise NotFound(f"There is no dataset '{name}': there are {', '.join(known) or 'none yet'}.")
            return _dataset(row)

    def all(self) -> list[DatasetVersion]:
        """Every list, newest first."""
        with self.seeing() as (connection, _):
            return [_dataset(row) for row in connection.execute(sa.select(datasets).order_by(datasets.c.id.desc()))]


def _dataset(row: Any) -> DatasetVersion:
    return DatasetVersion(row.name, row.sha256, row.manifest, row.by, row.created_at)
