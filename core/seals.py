"""The audit trail's seals: a keyed hash chain over what was written, without a store.

An event carries a *mark*, made by whoever wrote it; a row without a good one was not written by Holdpoint. A *seal*
puts the event into the chain: it covers the event's number in the chain, its content and the seal before. Nobody can
make either without the key, so whoever can write to the store alone can neither change, remove, swap nor add an event
unseen. Names are no part of it: events name people by number, so that a leaver's name can be replaced.
"""

import hmac
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

START = "0" * 64  # what the first seal takes for the one before it
FIELDS = ("at", "by", "by_id", "action", "subject", "site_id", "old", "new", "reason", "model", "policy")
_EXACT = 2**53

Trouble = Literal["edited", "removed", "swapped", "inserted", "seal changed", "cut off", "not sealed"]


@dataclass(frozen=True)
class Key:
    """The secret that marks and seals; never in the store."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Names the key without telling it: 16 hex digits."""
        return _digest(self, "key id", "")[:16]


@dataclass(frozen=True)
class Seal:
    """One link.

    Attributes:
        number: its place in the chain, from 1, without gaps.
        event: the event's id.
        content: digest of what the event said when it was sealed.
        before: the event was there before the first seal was made, so it needs no mark.
        seal: the link itself, 64 hex digits.
    """

    number: int
    event: int
    content: str
    before: bool
    sealed_at: datetime
    key_id: str
    seal: str


@dataclass(frozen=True)
class Head:
    """The end of the chain at some time, kept beside the store; a chain that no longer holds it was cut."""

    number: int
    event: int
    seal: str
    key_id: str
    at: datetime

    def to_json(self) -> dict[str, Any]:
        """As it is written to a file."""
        return {"number": self.number, "event": self.event, "seal": self.seal, "key_id": self.key_id,
                "at": self.at.isoformat()}  # fmt: skip

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Head":
        """What was written; KeyError, TypeError or ValueError where it is none."""
        at = datetime.fromisoformat(str(document["at"]))
        return Head(int(document["number"]), int(document["event"]), str(document["seal"]), str(document["key_id"]), at)


@dataclass(frozen=True)
class Problem:
    """Something that was done to the trail by other means than Holdpoint.

    Attributes:
        event: its id; None where it is about the chain as a whole.
        told: a sentence.
    """

    kind: Trouble
    event: int | None
    told: str


def mark(key: Key, event: Mapping[str, Any], nonce: str) -> str:
    """What its writer puts on an event; the nonce, different each time, keeps it from being copied."""
    return f"{nonce}.{_digest(key, 'mark', nonce + _canonical(event))}"


def is_marked(key: Key, event: Mapping[str, Any]) -> bool:
    """Whether an event carries the mark of somebody who had the key."""
    found = event.get("mark") or ""
    return hmac.compare_digest(mark(key, event, found.partition(".")[0]), found)


def content(key: Key, event: Mapping[str, Any]) -> str:
    """Digest of all that an event says, its mark included; its id is left to the seal."""
    return _digest(key, "content", _canonical(event) + (event.get("mark") or ""))


def seal(
    key: Key, previous: str, number: int, event: int, content: str, before: bool, sealed_at: datetime
) -> Seal:  # fmt: skip
    """The next link.

    Args:
        key: of the plant.
        previous: the seal before, or START.
        number: its place in the chain.
        event: id of the event.
        content: its digest.
        before: it was there before the first seal.
        sealed_at: aware UTC.
    """
    when = sealed_at.astimezone(UTC).isoformat()
    text = json.dumps([previous, number, event, content, before, key.id, when])
    return Seal(number, event, content, before, sealed_at, key.id, _digest(key, "seal", text))


