"""Memories of good parts: which there are, and which of them judges where, with every act on record.

Putting the first memory in force only ever holds more parts, so one person may do it. Where parts were judged already,
another memory or none may let through what was held: the site's calibration ends with such an act, so that nothing
passes by itself until two people have confirmed it again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.learn.novelty.records import MOST_QUOTA, QUOTA, InForce, MemoryChange, MemoryVersion, scope_of
from core.roles import Action
from data.store.base import SubStore, site_row
from data.store.trail.audit import entry, record
from data.tables import memories, memory_changes, sites

_MEMORY = sa.select(memories, sites.c.name.label("site")).join(sites, sites.c.id == memories.c.site_id)
_NEWEST = (
    sa.select(sa.func.max(memory_changes.c.id))
    .where(memory_changes.c.site_id == sa.bindparam("site"))
    .group_by(memory_changes.c.part_type)
)
# Asked before each batch of every process and in each filing: built once.
_IN_FORCE = (
    sa.select(memories, sites.c.name.label("site"), memory_changes.c.part_type.label("scope"), memory_changes.c.quota)
    .join(memories, memories.c.id == memory_changes.c.memory_id)
    .join(sites, sites.c.id == memories.c.site_id)
    .where(memory_changes.c.id.in_(_NEWEST))
)


class Memories(SubStore):
    """A memory is never changed; another one has another name."""

    def add(
        self, site: str, part_type: str | None, path: str, sha256: str, card: Mapping[str, Any],
        now: datetime | None = None,
    ) -> MemoryVersion:  # fmt: skip
        """Enter a fitted memory under the name on its card.

        Raises:
            Conflict: there is one of that name.
        """
        name = str(card.get("name") or "").strip()
        if not name:
            raise BadInput("The memory's card has no name.")
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.TRAIN, row.id)
            self.database.one_at_a_time(connection, "memories", 0)
            if connection.scalar(sa.select(memories.c.id).where(memories.c.name == name)) is not None:
                raise Conflict(f"There is a memory called {name} already: give this one a new name.")
            values = {"name": name, "site_id": row.id, "part_type": part_type, "path": path, "sha256": sha256,
                      "card": dict(card), "by": self.actor.name, "made_at": when}  # fmt: skip
            made = connection.execute(sa.insert(memories).values(values).returning(memories.c.id)).scalar_one()
            record(connection, entry(when, self.actor.name, "memory added", f"memory {name}", site_id=row.id,
                                     new={"sha256": sha256, "part_type": part_type}))  # fmt: skip
            return MemoryVersion(made, name, site, part_type, path, sha256, dict(card), self.actor.name, when)

    def get(self, name: str) -> MemoryVersion:
        """One of them.

        Raises:
            NotFound: naming those there are.
        """
        with self.seeing() as (connection, rights):
            row = _row(connection, name)
            rights.need(Action.SEE, row.site_id)
            return _memory(row)

    def all(self, site: str) -> list[MemoryVersion]:
        """Of a site, the newest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = _MEMORY.where(memories.c.site_id == row.id).order_by(memories.c.id.desc())
            return [_memory(one) for one in connection.execute(query)]

    def in_force(self, site: str) -> dict[str | None, InForce]:
        """Which memory judges the parts of a site now, by part type; None is the whole site.

        Every process asks it before each batch.
        """
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return memories_in_force(connection, row.id)

    def put_in_force(
        self, site: str, name: str, reason: str, quota: int = QUOTA, now: datetime | None = None
    ) -> MemoryChange:
        """Let a memory judge the parts that it was fitted for; every process obeys on its next batch.

        Args:
            site: where.
            name: of the memory.
            reason: why.
            quota: novel parts of a day that come before other work; the others are held all the same.
            now: aware UTC.

        Raises:
            BadInput: it was fitted at another site.
            Conflict: it judges them already, with that quota.
        """
        if not reason.strip():
            raise BadInput("Putting a memory in force needs a reason: say in a sentence why this one.")
        if not 0 <= quota <= MOST_QUOTA:
            raise BadInput(f"A quota of {quota} novel parts a day: give 0 to {MOST_QUOTA:,}.")
        when = self.now(now)
        with self.writing(Action.PROMOTE) as (connection, rights):
            row = self._site(connection, rights, site)
            chosen = _row(connection, name)
            if chosen.site_id != row.id:
                raise BadInput(f"{name} was fitted on parts of {chosen.site}: fit one on good parts of {site}.")
            found = memories_in_force(connection, row.id)
            own = found.get(chosen.part_type)
            if own is not None and own.memory.id == chosen.id and own.quota == quota:
                raise Conflict(f"{name} judges there already.")
            before = scope_of(found, chosen.part_type)
            return self._change(connection, row, chosen.part_type, chosen, before, quota, reason.strip(), when)

    def stop(
        self, site: str, part_type: str | None, reason: str, now: datetime | None = None
    ) -> MemoryChange:  # fmt: skip
        """Let no memory of this scope judge any more; the whole site's still judges a part type without its own.

        Raises:
            NotFound: none does.
        """
        if not reason.strip():
            raise BadInput("Taking a memory out of force needs a reason: say in a sentence what is wrong with it.")
        when = self.now(now)
        with self.writing(Action.PROMOTE) as (connection, rights):
            row = self._site(connection, rights, site)
            before = memories_in_force(connection, row.id).get(part_type)
            if before is None:
                raise NotFound(f"No memory judges {_scope(part_type)} at {site}.")
            return self._change(connection, row, part_type, None, before, 0, reason.strip(), when)

    def history(self, site: str, limit: int = 50) -> list[MemoryChange]:
        """Which memory judged where, the newest act first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            now, was = memories.alias("now_in_force"), memories.alias("before_that")
            query = (
                sa.select(memory_changes, now.c.name.label("memory"), was.c.name.label("before"))
                .outerjoin(now, now.c.id == memory_changes.c.memory_id)
                .outerjoin(was, was.c.id == memory_changes.c.before_id)
                .where(memory_changes.c.site_id == row.id)
                .order_by(memory_changes.c.id.desc())
                .limit(limit)
            )
            return [
                MemoryChange(one.id, site, one.part_type, one.memory, one.before, one.quota, one.uncalibrated,
                             one.reason, one.by, one.at)
                for one in connection.execute(query)
            ]  # fmt: skip

    def _site(self, connection: Connection, rights: Any, name: str) -> Any:
        """The site's row, of which nobody else changes memory or calibration until the transaction ends."""
        row: Any = site_row(connection, name)
        rights.need(Action.PROMOTE, row.id)
        self.database.one_at_a_time(connection, "requests", row.id)
        return connection.execute(sa.select(sites).where(sites.c.id == row.id).with_for_update()).one()

    def _change(
        self, connection: Connection, site: Any, part_type: str | None, memory: Any | None, before: InForce | None,
        quota: int, reason: str, when: datetime,
    ) -> MemoryChange:  # fmt: skip
        """Write the act; where parts were judged by another memory, nothing passes by itself after it."""
        same = memory is not None and before is not None and before.memory.id == memory.id
        ends = bool(site.calibrated) and before is not None and not same
        values = {
            "site_id": site.id,
            "part_type": part_type,
            "memory_id": None if memory is None else memory.id,
            "before_id": None if before is None else before.memory.id,
            "quota": quota,
            "uncalibrated": ends,
            "reason": reason,
            "by": self.actor.name,
            "at": when,
        }
        made = connection.execute(sa.insert(memory_changes).values(values).returning(memory_changes.c.id)).scalar_one()
        if ends:
            nothing = {"calibrated": False, "calibrated_until": None, "score_map": None}
            connection.execute(sa.update(sites).where(sites.c.id == site.id).values(nothing))
        name = None if memory is None else memory.name
        old = None if before is None else before.memory.name
        act = "memory out of force" if memory is None else "memory in force"
        new = {"memory": name, "part_type": part_type, "quota": quota, "uncalibrated": ends}
        record(connection, entry(when, self.actor.name, act, f"site {site.name}", site_id=site.id,
                                 old={"memory": old, "calibrated": bool(site.calibrated)}, new=new,
                                 reason=reason, model=site.model))  # fmt: skip
        return MemoryChange(made, site.name, part_type, name, old, quota, ends, reason, self.actor.name, when)


