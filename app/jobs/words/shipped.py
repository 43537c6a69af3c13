"""The text model that is shipped: `python -m app.jobs.words.shipped` draws, trains, measures and puts it in place.

It learns from generated text only; the hand-written part measures it, with and without what speech recognition does.
`--compare` trains each domain by itself as well and prints joint against separate.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from app.jobs.intake.line import SHIPPED, Progress, quiet
from app.jobs.words import text as jobs
from app.settings import Settings, settings
from core.words.text import Sentence, Span, tags_of, tokens_of
from core.words.text_gates import TextLimits, text_gate
from core.words.text_noise import Noise, disturb
from core.words.text_scores import recall_by_label, score, span_counts
from data.words.corpus import write_lines
from data.words.study import DOMAINS, Domain, by_hand, card, draw

NAME, SEED = "text", 2030
TRAIN, DEV = 5000, 500  # sentences of each domain
NOISE = Noise(sentences=1.0, case=1.0, punctuation=1.0, sounds=0.1, letters=0.05, dropped=0.05, fillers=0.05)
_NOISE_SEED = 7


def make_text(folder: Path, seed: int = SEED, train: int = TRAIN, dev: int = DEV) -> dict[str, Any]:
    """Draw both domains' text into a folder of JSON lines, with a data card and the config beside it.

    Returns:
        The data cards by domain.
    """
    cards: dict[str, Any] = {}
    for domain in DOMAINS:
        study = draw(domain, train, dev, seed)
        for part, held in (("train", study.train), ("dev", study.dev), ("test", study.test)):
            write_lines(folder / domain / f"{part}.jsonl", held)
        cards[domain] = card(study)
    (folder / "card.json").write_text(json.dumps(cards, indent=1) + "\n", "utf-8")
    (folder / "config.json").write_text(config_text(), "utf-8")
    return cards


def config_text() -> str:
    """The config of the shipped model."""
    return (files("data.words") / "product.json").read_text(encoding="utf-8")


def disturbed(sentences: Sequence[Sentence], noise: Noise = NOISE, seed: int = _NOISE_SEED) -> tuple[Sentence, ...]:
    """Sentences as a speech recogniser would have written them; their spans follow."""
    chance = np.random.default_rng(seed)
    out = []
    for sentence in sentences:
        tokens = tokens_of(sentence.text)
        words, tags = disturb([t.text for t in tokens], tags_of(tokens, sentence.spans), noise, chance)
        text, spans = " ".join(words), list[Span]()
        at = 0
        for word, tag in zip(words, tags, strict=True):
            if tag.startswith("B-"):
                spans.append(Span(at, at + len(word), tag[2:]))
            elif tag.startswith("I-") and spans:
                spans[-1] = Span(spans[-1].start, at + len(word), tag[2:])
            at += len(word) + 1
        out.append(Sentence(sentence.id, text, sentence.intents, tuple(spans)))
    return tuple(out)


def examine(folder: Path, domains: Sequence[Domain] = DOMAINS) -> dict[str, Any]:
    """Measure a model on the hand-written part of each domain, as written and as heard."""
    from models.text.answering import answer_of, ask
    from models.text.checkpoint import load

    model = load(folder)
    found: dict[str, Any] = {}
    for domain in domains:
        shape, limits = model.shape(domain), model.card.limits[domain]
        found[domain] = {}
        for how, meant in (("as written", by_hand(domain)), ("as heard", disturbed(by_hand(domain)))):
            raws = ask(model.net, model.card.vocabulary, shape, model.card.cuts[domain], [s.text for s in meant])
            said = [answer_of(raw, shape, limits) for raw in raws]
            scores = score(meant, said)
            right_domain = None
            if len(model.card.domains) > 1:
                names = [d.name for d in model.card.domains]
                right_domain = sum(names[int(r.domains.argmax())] == domain for r in raws) / len(raws)
            slots = span_counts(meant, said)
            found[domain][how] = {
                **{k: v for k, v in asdict(scores).items() if not k.endswith("interval")},
                "intent_interval": list(scores.intent_interval or ()),
                "slot_recall": slots.recall,
                "slot_precision": slots.precision,
                "recall_by_label": {label: [c.right, c.meant] for label, c in recall_by_label(meant, said).items()},
                "domain_told": right_domain,
                "gate": [c.sentence for c in text_gate(meant, said, TextLimits()).criteria if c.decides],
            }
    return found


def make(out: Path, base: Settings, progress: Progress = quiet) -> dict[str, Any]:
    """Draw, train, examine, and put the model into `out`; a model that lies there is replaced at the end."""
    from models.text.checkpoint import TextCard, load, save

    home = base.home / "study-text"
    here = base.model_copy(update={"home": home})
    cards = make_text(home / "words")
    made = here.models / jobs.SUBFOLDER / NAME
    trained: dict[str, Any] = {}
    if not made.exists():
        trained = jobs.train(
            here, home / "words", config=home / "words" / "config.json", seed=SEED, name=NAME, progress=progress
        )
    found = examine(made)
    model = load(made)
    written = TextCard(**{**model.card.__dict__, "metrics": {"by_hand": found, "dev": trained.get("dev", {})}})
    written = TextCard(**{**written.__dict__, "dataset": {**written.dataset, "cards": cards}})
    draft = home / "draft" / NAME
    shutil.rmtree(draft, ignore_errors=True)
    save(draft, model.net, written, half=True)
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(draft, out)
    return {"model": NAME, "seconds": trained.get("seconds"), "weights": trained.get("weights"), "by_hand": found}


def compare(base: Settings, progress: Progress = quiet) -> dict[str, Any]:
    """Train each domain by itself with the joint config; the joint model must have been made here."""
    from models.text.checkpoint import read_card

    here = base.model_copy(update={"home": base.home / "study-text"})
    words = here.home / "words"
    joint = here.models / jobs.SUBFOLDER / NAME
    rows: dict[str, Any] = {"joint": {**_cost(read_card(joint).training), "by_hand": examine(joint)}}
    for domain in DOMAINS:
        values = json.loads(config_text())
        values["domains"] = [d for d in values["domains"] if d["name"] == domain]
        path = words / f"only-{domain}.json"
        path.write_text(json.dumps(values), "utf-8")
        made = here.models / jobs.SUBFOLDER / f"only-{domain}"
        if not made.exists():
            jobs.train(here, words, config=path, seed=SEED, name=f"only-{domain}", progress=progress)
        rows[domain] = {**_cost(read_card(made).training), "by_hand": examine(made, (domain,))}
    return rows


def _cost(training: Any) -> dict[str, Any]:
    return {"weights": training["weights"], "seconds": training["seconds"]}


def main(arguments: list[str]) -> None:
    """Make the model; compare where asked."""

    def say(done: int, total: int, message: str) -> None:
        sys.stderr.write(f"\r{done}/{total} {message:<100}")

    done = compare(settings(), say) if "--compare" in arguments else make(SHIPPED / NAME, settings(), say)
    sys.stdout.write(json.dumps(done, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
