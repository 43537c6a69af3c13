"""From text to claims, by rules and the site's own class names.

Where a sentence can be read in two ways its claim is marked unclear, and nothing confirms or contradicts it. A
question, a wish, a condition or an order claims nothing at all, whatever damage it names.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace

from core.taxonomy import Taxonomy
from core.words.claims import vocabulary as words
from core.words.claims.finding import Match, find_matches
from core.words.claims.places import BESIDE, WORDS, place_of
from core.words.claims.records import Claim, ClaimKind, Sentence
from core.words.claims.tokens import Token, clauses, tokens_of

MOST_LETTERS = 4000  # of a text; what is longer is cut there
MOST_SENTENCES = 40
_ENDS = re.compile(r"(?<=[.!?])\s+|[\r\n]+")
_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(mm|cm|px|pixels?|millimet(?:er|re)s?|inch(?:es)?)\b", re.IGNORECASE)
_MM = {"mm": 1.0, "mi": 1.0, "cm": 10.0, "in": 25.4}


def read_claims(text: str, taxonomy: Taxonomy, views: Sequence[str] = ()) -> tuple[Sentence, ...]:
    """The claims of a text, sentence by sentence.

    Args:
        text: as typed, dictated or written by a model; it is only read.
        taxonomy: of the site; its names and aliases are how damage is known.
        views: names of the views that there are pictures of.
    """
    tidy = "".join(" " if unicodedata.category(one) in ("Cc", "Cf") and one not in "\n\r" else one
                   for one in unicodedata.normalize("NFKC", text)[:MOST_LETTERS])  # fmt: skip
    found = [one.strip() for one in _ENDS.split(tidy.replace("’", "'"))]
    return tuple(_sentence(one, taxonomy, views) for one in found[: 10 * MOST_SENTENCES] if one)[:MOST_SENTENCES]


def _sentence(text: str, taxonomy: Taxonomy, views: Sequence[str]) -> Sentence:
    if text.rstrip("\"')").endswith("?"):
        return Sentence(text, nothing="a question claims nothing", leftover=("?",))
    claims: list[Claim] = []
    leftover: list[str] = []
    nothing = ""
    for clause in clauses(tokens_of(text)):
        why = _claims_nothing(clause)
        if why:
            nothing = nothing or why
            leftover += [one.word for one in clause if one.word not in words.PLAIN]
            continue
        matches = find_matches(text, clause, taxonomy)
        used = {at for match in matches for at in range(match.start, match.end)}
        for match in matches:
            made, spent = _claim(text, clause, match, matches, views)
            used |= spent
            claims.append(made)
        leftover += [one.word for at, one in enumerate(clause) if at not in used and one.word not in words.PLAIN]
    if not claims:
        nothing = nothing or "it makes no claim that could be checked"
    return Sentence(text, tuple(claims), "" if claims else nothing, tuple(dict.fromkeys(leftover)))


def _claims_nothing(clause: Sequence[Token]) -> str:
    said = {one.word for one in clause}
    if said & words.UNREAL:
        return "it says what would be, not what is"
    if said & words.ASKED:
        return "it asks or wishes and claims nothing"
    return ""


def _claim(
    text: str, clause: Sequence[Token], match: Match, others: Sequence[Match], views: Sequence[str]
) -> tuple[Claim, set[int]]:
    """One claim with all that is said of it, and the words that say it."""
    negated, unclear, spent = _denied(clause, match, others)
    said = {one.word for one in clause}
    if said & words.REPORTED and not unclear:
        unclear = "it is somebody else's word"
    if said & words.OTHERS and not unclear:
        unclear = "it may be about another part"
    phrase = text[clause[match.start].start : clause[match.end - 1].end]
    claim = replace(match.claim, phrase=phrase, negated=negated, unclear=unclear, hedged=bool(said & words.HEDGES))
    claim, more = _counted(clause, match, claim)
    claim, where = _placed(clause, match, others, claim, views)
    claim, sized = _sized(text, clause, match, others, claim)
    return claim, spent | more | where | sized | {at for at, one in enumerate(clause) if one.word in words.NEGATORS}


def _denied(clause: Sequence[Token], match: Match, others: Sequence[Match]) -> tuple[bool, str, set[int]]:
    """Whether the clause says that it is not so; why one cannot say; the words that deny."""
    used = {at for one in others for at in range(one.start, one.end)}
    found: list[int] = []
    strange = ""
    at = match.start - 1
    while at >= 0:
        word = clause[at].word
        listed = at > 0 and (clause[at - 1].word in ("and", "or") or "," in clause[at].before)
        if any(sign in clause[at + 1].before for sign in ";:()") or (word in words.BREAKS and listed):
            break
        following = clause[at + 1].word
        if word in words.NEGATORS and at not in used:
            if following not in words.NOT_DENIED:
                found.append(at)
        elif word == "free" and following in ("of", "from"):
            found.append(at)
        elif not found and at not in used and not _between(word):
            strange = strange or word
        at -= 1
    negated = len(found) == 1
    unclear = ""
    if len(found) > 1:
        unclear = "it denies twice"
    elif found and strange:
        unclear = f"one cannot say what '{clause[found[0]].word}' denies"
    after = match.end
    if not found and after < len(clause):
        right = _denied_after(clause, after)
        if right:
            return True, "", right
    if match.denies:
        negated = not negated
    return negated, unclear, set(found)


def _between(word: str) -> bool:
    return (
        word in words.BETWEEN or word in words.LARGE_WORDS or word in WORDS or word in words.NUMBERS
        or word in words.GENERAL or word in words.DAMAGE
    )  # fmt: skip


def _denied_after(clause: Sequence[Token], at: int) -> set[int]:
    """Words right after a match that deny it: "is not visible", "none", "free"."""
    if clause[at].word == "free" and clause[at].before in ("-", " "):
        following = clause[at + 1].word if at + 1 < len(clause) else ""
        return {at} if following not in ("of", "from") else set()
    last = at
    while last < len(clause) and clause[last].word in ("is", "are", "was", "were", "can", "be", "been", "could"):
        last += 1
    if last >= len(clause) or clause[last].word not in words.NEGATORS:
        return set()
    rest = [one.word for one in clause[last + 1 : last + 4] if one.word != "be"]
    if not rest or rest[0] in words.AFTER_DENIED:
        return {last, *range(at, min(last + 3, len(clause)))}
    return set()


def _counted(clause: Sequence[Token], match: Match, claim: Claim) -> tuple[Claim, set[int]]:
    for at in range(match.start - 1, max(match.start - 4, -1), -1):
        word = clause[at].word
        if word in words.NUMBERS:
            return replace(claim, count=words.NUMBERS[word]), {at}
        if word not in words.LARGE_WORDS and word not in ("of", "a", "small") and word not in WORDS:
            break
    return claim, set()


def _placed(
    clause: Sequence[Token], match: Match, others: Sequence[Match], claim: Claim, views: Sequence[str]
) -> tuple[Claim, set[int]]:
    """The claim with its place: what stands between it and the claims beside it."""
    before = max((one.end for one in others if one.end <= match.start), default=0)
    after = min((one.start for one in others if one.start >= match.end), default=len(clause))
    named = {view.casefold(): view for view in views}
    runs: list[tuple[list[str], set[int]]] = []
    spent: set[int] = set()
    unknown = ""
    spans = [range(match.end, after)] + ([range(before, match.start)] if before == 0 or match is others[0] else [])
    if match is not others[0]:
        spans.append(range(max(before, match.start - 2), match.start))
    for span in spans:
        at = span.start
        while at < span.stop:
            word = clause[at].word
            if word in named and at > 0 and clause[at - 1].word in ("the", "on", "in", "at"):
                following = clause[at + 1].word if at + 1 < span.stop else ""
                if following not in WORDS and following not in ("edge", "corner"):
                    seen = at + 1 + (following in ("view", "picture", "side"))
                    return replace(claim, view=named[word]), set(range(at, seen))
            if word in WORDS:
                end = at
                while end < span.stop and (clause[end].word in WORDS or clause[end].word in BESIDE):
                    end += 1
                runs.append(([one.word for one in clause[at:end]], set(range(at, end))))
                at = end
                continue
            if word in words.PREPOSITIONS and span.start == match.end:
                unknown = unknown or _unknown_place(clause, at, span.stop)
            at += 1
    unknown = unknown or _whose(clause, match, before, after, named)
    for _, where in runs:
        spent |= where
    if unknown:
        return replace(claim, elsewhere=unknown), spent
    if not runs:
        return claim, spent
    place = place_of(runs[0][0])
    if len(runs) > 1 or place is None:
        return replace(claim, elsewhere=" ".join(one for run, _ in runs for one in run)), spent
    return replace(claim, place=place), spent


def _whose(clause: Sequence[Token], match: Match, before: int, after: int, views: Collection[str]) -> str:
    """A word beside the damage that may name what is damaged: handle in "the handle is cracked" and "cracked handle".

    Nobody knows where on a picture a handle is, so damage elsewhere must not confirm it. Empty where there is none.
    """
    if match.claim.kind is not ClaimKind.DAMAGE:
        return ""

    def unknown(word: str) -> bool:
        harmless = word in words.NOT_WHERE or word in WORDS or word in BESIDE or word in views or word.endswith("ly")
        return not harmless and not word[0].isdigit() and word not in ("mm", "cm", "px")

    if match.end < after and clause[match.end].before == " " and unknown(clause[match.end].word):
        return clause[match.end].word
    at = match.start - 1
    while at >= before and not any(sign in clause[at + 1].before for sign in ",;:()"):
        if unknown(clause[at].word):
            return clause[at].word
        at -= 1
    return ""


def _unknown_place(clause: Sequence[Token], at: int, stop: int) -> str:
    """The noun after a preposition where it is no place that a picture shows; empty otherwise."""
    for one in clause[at + 1 : min(at + 4, stop)]:
        if one.word in ("the", "its", "my", "a", "one", "each", "every", "this", "that", "all", "of"):
            continue
        known = one.word in WORDS or one.word in words.NO_PLACE or one.word[0].isdigit()
        return "" if known else one.word
    return ""


def _sized(
    text: str, clause: Sequence[Token], match: Match, others: Sequence[Match], claim: Claim
) -> tuple[Claim, set[int]]:
    if not clause:
        return claim, set()
    found = list(_SIZE.finditer(text, clause[0].start, clause[-1].end))
    if not found:
        return claim, set()
    spent = {at for at, one in enumerate(clause) for size in found if size.start() <= one.start < size.end()}
    if len(others) > 1 or len(found) > 2:
        return replace(claim, unclear=claim.unclear or "one cannot say what the size is of"), spent
    number = max(float(one[1].replace(",", ".")) for one in found)
    unit = found[0][2].lower()
    if unit.startswith("p"):
        return replace(claim, size_px=number), spent
    return replace(claim, size_mm=number * _MM[unit[:2]]), spent
