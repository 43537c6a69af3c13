"""The product's own text: a seeded generator for both domains, with a data card, and a hand-written part for testing.

Some templates of every intent are kept for the dev part, so that limits are set on phrasings the net has not seen.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from core.words.text import Sentence, Span, marked
from data.words.grammar import Grammar, Lexicon, fill, grammar, joined

Domain = Literal["complaints", "notes"]
DOMAINS: tuple[Domain, ...] = ("complaints", "notes")
OUT = "oos"
VERSION = 2  # of templates and words: another version draws other sentences from the same seed
_OUT_SHARE = 0.08
_DEV_EVERY = 6  # one template in so many is kept for the dev part
_SECOND = (0.3, 0.06)  # chances of a second and of a third clause
_STYLES = ("as it is", "as it is", "sentence", "sentence", "capitals")


@dataclass(frozen=True)
class Study:
    """A drawn set: three parts, the last written by hand."""

    domain: Domain
    seed: int
    train: tuple[Sentence, ...]
    dev: tuple[Sentence, ...]
    test: tuple[Sentence, ...]


def draw(domain: Domain, train: int, dev: int, seed: int) -> Study:
    """Draw a domain's text; the same seed and version draw the same sentences."""
    parts: dict[str, tuple[Sentence, ...]] = {}
    for kept_for, number in (("train", train), ("dev", dev)):
        chance = np.random.default_rng([seed, DOMAINS.index(domain), kept_for == "dev"])
        seen = {_bare(s.text) for s in by_hand(domain)}  # what tests must never be learned from
        drawn: list[Sentence] = []
        tries = 0
        while len(drawn) < number and tries < 20 * number + 100:
            tries += 1
            sentence = _sentence(domain, kept_for == "dev", f"{domain}-{kept_for}-{len(drawn) + 1}", chance)
            if _bare(sentence.text) not in seen:
                seen.add(_bare(sentence.text))
                drawn.append(sentence)
        parts[kept_for] = tuple(drawn)
    return Study(domain, seed, parts["train"], parts["dev"], by_hand(domain))


@cache
def by_hand(domain: Domain) -> tuple[Sentence, ...]:
    """Sentences that people wrote, in other words than the templates'; for testing only, never for training."""
    rows = json.loads((files("data.words") / "by_hand" / f"{domain}.json").read_text(encoding="utf-8"))
    return tuple(marked(row["text"], f"{domain}-hand-{at}", row["intents"]) for at, row in enumerate(rows, 1))


def card(study: Study) -> dict[str, Any]:
    """The data card: what was drawn, of what, and what it cannot show."""
    held_for = grammar(study.domain).clauses
    return {
        "domain": study.domain,
        "version": VERSION,
        "seed": study.seed,
        "made_by": "data.words.study: templates filled from word lists; brands and people are made up",
        "templates": {intent: len(held) for intent, held in held_for.items()},
        "parts": {
            part: {
                "sentences": len(held),
                "intents": dict(sorted(Counter(i for s in held for i in s.intents).items())),
                "slots": dict(sorted(Counter(span.label for s in held for span in s.spans).items())),
                "words": round(sum(len(s.text.split()) for s in held) / max(1, len(held)), 1),
                "sha256": sha256("\n".join(s.text for s in held).encode()).hexdigest(),
            }
            for part, held in (("train", study.train), ("dev", study.dev), ("test", study.test))
        },
        "test_part": "written by hand in other words than the templates; for testing only",
        "meant_for": "a first model on a fresh machine, until a plant has labelled text of its own",
        "limits": [
            "English only.",
            "What customers and associates really write is more varied: figures on generated text flatter.",
            "Names, brands and places come from short lists; the net learns them by their surroundings.",
            "The hand-written part is small, and by the hand that wrote the templates.",
        ],
    }


def _sentence(domain: Domain, dev: bool, id: str, chance: np.random.Generator) -> Sentence:
    held = grammar(domain)
    if chance.random() < _OUT_SHARE:
        text, spans = fill(_pick(held.out_of_scope, dev, chance), held.words, chance)
        return _styled(id, text, (), (OUT,), chance)
    text, spans, intents = _wanted(held, dev, chance)
    return _styled(id, text, spans, intents, chance)


def _wanted(held: Grammar, dev: bool, chance: np.random.Generator) -> tuple[str, tuple[Span, ...], tuple[str, ...]]:
    """A sentence in scope: an opener, a clause for each of its intents, a closer."""
    intents = [_any(tuple(held.clauses), chance)]
    for share in _SECOND:
        follows = [i for i in held.follows.get(intents[0], ()) if i not in intents]
        if not follows or chance.random() >= share:
            break
        intents.append(_any(follows, chance))
    clauses = []
    for intent in intents:
        template = _pick(held.clauses[intent], dev, chance)
        for macro, choices in held.macros.items():
            template = template.replace(macro, choices)
        clauses.append(fill(template, held.words, chance))
    middle = joined(clauses, [_any(held.between, chance) for _ in clauses[1:]])
    opener = _edge(_any(held.openers, chance), held.words, chance)
    closer = _edge(_any(held.closers, chance), held.words, chance)
    text, spans = joined([opener, middle, closer], ["", ""])
    return text, spans, tuple(intents)


def _edge(template: str, lexicon: Lexicon, chance: np.random.Generator) -> tuple[str, tuple[Span, ...]]:
    """An opener or closer, whose outer spaces matter."""
    before, after = template[: len(template) - len(template.lstrip())], template[len(template.rstrip()) :]
    text, spans = fill(template, lexicon, chance)
    if not text:
        return "", ()
    return before + text + after, tuple(Span(s.start + len(before), s.end + len(before), s.label) for s in spans)


def _styled(
    id: str, text: str, spans: tuple[Span, ...], intents: tuple[str, ...], chance: np.random.Generator
) -> Sentence:
    style = _any(_STYLES, chance)
    if style == "sentence":
        text = text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?" else ".")
    elif style == "capitals" and chance.random() < 0.2 and len(text.upper()) == len(text):
        text = text.upper()
    return Sentence(id, text, intents, spans)


def _pick(templates: Sequence[str], dev: bool, chance: np.random.Generator) -> str:
    """A template; those of the dev part are never drawn for the training part."""
    held = [t for at, t in enumerate(templates) if (at % _DEV_EVERY == _DEV_EVERY - 1) == dev]
    return _any(held or templates, chance)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _any(values: Sequence[str], chance: np.random.Generator) -> str:
    return values[int(chance.integers(len(values)))]
