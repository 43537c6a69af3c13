"""The text model's speed: one sentence on one core, batches on two; words to answers, tokenising included.

The net of the default size is untrained, with as many tags as SNIPS has: speed does not depend on what it learned.
Accuracy is measured by `holdpoint text evaluate`.
"""

import json
from statistics import median
from time import perf_counter
from typing import Any

import torch

from app.jobs.intake.line import SHIPPED
from app.jobs.words.shipped import NAME
from data.words.study import draw
from models.text.answering import answer_of, ask
from models.text.checkpoint import TextModel, load
from models.text.config import EncoderConfig
from models.text.net import DomainShape, build, size_of
from models.text.understanding import understand
from models.text.vocabulary import Vocabulary, plain_words

TAGS = 72
SENTENCES, ALONE, TURNS = 2048, 200, 5


def main() -> dict[str, Any]:
    """Milliseconds a sentence and sentences a second; medians of turns."""
    texts = [s.text for domain in ("complaints", "notes") for s in draw(domain, SENTENCES // 2, 1, 11).train]
    shipped = load(SHIPPED / NAME)
    net, vocabulary, shape = _default(texts)
    threads = torch.get_num_threads()
    out: dict[str, Any] = {
        "sentences": len(texts),
        "words_a_sentence": round(sum(len(t.split()) for t in texts) / len(texts), 1),
        "default_weights": size_of(net),
        "shipped_weights": size_of(shipped.net),
    }
    try:
        torch.set_num_threads(1)
        for name, one in (
            ("default", lambda text: ask(net, vocabulary, shape, "space", [text])),
            ("shipped", lambda text: understand(shipped, [text], domain="notes")),
        ):
            for text in texts[:20]:
                one(text)
            taken = sorted(_milliseconds(one, text) for text in texts[:ALONE])
            out[f"{name}_ms_alone_one_core"] = round(median(taken), 2)
            out[f"{name}_ms_alone_one_core_p99"] = round(taken[int(0.99 * len(taken))], 2)
        torch.set_num_threads(2)
        shape_of_notes, limits = shipped.shape("notes"), shipped.card.limits["notes"]
        for name, many in (
            ("default", lambda: ask(net, vocabulary, shape, "space", texts, batch=128, sure=False)),
            ("default_with_confidence", lambda: ask(net, vocabulary, shape, "space", texts, batch=128)),
            ("shipped", lambda: _shipped(shipped, shape_of_notes, limits, texts)),
        ):
            many()
            seconds = [_milliseconds(lambda _, work=many: work(), "") / 1000 for _ in range(TURNS)]
            out[f"{name}_per_second_two_cores"] = round(len(texts) / median(seconds))
    finally:
        torch.set_num_threads(threads)
    return out


def _shipped(model: TextModel, shape: DomainShape, limits: Any, texts: list[str]) -> None:
    for raw in ask(model.net, model.card.vocabulary, shape, "words", texts, batch=128):
        answer_of(raw, shape, limits)


def _default(texts: list[str]) -> tuple[Any, Vocabulary, DomainShape]:
    vocabulary = Vocabulary.of(plain_words(text.split()) for text in texts)
    words = (*vocabulary.words, *(f"w{i}" for i in range(11_000 - len(vocabulary))))
    vocabulary = Vocabulary(words, (1,) * len(words), vocabulary.letters)
    tags = ("O", *(f"{kind}-{n}" for n in range(TAGS // 2) for kind in "BI"))
    shape = DomainShape("text", tuple("abcdefg"), tags)
    torch.manual_seed(0)
    return build(EncoderConfig(), vocabulary, [shape]).eval(), vocabulary, shape


def _milliseconds(work: Any, text: str) -> float:
    began = perf_counter()
    work(text)
    return 1000 * (perf_counter() - began)


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
