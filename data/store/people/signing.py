"""Signing in and out: passwords, demo people, a company's own sign-in, and the sessions they start."""

import hashlib
import math
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Connection

from core.errors import NotAllowed, NotFound
from core.plant import Person
from core.roles import Role
from data.store.base import SubStore
from data.store.trail.audit import PERSON, entry, record
from data.tables import sessions, sign_in_failures, sites, user_sites, users

SESSION_S = 12 * 3600  # a shift and a bit
FREE_FAILURES = 5  # wrong passwords before a name has to wait
LONGEST_WAIT_S = 900
NO_PASSWORD = "!"  # no hash looks like it: this account comes in by the company's sign-in only
_REFUSED = "Name or password is wrong, or the account is disabled."


class Signing(SubStore):
    """Who comes in. Everything here happens before anybody is known, or is about oneself."""

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
        known = row is not None and row.password_hash != NO_PASSWORD
        good = verify(row.password_hash if row is not None and known else _nobody(), password)
        if row is None or row.disabled or not good:
            self._failed(name, when)
            raise NotAllowed(_REFUSED)
        token = secrets.token_urlsafe(32)
        with self.database.transaction() as connection:
            again = user_row(connection, name)
            if again.disabled or again.password_hash != row.password_hash:
                raise NotAllowed(_REFUSED)
            connection.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.name_hash == digest(name)))
            self._start(connection, row.id, name, token, when, seconds, "password")
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
            self._start(connection, row.id, name, token, when, seconds, "demo button")
        return token

    def sign_in_company(
        self, issuer: str, subject: str, email: str = "", now: datetime | None = None, seconds: float = SESSION_S
    ) -> str:
        """Start a session of somebody whom the company's own sign-in (OIDC) has named; it makes no account.

        An administrator has given the account an e-mail address or a subject. The first sign-in by address binds the
        account to the issuer's subject: an address that is later given to somebody else does not open it.

        Args:
            issuer: who says so; from the settings.
            subject: of the issuer's own, and never given twice.
            email: verified by the issuer; empty where it is not.
            now: aware UTC.
            seconds: until the session ends.

        Raises:
            NotAllowed: for anybody without an account here.
        """
        if not self.actor.system:
            raise NotAllowed("Only the sign-in page lets people in.")
        when = self.now(now)
        bound = f"{issuer} {subject}"
        token = secrets.token_urlsafe(32)
        with self.database.transaction() as connection:
            row = connection.execute(sa.select(users).where(users.c.subject == bound)).one_or_none()
            if row is None:  # an account is named by an address or by a subject; a subject never passes for an address
                given = [one for one in (subject if "@" not in subject else "", email.strip().lower()) if one]
                free = (users.c.identity.in_(given), users.c.subject.is_(None), users.c.disabled.is_(False))
                row = connection.execute(sa.select(users).where(*free).order_by(users.c.id).limit(1)).one_or_none()
                if row is not None:
                    connection.execute(sa.update(users).where(users.c.id == row.id).values(subject=bound))
                    record(connection, entry(when, "sign-in page", "company sign-in bound", f"{PERSON}{row.id}"))
            refused = row is None or row.disabled
            if row is None or row.disabled:
                whom = f"{PERSON}{row.id}" if row is not None else f"unknown name {digest(bound)[:8]}"
                record(connection, entry(when, "sign-in page", "sign-in refused", whom, reason="company sign-in"))
            else:
                self._start(connection, row.id, row.name, token, when, seconds, "company sign-in")
        if refused:
            raise NotAllowed(
                "Your company knows you, but Holdpoint has no open account for you: ask an administrator to make one."
            )
        return token

    def who(self, token: str, now: datetime | None = None) -> Person | None:
        """Whose session it is; None for an unknown, expired or ended one."""
        when = self.now(now)
        with self.database.reading() as connection:
            query = (
                sa.select(users)
                .join(sessions, sessions.c.user_id == users.c.id)
                .where(sessions.c.token_hash == digest(token), sessions.c.expires_at > when)
                .where(users.c.disabled.is_(False))
            )
            row = connection.execute(query).one_or_none()
            return None if row is None else person_of(connection, row)

    def sign_out(self, token: str, now: datetime | None = None) -> None:
        """End a session; an unknown one is ended already."""
        with self.database.transaction() as connection:
            ended = sa.delete(sessions).where(sessions.c.token_hash == digest(token)).returning(sessions.c.user_id)
            user_id = connection.scalar(ended)
            if user_id is not None:
                name = connection.scalar(sa.select(users.c.name).where(users.c.id == user_id))
                record(connection, entry(self.now(now), str(name), "signed out", f"{PERSON}{user_id}"))

    def demo_people(self) -> list[Person]:
        """Demo accounts that are not disabled, for the sign-in page on loopback."""
        if not self.actor.system:
            raise NotAllowed("Only the sign-in page asks for demo people.")
        with self.database.reading() as connection:
            query = sa.select(users).where(users.c.demo.is_(True), users.c.disabled.is_(False)).order_by(users.c.id)
            return [person_of(connection, row) for row in connection.execute(query)]

    def _start(
        self, connection: Connection, user_id: int, name: str, token: str, now: datetime, seconds: float, how: str
    ) -> None:
        connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
        values = {"token_hash": digest(token), "user_id": user_id, "created_at": now,
                  "expires_at": now + timedelta(seconds=seconds)}  # fmt: skip
        connection.execute(sa.insert(sessions).values(values))
        record(connection, entry(now, name, "signed in", f"{PERSON}{user_id}", reason=how))

    def _must_wait(self, connection: Connection, name: str, now: datetime) -> None:
        row = connection.execute(
            sa.select(sign_in_failures).where(sign_in_failures.c.name_hash == digest(name))
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
            mine = sign_in_failures.c.name_hash == digest(name)
            more = sa.update(sign_in_failures).where(mine)
            moved = connection.execute(more.values(failures=sign_in_failures.c.failures + 1, last_at=now))
            if not moved.rowcount:
                first = {"name_hash": digest(name), "failures": 1, "last_at": now}
                connection.execute(sa.insert(sign_in_failures).values(first))
            number = connection.scalar(sa.select(users.c.id).where(users.c.name == name))
            # A password typed into the wrong field must not end up in the trail, so an unknown name is only told apart.
            whom = f"{PERSON}{number}" if number is not None else f"unknown name {digest(name)[:8]}"
            record(connection, entry(now, "sign-in page", "sign-in refused", whom))


@cache
def hasher() -> PasswordHasher:
    """Argon2id with the library's present defaults (RFC 9106, low memory)."""
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password has, to spend as long on an unknown name."""
    return hasher().hash(secrets.token_hex(32))


def verify(hashed: str, password: str) -> bool:
    try:
        return hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def user_row(connection: Connection, name: str) -> Any:
    row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is nobody called {name}.")
    return row


def person_of(connection: Connection, row: Any) -> Person:
    given: tuple[str, ...] | None = None
    if not row.all_sites:
        query = sa.select(sites.c.name).join(user_sites, user_sites.c.site_id == sites.c.id)
        given = tuple(connection.scalars(query.where(user_sites.c.user_id == row.id).order_by(sites.c.name)))
    return Person(
        row.name, Role(row.role), given, row.disabled, row.demo, row.identity, row.password_hash != NO_PASSWORD
    )
