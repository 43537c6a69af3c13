"""Commands about what resembles nothing known good: fit a memory, compare, put in force, look for classes."""

from collections.abc import Iterator
from typing import Annotated, Any, cast, get_args

import typer

from app.cli.output import progress, put, table
from app.cli.shared import Json, Site, Sources, current, store
from core.errors import BadInput
from core.learn.novelty.records import QUOTA, RATE, MemoryChange

By = Annotated[str | None, typer.Option("--by", help="Name of the account that acts; the plant itself without it.")]
PartTypeName = Annotated[str | None, typer.Option("--part-type", help="Only of this part type.")]
Why = Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")]


def register(cli: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="What resembles nothing known good: memories of good parts.", no_args_is_help=True)
    for name, command in (("fit", fit), ("judge", judge), ("use", use), ("stop", stop), ("show", show),
                          ("propose", propose)):  # fmt: skip
        group.command(name)(command)
    cli.add_typer(group, name="novelty")
    cli.command("fewlabels")(few_labels)


def fit(
    site: Site,
    part_type: PartTypeName = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Good pictures of its training part; else all labelled good.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="To see through; the site's own without it.")] = None,
    arch: Annotated[str, typer.Option("--arch", help="Frozen net where there is no model.")] = "mobilenetv2_100",
    weights: Annotated[str | None, typer.Option("--weights", help="Of that net: pretrained, or a file.")] = None,
    tile: Annotated[
        int | None, typer.Option("--tile", help="Pixels of a tile; the part type's own without it.")
    ] = None,
    scale: Annotated[float, typer.Option("--scale", help="Working scale, with --tile.")] = 1.0,
    rate: Annotated[float, typer.Option("--rate", help="Of good parts that may be held for novelty.")] = RATE,
    megabytes: Annotated[float, typer.Option("--megabytes", help="Largest memory.")] = 4.0,
    even_light: Annotated[
        bool, typer.Option("--even-light", help="Take slow changes of light off, where exposures differ.")
    ] = False,
    name: Annotated[str | None, typer.Option("--name", help="Of the memory.")] = None,
    trunk: Annotated[
        str, typer.Option("--trunk", help="auto measures; shared: the site's model; frozen: a net of its own.")
    ] = "auto",
    seed: Annotated[int, typer.Option("--seed")] = 0,
    put_in_force: Annotated[bool, typer.Option("--use", help="Put it in force at once; needs --reason.")] = False,
    reason: Why = "",
    by: By = None,
    as_json: Json = False,
) -> None:
    """Fit a memory of good parts; no defect has to be labelled."""
    from app.jobs.science.novelty.memories import fit_novelty
    from app.jobs.science.novelty.nets import Trunk
    from core.pictures.tiling import Look

    look = None if tile is None else Look(tile, tile, scale)
    if trunk not in get_args(Trunk):
        raise BadInput(f"--trunk {trunk}: take one of {', '.join(get_args(Trunk))}.")
    held = store(by)
    with progress(f"Memory of {site}") as say:
        made = fit_novelty(
            held, current(), site, part_type, dataset=dataset, model=model, arch=arch, weights=weights, look=look,
            rate=rate, budget_bytes=round(megabytes * 2**20), even_light=even_light, name=name,
            trunk=cast(Trunk, trunk), seed=seed, progress=say,
        )  # fmt: skip
    if put_in_force:
        made["in_force"] = _change(held.memories.put_in_force(site, made["memory"], reason))
    put(made, as_json, lambda: _fitted(made))


def judge(
    sources: Sources,
    site: Site,
    part_type: PartTypeName = None,
    memory: Annotated[str | None, typer.Option("--memory", help="The one in force without it.")] = None,
    as_json: Json = False,
) -> None:
    """Compare pictures with what is known good, the most novel first; nothing is stored."""
    from app.jobs.science.novelty.memories import judge_pictures

    with progress("Comparing") as say:
        found = judge_pictures(store(), current(), site, sources, part_type, memory, say)
    rows = [[one["file"], _figure(one["novelty"]), "held" if one["held"] else "", _figure(one["p_value"]),
             one["error"]] for one in found]  # fmt: skip
    put(found, as_json, lambda: table(rows, ("file", "novelty", "", "good parts as far", "trouble")))


