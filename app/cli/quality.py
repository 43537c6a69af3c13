"""Commands of whoever answers for quality: any chart's numbers."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import put, table
from app.cli.shared import Json, current, store
from core.errors import BadInput

DAYS = 90


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command()(kpi)


def kpi(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A chart; all are listed without it.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="On the site's own clock, such as 2026-03-01; 90 days without it.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Not included; tomorrow without it.")] = None,
    grain: Annotated[str | None, typer.Option("--grain", help="hour, day or week.")] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="site, line, camera, part type, class, parent, model or policy."),
    ] = None,
    site: Annotated[str | None, typer.Option("--site")] = None,
    line: Annotated[str | None, typer.Option("--line")] = None,
    camera: Annotated[str | None, typer.Option("--camera")] = None,
    part_type: Annotated[str | None, typer.Option("--part-type")] = None,
    class_id: Annotated[str | None, typer.Option("--class")] = None,
    model: Annotated[str | None, typer.Option("--model")] = None,
    policy: Annotated[int | None, typer.Option("--policy", help="Its number.")] = None,
    change: Annotated[
        str | None, typer.Option("--change", help="For before-after: the first day after the change.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the rows to a file instead: .csv or .parquet.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="As this person sees it.")] = None,
    as_json: Json = False,
) -> None:
    """Show any chart's numbers, with intervals, definition and query."""
    from app.kpis.asked import Asked, local_time
    from app.kpis.charts import answer, chart, charts, facts_folder
    from app.kpis.files import as_csv, as_parquet, shown
    from data.analytics.read import Reader

    if name is None:
        found = [{"kpi": one.name, "title": one.title, "definition": one.definition} for one in charts().values()]
        put(found, as_json, lambda: table([[one["kpi"], one["title"]] for one in found], ("kpi", "title")))
        return
    made = chart(name)
    held = store(user)
    zone = held.sites.get(site).timezone if site is not None else None
    now = held.database.clock()
    end = local_time(until, zone) if until is not None else _midnight(now) + timedelta(days=1)
    start = local_time(since, zone) if since is not None else end - timedelta(days=DAYS)
    moment = None if change is None else local_time(change, zone)
    asked = Asked(
        start, end, grain or made.grains[0], by, site, line, camera, part_type, class_id, model, policy, moment
    )
    reader = Reader(facts_folder(current()))
    try:
        counted = answer(reader, held, name, asked, now)
    finally:
        reader.close()
    if out is not None:
        writers = {".csv": as_csv, ".parquet": as_parquet}
        if out.suffix not in writers:
            raise BadInput(f"{out.name} is neither .csv nor .parquet: name it so.")
        from app.jobs.files import write_whole

        write_whole(out, writers[out.suffix](counted))
    put(counted.to_json(), as_json, lambda: table(shown(counted), made.columns))


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
