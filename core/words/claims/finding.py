"""Which words of a clause make a claim: sayings of labels first, then the site's classes, then other damage."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from core.records import NO_DEFECT
from core.taxonomy import Taxonomy, is_good, says_only_defective
from core.words.claims import vocabulary as words
from core.words.claims.records import Claim, ClaimKind
from core.words.claims.tokens import Token

_FILL = words.FILLING
LONGEST = 4  # words of a class name
MOST_VALUE = 80
_QUOTED = r"[\"'“”‘«](?P<quoted>[^\"“”»]{1,80}?)[\"'”’»](?=[\s.,;!)]|$)"
_SAYS = re.compile(
    r"\b(?:label|sticker|tag|print|imprint|text|carton|box|packaging|cover|it)\s+"
    r"(?:(?P<verb>says|reads|states)|shows|is\s+(?:labell?ed|marked)|(?:labell?ed|marked))\s*:?\s*(?:as\s+)?"
    rf"(?:{_QUOTED}|(?P<rest>[^;]+))",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b(?:best\s+before|best\s+by|use\s+by|sell\s+by|expiry|expiration|expires|exp|bbe|mhd)(?:\s+date)?"
    r"(?:\s+(?:is|of|was|says|reads|on))?\s*:?\s*[\"']?(?P<date>[\w]{0,12}\s?\d[\w./\-]*(?:\s[\w./\-]*\d[\w./\-]*)?)",
    re.IGNORECASE,
)
_EXPIRED = re.compile(
    r"\b(?:expired|out\s+of\s+date|past\s+(?:its|the)\s+(?:best\s+before|expiry|use\s+by)(?:\s+date)?"
    r"|best\s+before(?:\s+date)?\s+(?:has\s+|is\s+)?passed)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Match:
    """Words from `start` to `end` of a clause make a claim; `denies` where they already say that it is not so."""

    start: int
    end: int
    claim: Claim
    denies: bool = False


def find_matches(text: str, clause: Sequence[Token], taxonomy: Taxonomy) -> tuple[Match, ...]:
    """Every claim of a clause, by place; no word serves two.

    Args:
        text: the whole sentence, which the tokens point into.
        clause: its words.
        taxonomy: of the site.
    """
    taken: set[int] = set()
    found: list[Match] = []
    steps: tuple[Callable[[], Iterator[Match]], ...] = (
        lambda: _sayings(text, clause),
        lambda: _expired(text, clause, taxonomy),
        lambda: _label_missing(clause, taxonomy),
        lambda: _wrong(clause, taxonomy),
        lambda: _classes(clause, taxonomy),
        lambda: _damage(clause),
        lambda: _missing(clause),
        lambda: _colours(clause),
    )
    for step in steps:
        for match in step():
            span = set(range(match.start, match.end))
            if not span & taken:
                taken |= span
                found.append(match)
    return tuple(sorted(found, key=lambda one: one.start))


def _span(clause: Sequence[Token], start: int, end: int) -> tuple[int, int] | None:
    """The words between two places of the sentence."""
    at = [number for number, one in enumerate(clause) if start <= one.start < end]
    return (at[0], at[-1] + 1) if at else None


def _sayings(text: str, clause: Sequence[Token]) -> Iterator[Match]:
    first, last = clause[0].start, clause[-1].end
    if text[last : last + 1] in ("'", '"', "”", "»"):
        last += 1
    for match in _SAYS.finditer(text, first, last):
        value = match["quoted"] or ""
        if not value:
            rest = (match["rest"] or "").strip(" .,!")
            dated = any(sign.isdigit() for sign in rest)
            if not rest or rest.split()[0].lower() in ("a", "an", "the", "that", "not", "no") or len(rest) > MOST_VALUE:
                continue
            if not match["verb"] and not dated:
                continue
            value = rest
        span = _span(clause, match.start(), match.end())
        if span is not None:
            yield Match(*span, Claim(ClaimKind.TEXT, "", value=value.strip()))
    for match in _DATED.finditer(text, first, last):
        span = _span(clause, match.start(), match.end())
        if span is not None:
            yield Match(*span, Claim(ClaimKind.DATE, "", value=match["date"].strip(" .,")))


def _expired(text: str, clause: Sequence[Token], taxonomy: Taxonomy) -> Iterator[Match]:
    for match in _EXPIRED.finditer(text, clause[0].start, clause[-1].end):
        span = _span(clause, match.start(), match.end())
        if span is not None:
            yield Match(*span, Claim(ClaimKind.EXPIRED, "", class_id=_class(taxonomy, "expired")))


def _label_missing(clause: Sequence[Token], taxonomy: Taxonomy) -> Iterator[Match]:
    class_id = _class(taxonomy, "missing label")
    claim = Claim(ClaimKind.MISSING, "", class_id=class_id, value="label")
    for at, one in enumerate(clause):
        if one.word not in words.LABELS:
            continue
        before = [two.word for two in clause[max(0, at - 2) : at]]
        if before and before[-1] in ("no", "missing", "without"):
            yield Match(at - 1, at + 1, claim)
        elif len(before) == 2 and before[0] in ("without", "missing") and before[1] in ("a", "the", "any", "its"):
            yield Match(at - 2, at + 1, claim)
        else:
            end = _skip(clause, at + 1)
            if end < len(clause) and clause[end].word == "missing":
                yield Match(at, end + 1, claim, _denies(clause, at, end))


def _wrong(clause: Sequence[Token], taxonomy: Taxonomy) -> Iterator[Match]:
    for at, one in enumerate(clause):
        if one.word not in words.ATTRIBUTES:
            continue
        what = words.ATTRIBUTES[one.word]
        claim = Claim(ClaimKind.WRONG, "", attribute=what, class_id=_class(taxonomy, f"wrong {one.word}"))
        if at > 0 and clause[at - 1].word == "wrong":
            yield Match(at - 1, at + 1, claim)
        else:
            end = _skip(clause, at + 1)
            if end < len(clause) and clause[end].word == "wrong":
                yield Match(at, end + 1, claim, _denies(clause, at, end))


def _classes(clause: Sequence[Token], taxonomy: Taxonomy) -> Iterator[Match]:
    """Names of the site's classes, the longest first, also with "is" and the like between their words."""
    content = [at for at, one in enumerate(clause) if not _fills(one.word)]
    taken: set[int] = set()
    for size in range(LONGEST, 0, -1):
        for first in range(len(content) - size + 1):
            run = content[first : first + size]
            if taken & set(run) or any(sign in clause[at].before for at in run[1:] for sign in ",:()"):
                continue
            said = [clause[at].word for at in run]
            class_id = _named(taxonomy, said)
            if class_id is None or _compound(clause, run[-1]):
                continue
            taken |= set(run)
            denies = _denies(clause, run[0], run[-1])
            yield Match(run[0], run[-1] + 1, Claim(ClaimKind.DAMAGE, "", class_id=class_id), denies)


