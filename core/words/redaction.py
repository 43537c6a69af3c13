"""Finding what is personal in a text, and putting placeholders in its place.

Names, addresses, telephone numbers, e-mail addresses, and numbers that lead to one person (a card, an account, a
customer's number, a parcel's number). Rules, short lists and the phonenumbers library; no model and no download.
Written for English, German, French, Italian and Spanish, with a little Dutch. It misses what none of its rules knows,
and now and then takes a thing for a person: whoever needs the text itself needs the right to see it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.errors import BadInput

if TYPE_CHECKING:
    from core.words.redaction_rules import Finder, Looking

MOST_CHARACTERS = 200_000


class Kind(StrEnum):
    """What is personal about a stretch of text."""

    NAME = "name"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"
    NUMBER = "number"

    @property
    def placeholder(self) -> str:
        """What stands in its place, such as [NAME]."""
        return f"[{self.value.upper()}]"


EVERY_KIND = frozenset(Kind)
PLACEHOLDERS = tuple(kind.placeholder for kind in Kind)


@dataclass(frozen=True, order=True)
class Personal:
    """A personal stretch of a text: `text[start:end]`.

    Attributes:
        rule: which of the rules found it, in a word or two.
    """

    start: int
    end: int
    kind: Kind
    rule: str = ""


@dataclass(frozen=True)
class Redacted:
    """A text that shows nothing personal that was found.

    Attributes:
        text: with placeholders.
        spans: what was found, in characters of the text as it came; in order, none over another.
    """

    text: str
    spans: tuple[Personal, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each kind were covered; holds nothing personal, so it may be recorded."""
        found: dict[str, int] = {}
        for span in self.spans:
            found[span.kind.value] = found.get(span.kind.value, 0) + 1
        return MappingProxyType(found)


def redact(
    text: str, *, region: str | None = None, keep: Collection[str] = (), kinds: Collection[Kind] = EVERY_KIND
) -> Redacted:
    """Replace what is personal by placeholders.

    Doing it again changes nothing, and a placeholder is never taken for anything else.

    Args:
        text: of a person, a camera or a file.
        region: two letters of the country whose telephone numbers are written without +, such as "FR"; None tries the
            countries of the languages above.
        keep: words that are no names here, such as brands, products, places and machines; letter case is ignored.
        kinds: what to look for.

    Raises:
        BadInput: a text longer than 200,000 characters, or a region that is no country.
    """
    spans = find(text, region=region, keep=keep, kinds=kinds)
    return Redacted(covered(text, spans), spans)


def find(
    text: str, *, region: str | None = None, keep: Collection[str] = (), kinds: Collection[Kind] = EVERY_KIND
) -> tuple[Personal, ...]:
    """What is personal in a text, in order, none over another; see `redact`."""
    from core.words.redaction_rules import FINDERS, looking, pieces_between

    if len(text) > MOST_CHARACTERS:
        raise BadInput(f"The text has {len(text):,} characters: split it, at most {MOST_CHARACTERS:,} at a time.")
    how = looking(region, keep)
    finders = [partial(_asked, one, how) for kind, one in FINDERS if kind in kinds]
    found: list[Personal] = []
    # A placeholder ends a sentence for the rules. So each piece between two finds is looked at as the piece that it
    # will be between two placeholders, until nothing more is found: this is why a second pass finds nothing.
    waiting = list(pieces_between(text, 0, len(text), ()))
    while waiting:
        start, end = waiting.pop()
        here = _once(text[start:end], finders)
        if here:
            moved = [Personal(start + one.start, start + one.end, one.kind, one.rule) for one in here]
            found += moved
            waiting += pieces_between(text, start, end, moved)
    return tuple(sorted(found))


def covered(text: str, spans: Iterable[Personal]) -> str:
    """The text with placeholders in place of spans, which lie in order, none over another."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], span.kind.placeholder]
        at = span.end
    return "".join([*parts, text[at:]])


def _asked(finder: "Finder", how: "Looking", piece: str) -> Iterable[Personal]:
    return finder(piece, how)


def _once(piece: str, finders: Iterable[Callable[[str], Iterable[Personal]]]) -> list[Personal]:
    """What the rules find in one piece; where two overlap, the earlier rule of the list is right."""
    taken: list[Personal] = []
    for finder in finders:
        for one in finder(piece):
            if one.start < one.end and all(one.end <= other.start or other.end <= one.start for other in taken):
                taken.append(one)
    return sorted(taken)
