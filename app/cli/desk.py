"""Commands about the plant and whether it is in order: sites, doctor."""

from typing import Annotated, Any

import typer

from app.cli.output import put, table
from app.cli.shared import Json, Site, current, pairs, store


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command()(doctor)
    sites = typer.Typer(help="Sites and their part types.", no_args_is_help=True)
    sites.command("list")(sites_list)
    sites.command("add")(sites_add)
    sites.command("pause")(sites_pause)
    sites.command("resume")(sites_resume)
    sites.command("timezone")(sites_timezone)
    sites.command("ids")(sites_ids)
    sites.command("names")(sites_names)
    sites.command("rename")(sites_rename)
    sites.command("first-look")(sites_first_look)
    sites.command("part-type")(sites_part_type)
    cli.add_typer(sites, name="sites")


def doctor(as_json: Json = False) -> None:
    """Check versions, store, models, decoders, disk and worker; exits with 1 where something is wrong."""
    from app.jobs.upkeep.doctor import examine

    found = examine(current())
    signs = {"ok": "ok", "note": "–", "wrong": "WRONG"}
    rows = [[signs[one.status], one.what, one.found] for one in found]
    document = {
        "ok": all(one.status != "wrong" for one in found),
        "checks": [{"what": one.what, "status": one.status, "found": one.found} for one in found],
    }
    put(document, as_json, lambda: table(rows, ("", "what", "found")))
    if not document["ok"]:
        wrong = [f"{one.what} ({one.found})" for one in found if one.status == "wrong"]
        typer.echo(f"Not in order: {'; '.join(wrong)}.", err=True)
        raise typer.Exit(1)


def sites_list(as_json: Json = False) -> None:
    """List the sites and what is in force there."""
    held = store()
    document = []
    for site in held.sites.all():
        policy = held.policies.in_force(site.name)
        document.append(
            {
                "site": site.name,
                "timezone": site.timezone,
                "model": site.model,
                "calibrated": site.calibrated,
                "calibrated_until": site.calibrated_until,
                "policy": policy.number if policy else None,
                "paused": site.paused,
                "taxonomy": site.taxonomy.name if site.taxonomy_number else None,
            }
        )
    heads = ("site", "timezone", "model", "calibrated", "policy", "paused", "taxonomy")
    put(document, as_json, lambda: table([[one[head] for head in heads] for one in document], heads))


