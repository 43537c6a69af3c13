"""Sentences from templates: `(the|my) {product} (came|arrived) {defect}`.

`(a|b|)` is one of its parts, an empty one too; they may hold each other. `{label}` is a value of the list `label`,
marked as a slot of that label; `{label:list}` takes the value from another list; `{:list}` is not marked. Values may
hold choices themselves.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from core.errors import BadInput
from core.words.text import Span

Lexicon = Mapping[str, Sequence[str]]

_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{([a-z_]*)(?::([a-z_]+))?\}")

MADE_UP = {"product": 0.3, "brand": 0.4, "person": 0.4, "employee": 0.4, "defect": 0.12}  # chances, by label
_SYLLABLES = (
    "ba", "ber", "bi", "blo", "bra", "ca", "cha", "clo", "con", "cra", "da", "der", "di", "dra", "el", "en", "er",
    "fa", "fe", "fla", "for", "ga", "ger", "gli", "gro", "ha", "hel", "in", "ing", "ja", "ka", "ker", "ki", "la",
    "le", "let", "li", "lo", "ma", "men", "mi", "mo", "na", "ner", "ni", "no", "or", "pa", "per", "pi", "pla", "po",
    "pre", "ra", "re", "ri", "ro", "sa", "sha", "si", "ski", "so", "spa", "sta", "ster", "ta", "ter", "thro", "ti",
    "to", "tra", "tri", "un", "va", "ver", "vi", "wa", "wer", "win", "ya", "ze",
)  # fmt: skip


@dataclass(frozen=True)
class Grammar:
    """What a domain's sentences are made of; brands and people in its words are made up.

    Attributes:
        macros: what stands for longer pieces of templates.
        clauses: templates by intent.
        openers, closers: before and after a sentence's clauses.
        between: between two clauses.
        follows: intents that may go with an intent in one sentence.
        out_of_scope: templates of sentences that want none of the intents.
        words: lists that slots are filled from.
    """

    macros: Mapping[str, str]
    clauses: Mapping[str, Sequence[str]]
    openers: Sequence[str]
    closers: Sequence[str]
    between: Sequence[str]
    follows: Mapping[str, Sequence[str]]
    out_of_scope: Sequence[str]
    words: Lexicon


@cache
def grammar(domain: str) -> Grammar:
    """The grammar that is shipped for a domain."""
    values = json.loads((files("data.words") / f"{domain}.json").read_text(encoding="utf-8"))
    return Grammar(**{name: values[name] for name in Grammar.__dataclass_fields__})


def choose(template: str, chance: np.random.Generator) -> str:
    """Settle every choice of a template.

    Raises:
        BadInput: a bracket is missing.
    """
    while (match := _CHOICE.search(template)) is not None:
        parts = match.group(1).split("|")
        template = template[: match.start()] + parts[int(chance.integers(len(parts)))] + template[match.end() :]
    if "(" in template or ")" in template or "|" in template:
        raise BadInput(f"{template!r}: a bracket has no partner.")
    return template


def tidy(text: str) -> str:
    """One space between words, none before a sign."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\s+([,.!?;])", r"\1", text)


def fill(template: str, lexicon: Lexicon, chance: np.random.Generator) -> tuple[str, tuple[Span, ...]]:
    """A sentence of a template, and where its slots lie.

    Raises:
        BadInput: no such list.
    """
    plain = tidy(choose(template, chance))
    text, spans, at = "", list[Span](), 0
    for match in _SLOT.finditer(plain):
        label, name = match.group(1), match.group(2) or match.group(1)
        if name not in lexicon:
            raise BadInput(f"{template!r} asks for a list {name}, which there is not.")
        values = lexicon[name]
        value = _value(values[int(chance.integers(len(values)))], lexicon, chance)
        if label in MADE_UP and chance.random() < MADE_UP[label]:
            value = made_up(chance)
        text += plain[at : match.start()]
        if label:
            spans.append(Span(len(text), len(text) + len(value), label))
        text += value
        at = match.end()
    return text + plain[at:], tuple(spans)


def made_up(chance: np.random.Generator) -> str:
    """A word that there is not, or two: what a slot's word means must come from where it stands."""
    words = [
        "".join(_SYLLABLES[int(i)] for i in chance.integers(len(_SYLLABLES), size=int(chance.integers(2, 4))))
        for _ in range(1 if chance.random() < 0.75 else 2)
    ]
    return " ".join(words) + ("s" if chance.random() < 0.25 else "")


def _value(value: str, lexicon: Lexicon, chance: np.random.Generator) -> str:
    settled = tidy(choose(value, chance))
    while (match := _SLOT.search(settled)) is not None:  # a value may be made of other lists
        values = lexicon[match.group(2) or match.group(1)]
        inner = tidy(choose(values[int(chance.integers(len(values)))], chance))
        settled = settled[: match.start()] + inner + settled[match.end() :]
    return settled


def joined(pieces: Sequence[tuple[str, tuple[Span, ...]]], between: Sequence[str]) -> tuple[str, tuple[Span, ...]]:
    """Clauses as one sentence; `between` stands after each clause but the last."""
    text, spans = "", list[Span]()
    for at, (clause, found) in enumerate(pieces):
        spans += [Span(s.start + len(text), s.end + len(text), s.label) for s in found]
        text += clause
        if at < len(pieces) - 1:
            text += between[at]
    return text, tuple(spans)
