"""Commands about labels: import, export, taxonomy, quarantine."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.output import counted, progress, put, table
from app.cli.shared import Json, Site, current, read_json, store
from core.errors import BadInput
from core.times import time_of

Time = Annotated[
    str | None, typer.Option(metavar="TIME", help="ISO 8601, such as 2026-03-01 or 2026-03-01T08:00+01:00.")
]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("import")(import_)
    cli.command("export")(export)
    taxonomy = typer.Typer(help="The classes of a site.", no_args_is_help=True)
    taxonomy.command("import")(taxonomy_import)
    taxonomy.command("export")(taxonomy_export)
    taxonomy.command("map")(taxonomy_map)
    taxonomy.command("unmapped")(taxonomy_unmapped)
    quarantine = typer.Typer(help="Pictures that could not be read.", no_args_is_help=True)
    quarantine.command("list")(quarantine_list)
    quarantine.command("restore")(quarantine_restore)
    cli.add_typer(taxonomy, name="taxonomy")
    cli.add_typer(quarantine, name="quarantine")


def import_(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A folder or a file that lists pictures.")],
    site: Annotated[str, typer.Option("--site", help="The site; made where it is missing.")],
    format_: Annotated[
        str, typer.Option("--format", help="auto, coco, yolo, voc, masks, severstal, folder or csv.")
    ] = "auto",
    taxonomy: Annotated[
        str | None, typer.Option("--taxonomy", help="For a new site: own (from the labels), or a shipped one by name.")
    ] = None,
    empty: Annotated[str | None, typer.Option("--empty", help="good: a picture without a label is a good one.")] = None,
    part_type: Annotated[
        str | None, typer.Option("--part-type", help="Of pictures that name none: how they are looked at and joined.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Import pictures with their labels."""
    from app.jobs.intake.imports import import_labels

    if empty not in (None, "good"):
        raise BadInput(f"--empty {empty} means nothing: the one choice is 'good'.")
    with progress(f"Import at {site}") as say:
        done = import_labels(
            store(),
            current(),
            source,
            site,
            format=format_,
            taxonomy=taxonomy,
            empty="good" if empty else None,
            dry_run=dry_run,
            part_type=part_type,
            progress=say,
        )

    def lines() -> Iterator[str]:
        yield f"{done.read} read as {done.format}, {done.new} new, {done.known} known"
        yield f"quarantined: {counted(done.quarantined)}"
        yield f"labels: {counted(done.labels)}; without a label: {done.unlabelled}"
        if done.unmapped:
            yield f"names that no class has: {counted(done.unmapped)} (see holdpoint taxonomy unmapped --site {site})"

    put(done.to_json(), as_json, lines)


def export(
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="A folder or file that does not exist yet.")],
    format_: Annotated[str, typer.Option("--format", help="coco, yolo, voc, masks, csv or parquet.")],
    site: Annotated[str | None, typer.Option("--site", help="Only this site.")] = None,
    since: Time = None,
    until: Time = None,
    class_id: Annotated[str | None, typer.Option("--class", help="Only images with this class.")] = None,
    only: Annotated[
        str | None, typer.Option("--only", help="corrected: where a person differed from the model.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="As the labels were at this time.")
    ] = None,
    pictures: Annotated[
        Literal["copy", "link", "none"],
        typer.Option("--pictures", help="copy, link or none: whether the pictures come along."),
    ] = "copy",
    as_json: Json = False,
) -> None:
    """Export labels with their provenance."""
    from app.jobs.science.exports import export_labels

    if only not in (None, "corrected"):
        raise BadInput(f"--only {only} means nothing: the one choice is 'corrected'.")
    with progress("Export") as say:
        done = export_labels(
            store(),
            current(),
            dest,
            format_,
            site=site,
            since=time_of(since),
            until=time_of(until),
            class_id=class_id,
            only_corrected=only == "corrected",
            as_of=time_of(as_of),
            pictures=pictures,
            progress=say,
        )
    document = done.to_json()
    put(document, as_json, lambda: [f"{name}: {value}" for name, value in document.items()])


def taxonomy_import(
    file: Annotated[Path, typer.Argument(metavar="FILE.json")],
    site: Site,
    why: Annotated[str, typer.Option("--note", help="Why the classes change.")] = "",
    as_json: Json = False,
) -> None:
    """Append a taxonomy as the site's next version."""
    from core.taxonomy import Taxonomy

    number = store().taxonomies.append(site, Taxonomy.from_json(read_json(file)), why)
    put({"site": site, "number": number}, as_json, lambda: [f"Taxonomy {number} is in use at {site}."])


def taxonomy_export(
    site: Site,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.json]", help="Standard output without it.")] = None,
) -> None:
    """Write the site's taxonomy as JSON."""
    import json

    from app.jobs.files import write_whole

    text = json.dumps(store().taxonomies.of(site).to_json(), indent=2, ensure_ascii=False) + "\n"
    if file is None:
        typer.echo(text, nl=False)
    else:
        write_whole(file, text.encode())


def taxonomy_map(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As it came with the pictures.")],
    class_id: Annotated[str, typer.Argument(metavar="CLASS")],
    site: Site,
    as_json: Json = False,
) -> None:
    """Say which class an unmapped name means."""
    number = store().taxonomies.map_name(site, name, class_id)
    document = {"site": site, "name": name, "class": class_id, "number": number}
    put(document, as_json, lambda: [f"'{name}' means {class_id} at {site} from now on."])


def taxonomy_unmapped(site: Site, as_json: Json = False) -> None:
    """List the names that no class has been given for."""
    names = store().taxonomies.unmapped(site)
    document = [
        {"name": one.name, "count": one.count, "images": list(one.images), "nearest": list(one.nearest)}
        for one in names
    ]
    rows = [[one.name, one.count, ", ".join(one.nearest)] for one in names]
    put(document, as_json, lambda: table(rows, ("name", "count", "nearest")))


def quarantine_list(
    site: Annotated[str | None, typer.Option("--site", help="Only this site.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only for this reason.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 200,
    as_json: Json = False,
) -> None:
    """List what could not be read, and why; the newest first."""
    held = store().quarantine
    found = held.list(site, reason, limit)
    document = {
        "quarantined": dict(held.counts(site)),
        "images": [
            {
                "image": one.image.id,
                "site": one.image.site,
                "file": one.image.path,
                "reason": one.reason,
                "note": one.image.state_note,
                "arrived_at": one.image.arrived_at.isoformat(),
            }
            for one in found
        ],
    }
    rows = [[one.image.id, one.image.site, one.reason, one.image.path, one.image.state_note] for one in found]
    put(document, as_json, lambda: table(rows, ("image", "site", "reason", "file", "note")))


def quarantine_restore(
    images: Annotated[
        list[int], typer.Argument(metavar="IMAGE...", help="Image ids, as `quarantine list` shows them.")
    ],
    as_json: Json = False,
) -> None:
    """Take pictures back, reading again what could not be read; their parts stay with a person."""
    from app.jobs.intake.ingest import restore

    held = store()
    done = [restore(held, current(), image_id, datetime.now(UTC)) for image_id in images]
    document = [{"image": one.id, "site": one.site, "state": one.state.value} for one in done]
    put(document, as_json, lambda: [f"Image {one.id} is back; its part waits for a person." for one in done])
