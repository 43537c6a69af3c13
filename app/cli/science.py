"""Commands about models: train, evaluate, models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import models as earning
from app.cli.output import progress, put, table
from app.cli.shared import Json, current, store

Model = Annotated[str, typer.Option("--model", help="A model by name.")]
Dataset = Annotated[str, typer.Option("--dataset", help="A dataset by name.")]
Split = Annotated[str, typer.Option("--split", help="train, val or test.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command()(train)
    cli.command()(evaluate)
    models = typer.Typer(help="Trained models.", no_args_is_help=True)
    models.command("list")(models_list)
    models.command("show")(models_show)
    models.command("add")(models_add)
    models.command("use")(models_use)
    models.command("looks")(models_looks)
    earning.register(models)
    cli.add_typer(models, name="models")


def train(
    dataset: Dataset,
    arch: Annotated[str, typer.Option("--arch", help="Any timm architecture.")] = "efficientnet_b0",
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="pretrained, scratch, or a .safetensors file; pretrained where it can be had."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="At most; training stops early by itself.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the model; made from dataset and time without it.")
    ] = None,
    despite: Annotated[
        str | None, typer.Option("--despite", metavar="REASON", help="Go on although the dataset's certificate failed.")
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Then train once more, on training and validation pictures together.")
    ] = False,
    adapt: Annotated[
        str | None, typer.Option("--adapt", metavar="MODEL", help="Keep this model's trunk, teach its last layers.")
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", help="Learn from the dataset's pictures of this site only.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on a dataset; run again after a kill, it goes on where it was.

    A model that was adapted is compared with the one it came from, on the site's own pictures.
    """
    from app.jobs.science.adapting import against_parent
    from app.jobs.science.train import train as work

    held = store()
    with progress(f"Training on {dataset}") as say:
        done = work(
            held,
            current(),
            dataset,
            arch=arch,
            weights=weights,
            epochs=epochs,
            seed=seed,
            name=name,
            despite=despite,
            refit=refit,
            adapt=adapt,
            site=site,
            progress=say,
        )
        if adapt is not None:
            done["against_parent"] = against_parent(held, current(), done["model"], dataset, site, progress=say)
    put(done, as_json, lambda: _lines(done))


def evaluate(
    model: Model,
    dataset: Dataset,
    split: Split = "test",
    as_json: Json = False,
) -> None:
    """Measure a model on a part of a dataset, with intervals and the flag-all baseline."""
    from app.jobs.science.evaluate import evaluate as work

    with progress(f"Evaluating {model}") as say:
        done = work(store(), current(), model, dataset, split, progress=say)
    put(done, as_json, lambda: _lines(done))


def models_list(as_json: Json = False) -> None:
    """List the models of this plant."""
    held = store()
    used: dict[str, list[str]] = {}
    for site in held.sites.all():
        if site.model:
            used.setdefault(site.model, []).append(site.name)
    found = [
        {
            "name": one.name,
            "arch": one.card.get("arch"),
            "classes": len(one.card.get("classes", ())),
            "made": one.created_at.isoformat(timespec="seconds"),
            "used_at": used.get(one.name, []),
        }
        for one in held.models.all()
    ]
    heads = ("name", "arch", "classes", "made", "used at")
    rows = [
        [one["name"], one["arch"], one["classes"], one["made"], ", ".join(used.get(str(one["name"]), []))]
        for one in found
    ]
    put(found, as_json, lambda: table(rows, heads))


def models_show(name: Annotated[str, typer.Argument(metavar="NAME")], as_json: Json = False) -> None:
    """Show a model's card: what it is, how it was trained, what it was measured at."""
    card = dict(store().models.get(name).card)
    put(card, as_json, lambda: _lines(card))


def models_add(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A model's folder: card.json and weights.safetensors.")
    ],
    as_json: Json = False,
) -> None:
    """Bring a model from elsewhere into this plant; its hash is checked, and pickles are refused."""
    from app.jobs.science.models import add_model

    added = add_model(store(), current(), folder)
    put({"model": added.name, "sha256": added.sha256}, as_json, lambda: [f"{added.name} is in this plant."])


def models_use(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    site: Annotated[str, typer.Option("--site", help="Where it decides from now on.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")] = "",
    as_json: Json = False,
) -> None:
    """Put a model in use at a site without a gate, as when it is set up; `promote` is the way where parts run.

    Until it is calibrated there, nothing passes by itself.
    """
    held = store()
    held.sites.set_model(site, name, reason)
    now = held.sites.get(site)
    document = {"site": site, "model": now.model, "calibrated": now.calibrated}
    told = "calibrated" if now.calibrated else "not calibrated: nothing passes by itself (see thresholds calibrate)"
    put(document, as_json, lambda: [f"{name} is in use at {site}, {told}."])


def models_looks(
    model: Model,
    dataset: Dataset,
    split: Split = "test",
    as_json: Json = False,
) -> None:
    """Compare ways to look at pictures: time, and recall by size of defect, for the model's own and its neighbours."""
    from app.jobs.science.looks import compare_looks

    with progress(f"Looks of {model}") as say:
        done = compare_looks(store(), current(), model, dataset, split, progress=say)
    measured = [one["recall_by_size"] for one in done["looks"] if one["recall_by_size"]]
    heads = ("look", "tiles", "ms", "auroc", *(one["size"] for found in measured[:1] for one in found["bins"]))
    put(done, as_json, lambda: table([_look_row(one) for one in done["looks"]], heads))


def _look_row(one: dict[str, Any]) -> list[object]:
    found = one["recall_by_size"]
    bins = [f"{b['found']}/{b['n']}" if b["n"] else None for b in found["bins"]] if found else []
    auroc = None if one["auroc"] is None else f"{one['auroc']:.3f}"
    return [one["name"], one["tiles"], f"{one['milliseconds']:.1f}", auroc, *bins]


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict | list):
            text = json.dumps(value, ensure_ascii=False, default=str)
            yield f"{name}: {text if len(text) <= 200 else text[:197] + '...'}"
        else:
            yield f"{name}: {round(value, 4) if isinstance(value, float) else value}"