@dataclass
class Check:
    """Walks a chain from its start; feed it the seals in order, then ask for what it found.

    Attributes:
        deleted: numbers up to this one may be without their event: retention removed them, as the trail itself says.
        kept: events among those that retention had left.
        heads: ends of the chain that were kept elsewhere.
    """

    key: Key
    deleted: int = 0
    kept: frozenset[int] = frozenset()
    heads: Iterable[Head] = ()
    number: int = 0
    previous: str = START
    last_event: int = 0
    _other: str = START
    _found: list[Problem] = field(default_factory=list)
    _edited: dict[int, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the heads by the place they stand for."""
        self._heads: dict[int, list[Head]] = {}
        for head in self.heads:
            self._heads.setdefault(head.number, []).append(head)

    def take(self, one: Seal, event: Mapping[str, Any] | None) -> None:
        """The next seal and its event; None where the event is gone."""
        if one.number > self.number + 1:
            missing = _span(self.number + 1, one.number - 1)
            self._say("removed", None, f"The seals {missing} are gone from the middle of the chain, with their events.")
        self._link(one)
        for head in self._heads.get(one.number, ()):
            if not hmac.compare_digest(head.seal, one.seal):
                self._say("cut off", one.event, f"The chain says something else at {one.number} than the head kept on "
                          f"{head.at:%Y-%m-%d %H:%M} UTC: it was cut and written anew.")  # fmt: skip
        self.number, self.last_event = one.number, one.event
        if event is None:
            if one.number > self.deleted or one.event in self.kept:
                self._say("removed", one.event, f"Event {one.event} was removed; it was sealed at "
                          f"{one.sealed_at:%Y-%m-%d %H:%M:%S} UTC.")  # fmt: skip
            return
        now = content(self.key, event)
        if not hmac.compare_digest(now, one.content):
            self._edited[one.event] = (one.content, now)
        elif not one.before and not is_marked(self.key, event):
            self._say("inserted", one.event, f"Event {one.event} was not written by Holdpoint: it has no good mark.")

    def finish(self) -> list[Problem]:
        """Everything that was found, in the order of events."""
        self._swaps()
        for number, heads in self._heads.items():
            if number > self.number:
                head = heads[0]
                self._say("cut off", None, f"The chain ends at {self.number:,}, and its head kept on "
                          f"{head.at:%Y-%m-%d %H:%M} UTC stood at {number:,}: {number - self.number:,} events were cut "
                          "from its end.")  # fmt: skip
        return sorted(self._found, key=lambda one: (one.event is None, one.event or 0))

    def _link(self, one: Seal) -> None:
        if one.key_id != self.key.id:
            self._say("seal changed", one.event, f"The seal of event {one.event} was made with another key "
                      f"({one.key_id}).")  # fmt: skip
            self.previous = self._other = one.seal
            return
        made = [self._made(one, previous).seal for previous in {self.previous, self._other}]
        gap = one.number != self.number + 1
        if not gap and one.seal not in made:
            self._say("seal changed", one.event, f"The seal of event {one.event} was changed.")
        # A changed seal must not drag the next one along: that may follow from what stands there or from what should.
        self.previous, self._other = one.seal, one.seal if gap else made[0]

    def _made(self, one: Seal, previous: str) -> Seal:
        return seal(self.key, previous, one.number, one.event, one.content, one.before, one.sealed_at)

    def _swaps(self) -> None:
        sealed_as = {expected: event for event, (expected, _) in self._edited.items()}
        for event, (_, now) in self._edited.items():
            other = sealed_as.get(now)
            if other is None:
                self._say("edited", event, f"Event {event} was edited: it no longer says what was sealed.")
            else:
                self._say("swapped", event, f"Event {event} was swapped: it holds what was sealed as event {other}.")

    def _say(self, kind: Trouble, event: int | None, told: str) -> None:
        self._found.append(Problem(kind, event, told))


def unsealed(
    key: Key, events: Iterable[tuple[int, Mapping[str, Any]]], last_event: int, oldest: datetime, strict: bool
) -> Iterator[Problem]:
    """Events that no seal names: new ones wait for the next second, others should not be there.

    Args:
        key: of the plant.
        events: id and fields of each.
        last_event: the newest event that is sealed.
        oldest: an event written before this should have been sealed.
        strict: ids grow in the order of writing, so none may turn up behind a sealed one (SQLite).
    """
    for number, event in events:
        if not is_marked(key, event):
            yield Problem("inserted", number, f"Event {number} was not written by Holdpoint: it has no good mark.")
        elif strict and number < last_event:
            yield Problem("inserted", number, f"Event {number} turned up behind events that are sealed already.")
        elif event["at"] < oldest:
            yield Problem("not sealed", number, f"Event {number} has waited for its seal since "
                          f"{event['at']:%Y-%m-%d %H:%M:%S} UTC: start the worker or the web app.")  # fmt: skip


def _span(first: int, last: int) -> str:
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _digest(key: Key, what: str, text: str) -> str:
    return hmac.new(key.secret, f"holdpoint {what}\n{text}".encode(), "sha256").hexdigest()


def _canonical(event: Mapping[str, Any]) -> str:
    """The same text whether the values come from the writer or back from either database."""
    return json.dumps([_steady(event.get(name)) for name in FIELDS], sort_keys=True, separators=(",", ":"))


def _steady(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Mapping):
        return {str(name): _steady(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_steady(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if abs(value) >= _EXACT:  # PostgreSQL writes 1e300 out as a whole number
        return float(value)
    return int(value) if math.isfinite(value) and float(value).is_integer() else value
