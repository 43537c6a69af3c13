"""What texts want and name: `understand(model, texts)`, the one way in for complaints and the command bar.

    model = load(folder)
    for said in understand(model, ["the mug came cracked"], domain="complaints"):
        said.intent, said.slots, said.out_of_scope, said.confirm

Nothing here acts: what a text is understood as is shown to a person before anything is done with it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.words.text import OUT_OF_SCOPE
from models.text.answering import Raw, answer_of, ask, chances_of, span_chance
from models.text.checkpoint import TextModel

MOST_CHARACTERS = 4000  # of a text; what lies beyond is not read


@dataclass(frozen=True)
class Slot:
    """Words that name something: `text[start:end]` of the text as given.

    Attributes:
        confidence: chance that place and label are exactly right, in [0, 1].
    """

    start: int
    end: int
    label: str
    text: str
    confidence: float


@dataclass(frozen=True)
class Understood:
    """What one text was understood as.

    Attributes:
        domain: as given, or the likeliest.
        intent: the main one; empty where it is out of scope.
        confidence: chance that the main intent is right, in [0, 1].
        intents: every intent that is likelier than not, the main one first; empty where it is out of scope.
        out_of_scope: none of the domain's intents fits: hand it to a person.
        confirm: something is less sure than the domain's limit: ask before anything is done.
        new_words: share of its words that the model has never seen.
    """

    text: str
    domain: str
    intent: str
    confidence: float
    intents: tuple[str, ...]
    slots: tuple[Slot, ...]
    out_of_scope: bool
    confirm: bool
    new_words: float


def understand(model: TextModel, texts: Sequence[str], domain: str | None = None) -> list[Understood]:
    """Understand texts.

    Args:
        model: as loaded.
        texts: as typed or heard; beyond MOST_CHARACTERS they are not read.
        domain: whose heads answer; where None each text goes to the likeliest domain.

    Returns:
        One for each text, in their order. An empty text is out of scope.

    Raises:
        NotFound: the model has no such domain.
    """
    shapes = model.card.domains
    read = [text[:MOST_CHARACTERS] for text in texts]
    known = domain is not None or len(shapes) == 1
    wanted = [model.shape(domain).name] * len(read) if known else _domains(model, read)
    rows: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(wanted):
        rows[name].append(at)
    out: dict[int, Understood] = {}
    for name, places in rows.items():
        shape = model.shape(name)
        raws = ask(model.net, model.card.vocabulary, shape, model.card.cuts[name], [read[i] for i in places])
        for at, raw in zip(places, raws, strict=True):
            out[at] = _understood(model, name, read[at], raw)
    return [out[at] for at in range(len(read))]


def _domains(model: TextModel, texts: Sequence[str]) -> list[str]:
    first = model.card.domains[0]
    raws = ask(model.net, model.card.vocabulary, first, model.card.cuts[first.name], texts, sure=False)
    return [model.card.domains[int(raw.domains.argmax())].name for raw in raws]


def _understood(model: TextModel, domain: str, text: str, raw: Raw) -> Understood:
    shape, limits = model.shape(domain), model.card.limits[domain]
    answer = answer_of(raw, shape, limits)
    slots = tuple(
        Slot(span.start, span.end, span.label, text[span.start : span.end], span_chance(chance, limits))
        for span, chance in zip(raw.spans, raw.span_chances, strict=True)
    )
    out = answer.out_of_scope or not text.strip()
    chances = chances_of(raw.logits, shape.several, limits.temperature)
    main = shape.intents[int(np.argmax(chances))] if shape.intents else ""
    intents = answer.intents or ((main,) if main else ())
    doubtful = answer.confidence < limits.ask_below or any(s.confidence < limits.ask_below for s in slots)
    return Understood(
        text=text,
        domain=domain,
        intent="" if out or main in OUT_OF_SCOPE else main,
        confidence=answer.confidence,
        intents=() if out else tuple(i for i in intents if i not in OUT_OF_SCOPE),
        slots=slots,
        out_of_scope=out,
        confirm=out or doubtful,
        new_words=raw.new_words,
    )