def _named(taxonomy: Taxonomy, said: Sequence[str]) -> str | None:
    if len(said) == 1 and (said[0] in ("ok", "good", "free", "pass", "normal", "bad", "fail")):
        return None
    turns = [list(said)]
    if len(said) == 2:
        turns.append([said[1], said[0]])
    for turn in turns:
        for last in _stems(turn[-1]):
            for first in _stems(turn[0]) if len(turn) > 1 else ("",):
                name = " ".join([first, *turn[1:-1], last]) if len(turn) > 1 else last
                class_id = _class(taxonomy, name)
                if class_id is not None:
                    return class_id
    return None


def _class(taxonomy: Taxonomy, name: str) -> str | None:
    if is_good(name) or says_only_defective(name):
        return None
    found = taxonomy.match(name)
    return None if found == NO_DEFECT else found


def _stems(word: str) -> tuple[str, ...]:
    """A word and what it may be a form of: scratches, scratched and scratching are of scratch, pitted of pit."""
    found = [word]
    for ending in ("s", "es", "ed", "ing", "d"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            found.append(stem)
            if ending in ("ed", "ing"):
                found += [f"{stem}e", f"{stem}ing"]
                if len(stem) > 3 and stem[-1] == stem[-2]:
                    found.append(stem[:-1])
    return tuple(dict.fromkeys(found))


def _compound(clause: Sequence[Token], at: int) -> bool:
    """Whether the word only names what something withstands, as in "scratch resistant"."""
    return at + 1 < len(clause) and clause[at + 1].word in words.COMPOUNDS


def _damage(clause: Sequence[Token]) -> Iterator[Match]:
    for at, one in enumerate(clause):
        if _compound(clause, at):
            continue
        if one.word in words.GENERAL:
            yield Match(at, at + 1, Claim(ClaimKind.DAMAGE, ""))
        elif one.word in words.SOUND:
            yield Match(at, at + 1, Claim(ClaimKind.DAMAGE, ""), denies=True)
        elif one.word in words.DAMAGE:
            yield Match(at, at + 1, Claim(ClaimKind.DAMAGE, "", known=False))


def _missing(clause: Sequence[Token]) -> Iterator[Match]:
    for at, one in enumerate(clause):
        if one.word == "missing":
            what = clause[at + 1].word if at + 1 < len(clause) and clause[at + 1].word not in words.PLAIN else ""
            before = at - 1
            while before >= 0 and _fills(clause[before].word):
                before -= 1
            start = at
            if not what and before >= 0:
                what, start = clause[before].word, before
            claim = Claim(ClaimKind.MISSING, "", known=False, value=what or "something")
            yield Match(start, at + 1 + (what != "" and start == at), claim, _denies(clause, start, at))


def _colours(clause: Sequence[Token]) -> Iterator[Match]:
    for at, one in enumerate(clause):
        colour = words.COLOURS.get(one.word)
        if colour is None:
            continue
        claim = Claim(ClaimKind.COLOUR, "", value=colour)
        if at + 1 < len(clause) and clause[at + 1].word in words.THINGS:
            yield Match(at, at + 2, claim)
            continue
        before = at - 1
        while before >= 0 and (clause[before].word in _FILL or clause[before].word in ("in", "came", "not", "isn't")):
            before -= 1
        if before >= 0 and before < at - 1 and clause[before].word in words.THINGS:
            yield Match(at, at + 1, replace(claim))


def _skip(clause: Sequence[Token], at: int) -> int:
    while at < len(clause) and _fills(clause[at].word):
        at += 1
    return at


def _fills(word: str) -> bool:
    return word in _FILL or word in words.NEGATORS


def _denies(clause: Sequence[Token], first: int, last: int) -> bool:
    """Whether an odd number of denials stands inside the words of a match, as in "the seal isn't broken"."""
    return sum(one.word in words.NEGATORS for one in clause[first + 1 : last]) % 2 == 1
