"""What a net answers to sentences: intents, spans and how sure it is; calibrated on the dev part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from core.words.text import OUT_OF_SCOPE, Cut, Sentence, Span, runs_of, spans_of, tokens_of
from core.words.text_scores import Answer
from models.text.batches import MOST_WORDS, NONE, read_words
from models.text.net import DomainShape, TextNet
from models.text.vocabulary import Vocabulary

Floats = NDArray[np.float64]
_HIGHEST_SCOPE = 0.8  # where the dev part is all but certain, what is merely unusual must not fall out
_TEMPERATURES = (0.5, 5.0)
_SEVERAL = 0.5  # an intent of several is said where it is likelier than not


@dataclass(frozen=True)
class Limits:
    """How a domain's scores become chances and answers; all set on the dev part.

    Attributes:
        temperature: divides intent logits.
        slot_slope, slot_offset: of the logit of a span's chance.
        scope: a main intent less sure than this means out of scope.
        ask_below: an answer less sure than this is to be confirmed by a person.
    """

    temperature: float = 1.0
    slot_slope: float = 1.0
    slot_offset: float = 0.0
    scope: float = 0.0
    ask_below: float = 0.6


@dataclass(frozen=True)
class Raw:
    """Before calibration.

    Attributes:
        logits: (intents,).
        spans: as decoded.
        span_chances: the least likely word of each span, over all paths.
        domains: (domains,) logits.
        new_words: share of words that the net has never seen.
    """

    logits: Floats
    spans: tuple[Span, ...]
    span_chances: tuple[float, ...]
    domains: Floats
    new_words: float


@torch.no_grad()
def ask(
    net: TextNet,
    vocabulary: Vocabulary,
    shape: DomainShape,
    cut: Cut,
    texts: Sequence[str],
    batch: int = 64,
    sure: bool = True,
) -> list[Raw]:
    """Ask a net about texts of one domain.

    Args:
        net: in evaluation mode.
        vocabulary: its own.
        shape: the domain's intents and tags.
        cut: how texts become words.
        texts: any number, any length; words beyond MOST_WORDS are not read.
        batch: sentences read together.
        sure: whether to work out how likely each span is; 1 where not.
    """
    tokens = [tokens_of(text, cut)[:MOST_WORDS] for text in texts]
    order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
    out: dict[int, Raw] = {}
    heads = net.head(shape.name)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        words = [[t.text for t in tokens[i]] or [NONE] for i in part]
        read = read_words(words, vocabulary)
        inside = read.inside
        encoded = net.encoder(read)
        heard = heads(encoded)
        best = heads.crf.best(heard.slots, inside)
        chances = (
            heads.crf.shares(heard.slots, inside).gather(2, best[:, :, None])[:, :, 0].double().numpy()
            if sure
            else np.ones(best.shape)
        )
        logits, which = heard.intents.double().numpy(), net.domains(encoded).double().numpy()
        unseen = ((read.words == 1) & inside).sum(1) / read.lengths
        for row, i in enumerate(part):
            tags = [shape.tags[int(t)] for t in best[row, : len(tokens[i])]]
            runs = runs_of(tags, len(tokens[i]))
            out[i] = Raw(
                logits[row],
                spans_of(tokens[i], tags),
                tuple(float(min(1.0, chances[row, a:b].min())) for a, b, _ in runs),
                which[row],
                float(unseen[row]),
            )
    return [out[i] for i in range(len(texts))]


def chances_of(logits: Floats, several: bool, temperature: float = 1.0) -> Floats:
    """Chances of intents; logits (intents,) or (n, intents)."""
    scaled = logits / temperature
    if several:
        return np.asarray(1 / (1 + np.exp(-np.clip(scaled, -60, 60))))
    raised = np.exp(scaled - scaled.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True))


def answer_of(raw: Raw, shape: DomainShape, limits: Limits) -> Answer:
    """The answer to one sentence under a domain's limits."""
    chances = chances_of(raw.logits, shape.several, limits.temperature)
    main = int(chances.argmax())
    named = [main] if not shape.several else [int(i) for i in np.argsort(-chances) if chances[i] >= _SEVERAL]
    intents = tuple(shape.intents[i] for i in named)
    inside = in_scope(chances, shape)
    out = bool(set(intents) & OUT_OF_SCOPE) or inside < limits.scope
    return Answer(intents, raw.spans, float(chances[main]), out)


