"""Commands about text models: train, evaluate, ask."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import progress, put, table
from app.cli.shared import Json, current
from core.errors import Conflict

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Labelled sentences: train, dev, test folders or .jsonl files.")
]
Model = Annotated[str, typer.Option("--model", help="A text model by name, or its folder.")]
Domain = Annotated[str | None, typer.Option("--domain", help="Whose heads answer, where the model has several.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    text = typer.Typer(help="Text models: complaints, notes and commands.", no_args_is_help=True)
    text.command("train")(train)
    text.command("extend")(extend)
    text.command("evaluate")(evaluate)
    text.command("compare")(compare)
    text.command("ask")(ask)
    text.command("make")(make)
    cli.add_typer(text, name="text")


def train(
    folder: Folder,
    seed: Annotated[int, typer.Option("--seed", help="Of everything random.")] = 0,
    config: Annotated[
        Path | None, typer.Option("--config", help="Domains, loss weights, encoder: a .yaml or .json file.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the model; made from folder, seed and time without it.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Other than the config's.")] = None,
    as_json: Json = False,
) -> None:
    """Train a joint text model from scratch; run again after a kill, it goes on where it was."""
    from app.jobs.words.text import train as work

    with progress(f"Training on {folder.name}") as say:
        done = work(current(), folder, config=config, seed=seed, name=name, epochs=epochs, progress=say)
    put(done, as_json, lambda: _trained(done))


def extend(
    folder: Folder,
    model: Model,
    config: Annotated[Path, typer.Option("--config", help="Names the model's domains and one more.")],
    name: Annotated[str, typer.Option("--name", help="Of the extended model.")],
    seed: Annotated[int, typer.Option("--seed", help="Of everything random.")] = 0,
    as_json: Json = False,
) -> None:
    """Add a domain to a model: new heads and an adapter, the encoder frozen; refused if an older domain falls."""
    from app.jobs.words.extending import extend as work

    with progress(f"Extending {model}") as say:
        done = work(current(), folder, model, config, name, seed=seed, progress=say)
    put(done, as_json, lambda: _extended(done))


def evaluate(
    folder: Folder,
    model: Model,
    split: Annotated[str, typer.Option("--split", help="train, dev or test.")] = "test",
    domain: Domain = None,
    as_json: Json = False,
) -> None:
    """Measure a text model: intents, exact slots, whole sentences, what is out of scope; with 95% intervals."""
    from app.jobs.words.text import evaluate as work

    done = work(current(), folder, model, split=split, domain=domain)
    put(done, as_json, lambda: _measured(done))


def compare(
    folder: Folder,
    model: Model,
    other: Annotated[str, typer.Option("--with", help="The text model to compare it with.")],
    split: Annotated[str, typer.Option("--split", help="train, dev or test; oldest sentences first.")] = "test",
    domain: Domain = None,
    as_json: Json = False,
) -> None:
    """Say which of two text models is better on completed sentences; look as often as you like."""
    from app.jobs.words.comparing import compare as work

    done = work(current(), folder, model, other, split=split, domain=domain)
    put(done, as_json, lambda: _compared(done))


def _compared(done: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{done['domain']}: of {done['sentences']} sentences only {done['first']} had {done['only_first']} right, only "
        f"{done['second']} {done['only_second']}."
    )
    if done["better"] is None:
        yield f"Which is better cannot be told yet (p {done['p_value']:.2g}, valid whenever you stop)."
    else:
        low, high = done["interval"]
        yield (
            f"{done['better']} is better (p {done['p_value']:.2g}, valid whenever you stop): of what one alone had "
            f"right, {done['second']}'s share is {low:.0%} to {high:.0%}."
        )


def ask(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Sentences, each in quotes.")],
    model: Model,
    domain: Domain = None,
    as_json: Json = False,
) -> None:
    """Show what a text model understands; nothing is done with it."""
    from app.jobs.words.text import understood

    done = understood(current(), texts, model, domain)
    put(done, as_json, lambda: _understood(done))


def make(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; a folder that does not exist yet.")],
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same sentences.")] = 0,
    sentences: Annotated[int, typer.Option("--sentences", min=1, help="Of each domain, to learn from.")] = 5000,
    as_json: Json = False,
) -> None:
    """Draw text of both product domains with its data card; the test part is written by hand."""
    from app.jobs.words.shipped import make_text

    if folder.exists():
        raise Conflict(f"There is something at {folder} already: name a new folder.")
    cards = make_text(folder, seed, sentences, max(1, sentences // 10))
    put(cards, as_json, lambda: _made(folder, cards))


def _made(folder: Path, cards: dict[str, Any]) -> Iterator[str]:
    for domain, card in cards.items():
        counts = ", ".join(f"{part} {held['sentences']}" for part, held in card["parts"].items())
        yield f"{folder / domain}: {counts}."
    yield f"Train on both with: holdpoint text train {folder} --config {folder / 'config.json'}"


def _trained(done: dict[str, Any]) -> Iterator[str]:
    yield f"{done['model']} is trained: {done['weights']:,} weights in {done['seconds']:.0f} s, at {done['folder']}."
    for part in ("dev", "test"):
        for found in done[part].values():
            yield from _measured(found, short=True)


def _extended(done: dict[str, Any]) -> Iterator[str]:
    yield f"{done['model']} knows {done['domain']} now ({done['seconds']:.0f} s), at {done['folder']}."
    for found in done["test"].values():
        yield from _measured(found, short=True)


def _measured(found: dict[str, Any], short: bool = False) -> Iterator[str]:
    low, high = found["intent_interval"]
    yield (
        f"{found['domain']}, {found['split']}, {found['sentences']} sentences: intents {found['intent_accuracy']:.1%} "
        f"({low:.1%}–{high:.1%}), slot F1 {found['slot_f1']:.1%}, whole sentences {found['sentence_accuracy']:.1%}."
    )
    if found["out_of_scope_recall"] is not None:
        yield (
            f"Out of scope: {found['out_of_scope_recall']:.1%} of {found['out_of_scope']} found; "
            f"in scope {found['in_scope_accuracy']:.1%} right of {found['in_scope']}, "
            f"{found['held_back']:.1%} called out of scope."
        )
    if found["sentences_of_unknown_intent"]:
        unknown = found["sentences_of_unknown_intent"]
        yield f"{unknown} sentences want what the model never learned; they count as wrong."
    if not short and found["slots"]:
        rows = [
            [label, c["n"], f"{c['precision']:.1%}", f"{c['recall']:.1%}", f"{c['f1']:.1%}"]
            for label, c in found["slots"].items()
        ]
        yield from table(rows, ("slot", "spans", "precision", "recall", "F1"))


def _understood(done: list[dict[str, Any]]) -> Iterator[str]:
    for said in done:
        what = "out of scope" if said["out_of_scope"] else " + ".join(said["intents"]) or said["intent"]
        asks = ", to be confirmed" if said["confirm"] else ""
        yield f"{said['text']}: {said['domain']} → {what} ({said['confidence']:.0%}{asks})"
        for slot in said["slots"]:
            yield f"  {slot['label']}: {slot['text']} ({slot['confidence']:.0%})"
