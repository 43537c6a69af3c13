"""People: accounts, their roles, sites and passwords."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.plant import Person
from core.roles import PROCESSES, Action, Role
from data.store.base import site_row
from data.store.people.leaving import rename
from data.store.people.passwords import check_password
from data.store.people.signing import FREE_FAILURES, NO_PASSWORD, Signing, digest, hasher, person_of, user_row, verify
from data.store.trail.audit import PERSON, entry, record
from data.tables import sessions, sign_in_failures, user_sites, users

LEAVER = "leaver "


class People(Signing):
    """Accounts are made by an administrator or the command line; there is no default one."""

    def add(
        self,
        name: str,
        password: str | None,
        role: Role,
        sites: Sequence[str] | None = None,
        *,
        demo: bool = False,
        identity: str | None = None,
        now: datetime | None = None,
    ) -> Person:
        """A new account.

        Args:
            name: as it signs in.
            password: 15 characters or more; None for somebody who comes in by the company's sign-in only.
            role: what the person is here to do.
            sites: those they may see; None for all, also later ones.
            demo: belongs to the demo plant.
            identity: the e-mail address or subject under which the company's sign-in knows them.
            now: aware UTC.

        Raises:
            BadInput: for a weak password.
            Conflict: when the name is taken.
        """
        name = name.strip()
        if not 1 <= len(name) <= 100 or not name.isprintable() or name.startswith("import:"):
            raise BadInput("A name has 1 to 100 printable characters.")
        if name.lower() in PROCESSES or name.lower().startswith(LEAVER):
            raise BadInput(f"'{name}' would look like a process or a leaver in the audit trail: choose another name.")
        known_as = _identity(identity)
        if password is None and known_as is None:
            raise BadInput("Give a password, or the address under which the company's sign-in knows them.")
        hashed = NO_PASSWORD
        if password is not None:
            check_password(password, name)
            hashed = hasher().hash(password)
        when = self.now(now)
        with self.writing(Action.PEOPLE) as (connection, rights):
            self._only_own_sites(connection, rights.site_ids, sites)
            if connection.scalar(sa.select(users.c.id).where(sa.func.lower(users.c.name) == name.lower())):
                raise Conflict(f"There is somebody called {name} already.")
            self._free_identity(connection, known_as)
            values = {"name": name, "password_hash": hashed, "role": str(role), "all_sites": sites is None,
                      "disabled": False, "demo": demo, "identity": known_as, "created_at": when}  # fmt: skip
            user_id = connection.execute(sa.insert(users).values(values).returning(users.c.id)).scalar_one()
            self._give_sites(connection, user_id, sites)
            told = {"role": str(role), "sites": None if sites is None else list(sites)}
            record(connection, entry(when, self.actor.name, "person added", f"{PERSON}{user_id}", new=told))
            return person_of(connection, user_row(connection, name))

    def me(self) -> Person:
        """The person this store acts for.

        Raises:
            NotFound: for a process, which is nobody.
        """
        with self.database.reading() as connection:
            if self.actor.system:
                raise NotFound(f"{self.actor.name} is a process, not a person.")
            self.rights(connection)
            return person_of(connection, user_row(connection, self.actor.name))

    def all(self) -> list[Person]:
        """Every account, by name."""
        with self.seeing(Action.PEOPLE) as (connection, _):
            return [person_of(connection, row) for row in connection.execute(sa.select(users).order_by(users.c.name))]

    def any(self) -> bool:
        """Whether there is any account at all."""
        with self.database.reading() as connection:
            return connection.scalar(sa.select(users.c.id).limit(1)) is not None

    def locked(self) -> list[str]:
        """Names of accounts that have to wait because of wrong passwords."""
        with self.seeing(Action.PEOPLE) as (connection, _):
            query = sa.select(sign_in_failures.c.name_hash).where(sign_in_failures.c.failures >= FREE_FAILURES)
            waiting = set(connection.scalars(query))
            return [name for name in connection.scalars(sa.select(users.c.name)) if digest(name) in waiting]

    def unlock(self, name: str, now: datetime | None = None) -> None:
        """Forget the wrong passwords given for a name."""
        with self.writing(Action.PEOPLE) as (connection, _):
            row = user_row(connection, name)
            connection.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.name_hash == digest(name)))
            record(connection, entry(self.now(now), self.actor.name, "person unlocked", f"{PERSON}{row.id}"))

    def set_role(self, name: str, role: Role, now: datetime | None = None) -> Person:
        """Give somebody another role, never oneself.

        Raises:
            NotAllowed: for one's own account.
        """
        return self._change(name, {"role": str(role)}, "role set", now)

    def set_identity(self, name: str, identity: str | None, now: datetime | None = None) -> Person:
        """Under which e-mail address or subject the company's sign-in knows somebody; None for no longer.

        The next sign-in binds the account anew. The address itself stays out of the audit trail.
        """
        known_as, when = _identity(identity), self.now(now)
        with self.writing(Action.PEOPLE) as (connection, _):
            self._not_oneself(name)
            row = user_row(connection, name)
            if known_as is None and row.password_hash == NO_PASSWORD:
                raise BadInput(f"{name} has no password: set one first, or nobody could sign in.")
            if known_as != row.identity:
                self._free_identity(connection, known_as)
            connection.execute(sa.update(users).where(users.c.id == row.id).values(identity=known_as, subject=None))
            connection.execute(sa.delete(sessions).where(sessions.c.user_id == row.id))
            record(connection, entry(when, self.actor.name, "company sign-in set", f"{PERSON}{row.id}",
                                     old=row.identity is not None, new=known_as is not None))  # fmt: skip
            return person_of(connection, user_row(connection, name))

    def set_sites(self, name: str, sites: Sequence[str] | None, now: datetime | None = None) -> Person:
        """Give somebody other sites, never oneself; None for all."""
        when = self.now(now)
        with self.writing(Action.PEOPLE) as (connection, rights):
            self._not_oneself(name)
            self._only_own_sites(connection, rights.site_ids, sites)
            row = user_row(connection, name)
            before = person_of(connection, row).sites
            connection.execute(sa.delete(user_sites).where(user_sites.c.user_id == row.id))
            connection.execute(sa.update(users).where(users.c.id == row.id).values(all_sites=sites is None))
            self._give_sites(connection, row.id, sites)
            record(connection, entry(when, self.actor.name, "sites set", f"{PERSON}{row.id}", old=before,
                                     new=None if sites is None else list(sites)))  # fmt: skip
            return person_of(connection, user_row(connection, name))

    def disable(self, name: str, now: datetime | None = None) -> Person:
        """Close an account; its sessions end at once."""
        return self._change(name, {"disabled": True}, "person disabled", now)

    def enable(self, name: str, now: datetime | None = None) -> Person:
        """Open it again."""
        if name.startswith(LEAVER):
            raise Conflict(f"{name} has left, and the name is gone: make a new account.")
        return self._change(name, {"disabled": False}, "person enabled", now)

    def replace_name(self, name: str, now: datetime | None = None) -> str:
        """Take a leaver's name out of the store; what they did stays, under a number.

        The account has to be disabled. What people wrote in their own words is not searched for names.

        Returns:
            What they are called from now on.
        """
        when = self.now(now)
        with self.writing(Action.PEOPLE) as (connection, _):
            self._not_oneself(name)
            row = user_row(connection, name)
            if not row.disabled:
                raise Conflict(f"{name} still has an open account: disable it first.")
            becomes = f"{LEAVER}{row.id}"
            gone = {"name": becomes, "password_hash": NO_PASSWORD, "identity": None, "subject": None}
            connection.execute(sa.update(users).where(users.c.id == row.id).values(gone))
            connection.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.name_hash == digest(name)))
            changed = rename(connection, name, becomes)
            record(connection, entry(when, self.actor.name, "name replaced", f"{PERSON}{row.id}", new=changed))
            return becomes

    def set_password(
        self, name: str, password: str, old_password: str | None = None, now: datetime | None = None
    ) -> None:
        """Set a password, which ends every session of that person.

        Args:
            name: one's own, or anybody's for an administrator.
            password: the new one.
            old_password: needed for one's own.
            now: aware UTC.
        """
        check_password(password, name)
        own = not self.actor.system and name == self.actor.name
        with self.database.reading() as connection:
            if not own:
                self.rights(connection).need(Action.PEOPLE)
            row = user_row(connection, name)
        if own and not verify(row.password_hash, old_password or ""):
            raise NotAllowed("The old password is wrong.")
        hashed = hasher().hash(password)
        with self.writing(None if own else Action.PEOPLE) as (connection, _):
            connection.execute(sa.update(users).where(users.c.id == row.id).values(password_hash=hashed))
            connection.execute(sa.delete(sessions).where(sessions.c.user_id == row.id))
            record(connection, entry(self.now(now), self.actor.name, "password set", f"{PERSON}{row.id}"))

    def _change(self, name: str, values: dict[str, Any], act: str, now: datetime | None) -> Person:
        with self.writing(Action.PEOPLE) as (connection, _):
            self._not_oneself(name)
            row = user_row(connection, name)
            connection.execute(sa.update(users).where(users.c.id == row.id).values(values))
            connection.execute(sa.delete(sessions).where(sessions.c.user_id == row.id))
            old = {key: row._mapping[key] for key in values}
            record(connection, entry(self.now(now), self.actor.name, act, f"{PERSON}{row.id}", old=old, new=values))
            return person_of(connection, user_row(connection, name))

    def _not_oneself(self, name: str) -> None:
        if not self.actor.system and name == self.actor.name:
            raise NotAllowed("Nobody changes their own account: ask another administrator.")

    def _only_own_sites(self, connection: Connection, own: frozenset[int] | None, given: Sequence[str] | None) -> None:
        if own is None:
            return
        if given is None or any(site_row(connection, name).id not in own for name in given):
            raise NotAllowed("Nobody gives away sites that they were not given.")

    def _give_sites(self, connection: Connection, user_id: int, names: Sequence[str] | None) -> None:
        for name in sorted(set(names or ())):
            site: Any = site_row(connection, name)
            connection.execute(sa.insert(user_sites).values(user_id=user_id, site_id=site.id))

    def _free_identity(self, connection: Connection, identity: str | None) -> None:
        taken = sa.select(users.c.name).where(users.c.identity == identity)
        if identity is not None and (holder := connection.scalar(taken)) is not None:
            raise Conflict(f"{holder} comes in with that address already.")


def _identity(given: str | None) -> str | None:
    """An address in lower case, or a subject as it is."""
    text = (given or "").strip()
    if len(text) > 200 or not text.isprintable():
        raise BadInput("An address or subject has at most 200 printable characters.")
    return (text.lower() if "@" in text else text) or None
