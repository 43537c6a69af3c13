"""The command that says what to label next."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from app.cli.output import counted, progress, put, table
from app.cli.shared import Json, current, store
from core.errors import BadInput


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(select)


def select(
    strategy: Annotated[
        str, typer.Option("--strategy", help="random, entropy, margin, k-center ...; see --list.")
    ] = "",
    budget: Annotated[str, typer.Option("--budget", help="Items, or hours as 2h, or money as 120money.")] = "",
    site: Annotated[str | None, typer.Option("--site", help="Only of this site.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Whose eyes; the one in use without it.")] = None,
    shadow: Annotated[str | None, typer.Option("--shadow", help="A second model, for disagreement.")] = None,
    quota: Annotated[
        list[str] | None,
        typer.Option("--quota", help="class:CRACK=5 for at least five, site:Lyon=2..9 for two to nine."),
    ] = None,
    control: Annotated[float, typer.Option("--control", help="Share of the batch that is drawn at random.")] = 0.2,
    similar: Annotated[
        float, typer.Option("--similar", help="From which likeness two pictures count as one; 1 leaves that out.")
    ] = 0.99,
    price: Annotated[float, typer.Option("--price", help="Of one label.")] = 0.5,
    label_seconds: Annotated[float, typer.Option("--label-seconds", help="Of one label.")] = 30.0,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    send: Annotated[bool, typer.Option("--send", help="Put the batch into the queue at once.")] = False,
    backtest: Annotated[
        str | None,
        typer.Option("--backtest", help="Replay the rounds on this dataset; --strategy a,b compares only those."),
    ] = None,
    learned: Annotated[
        bool, typer.Option("--learned", help="Compare what the batches answered so far were worth.")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Divisions of a backtest.")] = 10,
    arch: Annotated[str, typer.Option("--arch", help="Frozen features of a backtest.")] = "mobilenetv2_100",
    weights: Annotated[str | None, typer.Option("--weights", help="pretrained, or a .safetensors file.")] = None,
    tile: Annotated[int | None, typer.Option("--tile", help="Pixels of a tile for frozen features.")] = None,
    scale: Annotated[float, typer.Option("--scale", help="Working scale for frozen features.")] = 1.0,
    list_them: Annotated[bool, typer.Option("--list", help="Say what strategies there are.")] = False,
    as_json: Json = False,
) -> None:
    """Choose what is worth a label next; with --send, ask for it in the queue."""
    from core.learn.select import STRATEGIES
    from core.learn.select.budget import parse

    if list_them:
        found = [{"name": one.name, "title": one.title, "says": one.says} for one in STRATEGIES.values()]
        put(found, as_json, lambda: [f"{one['name']}: {one['says']}" for one in found])
        return
    if learned:
        _learned(site, model, seeds, price, as_json)
        return
    if backtest is not None:
        _backtest(backtest, strategy, seeds, model, arch, weights, price, tile, scale, as_json)
        return
    if not strategy or not budget:
        raise BadInput("Give --strategy and --budget, such as --strategy k-center --budget 50; --list names them all.")
    from app.jobs.science.select import select as work

    wanted = parse(budget)
    with progress(f"Choosing by {strategy}") as say:
        done = work(
            store(), current(), strategy, wanted.amount, wanted.unit, site=site, model=model, shadow=shadow,
            control=control, similar=None if similar >= 1 else similar, quotas=[quota_of(one) for one in quota or []],
            price=price, label_seconds=label_seconds, seed=seed, send=send, progress=say,
        )  # fmt: skip
    put(done, as_json, lambda: _lines(done))


def _backtest(
    dataset: str, strategy: str, seeds: int, model: str | None, arch: str, weights: str | None, price: float,
    tile: int | None, scale: float, as_json: bool,
) -> None:  # fmt: skip
    from app.jobs.science.backtest import backtest
    from core.learn.backtest import COMPARED
    from core.pictures.tiling import Look

    look = None if tile is None else Look(tile, tile // 2, scale, whole_picture=True)
    names = [one.strip() for one in strategy.split(",") if one.strip()] or COMPARED
    with progress(f"Backtest on {dataset}") as say:
        done = backtest(store(), current(), dataset, strategies=names, seeds=seeds, model=model, arch=arch,
                        weights=weights, look=look, price=price, progress=say)  # fmt: skip

    put(done, as_json, lambda: _compared(done))


def _learned(site: str | None, model: str | None, seeds: int, price: float, as_json: bool) -> None:
    from app.jobs.science.backtest import measure_arms

    with progress("Comparing what was labelled") as say:
        done = measure_arms(store(), current(), site=site, model=model, seeds=seeds, price=price, progress=say)
    put(done, as_json, lambda: _compared(done))


def _compared(done: dict[str, Any]) -> Iterator[str]:
    from app.jobs.science.backtest import sentence

    yield (
        f"{done['pictures']} pictures ({done['defective']} defective) of {done['groups']} groups, {done['seeds']} "
        f"divisions, {done['features']}: {done['target']:.3f} is {done['target_share']:.0%} of what the whole "
        f"pool gives ({done['full']:.3f})."
    )
    rows = [[name, f"{one['to_target']:.0f}", _between(one["to_target_interval"], "{:.0f}"),
             None if one["saved"] is None else f"{one['saved']:.0%}", _between(one["saved_interval"], "{:.0%}"),
             one["stop_at"]] for name, one in done["strategies"].items()]  # fmt: skip
    yield from table(rows, ("strategy", "labels", "95%", "saved", "95%", "stop at"))
    for name, one in done["strategies"].items():
        yield sentence(name, one)


def _between(ends: list[float] | None, form: str) -> str | None:
    return None if ends is None else f"{form.format(ends[0])}–{form.format(ends[1])}"


def quota_of(text: str) -> dict[str, Any]:
    """Read "class:CRACK=5" or "site:Lyon=2..9".

    Raises:
        BadInput: anything else.
    """
    kind, colon, rest = text.partition(":")
    name, sign, numbers = rest.rpartition("=")
    least, dots, most = numbers.partition("..")
    if (
        kind not in ("class", "site")
        or not colon
        or not sign
        or not name
        or not (least or "0").isdecimal()
        or (dots and not most.isdecimal())
    ):
        raise BadInput(f"Quota {text!r} is not understood: write class:CRACK=5 or site:Lyon=2..9.")
    return {"kind": kind, "name": name, "least": int(least or 0), "most": int(most) if dots else None}


def _lines(done: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Batch {done['selection']} of {len(done['chosen'])} pictures by {done['strategy']} from a pool of "
        f"{done['pool']:,} ({counted(done['arms'])}), as {done['model']} sees them; {done['seconds']:.1f} s."
    )
    if done["left_out"]:
        yield f"Passed over: {counted(done['left_out'])}."
    for name, missing in done["short"].items():
        yield f"The quota of {name} lacks {missing}: the pool has no more."
    if done["unreadable"]:
        yield f"{done['unreadable']} pictures could not be read."
    yield (
        "Sent: its tasks are in the queue."
        if done["sent"]
        else "Not sent: look at it on the page Learn, or use --send."
    )
