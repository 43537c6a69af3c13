"""Commands about detectors: train, evaluate, try against heatmaps, put in force, what is missing, the ladder."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import progress, put, table
from app.cli.shared import Json, Site, current, store

IOU = 0.33  # as core.learn.boxes has it, which loads what `--help` need not wait for

Dataset = Annotated[str, typer.Option("--dataset", help="A dataset by name.")]
Split = Annotated[str, typer.Option("--split", help="train, val or test.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A detector by name.")]
By = Annotated[str | None, typer.Option("--by", help="In whose name; their rights are theirs.")]
Pairs = Annotated[
    Path | None,
    typer.Option("--templates", metavar="CSV", help="file,template: the same part without a defect, where there is."),
]
Overlap = Annotated[float, typer.Option("--iou", min=0.05, max=0.95, help="From which overlap on a box is found.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Detectors: boxes learnt from corrected ones; they draw and never decide.",
                        no_args_is_help=True)  # fmt: skip
    group.command("train")(train)
    group.command("evaluate")(evaluate)
    group.command("try")(try_)
    group.command("use")(use)
    group.command("stop")(stop)
    group.command("list")(list_)
    group.command("history")(history)
    group.command("draw")(draw)
    group.command("missing")(missing)
    group.command("ladder")(ladder)
    cli.add_typer(group, name="detector")


def train(
    dataset: Dataset,
    arch: Annotated[str, typer.Option("--arch", help="Any convolutional timm architecture.")] = "efficientnet_b0",
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="pretrained, scratch, a .safetensors file, or a model's folder to go on from."),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="At most.")] = 40,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.01, help="Of the processor, at most; the best checkpoint is kept.")
    ] = 15.0,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    name: Annotated[str | None, typer.Option("--name", help="Of the detector.")] = None,
    masks: Annotated[
        bool, typer.Option("--masks", help="With a mask head, which learns outlines where regions have them.")
    ] = False,
    templates: Pairs = None,
    despite: Annotated[
        str | None, typer.Option("--despite", metavar="REASON", help="Go on although the dataset's certificate failed.")
    ] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Train a detector on drawn and corrected boxes; run again after a kill, it goes on where it was."""
    from app.jobs.science.detectors.training import train_detector

    with progress(f"Detector on {dataset}") as say:
        done = train_detector(
            store(by), current(), dataset, arch, weights, epochs, minutes, seed, name,
            masks=masks, templates=templates, despite=despite, progress=say,
        )  # fmt: skip
    put(done, as_json, lambda: _lines(done))


def evaluate(
    name: Name, dataset: Dataset, split: Split = "test", templates: Pairs = None, iou: Overlap = IOU,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Measure a detector's boxes: recall, precision, F with the class right and ignored, mAP, with intervals."""
    from app.jobs.science.detectors.trial import evaluate_detector

    with progress(f"Evaluating {name}") as say:
        done = evaluate_detector(store(), current(), name, dataset, split, templates=templates, iou=iou, progress=say)
    put(done, as_json, lambda: _figures(done))


def try_(
    name: Name, site: Site, dataset: Dataset, split: Split = "test", iou: Overlap = IOU, by: By = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Compare its boxes with those of the heatmaps of the model in use, box by box; opens `use` where it finds more."""
    from app.jobs.science.detectors.trial import try_detector

    with progress(f"{name} at {site}") as say:
        done = try_detector(store(by), current(), name, site, dataset, split, iou=iou, progress=say)
    put(done, as_json, lambda: _tried(done))


def use(
    name: Name,
    site: Site,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")],
    by: By = None,
    as_json: Json = False,
) -> None:
    """Let a detector draw at a site that is shown to find more boxes than the heatmaps; it decides nothing."""
    from app.jobs.science.detectors.training import opened

    held = store(by)
    opened(held, current(), name)  # nothing is put in force unread
    made = held.detectors.put_in_force(site, name, reason)
    document = {"site": site, "detector": name, "before": made.before, "trial": made.trial, "by": made.by}
    put(document, as_json, lambda: [f"{name} draws at {site} from the next delivery on. It decides nothing."])


def stop(
    site: Site,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")],
    by: By = None,
    as_json: Json = False,
) -> None:
    """Show the heatmap's boxes again."""
    made = store(by).detectors.stop(site, reason)
    document = {"site": site, "detector": None, "before": made.before, "by": made.by}
    put(document, as_json, lambda: [f"{made.before} draws at {site} no longer; the heatmap's boxes are shown."])


def list_(as_json: Json = False) -> None:
    """List the detectors of this plant, and where each draws."""
    held = store()
    drawing: dict[str, list[str]] = {}
    for site in held.sites.all():
        found = held.detectors.in_force(site.name)
        if found is not None:
            drawing.setdefault(found.name, []).append(site.name)
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "arch": one.card.get("arch"),
            "classes": list(one.card.get("classes", ())),
            "made": one.made_at.isoformat(timespec="seconds"),
            "draws_at": drawing.get(one.name, []),
        }
        for one in held.detectors.all()
    ]
    heads = ("name", "arch", "classes", "made", "draws at")
    put(rows, as_json, lambda: table(
        [[r["name"], r["arch"], len(r["classes"]), r["made"], ", ".join(r["draws_at"])] for r in rows], heads
    ))  # fmt: skip


