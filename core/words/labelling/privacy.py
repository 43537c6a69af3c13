"""Taking what is personal out of a note before it is stored: the rules for personal text, and names told by context.

A name that the words around it make a person's is covered as [NAME]. One that could be a person's or a thing's is
covered, too, as [NAME?]: whoever labels the note sees that there was a name in doubt, and nobody sees which. A name
that is a brand's by its context or by the site's lists stays.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.words.labelling import lists
from core.words.labelling.context import brand_words, names
from core.words.labelling.registry import LabelFunction, Prepared, prepared
from core.words.redaction import Kind, find
from core.words.redaction_lists import DOUBTFUL, GIVEN, SURNAMES
from core.words.text import Span

IN_DOUBT = "[NAME?]"
_DOUBT, _CONTEXT, _LIST, _BESIDE = "in doubt", "by context", "by a list", "beside others"
_MODEL = "by the text model"
_ARTICLES = frozenset(("the", "a", "an", "this", "that", "some", "any", "no", "of"))
_TELLS = frozenset((
    "by", "tell", "ask", "asked", "told", "remind", "warn", "inform", "says", "said", "switch", "move", "assign",
    "give", "let", "from", "with", "for", "to", "and",
))  # fmt: skip
_SAYS = frozenset(("to", "about", "that", "on", "at", "and", "from", "for", ".", ",", "!", "?", "please", "thanks"))


@dataclass(frozen=True)
class Kept:
    """What may be stored of a note.

    Attributes:
        text: with placeholders.
        counts: how much of each kind was covered; holds nothing personal.
        spans: labels that came with the note, where they lie now.
    """

    text: str
    counts: Mapping[str, int]
    spans: tuple[Span, ...] = ()


def deidentified(
    text: str,
    entries: Mapping[str, Collection[str]],
    region: str | None = None,
    spans: Sequence[Span] = (),
    people: Sequence[Span] = (),
) -> Kept:
    """Cover what is personal.

    Args:
        text: as it came.
        entries: the site's own words, by label; those of people are names, all others are not.
        region: two letters of the country whose telephone numbers come without +.
        people: stretches that a model takes for people.
        spans: labels that came with it; they follow their words, and one that is partly covered covers the placeholder.

    Raises:
        BadInput: a text that is too long.
    """
    read = prepared(text)
    brands = brand_words(entries)
    own = tuple(entries.get("employee", ()))
    told = names(read, brands, frozenset(word for entry in own for word in lists.folded(entry)))
    things = {text[read.tokens[one.first].start : read.tokens[one.after - 1].end] for one in told
              if one.resolved == "brand"}  # fmt: skip
    keep = {word for thing in things for word in (thing, *thing.split())} | brands
    keep |= {word for label, words in entries.items() if label != "employee" for word in words}
    holes: list[tuple[int, int, str, str]] = [
        (one.start, one.end, one.kind.placeholder, one.kind.value) for one in find(text, region=region, keep=keep)
    ]
    mine: list[tuple[int, int, str, str]] = []
    for one in told:
        start, end = read.tokens[one.first].start, read.tokens[one.after - 1].end
        if one.resolved == "person":
            mine.append((start, end, Kind.NAME.placeholder, f"name, {_CONTEXT}"))
        elif one.resolved == "ambiguous":
            mine.append((start, end, IN_DOUBT, f"name, {_DOUBT}"))
    for function in _sure_people(own):
        mine += [
            (span.start, span.end, Kind.NAME.placeholder, f"name, {_LIST}")
            for span in function.find([read])[0]
            if text[span.start : span.end] not in things
        ]
    mine += [(one.start, one.end, Kind.NAME.placeholder, f"name, {_MODEL}") for one in people
             if text[one.start : one.end] not in things and not _kept(text[one.start : one.end], keep)]  # fmt: skip
    mine += [(*place, Kind.NAME.placeholder, f"name, {_BESIDE}") for place in _beside(read, holes + mine)]
    for hole in mine:  # what the rules for personal text found comes first
        if all(hole[1] <= other[0] or other[1] <= hole[0] for other in holes):
            holes.append(hole)
    holes = _joined(text, sorted(holes))
    out, moved, at = "", list[tuple[int, int, int]](), 0  # (start, end in the old text, start in the new one)
    for start, end, placeholder, _ in holes:
        out += text[at:start]
        moved.append((start, end, len(out)))
        out += placeholder
        at = end
    out += text[at:]
    counts = Counter(kind for *_, kind in holes)
    return Kept(out, dict(sorted(counts.items())), _followed(spans, holes, moved, len(text), len(out)))


def _beside(read: Prepared, holes: Sequence[tuple[int, int, str, str]]) -> Iterator[tuple[int, int]]:
    """Names that only their neighbours tell, in small letters too: a surname behind a name, two names in a row."""
    covered = [any(start <= token.start < end for start, end, *_ in holes) for token in read.tokens]
    words = [word.removesuffix("'s") for word in read.plain]
    for at, word in enumerate(words):
        if covered[at]:
            continue
        before = words[at - 1] if at else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        behind = at > 0 and covered[at - 1] and (word in SURNAMES or word in GIVEN or word in DOUBTFUL)
        pair = (
            word in DOUBTFUL and before not in _ARTICLES and (after in SURNAMES or after in GIVEN or after in DOUBTFUL)
        )
        ahead = word in DOUBTFUL and before not in _ARTICLES and at + 1 < len(words) and covered[at + 1]
        told = word in DOUBTFUL and before in _TELLS and (after in _SAYS or at + 1 == len(words))
        if behind or ahead or pair or told:
            covered[at] = True
            yield read.tokens[at].start, read.tokens[at].end


def _kept(words: str, keep: Collection[str]) -> bool:
    """Whether every word is one that is no name here."""
    known = {word.casefold() for word in keep}
    return words.casefold() in known or all(lists.singular(word.casefold()) in known for word in words.split())


def _joined(text: str, holes: Sequence[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    """Names with nothing but a space between them are one name."""
    out: list[tuple[int, int, str, str]] = []
    for hole in holes:
        if out and out[-1][2] == hole[2] == Kind.NAME.placeholder and not text[out[-1][1] : hole[0]].strip():
            out[-1] = (out[-1][0], *hole[1:])
        else:
            out.append(hole)
    return out


def _sure_people(people: Sequence[str]) -> tuple[LabelFunction, ...]:
    """Functions whose every find is a person's name."""
    named = tuple(one for one in lists.SHIPPED if one.name in ("given names", "name and surname"))
    own = (lists.by_list("own", "employee", "", people),) if people else ()
    return (*reversed(named), *own)


def _followed(
    spans: Sequence[Span], holes: Sequence[tuple[int, int, str, str]], moved: Sequence[tuple[int, int, int]],
    old: int, new: int,
) -> tuple[Span, ...]:  # fmt: skip
    def place(at: int, end: bool) -> int:
        shift = 0
        for (start, stop, placeholder, _), (_, _, begins) in zip(holes, moved, strict=True):
            if at < start or (end and at == start):
                break
            inside = at <= stop if end else at < stop
            if inside:
                return begins + (len(placeholder) if end else 0)
            shift = begins + len(placeholder) - stop
        return min(new, max(0, at + shift))

    out: list[Span] = []
    for span in sorted(spans):
        start, end = place(span.start, end=False), place(min(span.end, old), end=True)
        if start < end and (not out or start >= out[-1].end):
            out.append(Span(start, end, span.label))
    return tuple(out)
