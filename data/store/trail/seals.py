"""The sealed chain over the audit trail: made in the background by whichever process gets to it, checked on request.

An event is written in its act's own transaction, so acts never wait for each other's seals. Within a second somebody
seals what is new, in the order of event ids. On PostgreSQL an event may become visible after one with a higher id; it
is sealed as soon as it can be seen, and ids that no event has are those of transactions that were rolled back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import Conflict, NotAllowed
from core.roles import Action
from core.seals import START, Check, Head, Key, Problem, Seal, content, is_marked, seal, unsealed
from data.store.base import SubStore
from data.tables import audit_events, audit_seals

BATCH = 500  # events sealed in one transaction
BEHIND = 5_000  # ids looked back for events that became visible late; `thorough` looks back to the first
DELETED = "audit events deleted"  # the act by which retention takes events out; the seals stay
PATIENCE_S = 60.0  # an event that waits longer for its seal is a finding


@dataclass(frozen=True)
class Verified:
    """What a look at the whole chain found.

    Attributes:
        events: rows of the trail.
        sealed: links of the chain.
        waiting: events of the last moments that have no seal yet.
        deleted: events that retention removed, as the trail says.
        unused: ids that no transaction kept (PostgreSQL).
    """

    problems: tuple[Problem, ...]
    events: int
    sealed: int
    waiting: int
    deleted: int
    unused: int
    head: Head | None

    @property
    def ok(self) -> bool:
        """Whether the trail is as Holdpoint wrote it."""
        return not self.problems


class Seals(SubStore):
    """The chain. Its key is given from outside: the store itself never has it."""

    def head(self) -> Head | None:
        """The end of the chain; None before the first seal."""
        with self.database.reading() as connection:
            return _head(connection)

    def waiting(self) -> tuple[int, datetime | None]:
        """How many events have no seal yet, and since when the oldest of them waits."""
        with self.database.reading() as connection:
            query = sa.select(sa.func.count(), sa.func.min(audit_events.c.at)).where(
                _without_seal(_from(connection, False))
            )
            row = connection.execute(query).one()
            return int(row[0]), row[1]

    def seal(self, key: Key, seen: Head | None = None, now: datetime | None = None, *, thorough: bool = False) -> int:
        """Seal what is new; several processes may do so at once.

        Args:
            key: of the plant.
            seen: the farthest end of the chain that this machine knows of: a chain that no longer holds it was cut,
                and must not be continued as if nothing had happened.
            now: aware UTC.
            thorough: look at every event for one without a seal.

        Returns:
            How many were sealed.

        Raises:
            Conflict: the chain was cut, or belongs to another key.
        """
        if not self.actor.system:
            raise NotAllowed("Only the plant's own processes seal the trail.")
        done = 0
        while True:
            with self.database.reading() as connection:
                if not _unsealed(connection, thorough, 1):
                    return done
            with self.database.transaction() as connection:
                self.database.one_at_a_time(connection, "seal")
                head = _head(connection)
                _continues(connection, head, key, seen)
                some = _unsealed(connection, thorough, BATCH)
                if some:
                    self._append(connection, key, head, some, self.now(now))
            done += len(some)
            if len(some) < BATCH:
                return done

    def verify(
        self, key: Key, heads: Iterable[Head] = (), now: datetime | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Verified:  # fmt: skip
        """Look at every event and every seal.

        Args:
            key: of the plant.
            heads: ends of the chain that were kept elsewhere.
            now: aware UTC.
            progress: told how many of how many links.
        """
        when = self.now(now)
        with self.seeing(Action.AUDIT) as (connection, _):
            total = int(connection.scalar(sa.select(sa.func.count()).select_from(audit_seals)) or 0)
            deleted, kept = _deletions(connection, key)
            check = Check(key, deleted, kept, tuple(heads))
            gone = 0
            for one, event in _links(connection):
                gone += event is None
                check.take(one, event)
                if one.number % 1000 == 0:
                    progress(one.number, total)
            found = check.finish()
            newest = connection.scalar(sa.select(sa.func.max(audit_seals.c.event_id))) or 0
            late = [(row.id, dict(row._mapping)) for row in _unsealed(connection, True, 100_000)]
            found += unsealed(key, late, newest, when - timedelta(seconds=PATIENCE_S), self.database.is_sqlite)
            found += _copies(connection)
            unused = _unused(connection)
            if unused and self.database.is_sqlite:  # SQLite numbers without gaps
                found += [Problem("removed", None, f"{_listed(unused)} never came to be sealed: they were removed.")]
            counted = int(connection.scalar(sa.select(sa.func.count()).select_from(audit_events)) or 0)
            return Verified(tuple(found), counted, total, len(late), gone, len(unused), _head(connection))

    def _append(self, connection: Connection, key: Key, head: Head | None, some: list[Any], now: datetime) -> None:
        number, previous = (0, START) if head is None else (head.number, head.seal)
        # What was there before the first mark: from an older version, or from a tool without the key.
        before = head is None or self._only_before(connection)
        made = []
        for row in some:
            number += 1
            event = row._mapping
            before = before and row.mark is None
            one = seal(key, previous, number, row.id, content(key, event), before, now)
            previous = one.seal
            made.append({"number": number, "event_id": row.id, "content": one.content, "before": one.before,
                         "sealed_at": now, "key_id": one.key_id, "seal": one.seal})  # fmt: skip
        connection.execute(sa.insert(audit_seals), made)

    def _only_before(self, connection: Connection) -> bool:
        query = sa.select(audit_seals.c.before).order_by(audit_seals.c.number.desc()).limit(1)
        return bool(connection.scalar(query))


def _head(connection: Connection) -> Head | None:
    row = connection.execute(sa.select(audit_seals).order_by(audit_seals.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else Head(row.number, row.event_id, row.seal, row.key_id, row.sealed_at)


def _continues(connection: Connection, head: Head | None, key: Key, seen: Head | None) -> None:
    if head is not None and head.key_id != key.id:
        raise Conflict(f"The trail is sealed with another key ({head.key_id}): put the plant's own key back.")
    if seen is None:
        return
    there = connection.scalar(sa.select(audit_seals.c.seal).where(audit_seals.c.number == seen.number))
    if there != seen.seal:
        raise Conflict(
            f"The chain no longer holds seal {seen.number:,}, which this machine has seen: it was cut. Nothing more is "
            "sealed until somebody has looked: see holdpoint audit verify."
        )


def _from(connection: Connection, thorough: bool) -> int:
    """The id from which to look for events without a seal."""
    newest = connection.scalar(sa.select(sa.func.max(audit_seals.c.event_id)))
    return 0 if thorough or newest is None else int(newest) - BEHIND


def _without_seal(first: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        audit_events.c.id > first, ~sa.exists().where(audit_seals.c.event_id == audit_events.c.id)
    )  # fmt: skip


def _unsealed(connection: Connection, thorough: bool, limit: int) -> list[Any]:
    first = _from(connection, thorough)
    query = sa.select(audit_events).where(_without_seal(first)).order_by(audit_events.c.id).limit(limit)
    return list(connection.execute(query))


def _links(connection: Connection) -> Iterator[tuple[Seal, Mapping[str, Any] | None]]:
    """Every seal with its event, in the order of the chain, a thousand at a time."""
    last = 0
    while True:
        query = sa.select(audit_seals).where(audit_seals.c.number > last).order_by(audit_seals.c.number).limit(1000)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].number
        wanted = audit_events.c.id.in_([row.event_id for row in rows])
        events = {row.id: dict(row._mapping) for row in connection.execute(sa.select(audit_events).where(wanted))}
        for row in rows:
            one = Seal(row.number, row.event_id, row.content, row.before, row.sealed_at, row.key_id, row.seal)
            yield one, events.get(row.event_id)


def _deletions(connection: Connection, key: Key) -> tuple[int, frozenset[int]]:
    """Up to which number retention has removed events, and which of those it left; only marked events are believed."""
    through, kept = 0, frozenset[int]()
    query = sa.select(audit_events).where(audit_events.c.action == DELETED).order_by(audit_events.c.id)
    for row in connection.execute(query):
        if is_marked(key, dict(row._mapping)) and int(row.new["through"]) >= through:
            through, kept = int(row.new["through"]), frozenset(row.new["kept"])
    return through, kept


def _copies(connection: Connection) -> list[Problem]:
    """Events that carry the mark of another one."""
    first = sa.func.min(audit_events.c.id)
    twice = (
        sa.select(audit_events.c.mark, first.label("first"))
        .where(audit_events.c.mark.is_not(None))
        .group_by(audit_events.c.mark)
        .having(sa.func.count() > 1)
        .subquery()
    )
    query = sa.select(audit_events.c.id, twice.c.first).join(twice, twice.c.mark == audit_events.c.mark)
    return [
        Problem("inserted", row.id, f"Event {row.id} was inserted: it is a copy of event {row.first}.")
        for row in connection.execute(query.where(audit_events.c.id != twice.c.first))
    ]


def _unused(connection: Connection) -> list[range]:
    """Ids below the newest that neither an event nor a seal has."""
    ids = sa.union(sa.select(audit_events.c.id.label("id")), sa.select(audit_seals.c.event_id)).subquery()
    before = sa.func.lag(ids.c.id, 1, 0).over(order_by=ids.c.id).label("before")
    gaps = sa.select(ids.c.id, before).subquery()
    query = sa.select(gaps.c.before, gaps.c.id).where(gaps.c.id > gaps.c.before + 1).order_by(gaps.c.id)
    return [range(int(row.before) + 1, int(row.id)) for row in connection.execute(query)]


def _listed(gaps: list[range]) -> str:
    said = [f"{gap[0]}" if len(gap) == 1 else f"{gap[0]} to {gap[-1]}" for gap in gaps[:10]]
    return f"Events {', '.join(said)}{' and more' if len(gaps) > 10 else ''}"