def in_scope(chances: Floats, shape: DomainShape) -> float:
    """How sure the likeliest intent is that is not out of scope."""
    kept = [c for c, name in zip(chances, shape.intents, strict=True) if name not in OUT_OF_SCOPE]
    return float(max(kept, default=0.0))


def span_chance(chance: float, limits: Limits) -> float:
    """A span's chance, calibrated."""
    return float(1 / (1 + np.exp(-(limits.slot_slope * _logit(chance) + limits.slot_offset))))


def calibrate(
    raws: Sequence[Raw], meant: Sequence[Sentence], shape: DomainShape, false_out: float, ask_below: float
) -> Limits:
    """Set a domain's limits on its dev part; without one, nothing is out of scope and nothing is rescaled.

    Args:
        raws: answers to the dev part.
        meant: its labels.
        shape: the domain.
        false_out: share of sentences in scope that may be called out of scope.
        ask_below: see Limits.
    """
    if not meant:
        return Limits(ask_below=ask_below)
    temperature = _temperature(raws, meant, shape)
    slope, offset = _span_scale(raws, meant)
    sure = sorted(
        in_scope(chances_of(r.logits, shape.several, temperature), shape)
        for r, s in zip(raws, meant, strict=True)
        if s.intents and s.intent not in OUT_OF_SCOPE
    )
    # the limit lies at the confidence of the sentence after those that may be lost: it is kept itself
    scope = min(_HIGHEST_SCOPE, sure[min(len(sure) - 1, int(false_out * len(sure)))]) if sure else 0.0
    return Limits(temperature, slope, offset, scope, ask_below)


def _temperature(raws: Sequence[Raw], meant: Sequence[Sentence], shape: DomainShape) -> float:
    number = {name: at for at, name in enumerate(shape.intents)}
    pairs = [(r.logits, s.intents) for r, s in zip(raws, meant, strict=True) if set(s.intents) <= set(number)]
    if not shape.several:
        pairs = [(logits, intents) for logits, intents in pairs if intents]
    if len(pairs) < 10:
        return 1.0
    logits = np.stack([p[0] for p in pairs])
    wanted = np.zeros_like(logits)
    for row, (_, intents) in enumerate(pairs):
        wanted[row, [number[i] for i in (intents if shape.several else intents[:1])]] = 1

    def loss(log_temperature: float) -> float:
        chances = np.clip(chances_of(logits, shape.several, float(np.exp(log_temperature))), 1e-12, 1 - 1e-12)
        lost = -wanted * np.log(chances)
        if shape.several:
            lost -= (1 - wanted) * np.log(1 - chances)
        return float(lost.sum())

    low, high = np.log(_TEMPERATURES)
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


def _span_scale(raws: Sequence[Raw], meant: Sequence[Sentence]) -> tuple[float, float]:
    said = [
        (_logit(chance), span in set(s.spans))
        for r, s in zip(raws, meant, strict=True)
        for span, chance in zip(r.spans, r.span_chances, strict=True)
    ]
    right = np.array([ok for _, ok in said], float)
    if len(said) < 20 or right.min() == right.max():
        return 1.0, 0.0
    x = np.array([logit for logit, _ in said])

    def loss(both: Floats) -> float:
        z = both[0] * x + both[1]
        return float(np.logaddexp(0, z).sum() - (right * z).sum() + 0.01 * ((both[0] - 1) ** 2 + both[1] ** 2))

    slope, offset = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.05, 5), (-10, 10)]).x
    return float(slope), float(offset)


def _logit(chance: float) -> float:
    kept = min(max(chance, 1e-6), 1 - 1e-6)
    return float(np.log(kept / (1 - kept)))