def use(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    site: Site,
    reason: Why,
    quota: Annotated[
        int, typer.Option("--quota", help="Novel parts of a day that come first; all of them are held.")
    ] = QUOTA,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Let a memory judge the parts it was fitted for; every process obeys on its next batch."""
    made = store(by).memories.put_in_force(site, name, reason, quota)
    put(_change(made), as_json, lambda: [_spoken(made)])


def stop(site: Site, reason: Why, part_type: PartTypeName = None, by: By = None, as_json: Json = False) -> None:
    """Let no memory judge any more; where the site was calibrated, nothing passes by itself until two confirm it."""
    made = store(by).memories.stop(site, part_type, reason)
    put(_change(made), as_json, lambda: [_spoken(made)])


def show(site: Site, as_json: Json = False) -> None:
    """Memories of a site, which of them judge, and the parts they held as novel."""
    from app.jobs.science.novelty.memories import told_of

    held = store()
    in_force = held.memories.in_force(site)
    novel = held.proposals.novel(site)
    document = {
        "site": site,
        "in_force": [{"part_type": kind, "memory": one.memory.name, "quota": one.quota}
                     for kind, one in in_force.items()],
        "memories": [told_of(one) for one in held.memories.all(site)],
        "history": [_change(one) for one in held.memories.history(site)],
        "novel": {"parts": len(novel), "asked_first": sum(one.asked for one in novel),
                  "found_defective": sum(one.defective is True for one in novel),
                  "found_good": sum(one.defective is False for one in novel)},
    }  # fmt: skip
    put(document, as_json, lambda: _shown(document))


def propose(
    site: Site,
    model: Annotated[str | None, typer.Option("--model", help="To compare through; the site's own without it.")] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Propose classes from novel parts that people found defective and could not name."""
    from app.jobs.science.novelty.memories import propose_classes

    with progress(f"Novel parts of {site}") as say:
        made = propose_classes(store(by), current(), site, model=model, progress=say)
    put(made, as_json, lambda: _proposed(made))


def few_labels(
    dataset: Annotated[str, typer.Argument(metavar="DATASET")],
    model: Annotated[str | None, typer.Option("--model", help="Whose features; frozen ones without it.")] = None,
    arch: Annotated[str, typer.Option("--arch", help="Frozen net.")] = "mobilenetv2_100",
    weights: Annotated[str | None, typer.Option("--weights", help="Of that net: pretrained, or a file.")] = None,
    tile: Annotated[int | None, typer.Option("--tile", help="Pixels of a tile; the net's own without it.")] = None,
    scale: Annotated[float, typer.Option("--scale", help="Working scale, with --tile.")] = 1.0,
    even_light: Annotated[
        bool, typer.Option("--even-light", help="For novelty: take slow changes of light off.")
    ] = False,
    labels: Annotated[str, typer.Option("--labels", help="How many labels, ascending.")] = "5,10,20,50",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Divisions.")] = 5,
    as_json: Json = False,
) -> None:
    """Compare what a few labels are worth: head, nearest neighbour, pasted defects, novelty; on a labelled dataset."""
    from app.jobs.science.novelty.few_labels import few_labels as work
    from core.pictures.tiling import Look

    look = None if tile is None else Look(tile, tile, scale, whole_picture=True)
    try:
        steps = [int(one) for one in labels.split(",")]
    except ValueError as error:
        raise BadInput(f"--labels {labels} is no list of numbers: write 5,10,20,50.") from error
    with progress(f"Few labels on {dataset}") as say:
        done = work(store(), current(), dataset, model=model, arch=arch, weights=weights, look=look,
                    even_light=even_light, labels=steps,
                    seeds=seeds, progress=say)  # fmt: skip
    put(done, as_json, lambda: _compared(done))


def _compared(done: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{done['pictures']} pictures ({done['defective']} defective) of {done['groups']} groups, {done['seeds']} "
        f"divisions, {done['features']}. AUROC by picture, 95% over divisions and groups."
    )
    steps = [str(one) for one in done["labels"]]
    rows = [[name, *(_ranged(told[one]) for one in steps)] for name, told in done["methods"].items()]
    yield from table(rows, ("", *(f"{one} labels" for one in steps)))


def _ranged(told: dict[str, Any]) -> str:
    between = "" if told["low"] is None else f" ({told['low']:.2f}–{told['high']:.2f})"
    return f"{told['mean']:.3f}{between}"


def _fitted(made: dict[str, Any]) -> Iterator[str]:
    limit = made["limit"]
    yield (
        f"Memory {made['memory']}: {made['patches']:,} patches ({made['bytes'] / 2**20:.1f} MiB) of {made['parts']} "
        f"good parts, {made['pictures']} pictures, through {made['net']}."
    )
    yield ("It sees in the pass that scores. " if made["shared"] else "It sees in a pass of its own. ") + made["chosen"]
    yield f"Novelty 1 is a distance of {limit['distance']:.4g}. {made['sentence']}"
    if "in_force" in made:
        yield f"It judges from the next batch on, {made['in_force']['quota']} novel parts a day first."
    else:
        yield f"It judges nothing yet: holdpoint novelty use {made['memory']} --site {made['site']} --reason ..."


def _shown(document: dict[str, Any]) -> Iterator[str]:
    judging = {one["memory"]: one for one in document["in_force"]}
    rows = [
        [one["memory"], one["part_type"] or "all", one["parts"], f"{one['limit']['rate']:.1%}",
         "judges" if one["memory"] in judging else ""]
        for one in document["memories"]
    ]  # fmt: skip
    yield from table(rows, ("memory", "part type", "good parts", "false holds at most", ""))
    novel = document["novel"]
    yield (
        f"{novel['parts']} parts were held as novel, {novel['asked_first']} of them came first; people found "
        f"{novel['found_defective']} defective and {novel['found_good']} good."
    )


def _proposed(made: dict[str, Any]) -> Iterator[str]:
    yield f"{made['parts']} novel parts were found defective and are in no class; {made['pictures']} pictures."
    for one in made["proposed"]:
        yield f"Proposal {one['proposal']}: {len(one['parts'])} parts look alike. See the page Taxonomy."
    if not made["proposed"]:
        yield "No three of them look alike enough to be proposed as a class, or they were proposed before."


def _change(made: MemoryChange) -> dict[str, Any]:
    return {
        "site": made.site,
        "part_type": made.part_type,
        "memory": made.memory,
        "before": made.before,
        "quota": made.quota,
        "uncalibrated": made.uncalibrated,
        "reason": made.reason,
        "by": made.by,
        "at": made.at.isoformat(),
    }


def _spoken(made: MemoryChange) -> str:
    where = f"part type {made.part_type} at {made.site}" if made.part_type else made.site
    what = f"{made.memory} judges {where}" if made.memory else f"{made.before} judges {where} no more"
    after = "; the site is not calibrated any more: nothing passes by itself until two confirm it"
    return f"{what} from the next batch on{after if made.uncalibrated else ''}."


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
