"""Commands around the line: demo, run, work, ingest, watch, score, serve."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import counted, note, progress, put
from app.cli.shared import Json, Site, Sources, current, store
from core.errors import BadInput

Model = Annotated[str | None, typer.Option("--model", help="A model other than the one in use at the site.")]
Camera = Annotated[str | None, typer.Option("--camera", help="The camera that took them.")]
PartFrom = Annotated[
    str | None,
    typer.Option(
        "--part-from",
        metavar="REGEX",
        help="Read the part from the file name: the first group, or groups named part, view, camera, stage, order.",
    ),
]
PartTypeName = Annotated[
    str | None, typer.Option("--part-type", help="Which views make a part, and how it is looked at.")
]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    for command in (demo, run, work, ingest, watch, score, serve):
        cli.command()(command)


def demo(
    images: Annotated[int, typer.Option("--images", min=1, help="Pictures to draw.")] = 300,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same plant.")] = 1,
    live: Annotated[bool, typer.Option("--live", help="Then keep feeding parts, until interrupted.")] = False,
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="Parts a minute with --live.")] = 24,
    as_json: Json = False,
) -> None:
    """Make the demo plant in HOLDPOINT_HOME."""
    from app.jobs.demo.making import demo as make
    from app.jobs.demo.making import live as feed

    with progress("Demo plant") as say:
        made = make(store(), current(), images=images, seed=seed, progress=say)
    if live:
        with progress("Demo line") as say:
            made["live"] = feed(store(), current(), rate=rate, seed=seed, progress=say)
    put(made, as_json, lambda: [f"{name}: {value}" for name, value in made.items()])


def run(
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8501,
    host: Annotated[
        str, typer.Option("--host", help="Bind elsewhere than loopback only behind a proxy.")
    ] = "127.0.0.1",
) -> None:
    """Open the web app with its worker; make the demo plant first where the store is empty."""
    from app.jobs.together import run_all

    with progress("Demo plant") as say:
        run_all(current(), host, port, note, say)


def work() -> None:
    """Run the worker alone, beside a web app that has none; until interrupted."""
    from app.jobs.runner import main

    note("The worker waits for jobs (Ctrl+C ends it).")
    raise typer.Exit(main([]))


def ingest(
    sources: Sources,
    site: Site,
    camera: Camera = None,
    part_from: PartFrom = None,
    part_type: PartTypeName = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Score pictures, decide about their parts, and queue what is held."""
    from app.jobs.intake.ingest import ingest as file_all

    with progress(f"Ingest at {site}") as say:
        done = file_all(store(), current(), sources, site, camera, part_from, model, part_type=part_type, progress=say)

    def lines() -> Iterator[str]:
        yield f"{done.images} new pictures, {done.known} known, {sum(done.quarantined.values())} quarantined"
        if done.quarantined:
            yield f"quarantined: {counted(done.quarantined)}"
        yield f"parts: {counted(done.decisions)}"

    put(done.to_json(), as_json, lines)


def watch(
    inbox: Annotated[Path, typer.Argument(metavar="INBOX", help="The folder that cameras write to.")],
    site: Site,
    camera: Camera = None,
    part_from: PartFrom = None,
    part_type: PartTypeName = None,
    model: Model = None,
    once: Annotated[bool, typer.Option("--once", help="Stop when everything in the inbox is filed.")] = False,
    as_json: Json = False,
) -> None:
    """Ingest files as they arrive, until interrupted.

    A part waits for the views of its part type. Where none are declared and --part-from joins files into parts, it
    waits until no picture of it has come for the time-out of its part type, or for 30 s without one.
    """
    from app.jobs.intake.watch import watch as work

    with progress(f"Watching {inbox}") as say:
        done = work(
            store(), current(), inbox, site, camera, part_from, model, part_type=part_type, once=once, progress=say
        )
    put(
        done,
        as_json,
        lambda: [f"{done['images']} new pictures, {done['known']} known; parts: {counted(done['decisions'])}"],
    )


def score(
    sources: Sources,
    model: Annotated[str, typer.Option("--model", help="A model by name, or its folder.")],
    overlays: Annotated[
        Path | None, typer.Option("--overlays", metavar="DIR", help="Write each picture with heatmap and regions here.")
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", help="Decide as this site would; without it everything is HOLD.")
    ] = None,
    line: Annotated[str | None, typer.Option("--line", help="With --site: whose policy decides.")] = None,
    part_type: Annotated[str | None, typer.Option("--part-type", help="With --site: whose policy decides.")] = None,
    as_json: Json = False,
) -> None:
    """Score pictures and print the answers; store nothing."""
    from app.jobs.intake.at_site import at_site
    from app.jobs.intake.score import score as work

    held = store()
    if site is None and (line is not None or part_type is not None):
        raise BadInput("--line and --part-type are of a site: name it with --site.")
    at = None if site is None else at_site(held, site, line, part_type, held.database.clock())
    with progress("Score") as say:
        answers = work(current(), sources, model, overlays, store=held, at=at, progress=say)

    def lines() -> Iterator[str]:
        for answer in answers:
            sure = "" if answer["overall_confidence"] is None else f" {answer['overall_confidence']:.3f}"
            found = ", ".join(f"{one['class']} {one['confidence']:.2f}" for one in answer["defects"])
            yield f"{answer['file']}: {answer['prediction'] or 'unreadable'}{sure}{' – ' + found if found else ''}"
            if site is not None:
                yield f"  {answer['decision']}: {' '.join(reason['text'] for reason in answer['reasons'])}"

    put(answers, as_json, lines)


def serve(
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8600,
    host: Annotated[
        str, typer.Option("--host", help="Bind elsewhere than loopback only behind a proxy.")
    ] = "127.0.0.1",
    model: Annotated[str | None, typer.Option("--model", help="Answers requests that name no site.")] = None,
) -> None:
    """Answer POST /api/v1/ml/predict/visual-inspection."""
    from app.api import serve as work

    note(f"Listening on http://{host}:{port}; the token is in {current().secrets / 'api-token'}.")
    work(current(), host, port, model)
