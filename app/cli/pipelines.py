"""Commands about training pipelines: check a configuration, run it, let it run by its schedule, see where it is."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.output import Say, progress, put, table
from app.cli.shared import Json, current, store
from core.errors import ModelError

if TYPE_CHECKING:
    from app.jobs.science.pipelines.configuration import Configuration
    from core.learn.pipeline import Pipeline, Run
    from data.store import Store

Config = Annotated[Path, typer.Argument(metavar="CONFIG.yaml", help="What to train, how and when.")]
POLL_S = 1.0
SHOWN = 5


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    pipelines = typer.Typer(
        help="Validate labels, augment, train, evaluate, gate, shadow: by hand or by a schedule.", no_args_is_help=True
    )
    pipelines.command("check")(check)
    pipelines.command("run")(run)
    pipelines.command("schedule")(schedule)
    pipelines.command("resume")(resume)
    pipelines.command("list")(list_)
    cli.add_typer(pipelines, name="pipeline")


def check(config: Config, as_json: Json = False) -> None:
    """Say whether a configuration can be used, and when it would run next; nothing is stored."""
    from app.jobs.science.pipelines.configuration import read_file

    made = read_file(config)
    held = store()
    document = {"experiment": made.experiment, "configuration": made.to_json(), **_when(held, made)}
    put(document, as_json, lambda: _checked(made, document))


def run(
    config: Config,
    reason: Annotated[str, typer.Option("--reason", help="Why the configuration was changed.")] = "",
    as_json: Json = False,
) -> None:
    """Run a pipeline now, from its first step to its last; killed, `pipeline resume` or the next worker goes on."""
    from app.jobs.science.pipelines.configuration import read_file

    made = read_file(config)
    held = store()
    held.pipelines.configure(made.experiment, made.site, made.to_json(), made.schedule, reason)
    _work(held, held.pipelines.start(made.experiment), as_json)


def resume(
    number: Annotated[int, typer.Argument(metavar="RUN", help="Number of a run that failed or was cancelled.")],
    as_json: Json = False,
) -> None:
    """Let a run go on with the step that did not end well."""
    held = store()
    _work(held, held.pipelines.resume(number), as_json)


def schedule(
    config: Config,
    off: Annotated[bool, typer.Option("--off", help="Keep it, but let the schedule begin no runs.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why it was changed.")] = "",
    as_json: Json = False,
) -> None:
    """Let the worker run a pipeline by its schedule."""
    from app.jobs.science.pipelines.configuration import read_file
    from core.errors import BadInput

    made = read_file(config)
    if not made.schedule and not off:
        raise BadInput(f"{config.name} has no schedule: write schedule: '0 2 * * 6' for Saturdays at two.")
    held = store()
    kept = held.pipelines.configure(made.experiment, made.site, made.to_json(), made.schedule, reason, on=not off)
    document = {"experiment": kept.name, "number": kept.number, "on": kept.on, **_when(held, made)}
    put(document, as_json, lambda: _scheduled(kept, document))


def list_(as_json: Json = False) -> None:
    """List pipelines with their next time, and the latest runs with their steps."""
    from app.jobs.science.pipelines.running import told

    held = store()
    found, runs = held.pipelines.all(), held.pipelines.runs(limit=SHOWN)
    document = {
        "pipelines": [
            {
                "name": one.name, "site": one.site, "number": one.number, "on": one.on, "schedule": one.schedule,
                "timezone": one.timezone, "next_at": None if one.next_at is None else one.next_at.isoformat(),
            }
            for one in found
        ],
        "runs": [told(one) for one in runs],
    }  # fmt: skip
    put(document, as_json, lambda: _listed(found, runs))


def _when(held: "Store", made: "Configuration") -> dict[str, Any]:
    """The next times of its schedule on the site's clock."""
    from core.learn.pipeline_schedule import next_times

    site = held.sites.get(made.site)
    if not made.schedule:
        return {"schedule": "", "timezone": site.timezone, "next": []}
    times = next_times(made.schedule, site.timezone, held.pipelines.now(), 3)
    return {"schedule": made.schedule, "timezone": site.timezone, "next": [one.isoformat() for one in times]}


def _work(held: "Store", made: "Run", as_json: bool) -> None:
    """Do the run's job here, unless a worker was quicker; then tell how far that is.

    Raises:
        ModelError: it did not end well.
    """
    from app.jobs.runner import run_job
    from app.jobs.science.pipelines.clock import told_of_pipelines
    from app.jobs.science.pipelines.running import told

    name = f"command line:{os.getpid()}"
    job = held.jobs.claim(name, only=made.job)
    with progress(f"Run {made.id} of {made.pipeline}") as say:
        over = threading.Event()
        teller = threading.Thread(target=_tell, args=(held, made.job, None if job is None else name, say, over))
        teller.start()
        try:
            if job is not None:
                run_job(held, current(), job, name)
        finally:
            if job is not None:
                over.set()
            teller.join()
    if job is not None and held.jobs.get(job.id).state.value == "running":
        held.jobs.give_back(job.id, name)
    held.pipelines.settle(told_of_pipelines(current()))
    ended = held.pipelines.run(made.id)
    document = told(ended)
    if not document["done"]:
        why = next((one.reason for one in ended.steps if one.state.value == "failed"), ended.said)
        more = f": {why}" if why else ""
        raise ModelError(
            f"Run {ended.id} of {ended.pipeline} is {ended.state}{more} (holdpoint pipeline resume {ended.id} goes on)"
        )
    put(document, as_json, lambda: _steps(ended))


def _tell(held: "Store", job: int, worker: str | None, say: Say, over: threading.Event) -> None:
    """Beat for a job of ours and show how far it is; one of another worker is followed to its end."""
    while not over.wait(POLL_S):
        if worker is not None:
            held.jobs.beat(worker, job)
        found = held.jobs.get(job)
        say(found.done, found.total, found.message)
        if worker is None and found.state.value not in ("waiting", "running"):
            return


def _checked(made: "Configuration", document: dict[str, Any]) -> Iterator[str]:
    from app.jobs.science.pipelines.configuration import written

    yield f"{made.experiment} can be used."
    yield from _times(document)
    yield ""
    yield from written(made).rstrip().split("\n")


def _scheduled(kept: "Pipeline", document: dict[str, Any]) -> Iterator[str]:
    state = "runs by its schedule" if kept.on else "is kept; its schedule begins no runs"
    yield f"{kept.name} (configuration {kept.number}) {state}."
    yield from _times(document)


def _times(document: dict[str, Any]) -> Iterator[str]:
    if not document["schedule"]:
        yield "It has no schedule: it runs when somebody starts it."
        return
    coming = ", ".join(document["next"])
    yield f"Schedule {document['schedule']} on the clock of {document['timezone']}, next: {coming}."


def _listed(found: "list[Pipeline]", runs: "list[Run]") -> Iterator[str]:
    rows = [
        [one.name, one.site, one.number, one.schedule or "by hand", "on" if one.on else "off", one.next_at]
        for one in found
    ]
    yield from table(rows, ("pipeline", "site", "number", "schedule", "is", "next (UTC)"))
    for one in runs:
        yield ""
        yield from _steps(one)


def _steps(one: "Run") -> Iterator[str]:
    yield f"Run {one.id} of {one.pipeline} ({one.cause}, {one.by}): {one.state}. {one.said}".rstrip()
    rows = [[step.name, step.state, None if step.seconds is None else f"{step.seconds:.0f} s", step.reason or None]
            for step in one.steps]  # fmt: skip
    yield from table(rows, ("step", "state", "took", "why"))
