"""Sentences with intents and slots: words with their places, BIO tags, and the spans that tags stand for.

Every span lies in characters of the sentence's own text. Tags exist only while a net learns or answers.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.errors import BadInput

OUTSIDE = "O"
OUT_OF_SCOPE = frozenset({"oos", "out_of_scope"})  # intents that mean: none of the others

Cut = Literal["space", "words"]

_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,:/]\d+)*|[^\w\s]|_+")


@dataclass(frozen=True)
class Token:
    """A word and where it stands: `text[start:end]`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, order=True)
class Span:
    """A labelled stretch of a text: `text[start:end]`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Sentence:
    """One sentence as somebody labelled it.

    Attributes:
        intents: what it wants, the main one first; empty where it wants nothing.
        spans: labelled stretches, in order, none over another.
    """

    id: str
    text: str
    intents: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def intent(self) -> str:
        """The main intent; empty where there is none."""
        return self.intents[0] if self.intents else ""

    def __post_init__(self) -> None:
        end = 0
        for span in self.spans:
            if not end <= span.start < span.end <= len(self.text):
                raise BadInput(
                    f"Sentence {self.id}: {span.label} lies at {span.start}–{span.end} of {len(self.text)} characters; "
                    "spans must be in order, not empty, inside the text, and none over another."
                )
            end = span.end


def tokens_of(text: str, cut: Cut = "words") -> tuple[Token, ...]:
    """The words of a text with their places.

    Args:
        text: as written.
        cut: "space" where the text comes as words with spaces between; "words" tells words, numbers and signs apart.
    """
    found = re.finditer(r"\S+", text) if cut == "space" else _WORDS.finditer(text)
    return tuple(Token(match.group(), match.start(), match.end()) for match in found)


def plain_word(word: str) -> str:
    """As a net reads it: one form per character, small letters."""
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'")


def tags_of(tokens: Sequence[Token], spans: Iterable[Span]) -> tuple[str, ...]:
    """BIO tags: a word that a span covers, even in part, belongs to it."""
    tags = [OUTSIDE] * len(tokens)
    for span in spans:
        first = True
        for index, token in enumerate(tokens):
            if token.start < span.end and span.start < token.end and tags[index] == OUTSIDE:
                tags[index] = f"{'B' if first else 'I'}-{span.label}"
                first = False
    return tuple(tags)


def spans_of(tokens: Sequence[Token], tags: Sequence[str]) -> tuple[Span, ...]:
    """The spans that tags stand for; an I- tag that continues nothing begins one.

    Raises:
        BadInput: not one tag per token, or a tag that is not BIO.

    Source: the rules of conlleval (CoNLL-2000 shared task).
    """
    return tuple(Span(tokens[a].start, tokens[b - 1].end, label) for a, b, label in runs_of(tags, len(tokens)))


def runs_of(tags: Sequence[str], words: int) -> tuple[tuple[int, int, str], ...]:
    """(first word, word after the last, label) of each span."""
    if len(tags) != words:
        raise BadInput(f"{len(tags)} tags for {words} words: give one tag to each word.")
    runs: list[tuple[int, int, str]] = []
    open_label, begun = "", 0
    for index, tag in enumerate(tags):
        kind, _, label = tag.partition("-")
        if tag != OUTSIDE and (kind not in ("B", "I") or not label):
            raise BadInput(f"Tag {tag!r} is not O, B-label or I-label.")
        if open_label and (kind != "I" or label != open_label):
            runs.append((begun, index, open_label))
            open_label = ""
        if tag != OUTSIDE and not open_label:
            open_label, begun = label, index
    if open_label:
        runs.append((begun, words, open_label))
    return tuple(runs)


def from_columns(words: Sequence[str], tags: Sequence[str], intent: str, id: str) -> Sentence:
    """A sentence that came as words, BIO tags and one intent."""
    text = " ".join(words)
    return Sentence(id, text, (intent,) if intent else (), spans_of(tokens_of(text, "space"), tags))


def marked(markup: str, id: str, intents: Sequence[str]) -> Sentence:
    """A sentence whose slots are marked as `the [kettle](product) leaks`.

    Raises:
        BadInput: a bracket without its label.
    """
    text, spans, at = "", [], 0
    for match in re.finditer(r"\[([^\[\]]+)\]\(([^()\s]+)\)", markup):
        text += markup[at : match.start()]
        spans.append(Span(len(text), len(text) + len(match.group(1)), match.group(2)))
        text += match.group(1)
        at = match.end()
    text += markup[at:]
    if set(text) & set("[]"):
        raise BadInput(f"{markup!r}: write a slot as [words](label).")
    return Sentence(id, text, tuple(intents), tuple(spans))