def history(site: Site, as_json: Json = False) -> None:
    """Which detector drew at a site, since when, by whom and why."""
    found = store().detectors.history(site)
    rows = [
        {"at": one.at.isoformat(timespec="minutes"), "detector": one.detector, "before": one.before,
         "trial": one.trial, "by": one.by, "reason": one.reason}
        for one in found
    ]  # fmt: skip
    put(
        rows,
        as_json,
        lambda: table([list(r.values()) for r in rows], ("at", "detector", "before", "trial", "by", "why")),
    )


def draw(
    site: Site,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest pictures, at most.")] = 500,
    as_json: Json = False,
) -> None:
    """Let the detector in force draw on pictures that were filed before it was."""
    from app.jobs.science.detectors.line import draw_again

    done = draw_again(store(), current(), site, limit)
    put(done, as_json, lambda: _lines(done))


def missing(
    name: Name,
    dataset: Dataset,
    what: Annotated[str, typer.Option("--class", help="What a good picture has to show, such as SHIPPING_LABEL.")],
    view: Annotated[
        str | None, typer.Option("--view", help="Only pictures of this view have to show it; all where not given.")
    ] = None,
    split: Split = "test",
    as_json: Json = False,
) -> None:
    """Say on which pictures something is missing that has to be there, and how often that is right."""
    from app.jobs.science.detectors.presence import missing_in

    with progress(f"{what} in {dataset}") as say:
        done = missing_in(store(), current(), name, dataset, what, view, split, progress=say)
    put(done, as_json, lambda: _lines({k: v for k, v in done.items() if k != "pictures"}))


def ladder(
    dataset: Dataset,
    models: Annotated[
        list[str] | None, typer.Option("--model", help="A classifier or a detector; several times. All that are kept.")
    ] = None,
    split: Split = "test",
    as_json: Json = False,
) -> None:
    """Whole-image classifier, tile classifier, detector, masks: each measured on the same pictures."""
    from app.jobs.science.detectors.ladder import climb, rungs_of

    if models:
        with progress(f"Ladder on {dataset}") as say:
            done: Mapping[str, Any] = climb(store(), current(), dataset, models, split, progress=say)
    else:
        done = rungs_of(current(), dataset, split)
    heads = ("rung", "model", "auroc", "points right", "box recall", "box precision", "box F", "pixel F", "ms",
             "CPU minutes")  # fmt: skip
    put(done, as_json, lambda: table([_rung(one) for one in done["rungs"]], heads))


def _rung(one: Mapping[str, Any]) -> list[object]:
    values = [one[key] for key in ("auroc", "pointing", "recall", "precision", "f1")]
    return [one["rung"], one["model"], *(_figure(v) for v in values), _figure(one.get("pixel_f1")),
            _figure(one["milliseconds"]), _figure(one["cpu_minutes"])]  # fmt: skip


def _figures(done: dict[str, Any]) -> Iterator[str]:
    yield f"{done['detector']} on the {done['split']} part of {done['dataset']}, {done['pictures']} pictures"
    rows = [
        [name, *(_spread(one, key) for key in ("recall", "precision", "f1"))]
        for name, one in (("class right", done["class_right"]), ("class ignored", done["class_ignored"]))
    ]
    yield from table(rows, (f"at IoU {done['iou']:g}", "recall", "precision", "F"))
    bounds = done.get("map50_interval")
    yield f"mAP at IoU 0.5: {_figure(done['map50'])}" + (f" ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds else "")
    masks = done.get("masks")
    if masks is not None:
        rows = [
            [name, *(_spread(masks[key], figure) for figure in ("recall", "precision", "f1", "f1_by_picture"))]
            for name, key in (("outlines", "pixels"), ("boxes filled", "boxes_filled"))
        ]
        yield from table(rows, ("pixels of", "recall", "precision", "F", "F, mean of pictures"))
        yield f"mask AP at IoU 0.5: {_spread(masks, 'ap50')}"
        yield _outlines(masks)


def _spread(one: dict[str, Any], key: str) -> str:
    bounds = one[f"{key}_interval"]
    return _figure(one[key]) + (f" ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds else "")


def _tried(done: dict[str, Any]) -> Iterator[str]:
    bounds = done["interval"]
    yield (
        f"{done['detector']} finds {_figure(done['recall'])} of {done['drawn']} drawn boxes, the heatmaps of "
        f"{done['against']} {_figure(done['recall_before'])}; difference {done['difference']:+.3f}"
        + (f" ({bounds[0]:+.3f} to {bounds[1]:+.3f})" if bounds else "")
        + f", F {_figure(done['f1'])} against {_figure(done['f1_before'])}."
    )
    yield "It may take their place." if not done["refusal"] else f"It may not take their place: {done['refusal']}"
    if done.get("masks"):
        yield _outlines(done["masks"])


def _outlines(masks: Mapping[str, Any]) -> str:
    """Whether outlines are shown, in a sentence."""
    refusal = masks["against_boxes"]["refusal"]
    return f"Its outlines are not shown: {refusal}" if refusal else "Where it draws, its outlines are shown."


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict | list):
            text = json.dumps(value, ensure_ascii=False, default=str)
            yield f"{name}: {text if len(text) <= 200 else text[:197] + '...'}"
        else:
            yield f"{name}: {round(value, 4) if isinstance(value, float) else value}"