def sites_add(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    taxonomy: Annotated[str | None, typer.Option("--taxonomy", help="machined or fulfilment.")] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="Such as Europe/Paris.")] = "UTC",
    requires_ids: Annotated[
        bool, typer.Option("--requires-ids", help="Quarantine pictures that do not say which part they show.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a site."""
    from data.taxonomies import shipped

    chosen = None if taxonomy is None else shipped(taxonomy)
    site = store().sites.add(name, chosen, timezone, requires_ids=requires_ids)
    put({"site": site.name}, as_json, lambda: [f"{site.name} is a site."])


def sites_timezone(
    site: Annotated[str, typer.Argument(metavar="SITE")],
    timezone: Annotated[str, typer.Argument(metavar="ZONE", help="Such as Europe/Paris.")],
) -> None:
    """Set in which time zone a site's people read times."""
    store().sites.set_timezone(site, timezone)
    typer.echo(f"{site} reads times in {timezone}.")


def sites_ids(
    site: Annotated[str, typer.Argument(metavar="SITE")],
    required: Annotated[bool, typer.Option("--required/--optional", help="Whether a picture has to name its part.")],
) -> None:
    """Say whether a picture without a part id is quarantined."""
    store().sites.require_ids(site, required)
    typer.echo(f"{site}: a picture without a part id is {'quarantined' if required else 'filed'}.")


def sites_names(
    site: Annotated[str, typer.Argument(metavar="SITE")],
    add: Annotated[list[str] | None, typer.Option("--add", help="KIND=NAME, such as camera='cam 3'.")] = None,
    as_json: Json = False,
) -> None:
    """List a site's cameras and lines; with --add, announce one before its first picture."""
    held = store()
    for given in add or []:
        for kind, name in pairs([given], "--add").items():
            held.sites.add_name(site, kind, name)
    found = held.sites.names(site)
    document = [{"kind": one.kind, "name": one.name, "images": one.images, "last": one.last_at} for one in found]
    rows = [[one.kind, one.name, one.images, f"{one.last_at:%Y-%m-%d %H:%M}" if one.last_at else None] for one in found]
    put(document, as_json, lambda: table(rows, ("kind", "name", "pictures", "last (UTC)")))


def sites_rename(
    site: Annotated[str, typer.Argument(metavar="SITE")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="camera or line.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called today.")],
    becomes: Annotated[str, typer.Argument(metavar="NEW")],
) -> None:
    """Give a camera or line another name; its pictures go with it."""
    store().sites.rename(site, kind, name, becomes)
    typer.echo(f"The {kind} {name} is called {becomes.strip()} from now on; the old name would make a new {kind}.")


def sites_first_look(
    site: Annotated[str, typer.Argument(metavar="SITE")],
    own: Annotated[
        bool, typer.Option("--own/--shared", help="Whether inspectors answer before they see what the model says.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="For the audit trail.")] = "",
) -> None:
    """Say whose the first look at a part is: the inspector's own, or shared with the model."""
    store().sites.set_blind(site, own, reason)
    told = "is the inspector's own" if own else "is shared with the model, unless the site runs audits"
    typer.echo(f"The first look at {site} {told}.")


def sites_pause(
    site: Annotated[str, typer.Argument(metavar="SITE")],
    reason: Annotated[str, typer.Option("--reason", help="Inspectors read it on every held part.")],
) -> None:
    """Stop passing parts automatically at a site."""
    store().sites.pause(site, reason)
    typer.echo(f"Auto-PASS is paused at {site}.")


def sites_resume(
    site: Annotated[str, typer.Argument(metavar="SITE")],
    reason: Annotated[str, typer.Option("--reason", help="Why; whoever agrees reads it.")],
    by: Annotated[str, typer.Option("--by", help="Name of the account that asks; somebody else agrees.")],
) -> None:
    """Ask that parts pass automatically again; somebody else has to agree."""
    from app.cli.policies import waits

    typer.echo(waits(store(by).requests.ask_resume(site, reason)))


def sites_part_type(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    site: Site,
    views: Annotated[str | None, typer.Option("--views", help="Names of the views that make a part: top,side.")] = None,
    pictures: Annotated[int | None, typer.Option("--pictures", min=1, help="Or how many pictures make one.")] = None,
    time_out: Annotated[float | None, typer.Option("--time-out", help="Seconds to wait for them.")] = None,
    scale: Annotated[float | None, typer.Option("--scale", help="Working scale; 0.5 halves each side.")] = None,
    tile: Annotated[int | None, typer.Option("--tile", help="Side of a tile in working pixels.")] = None,
    stride: Annotated[int | None, typer.Option("--stride", help="From one tile to the next.")] = None,
    whole: Annotated[
        bool | None, typer.Option("--whole-picture/--tiles-only", help="Look at the shrunken whole beside the tiles.")
    ] = None,
    flips: Annotated[bool | None, typer.Option("--flips/--no-flips", help="Training may mirror it.")] = None,
    exposures: Annotated[
        bool | None,
        typer.Option(
            "--exposures/--no-exposures",
            help="Pictures without a named view are exposures of one view: their scores are averaged.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a part type; with options, set what they name."""
    from dataclasses import asdict, replace

    from core.errors import NotFound
    from core.plant import PartType

    held = store()
    given: dict[str, Any] = {
        "views": None if views is None else tuple(view.strip() for view in views.split(",") if view.strip()),
        "pictures": pictures,
        "time_out_s": time_out,
        "scale": scale,
        "tile": tile,
        "stride": stride,
        "whole_picture": whole,
        "flips": flips,
        "exposures": exposures,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    try:
        kind = held.part_types.get(site, name)
    except NotFound:
        if not changes:
            raise
        held.sites.get(site)
        kind = PartType(name)
    if changes:
        kind = replace(kind, **changes)
        held.part_types.put(site, kind)
    put(asdict(kind), as_json, lambda: [f"{key}: {value}" for key, value in asdict(kind).items()])
