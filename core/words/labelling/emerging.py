"""Words that have come up lately and that no list knows: names of new products, brands, defects, lines.

A word counts by how much oftener it is said now than before (Dunning 1993, "Accurate methods for the statistics of
surprise and coincidence", the log-likelihood ratio of two rates).
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.words.labelling.context import BRAND, PERSON
from core.words.labelling.lists import singular
from core.words.labelling.registry import prepared
from core.words.redaction_lists import NO_NAME
from core.words.text import Span

LEAST = 3  # notes that a word needs
SURPRISE = 10.83  # of the chi-squared distribution with one degree of freedom, 1 in 1,000: many words are asked
_TOLD = frozenset(("time", "quantity", "schedule", "line", "location", "verdict", "size"))
CONTEXTS, AROUND = 3, 40
_WORDS = frozenset((
    "is", "was", "were", "been", "being", "has", "had", "have", "do", "does", "did", "not", "no", "yes", "so", "up",
    "out", "off", "over", "under", "again", "still", "very", "too", "much", "just", "only", "then", "than", "them",
    "they", "their", "what", "which", "while", "with", "without", "within", "you", "your", "can", "will", "would",
    "should", "could", "there", "here", "every", "each", "other", "another", "same", "new", "old", "first", "last",
    "next", "few", "lot", "lots", "little", "big", "small", "good", "bad", "ok", "okay", "please", "thanks",
    "today", "yesterday", "tomorrow", "morning", "night", "day", "week", "month", "hour", "minute", "since",
    "until", "during", "between",
))  # fmt: skip


@dataclass(frozen=True)
class Emerging:
    """One word.

    Attributes:
        now, before: notes that hold it, lately and earlier.
        surprise: how much oftener it is said now; above `SURPRISE` chance is a poor explanation.
        contexts: a few of the notes, cut around it.
        near: what it may be: a person's or a brand's words stand around it oftener, or neither.
    """

    word: str
    now: int
    before: int
    surprise: float
    contexts: tuple[str, ...]
    near: str


def emerging(
    lately: Sequence[tuple[str, Sequence[Span]]], earlier: Sequence[str], known: Collection[str], most: int = 30
) -> list[Emerging]:
    """Words that are new or much more frequent, the most surprising first.

    Args:
        lately: texts with the labels that they were given; words in a time, a place or the like are known.
        earlier: texts of before.
        known: words that need no name, folded.
        most: of the list.
    """
    words, contexts, near = Counter[str](), dict[str, list[str]](), Counter[tuple[str, str]]()
    for text, spans in lately:
        read = prepared(text)
        seen = set[str]()
        for at, token in enumerate(read.tokens):
            word = singular(read.plain[at])
            labelled = any(span.label in _TOLD and span.start < token.end and token.start < span.end for span in spans)
            if labelled or word in seen or _ordinary(word, known) or _ordinary(read.plain[at], known):
                continue
            seen.add(word)
            words[word] += 1
            held = contexts.setdefault(word, [])
            if len(held) < CONTEXTS:
                held.append(text[max(0, token.start - AROUND) : token.end + AROUND])
            around = set(read.plain[max(0, at - 4) : at] + read.plain[at + 1 : at + 5])
            near[word, "person"] += bool(around & PERSON)
            near[word, "thing"] += bool(around & BRAND)
    before = Counter(word for text in earlier for word in {singular(one) for one in prepared(text).plain})
    found = []
    for word, now in words.items():
        surprise = _surprise(now, len(lately), before[word], len(earlier))
        if now >= LEAST and surprise >= SURPRISE:
            person, thing = near[word, "person"], near[word, "thing"]
            kind = "people's words" if person > thing else "things' words" if thing > person else "neither"
            found.append(Emerging(word, now, before[word], surprise, tuple(contexts[word]), kind))
    return sorted(found, key=lambda one: (-one.surprise, one.word))[:most]


def _surprise(now: int, lately: int, before: int, earlier: int) -> float:
    """G² of two rates; 0 where the word has not become more frequent. Without a history, one note of it is assumed."""
    if earlier == 0:
        earlier = max(1, lately)
    if now * earlier <= before * lately:
        return 0.0
    pooled = (now + before) / (lately + earlier)

    def part(k: int, n: int, p: float) -> float:
        likely = 0.0
        if k:
            likely += k * math.log(p)
        if n > k:
            likely += (n - k) * math.log1p(-p) if p < 1 else 0.0
        return likely

    return 2 * (
        part(now, lately, now / lately)
        + part(before, earlier, before / earlier)
        - part(now, lately, pooled)
        - part(before, earlier, pooled)
    )


def _ordinary(word: str, known: Collection[str]) -> bool:
    return (
        len(word) < 3 or not word.isalpha() or word in known or word in NO_NAME or word in _WORDS or word in PERSON
        or word in BRAND
    )  # fmt: skip
