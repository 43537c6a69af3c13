"""Train a text model on folders of labelled sentences, and measure it."""

import re
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, quiet
from app.settings import Settings
from core.errors import BadInput, Conflict, NotFound
from core.words.text_scores import SpanCounts, is_out_of_scope, recall_by_label, score
from data.words.corpus import Folder, read_folder

if TYPE_CHECKING:
    from models.text.checkpoint import TextModel
    from models.text.config import TextConfig

SUBFOLDER = "text"  # of the models' folder: the engine's own models lie beside it


def train(
    settings: Settings,
    folder: Path,
    *,
    config: Path | None = None,
    seed: int = 0,
    name: str | None = None,
    epochs: int | None = None,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Train a joint text model from scratch and measure it on its test parts.

    Killed and run again with the same name it goes on after its last whole epoch.

    Args:
        settings: for the home folder.
        folder: of labelled sentences; with a config, the folder that the config's own folders lie in.
        config: .yaml or .json; the defaults for one domain where None.
        seed: of everything random.
        name: of the model; made from folder, seed and time where None.
        epochs: other than the config's.
        now: for the card.
        progress: told how far it is.

    Returns:
        {model, folder, epochs, best_epoch, seconds, weights, dev, test}.

    Raises:
        NotFound, BadInput: nothing to learn from.
        Conflict: a model of that name exists.
    """
    from models.text.checkpoint import card_of, save
    from models.text.net import size_of
    from models.text.training import fingerprint, fit

    at = now or datetime.now(UTC)
    corpora, folders, setting = read_corpora(folder, config, epochs)
    model = name or f"{_plain(folder.resolve().name)}-s{seed}-{at:%Y%m%d-%H%M%S}"
    out = settings.models / SUBFOLDER / plain_name(model)
    if out.exists():
        raise Conflict(f"There is a text model '{model}' already: choose another name.")
    state = settings.models / ".training" / f"text-{fingerprint(corpora, setting, seed)[:24]}.safetensors"
    trained = fit(corpora, setting, seed, state=state, progress=progress)
    card = card_of(
        trained,
        model,
        at,
        encoder=setting.encoder,
        dataset={
            c.config.name: {
                "folder": folders[c.config.name].name,
                **{part: len(held) for part, held in folders[c.config.name].parts.items()},
                "cut_here": folders[c.config.name].cut_here,
                "overlapping_slots_left_out": folders[c.config.name].overlapping,
            }
            for c in corpora
        },
        training={
            "config": setting.to_json(),
            "seed": seed,
            "history": list(trained.history),
            "best_epoch": trained.best,
            "seconds": trained.seconds,
            "weights": size_of(trained.net),
        },
    )
    save(out, trained.net, card)
    state.unlink(missing_ok=True)
    progress(1, 1, "measuring")
    return {
        "model": model,
        "folder": str(out),
        "epochs": trained.epochs,
        "best_epoch": trained.best,
        "seconds": trained.seconds,
        "weights": size_of(trained.net),
        "dev": {d: _measured(out, folders[d], d, "dev") for d in folders if folders[d].parts["dev"]},
        "test": {d: _measured(out, folders[d], d, "test") for d in folders if folders[d].parts["test"]},
    }


def evaluate(
    settings: Settings, folder: Path, model: str, *, split: str = "test", domain: str | None = None
) -> dict[str, Any]:
    """Measure a text model on a part of a folder.

    Args:
        settings: for the home folder.
        folder: of labelled sentences.
        model: by name, or the path of its folder.
        split: train, dev or test.
        domain: whose heads answer; needed where the model has several.

    Returns:
        {intent_accuracy, slot_f1, sentence_accuracy, …}; intervals are 95%.

    Raises:
        NotFound: no such model, folder or domain.
        BadInput: the part is empty.
    """
    read = read_folder(folder)
    if not read.parts.get(split):
        have = ", ".join(part for part, held in read.parts.items() if held) or "nothing"
        raise BadInput(f"{folder} has no part {split} (it has {have}): name another with --split.")
    return _measured(find(settings, model), read, domain, split)


def find(settings: Settings, model: str) -> Path:
    """The folder of a text model: of this plant, shipped, or given as a path.

    Raises:
        NotFound: there is none.
    """
    from app.jobs.intake.line import SHIPPED

    for place in (settings.models / SUBFOLDER / model, SHIPPED / model, Path(model)):
        if (place / "card.json").is_file():
            return place
    raise NotFound(f"There is no text model '{model}': train one with `holdpoint text train DIR`.")


def measure(model: "TextModel", folder: Folder, domain: str | None, split: str) -> dict[str, Any]:
    """The figures of one part, as `evaluate` gives them."""
    from models.text.answering import answer_of, ask

    shape = model.shape(domain)
    meant = folder.parts[split]
    limits, cut = model.card.limits[shape.name], model.card.cuts[shape.name]
    began = time.perf_counter()
    raws = ask(model.net, model.card.vocabulary, shape, cut, [s.text for s in meant])
    seconds = time.perf_counter() - began
    said = [answer_of(raw, shape, limits) for raw in raws]
    found = score(meant, said)
    unknown = sum(bool(s.intents) and not set(s.intents) <= set(shape.intents) for s in meant)
    return {
        **{k: v for k, v in asdict(found).items() if k != "sentences"},
        "intent_interval": found.intent_interval and list(found.intent_interval),
        "sentence_interval": found.sentence_interval and list(found.sentence_interval),
        "sentences": found.sentences,
        "split": split,
        "domain": shape.name,
        "model": model.card.name,
        "sentences_of_unknown_intent": unknown,
        "in_scope": sum(not is_out_of_scope(s) for s in meant),
        "slots": {label: _counts(c) for label, c in recall_by_label(meant, said).items()},
        "new_words": sum(raw.new_words for raw in raws) / len(raws),
        "seconds": round(seconds, 3),
    }


def _measured(folder: Path, read: Folder, domain: str | None, split: str) -> dict[str, Any]:
    from models.text.checkpoint import load

    return measure(load(folder), read, domain, split)


def read_corpora(
    folder: Path, path: Path | None, epochs: int | None
) -> "tuple[list[Any], Mapping[str, Folder], TextConfig]":
    """What a config's domains are trained on, the folders it came from, and the config with other epochs."""
    from models.text.config import TextConfig, config_of, read_config
    from models.text.training import Corpus

    config = read_config(path) if path else TextConfig()
    folders: dict[str, Folder] = {}
    for domain in config.domains:
        folders[domain.name] = read_folder(folder / domain.folder if domain.folder else folder)
    values = config.to_json()
    if epochs is not None:
        values["training"]["epochs"] = epochs
    config = config_of(values)
    corpora = [
        Corpus(d, folders[d.name].parts["train"], folders[d.name].parts["dev"], d.cut or folders[d.name].cut)
        for d in config.domains
    ]
    return corpora, folders, config


def plain_name(name: str) -> str:
    """A name that a model may have.

    Raises:
        BadInput: it may not.
    """
    if _plain(name) != name:
        raise BadInput(f"A model cannot be called {name!r}: use letters, digits, dots, dashes and underscores.")
    return name


def _counts(counts: SpanCounts) -> dict[str, Any]:
    return {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1, "n": counts.meant}


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "text"


def understood(settings: Settings, texts: list[str], model: str, domain: str | None = None) -> list[dict[str, Any]]:
    """What a text model understands of texts, as plain values.

    Raises:
        NotFound: no such model or domain.
    """
    from models.text.checkpoint import load
    from models.text.understanding import understand

    return [asdict(said) for said in understand(load(find(settings, model)), texts, domain)]
