"""Which keys encrypt what is kept, and sealing kept notes anew; the keys themselves never come here."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core import vault
from core.errors import BadInput
from core.roles import Action
from data.store.base import SubStore
from data.store.engine.unlocked import unlocked
from data.store.trail.audit import entry, record
from data.tables import reviews, vault_keys

NOTES = (reviews,)  # tables with a sealed column `note`, all append-only


@dataclass(frozen=True)
class KnownKey:
    """A key by its number.

    Attributes:
        retired_at: since when nothing here needs it; None while something may.
    """

    id: str
    first_used_at: datetime
    retired_at: datetime | None


class VaultKeysStore(SubStore):
    """For administrators and the plant's own processes."""

    def known(self) -> list[KnownKey]:
        """Every key that was ever used here, the oldest first."""
        with self.seeing(Action.UPKEEP) as (connection, _):
            query = sa.select(vault_keys).order_by(vault_keys.c.first_used_at, vault_keys.c.key_id)
            return [KnownKey(row.key_id, row.first_used_at, row.retired_at) for row in connection.execute(query)]

    def took(self, key_id: str, now: datetime | None = None) -> bool:
        """Note that a key is used from now on; whether that is new."""
        when = self.now(now)
        with self.writing(Action.UPKEEP) as (connection, _):
            self.database.one_at_a_time(connection, "vault")
            mine = vault_keys.c.key_id == key_id
            row = connection.execute(sa.select(vault_keys).where(mine)).one_or_none()
            if row is not None and row.retired_at is None:
                return False
            if row is None:
                connection.execute(sa.insert(vault_keys).values(key_id=key_id, first_used_at=when))
            else:
                connection.execute(sa.update(vault_keys).where(mine).values(retired_at=None))
            record(connection, entry(when, self.actor.name, "encryption key in use", f"key {key_id}"))
            return True

    def notes_left(self) -> int:
        """Notes that the present key has not sealed."""
        with self.seeing(Action.UPKEEP) as (connection, _):
            count = 0
            for table in NOTES:
                query = sa.select(sa.func.count()).select_from(table).where(*_left(table))
                count += int(connection.scalar(query) or 0)
            return count

    def reseal_notes(self, limit: int = 500, now: datetime | None = None) -> int:
        """Seal some of them with the present key; how many were. To be called until there are none."""
        when = self.now(now)
        with self.writing(Action.UPKEEP) as (connection, _):
            for table in NOTES:
                done = _reseal(connection, table, limit)
                if done:
                    record(connection, entry(when, self.actor.name, "notes sealed", table.name, new={"count": done}))
                    return done
        return 0

    def retire(self, told: dict[str, int], now: datetime | None = None) -> list[str]:
        """Note that only the present key is needed any more; the numbers of the others.

        Raises:
            BadInput: there is no key, or notes are left under another one.
        """
        when, keys, left = self.now(now), vault.in_use(), self.notes_left()  # which checks the right to ask, too
        if keys is None:
            raise BadInput("There is no key: set HOLDPOINT_KEY_FILE first.")
        if left:
            raise BadInput("Some notes still wait to be sealed with the present key: rotate again.")
        with self.writing(Action.UPKEEP) as (connection, _):
            old = (vault_keys.c.key_id != keys.current.id) & vault_keys.c.retired_at.is_(None)
            gone = list(connection.scalars(sa.select(vault_keys.c.key_id).where(old).order_by(vault_keys.c.key_id)))
            connection.execute(sa.update(vault_keys).where(old).values(retired_at=when))
            record(connection, entry(when, self.actor.name, "encryption rotated", f"key {keys.current.id}",
                                     old={"keys": gone}, new=told))  # fmt: skip
            return gone


def _left(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    keys = vault.in_use()
    stored = sa.type_coerce(table.c.note, sa.String)
    if keys is None:
        return [sa.false()]
    return [stored != "", ~stored.startswith(f"{vault.TEXT}{keys.current.id}:", autoescape=True)]


def _reseal(connection: Connection, table: sa.Table, limit: int) -> int:
    rows = connection.execute(
        sa.select(table.c.id, table.c.note).where(*_left(table)).order_by(table.c.id).limit(limit)
    ).all()
    if rows:
        with unlocked(connection, table.name):
            for row in rows:
                connection.execute(sa.update(table).where(table.c.id == row.id).values(note=row.note))
    return len(rows)
