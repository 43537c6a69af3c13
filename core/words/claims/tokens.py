"""Words of a sentence with where they stand, and the clauses they make."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.words.claims.vocabulary import CLAUSE

_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:'[^\W\d_]+)?")


@dataclass(frozen=True)
class Token:
    """One word, in small letters.

    Attributes:
        start, end: in the sentence.
        before: what stands between the word before and this one.
    """

    word: str
    start: int
    end: int
    before: str


def tokens_of(sentence: str) -> tuple[Token, ...]:
    """All words of a sentence; figures count as words, signs do not."""
    found = []
    last = 0
    for match in _WORD.finditer(sentence):
        found.append(Token(match[0].casefold(), match.start(), match.end(), sentence[last : match.start()]))
        last = match.end()
    return tuple(found)


def clauses(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """The parts of a sentence that deny, doubt and wish each for itself: split at "but" and the like, and at ";"."""
    held: list[Token] = []
    for at, one in enumerate(tokens):
        nothing_but = one.word == "but" and at > 0 and tokens[at - 1].word == "nothing"
        parted = ";" in one.before or "--" in one.before or "\u2014" in one.before
        if held and (parted or (one.word in CLAUSE and not nothing_but)):
            yield tuple(held)
            held = []
        held.append(one)
    if held:
        yield tuple(held)
