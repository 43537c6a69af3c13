"""People: accounts, passwords and sessions."""

import hashlib
import math
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.plant import Person
from core.roles import Action, Role
from data.store.audit import entry, record
from data.store.base import SubStore, site_row
from data.store.passwords import check_password
from data.tables import sessions, sign_in_failures, sites, user_sites, users

SESSION_S = 12 * 3600  # a shift and a bit
FREE_FAILURES = 5  # wrong passwords before a name has to wait
LONGEST_WAIT_S = 900
_REFUSED = "Name or password is wrong, or the account is disabled."


class People(SubStore):
    """Accounts are made by an administrator or the command line; there is no default one."""

    def add(
        self,
        name: str,
        password: str,
        role: Role,
        sites: Sequence[str] | None = None,
        *,
        demo: bool = False,
        now: datetime | None = None,
    ) -> Person:
        """A new account.

        Args:
            name: as it signs in.
            password: 15 characters or more.
            role: what the person is here to do.
            sites: those they may see; None for all, also later ones.
            demo: belongs to the demo plant.
            now: aware UTC.

        Raises:
            BadInput: for a weak password.
            Conflict: when the name is taken.
        """
        name = name.strip()
        if not 1 <= len(name) <= 100 or not name.isprintable() or name.startswith("import:"):
            raise BadInput("A name has 1 to 100 printable characters.")
        check_password(password, name)
        hashed = hasher().hash(password)
        when = self.now(now)
        with self.writing(Action.PEOPLE) as (connection, rights):
            self._only_own_sites(connection, rights.site_ids, sites)
            if connection.scalar(sa.select(users.c.id).where(sa.func.lower(users.c.name) == name.lower())):
                raise Conflict(f"There is somebody called {name} already.")
            values = {"name": name, "password_hash": hashed, "role": str(role), "all_sites": sites is None,
                      "disabled": False, "demo": demo, "created_at": when}  # fmt: skip
            user_id = connection.execute(sa.insert(users).values(values).returning(users.c.id)).scalar_one()
            self._give_sites(connection, user_id, sites)
            told = {"role": str(role), "sites": None if sites is None else list(sites)}
            record(connection, entry(when, self.actor.name, "person added", f"person {name}", new=told))
            return _person(connection, _user(connection, name))

    def sign_in(self, name: str, password: str, now: datetime | None = None, seconds: float = SESSION_S) -> str:
        """Check a password and start a session.

        Returns:
            A new token; only its hash is stored.

        Raises:
            NotAllowed: in the same words whether name, password or account is the trouble.
        """
        when = self.now(now)
        with self.database.reading() as connection:
            self._must_wait(connection, name, when)
            row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
        # Hashing takes 50 ms, so it happens outside of any transaction; an unknown name takes as long as a known one.
        good = _verify(row.password_hash if row is not None else _nobody(), password)
        if row is None or row.disabled or not good:
            self._failed(name, when)
            raise NotAllowed(_REFUSED)
        token = secrets.token_urlsafe(32)
        with self.database.transaction() as connection:
            again = _user(connection, name)
            if again.disabled or again.password_hash != row.password_hash:
                raise NotAllowed(_REFUSED)
            connection.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.name_hash == _digest(name)))
            self._start(connection, row.id, name, token, when, seconds)
            if hasher().check_needs_rehash(row.password_hash):
                rehashed = {"password_hash": hasher().hash(password)}
                connection.execute(sa.update(users).where(users.c.id == row.id).values(rehashed))
        return token

    def sign_in_demo(self, name: str, now: datetime | None = None, seconds: float = SESSION_S) -> str:
        """Start a session of a demo person without a password; the caller makes sure that it is on loopback.

        Raises:
            NotAllowed: for anybody who is no demo person.
        """
        when = self.now(now)
        token = secrets.token_urlsafe(32)
        with self.database.transaction() as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
            if not self.actor.system or row is None or not row.demo or row.disabled:
                raise NotAllowed("Only demo people sign in without a password.")
            self._start(connection, row.id, name, token, when, seconds)
        return token

    def who(self, token: str, now: datetime | None = None) -> Person | None:
        """Whose session it is; None for an unknown, expired or ended one."""
        when = self.now(now)
        with self.database.reading() as connection:
            query = (
                sa.select(users)
                .join(sessions, sessions.c.user_id == users.c.id)
                .where(sessions.c.token_hash == _digest(token), sessions.c.expires_at > when)
                .where(users.c.disabled.is_(False))
            )
            row = connection.execute(query).one_or_none()
            return None if row is None else _person(connection, row)

    def sign_out(self, token: str, now: datetime | None = None) -> None:
        """End a session; an unknown one is ended already."""
        with self.database.transaction() as connection:
            ended = sa.delete(sessions).where(sessions.c.token_hash == _digest(token)).returning(sessions.c.user_id)
            user_id = connection.scalar(ended)
            if user_id is not None:
                name = connection.scalar(sa.select(users.c.name).where(users.c.id == user_id))
                record(connection, entry(self.now(now), str(name), "signed out", f"person {name}"))

    def me(self) -> Person:
        """The person this store acts for.

        Raises:
            NotFound: for a process, which is nobody.
        """
        with self.database.reading() as connection:
            if self.actor.system:
                raise NotFound(f"{self.actor.name} is a process, not a person.")
            self.rights(connection)
            return _person(connection, _user(connection, self.actor.name))

    def all(self) -> list[Person]:
        """Every account, by name."""
        with self.seeing(Action.PEOPLE) as (connection, _):
            return [_person(connection, row) for row in connection.execute(sa.select(users).order_by(users.c.name))]

    def demo_people(self) -> list[Person]:
        """Demo accounts that are not disabled, for the sign-in page on loopback."""
        if not self.actor.system:
            raise NotAllowed("Only the sign-in page asks for demo people.")
        with self.database.reading() as connection:
            query = sa.select(users).where(users.c.demo.is_(True), users.c.disabled.is_(False)).order_by(users.c.id)
            return [_person(connection, row) for row in connection.execute(query)]

    def any(self) -> bool:
        """Whether there is any account at all."""
        with self.database.reading() as connection:
            return connection.scalar(sa.select(users.c.id).limit(1)) is not None

    def set_role(self, name: str, role: Role, now: datetime | None = None) -> Person:
        """Give somebody another role, never oneself.

        Raises:
            NotAllowed: for one's own account.
        """
        return self._change(name, {"role": str(role)}, "role set", now)

    def set_sites(self, name: str, sites: Sequence[str] | None, now: datetime | None = None) -> Person:
        """Give somebody other sites, never oneself; None for all."""
        when = self.now(now)
        with self.writing(Action.PEOPLE) as (connection, rights):
            self._not_oneself(name)
            self._only_own_sites(connection, rights.site_ids, sites)
            row = _user(connection, name)
            before = _person(connection, row).sites
            connection.execute(sa.delete(user_sites).where(user_sites.c.user_id == row.id))
            connection.execute(sa.update(users).where(users.c.id == row.id).values(all_sites=sites is None))
            self._give_sites(connection, row.id, sites)
            record(connection, entry(when, self.actor.name, "sites set", f"person {name}", old=before,
                                     new=None if sites is None else list(sites)))  # fmt: skip
            return _person(connection, _user(connection, name))

    def disable(self, name: str, now: datetime | None = None) -> Person:
        """Close an account; its sessions end at once."""
        return self._change(name, {"disabled": True}, "person disabled", now)

    def enable(self, name: str, now: datetime | None = None) -> Person:
        """Open it again."""
        return self._change(name, {"disabled": False}, "person enabled", now)

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
            row = _user(connection, name)
        if own and not _verify(row.password_hash, old_password or ""):
            raise NotAllowed("The old password is wrong.")
        hashed = hasher().hash(password)
        with self.writing(None if own else Action.PEOPLE) as (connection, _):
            connection.execute(sa.update(users).where(users.c.id == row.id).values(password_hash=hashed))
            connection.execute(sa.delete(sessions).where(sessions.c.user_id == row.id))
            record(connection, entry(self.now(now), self.actor.name, "password set", f"person {name}"))

    def _change(self, name: str, values: dict[str, Any], act: str, now: datetime | None) -> Person:
        with self.writing(Action.PEOPLE) as (connection, _):
            self._not_oneself(name)
            row = _user(connection, name)
            connection.execute(sa.update(users).where(users.c.id == row.id).values(values))
            connection.execute(sa.delete(sessions).where(sessions.c.user_id == row.id))
            old = {key: row._mapping[key] for key in values}
            record(connection, entry(self.now(now), self.actor.name, act, f"person {name}", old=old, new=values))
            return _person(connection, _user(connection, name))

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

    def _start(
        self, connection: Connection, user_id: int, name: str, token: str, now: datetime, seconds: float
    ) -> None:
        connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
        values = {"token_hash": _digest(token), "user_id": user_id, "created_at": now,
                  "expires_at": now + timedelta(seconds=seconds)}  # fmt: skip
        connection.execute(sa.insert(sessions).values(values))
        record(connection, entry(now, name, "signed in", f"person {name}"))

    def _must_wait(self, connection: Connection, name: str, now: datetime) -> None:
        row = connection.execute(
            sa.select(sign_in_failures).where(sign_in_failures.c.name_hash == _digest(name))
        ).one_or_none()
        if row is None or row.failures < FREE_FAILURES:
            return
        wait = min(LONGEST_WAIT_S, 15 * 2 ** min(10, row.failures - FREE_FAILURES))
        left = wait - (now - row.last_at).total_seconds()
        if left > 0:
            raise NotAllowed(f"Too many wrong passwords for this name: try again in {math.ceil(left)} s.")

    def _failed(self, name: str, now: datetime) -> None:
        with self.database.transaction() as connection:
            forgotten = now - timedelta(days=1)
            connection.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.last_at < forgotten))
            mine = sign_in_failures.c.name_hash == _digest(name)
            more = sa.update(sign_in_failures).where(mine)
            moved = connection.execute(more.values(failures=sign_in_failures.c.failures + 1, last_at=now))
            if not moved.rowcount:
                first = {"name_hash": _digest(name), "failures": 1, "last_at": now}
                connection.execute(sa.insert(sign_in_failures).values(first))
            record(connection, entry(now, "sign-in page", "sign-in refused", f"person {name[:100]}"))


@cache
def hasher() -> PasswordHasher:
    """Argon2id with the library's present defaults (RFC 9106, low memory)."""
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password has, to spend as long on an unknown name."""
    return hasher().hash(secrets.token_hex(32))


def _verify(hashed: str, password: str) -> bool:
    try:
        return hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _user(connection: Connection, name: str) -> Any:
    row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is nobody called {name}.")
    return row


def _person(connection: Connection, row: Any) -> Person:
    given: tuple[str, ...] | None = None
    if not row.all_sites:
        query = sa.select(sites.c.name).join(user_sites, user_sites.c.site_id == sites.c.id)
        given = tuple(connection.scalars(query.where(user_sites.c.user_id == row.id).order_by(sites.c.name)))
    return Person(row.name, Role(row.role), given, row.disabled, row.demo)
