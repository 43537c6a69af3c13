"""What every part of the store shares: who acts, and whether they may."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from core.errors import NotAllowed, NotFound
from core.roles import Action, Actor, Role, allowed
from data.store.engine.database import Database
from data.tables import sites, user_sites, users

if TYPE_CHECKING:
    from data.store.store import Store

# Built once: these are asked in every transaction, and building a statement takes longer than answering it.
_ACTOR = (
    sa.select(users.c.role, users.c.all_sites, users.c.disabled, user_sites.c.site_id)
    .outerjoin(user_sites, user_sites.c.user_id == users.c.id)
    .where(users.c.name == sa.bindparam("name"))
)
_SITE = sa.select(sites).where(sites.c.name == sa.bindparam("site"))
_SITE_LOCKED = _SITE.with_for_update(read=True)


@dataclass(frozen=True)
class Rights:
    """What the bound actor may do, as the users table says in this very transaction.

    Attributes:
        role: None for a process of the plant itself, which no role limits.
        site_ids: None for all sites.
    """

    actor: Actor
    role: Role | None
    site_ids: frozenset[int] | None

    def need(self, action: Action, site_id: int | None = None) -> None:
        """Raise NotAllowed unless the action is granted, at this site."""
        if self.role is not None and not allowed(self.role, action):
            raise NotAllowed(f"{self.actor.name} may not {action}: that is not for the role {self.role.spoken}.")
        if site_id is not None and not self.sees(site_id):
            raise NotAllowed(f"{self.actor.name} was not given this site: ask an administrator.")

    def sees(self, site_id: int) -> bool:
        """Whether the site was given to this person."""
        return self.site_ids is None or site_id in self.site_ids


class SubStore:
    """One part of the store, acting for one actor."""

    def __init__(self, store: "Store") -> None:
        """Shares the store's database and actor."""
        self._store = store
        self.database: Database = store.database
        self.actor: Actor = store.actor

    @contextmanager
    def writing(self, action: Action | None) -> Iterator[tuple[Connection, Rights]]:
        """A write transaction whose first act is to check the permission; None when the method checks by itself."""
        with self.database.transaction() as connection:
            rights = self.rights(connection)
            if action is not None:
                rights.need(action)
            yield connection, rights

    @contextmanager
    def seeing(self, action: Action | None = Action.SEE) -> Iterator[tuple[Connection, Rights]]:
        """The same for reading."""
        with self.database.reading() as connection:
            rights = self.rights(connection)
            if action is not None:
                rights.need(action)
            yield connection, rights

    def rights(self, connection: Connection) -> Rights:
        """Look the actor up.

        Raises:
            NotAllowed: for somebody without an account, or whose account is disabled.
        """
        if self.actor.system:
            return Rights(self.actor, None, None)
        rows = connection.execute(_ACTOR, {"name": self.actor.name}).all()
        if not rows or rows[0].disabled:
            raise NotAllowed(f"{self.actor.name} has no account here, or it is disabled: sign in again.")
        given = None
        if not rows[0].all_sites:
            given = frozenset(row.site_id for row in rows if row.site_id is not None)
        return Rights(self.actor, Role(rows[0].role), given)

    def now(self, now: datetime | None = None) -> datetime:
        """The time that was passed in, or the store's clock."""
        return self.database.clock() if now is None else now


def site_row(connection: Connection, name: str, lock: bool = False) -> Row[tuple[object, ...]]:
    """A site by name.

    Args:
        connection: of the transaction.
        name: of the site.
        lock: keep others from changing it until the transaction ends (PostgreSQL; SQLite has one writer anyway).
    """
    found = connection.execute(_SITE_LOCKED if lock else _SITE, {"site": name}).one_or_none()
    if found is None:
        known = ", ".join(connection.scalars(sa.select(sites.c.name).order_by(sites.c.name).limit(20))) or "none yet"
        raise NotFound(f"There is no site '{name}': the sites are {known}.")
    return found


def within(rights: Rights, column: sa.ColumnElement[int], asked: int | None = None) -> list[sa.ColumnElement[bool]]:
    """Conditions that keep a query to the sites the actor may see, or to the one that was asked for."""
    if asked is not None:
        return [column == asked]
    if rights.site_ids is None:
        return []
    return [one_of(column, rights.site_ids)]


def one_of(column: sa.ColumnElement[int], values: Collection[int]) -> sa.ColumnElement[bool]:
    """`column = x` for one value, so that an index serves an ORDER BY behind it; IN for more."""
    if len(values) == 1:
        return column == next(iter(values))
    return column.in_(sorted(values))
