"""Commands by which a model earns its place: gate, shadow, promote, roll back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import progress, put, table
from app.cli.shared import Json, Site, current, read_json, store
from core.errors import BadInput
from core.serving import SHADOW_HOURS, ModelChange

Name = Annotated[str, typer.Argument(metavar="NAME")]
By = Annotated[str | None, typer.Option("--by", help="Name of the account that acts; the plant itself without it.")]


def register(models: typer.Typer) -> None:
    """Add the commands to the group of `holdpoint models`."""
    models.command("gate")(models_gate)
    models.command("shadow")(models_shadow)
    models.command("promote")(models_promote)
    models.command("rollback")(models_rollback)
    models.command("history")(models_history)
    models.command("heatmaps")(models_heatmaps)


def models_gate(
    name: Name,
    site: Annotated[str, typer.Option("--site", help="Where the model is to decide.")],
    dataset: Annotated[str, typer.Option("--dataset", help="A dataset by name.")],
    split: Annotated[str, typer.Option("--split", help="test; val shows how it stands and opens nothing.")] = "test",
    limits: Annotated[
        Path | None,
        typer.Option("--limits", help='A JSON file of limits, such as {"recall": 0.95}; the usual ones otherwise.'),
    ] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Ask whether a model may decide: pass, fail, or how much more evidence it takes; exits with 1 unless it passes."""
    from app.jobs.science.gate import run_gate, told
    from core.gates.records import Answer

    with progress(f"Gate of {name}") as say:
        kept = run_gate(store(by), current(), name, site, dataset, split, limits=_limits(limits), progress=say)
    document = told(kept)
    put(document, as_json, lambda: _gate_lines(document))
    if kept.answer is not Answer.PASS:
        raise typer.Exit(1)


def models_shadow(
    site: Site,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    hours: Annotated[float, typer.Option("--hours", help="How long it looks on.")] = SHADOW_HOURS,
    stop: Annotated[bool, typer.Option("--stop", help="End the shadow of the site.")] = False,
    score: Annotated[
        bool, typer.Option("--score", help="Score what waits for it here and now; else the worker does.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")] = "",
    by: By = None,
    as_json: Json = False,
) -> None:
    """Let a model score the live stream without deciding; without NAME, show how it compares with production."""
    from app.jobs.science.shadow import catch_up
    from app.jobs.science.shadowed import comparison

    held = store(by)
    if name is not None:
        held.shadows.start(site, name, hours, reason)
    if score:
        with progress(f"Shadow at {site}") as say:
            catch_up(store(), current(), site, progress=say)
    if stop:
        held.shadows.stop(site, reason)
    document = comparison(held, site)
    put(document, as_json, lambda: _shadow_lines(document))


def models_promote(
    name: Name,
    site: Site,
    reason: Annotated[str, typer.Option("--reason", help="Why this model and none of the others.")],
    override: Annotated[
        bool,
        typer.Option("--override", help="Ask a second person to let it through; see holdpoint thresholds agree."),
    ] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Put a model in use that has passed its gate; every process obeys on its next batch."""
    from app.jobs.science.promoting import promote, verified

    held = store(by)
    if override:
        if by is None:
            raise BadInput("An override needs --by: two people stand for it.")
        verified(held, current(), name)
        asked = held.promotions.ask_override(site, name, reason)
        waits = {"request": asked.number, "model": name, "site": site, "state": "waits for a second person"}
        put(waits, as_json, lambda: [f"Request {asked.number}: somebody else has to agree that {name} decides."])
        return
    made = promote(held, current(), site, name, reason)
    put(_change(made), as_json, lambda: [_spoken(made)])


def models_rollback(
    site: Site,
    reason: Annotated[str, typer.Option("--reason", help="What is wrong with the model in use.")],
    by: By = None,
    as_json: Json = False,
) -> None:
    """Put the model back in use that the present one replaced; every process obeys on its next batch."""
    from app.jobs.science.promoting import rollback

    made = rollback(store(by), current(), site, reason)
    put(_change(made), as_json, lambda: [_spoken(made)])


def models_history(site: Site, as_json: Json = False) -> None:
    """Which model was in use at a site, since when, by whom and why."""
    found = store().promotions.history(site)
    rows = [[f"{one.at:%Y-%m-%d %H:%M}", one.kind, one.model, one.before, one.by, one.reason] for one in found]
    heads = ("when", "act", "model", "instead of", "by", "why")
    put([_change(one) for one in found], as_json, lambda: table(rows, heads))


def models_heatmaps(
    name: Name,
    site: Site,
    limit: Annotated[
        float, typer.Option("--limit", help="Share of a class's pictures in which the map has to point right.")
    ] = 0.6,
    as_json: Json = False,
) -> None:
    """Measure heatmaps on the boxes that people keep; the queue shows those unasked that are shown to point right."""
    from app.jobs.science.heatmaps import measure_heatmaps

    with progress(f"Heatmaps of {name}") as say:
        document = measure_heatmaps(store(), current(), name, site, limit=limit, progress=say)
    rows = [
        [one["class"], one["n"], _figure(one["pointing"]), f"{_figure(one['low'])} to {_figure(one['high'])}",
         _figure(one["energy"]), _figure(one["covered"]), "shown" if one["shown"] else "hidden", one["more_needed"]]
        for one in document["classes"]
    ]  # fmt: skip
    heads = ("class", "pictures", "points right", "bounds", "energy inside", "boxes cover", "unasked", "more needed")
    put(document, as_json, lambda: table(rows, heads))


def _limits(path: Path | None) -> Any:
    if path is None:
        return None
    import json

    from core.gates.limits import Limits

    try:
        values = json.loads(read_json(path))
    except ValueError as error:
        raise BadInput(f"{path} is no JSON ({error}).") from error
    if not isinstance(values, dict):
        raise BadInput(f'{path} holds no limits: write {{"recall": 0.95}}.')
    return Limits.from_json(values)


def _gate_lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{document['model']} at {document['site']}: {document['answer']}. {document['sentence']}"
    rows = [
        [
            one["name"] + ("" if one["decides"] else " (reported)"),
            _figure(one["value"]),
            f"{_figure(one['low'])} to {_figure(one['high'])}",
            f"{'>=' if one['at_least'] else '<='} {one['limit']:g}",
            one["n"],
            one["answer"],
            one["more_needed"],
        ]
        for one in document["criteria"]
    ]
    yield from table(rows, ("criterion", "value", "bounds", "limit", "n", "answer", "more needed"))
    yield from document["cautions"]


def _shadow_lines(document: dict[str, Any]) -> Iterator[str]:
    yield document["sentence"]
    if document.get("trouble"):
        yield f"It could not look last time: {document['trouble']}"


def _change(made: ModelChange) -> dict[str, Any]:
    return {
        "site": made.site,
        "act": str(made.kind),
        "model": made.model,
        "before": made.before,
        "gate": made.gate,
        "shadow": made.shadow,
        "request": made.request,
        "calibration_restored": made.restored,
        "alternatives": list(made.alternatives),
        "reason": made.reason,
        "by": made.by,
        "at": made.at.isoformat(),
    }


def _spoken(made: ModelChange) -> str:
    after = "with its calibration" if made.restored else "not calibrated: nothing passes by itself until two confirm it"
    return f"{made.model} decides at {made.site} from the next batch on, {after}."


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