def memories_in_force(connection: Connection, site_id: int) -> dict[str | None, InForce]:
    """By part type, the newest act's memory; a scope whose newest act took its memory away is absent."""
    return {
        row.scope: InForce(row.scope, _memory(row), row.quota)
        for row in connection.execute(_IN_FORCE, {"site": site_id})
    }


def changed_since(connection: Connection, site_id: int, at: datetime) -> bool:
    """Whether the memory of any scope of a site was changed at a time or after it."""
    query = sa.select(memory_changes.c.id).where(memory_changes.c.site_id == site_id, memory_changes.c.at >= at)
    return connection.scalar(query.limit(1)) is not None


def _row(connection: Connection, name: str) -> Any:
    row = connection.execute(_MEMORY.where(memories.c.name == name)).one_or_none()
    if row is None:
        known = ", ".join(connection.scalars(sa.select(memories.c.name).order_by(memories.c.id.desc()).limit(10)))
        raise NotFound(f"There is no memory '{name}': there are {known or 'none yet; fit one'}.")
    return row


def _memory(row: Any) -> MemoryVersion:
    return MemoryVersion(row.id, row.name, row.site, row.part_type, row.path, row.sha256, row.card, row.by, row.made_at)


def _scope(part_type: str | None) -> str:
    return "the whole site" if part_type is None else f"part type {part_type}"
