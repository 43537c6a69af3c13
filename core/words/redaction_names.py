"""Names of people in a text: after a title, where somebody says who they are, in a field, at the end, by given name."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from core.words.redaction_lists import (
    BESIDE,
    COMPANY,
    DOUBTFUL,
    FAREWELLS,
    FIELDS,
    FOR_WHOM,
    GIVEN,
    GREETINGS,
    INTRODUCTIONS,
    NO_NAME,
    NOT_BESIDE_PLACES,
    PARTICLES,
    PERSONS,
    PLACES,
    SAYS,
    SMALL_TITLES,
    SPOKEN_WITH,
    SURNAMES,
    TITLES,
)

MOST_WORDS = 4  # of one name
_TOKEN = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_TITLE = re.compile(rf"(?<![\w'’])(?:{TITLES})\b\.?", re.IGNORECASE)
_INTRODUCED = re.compile(rf"\b(?:{INTRODUCTIONS})\s+", re.IGNORECASE)
_GREETED = re.compile(rf"\b(?:{GREETINGS})\s+", re.IGNORECASE)
_FAREWELL = re.compile(
    rf"(?:\b(?:{FAREWELLS})\b[,.!:]?|(?:^|\n)[ \t]{{0,4}}[-–—~]{{1,2}})\s{{0,6}}[-–—]?[ \t]{{0,3}}", re.IGNORECASE
)
_FIELD = re.compile(
    rf"(?:^|[\n;,|.\t])[ \t]{{0,8}}(?:{FIELDS})[ \t]{{0,2}}[:=][ \t]{{0,4}}\n?[ \t]{{0,4}}", re.IGNORECASE
)
_SPOKEN_WITH = re.compile(rf"\b(?:{SPOKEN_WITH})\s+", re.IGNORECASE)
_SAYS = re.compile(rf"(?:^|(?<=[.!?;,\n] )|(?<=\n))[ \t]*(?P<name>[^\W\d_]+(?: [^\W\d_]+)?) (?:{SAYS})\b")
_FOR_WHOM = re.compile(rf"\b(?:{FOR_WHOM})[ \t:]{{1,4}}\n?[ \t]{{0,4}}", re.IGNORECASE)


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    text: str

    @cached_property
    def folded(self) -> str:
        return fold(self.text)

    @cached_property
    def capital(self) -> bool:
        return self.text[0].isupper()


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """A word in small letters without accents; ß is ss."""
    apart = unicodedata.normalize("NFKD", word.casefold().replace("’", "'"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


_NO = frozenset(fold(word) for word in NO_NAME)
_PERSONS = frozenset(fold(word) for word in PERSONS)
_BESIDE = frozenset(fold(word) for word in BESIDE)


def names(
    text: str, keep: frozenset[str] = frozenset(), addresses: Sequence[int] = ()
) -> Iterator[tuple[int, int, str]]:
    """Where names stand, with the rule that found each; may overlap, the surer rule first.

    Args:
        text: one piece.
        keep: words and phrases that are no names, in small letters; what follows a title or "my name is" is one anyway.
        addresses: where addresses begin.
    """
    scene = _Scene(text, keep)
    yield from scene.announced()
    yield from scene.signed()
    yield from scene.above(addresses)
    yield from scene.given()
    yield from scene.beside()


class _Scene:
    """One text, cut into words, with what its letter case is worth."""

    def __init__(self, text: str, keep: frozenset[str]) -> None:
        self.text = text
        self.tokens = [_Token(hit.start(), hit.end(), hit.group()) for hit in _TOKEN.finditer(text)]
        self.at = {token.start: index for index, token in enumerate(self.tokens)}
        letters = [letter for letter in text if letter.isalpha()]
        upper = sum(letter.isupper() for letter in letters)
        self.shouted = upper > 0.7 * len(letters)  # capitals tell nothing
        self.dictated = upper == 0 or (upper == 1 and letters[0].isupper())  # but perhaps of the first word
        self.kept = self._kept(keep) if keep else frozenset()

    def _kept(self, keep: frozenset[str]) -> frozenset[int]:
        found = set()
        for index in range(len(self.tokens)):
            for length in range(1, 5):
                some = self.tokens[index : index + length]
                if len(some) == length and " ".join(one.text.casefold() for one in some) in keep:
                    found |= set(range(index, index + length))
        return frozenset(found)

    def announced(self) -> Iterator[tuple[int, int, str]]:
        """After a title, after "my name is", in a field of a form."""
        for hit in _TITLE.finditer(self.text):
            title = hit.group().rstrip(".")
            if title[0].islower() and title.casefold() not in SMALL_TITLES:
                continue
            yield from self._first_at(self._skip(hit.end()), "title", small=title.casefold() in SMALL_TITLES)
        for hit in re.finditer(r"\bM\. ?(?=\w)", self.text):
            index = self.at.get(hit.end())
            if index is not None and self._known(index):
                yield self._whole(index, "title")
        for hit in _INTRODUCED.finditer(self.text):
            yield from self._first_at(hit.end(), "introduced")
        for hit in _GREETED.finditer(self.text):
            index = self.at.get(hit.end())
            if (
                index is not None
                and index not in self.kept
                and self._is_given(index, doubtful=self.tokens[index].capital)
            ):
                yield self._whole(index, "introduced")
        for hit in _SPOKEN_WITH.finditer(self.text):
            index = self.at.get(hit.end())
            if index is not None and index not in self.kept and not self.shouted and self._nameish(index):
                yield self._whole(index, "person")
        for hit in _SAYS.finditer(self.text):
            index = self.at.get(hit.start("name"))
            if index is not None and index not in self.kept and not self.shouted and self._nameish(index):
                yield self._whole(index, "says")
        for pattern in (_FIELD, _FOR_WHOM):
            for hit in pattern.finditer(self.text):
                yield from self._field(hit.end())

    def signed(self) -> Iterator[tuple[int, int, str]]:
        """After a farewell, where the line ends with it."""
        for hit in _FAREWELL.finditer(self.text):
            index = self.at.get(hit.end())
            if index is None or index in self.kept or not self._nameish(index):
                continue
            apart = hit.group().rstrip(" \t")
            if not (
                apart.endswith((",", "!", ".", ":", "-", "–", "—", "~")) or "\n" in hit.group() or self._known(index)
            ):
                continue
            start, end, rule = self._whole(index, "signed")
            if re.match(r"[ \t]*(?:[.,!)]*[ \t]*(?:\n|$)|,|\()", self.text[end:]):
                yield start, end, rule

    def above(self, addresses: Sequence[int]) -> Iterator[tuple[int, int, str]]:
        """The line right above an address, where it reads like a name and not like a company."""
        for address in addresses:
            line = self.text.rfind("\n", 0, address) + 1
            if self.text[line:address].strip(" ,\t") or line == 0:
                continue
            above = self.text.rfind("\n", 0, line - 1) + 1
            inside = [index for index, one in enumerate(self.tokens) if above <= one.start and one.end < line]
            words = self.text[above : line - 1].strip(" ,\t\r")
            if not 2 <= len(inside) <= MOST_WORDS or re.search(r"[\d@:/]", words):
                continue
            if any(self.tokens[index].folded in COMPANY or self.tokens[index].folded in _NO for index in inside):
                continue
            if all(self.tokens[index].capital or self.tokens[index].folded in PARTICLES for index in inside):
                yield self.tokens[inside[0]].start, self.tokens[inside[-1]].end, "above an address"

    def given(self) -> Iterator[tuple[int, int, str]]:
        """Given names with what follows them, initials with a surname, a surname before a comma and a given name."""
        for index, token in enumerate(self.tokens):
            if index in self.kept:
                continue
            if self._is_given(index) and not self._month(index):
                start, end, rule = self._whole(index, "given name")
                before = self.text[: token.start].rstrip(" ")
                last = self.tokens[index - 1] if index else None
                if (
                    last
                    and before.endswith(",")
                    and last.end == len(before) - 1
                    and last.folded in SURNAMES
                    and last.capital
                ):
                    start = last.start
                yield start, end, rule
            elif token.folded in DOUBTFUL and token.capital and index + 1 < len(self.tokens) and self._joined(index):
                after = index + 1
                if len(self.tokens[after].text) == 1 and after + 1 < len(self.tokens) and self._joined(after):
                    after += 1
                last = self.tokens[after]
                if last.capital and last.folded in SURNAMES and last.folded not in _NO and after not in self.kept:
                    yield token.start, last.end, "given name"
        for hit in re.finditer(r"(?<![\w.])(?:[A-ZÀ-Þ]\. ?){1,2}(?=[^\W\d_])", self.text):
            place = self.at.get(hit.end())
            if (
                place is not None
                and place not in self.kept
                and self.tokens[place].capital
                and self.tokens[place].folded in SURNAMES
            ):
                yield hit.start(), self.tokens[place].end, "initial"

    def beside(self) -> Iterator[tuple[int, int, str]]:
        """After a word for a person ("operator", "ask"), or a doubtful given name after "by" or "with"."""
        for index in range(1, len(self.tokens)):
            before, token = self.tokens[index - 1].folded, self.tokens[index]
            apart = self.text[self.tokens[index - 1].end : token.start] == ", "  # my mother, Eleanor Whitcombe, says
            if index in self.kept or not (self._joined(index - 1) or (apart and before in _PERSONS)):
                continue
            given = token.folded in GIVEN or token.folded in DOUBTFUL
            if before in _PERSONS:
                if (token.capital and not self.shouted and self._nameish(index)) or (given and token.folded not in _NO):
                    yield self._whole(index, "person")
            elif before in _BESIDE and given and token.capital and not self.shouted and token.folded not in _NO:
                placed = token.folded in PLACES and before not in NOT_BESIDE_PLACES
                if not placed:
                    yield self._whole(index, "person")

    def _first_at(self, start: int, rule: str, small: bool = False) -> Iterator[tuple[int, int, str]]:
        index = self.at.get(start)
        if index is None:
            return
        token = self.tokens[index]
        dictated = not token.capital and token.folded not in _NO and (small or self._is_given(index, doubtful=True))
        if dictated or self._nameish(index) or (len(token.text) == 1 and token.capital):
            yield self._whole(index, rule)

    def _field(self, start: int) -> Iterator[tuple[int, int, str]]:
        line_end = self.text.find("\n", start)
        line = self.text[start : line_end if line_end >= 0 else len(self.text)]
        if any(fold(word) in COMPANY for word in _TOKEN.findall(line)):
            return
        start = self._skip(start)
        yield from self._first_at(start, "field")

    def _skip(self, start: int) -> int:
        """Past blanks and further titles."""
        while start < len(self.text) and self.text[start] in " \t.":
            start += 1
        title = _TITLE.match(self.text, start)
        return self._skip(title.end()) if title and title.end() < len(self.text) else start

    def _whole(self, index: int, rule: str) -> tuple[int, int, str]:
        """A name that begins at a word, with what belongs to it on the right."""
        last, at = index, index
        while at + 1 < len(self.tokens) and self._joined(at) and last - index < MOST_WORDS:
            at += 1
            token = self.tokens[at]
            if (
                token.folded in PARTICLES
                and at + 1 < len(self.tokens)
                and self._joined(at)
                and self.tokens[at + 1].capital
            ):
                continue
            if at in self.kept or not self._goes_on(at, index):
                break
            last = at
        end = self.tokens[last].end
        return self.tokens[index].start, end, rule

    def _goes_on(self, index: int, first: int) -> bool:
        token = self.tokens[index]
        known = token.folded in SURNAMES or token.folded in GIVEN
        if token.folded in _NO:
            return False
        if self.dictated or not self.tokens[first].capital:
            return token.folded in SURNAMES
        if self.shouted:
            return known or self._ends_line(index)
        return token.capital

    def _ends_line(self, index: int) -> bool:
        return bool(re.match(r"[ \t.,;]*(?:\n|$)", self.text[self.tokens[index].end :]))

    def _joined(self, index: int) -> bool:
        """Whether the next word belongs to the same phrase."""
        here, after = self.tokens[index], self.tokens[index + 1]
        between = self.text[here.end : after.start]
        return between in (" ", "  ", "\u00a0") or (len(here.text) == 1 and between in (". ", "."))

    def _nameish(self, index: int) -> bool:
        token = self.tokens[index]
        return token.capital and len(token.text) > 1 and token.folded not in _NO and token.folded not in COMPANY

    def _known(self, index: int) -> bool:
        folded = self.tokens[index].folded
        return folded in GIVEN or folded in DOUBTFUL or folded in SURNAMES

    def _is_given(self, index: int, doubtful: bool = False) -> bool:
        """A given name with its capital, or in a text that has none; "anna's" and "hans-peter" count."""
        token = self.tokens[index]
        stems = {token.folded, token.folded.removesuffix("'s"), token.folded.split("-")[0]}
        if not stems & GIVEN and not (doubtful and stems & DOUBTFUL):
            return False
        return (token.capital or self.dictated) and not (doubtful and token.folded in _NO)

    def _month(self, index: int) -> bool:
        """Whether digits beside a short word make it a month: 12 Jan 2026."""
        token = self.tokens[index]
        return token.folded in ("jan",) and bool(
            re.search(r"\d[ .\-/]?$", self.text[: token.start]) or re.match(r"[ .\-/]?\d", self.text[token.end :])
        )
