"""Commands about printed labels: rules, catalogue, checks of files."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from app.cli.output import note, put, table
from app.cli.shared import Json, Site, current, store
from core.errors import BadInput, HoldpointError

PartType = Annotated[str, typer.Option("--part-type", help="The part type whose labels are meant.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Printed labels: what is asked of them, and what they say.", no_args_is_help=True)
    group.command("rules")(rules)
    group.command("set")(set_)
    group.command("catalogue")(catalogue)
    group.command("check")(check)
    cli.add_typer(group, name="prints")


def rules(site: Site, as_json: Json = False) -> None:
    """What is asked of the labels of each part type."""
    from core.words.print_check import rules_document

    found = store().prints.rules(site)
    document = [{"part_type": one.part_type, "number": one.number, "by": one.by, "reason": one.reason,
                 "rules": None if one.rules is None else rules_document(one.rules)} for one in found]  # fmt: skip
    rows = [[one.part_type, one.number, "nothing" if one.rules is None else one.rules.said(), one.by, one.reason]
            for one in found]  # fmt: skip
    put(document, as_json, lambda: table(rows, ["part type", "number", "asks", "by", "reason"]))


def set_(
    site: Site,
    part_type: PartType,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence.")],
    order: Annotated[
        Literal["day", "month", "year"] | None,
        typer.Option("--order", help="What dates begin with; both where not said."),
    ] = None,
    languages: Annotated[str, typer.Option("--languages", help="Of month names, such as en,de.")] = "en",
    views: Annotated[
        str, typer.Option("--views", help="That carry the label, such as top,side; any where not said.")
    ] = "",
    short_days: Annotated[int, typer.Option("--short-days", help="Goods with fewer days left are held.")] = 0,
    expiry: Annotated[bool, typer.Option("--expiry/--no-expiry", help="A date has to be there and good.")] = True,
    identity: Annotated[
        bool, typer.Option("--identity/--no-identity", help="The text has to be the expected item's.")
    ] = True,
    shelf_days: Annotated[
        int | None, typer.Option("--shelf-days", help="How long goods last after the day of making.")
    ] = None,
    julian: Annotated[bool, typer.Option("--julian", help="Lot codes YDDD and YYDDD are days of making.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Ask nothing any more.")] = False,
    as_json: Json = False,
) -> None:
    """Say what is asked of a part type's labels from now on."""
    from core.words.print_check import rules_document, rules_of

    orders = {"day": "day first", "month": "month first", "year": "year first"}
    made = None if off else rules_of({
        "printing": {"order": None if order is None else orders[order], "languages": _listed(languages),
                     "julian": julian, "shelf_days": shelf_days},
        "views": _listed(views), "expiry": expiry, "short_days": short_days, "identity": identity,
    })  # fmt: skip
    kept = store().prints.set_rules(site, part_type, made, reason)
    document = {"part_type": part_type, "number": kept.number, "rules": None if made is None else rules_document(made)}
    said = "nothing is asked" if made is None else made.said()
    put(document, as_json, lambda: [f"Labels of {part_type} at {site}: {said}."])


def catalogue(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns sku, title; part_type, language, others.")],
    site: Site,
    as_json: Json = False,
) -> None:
    """Put the items of a file in place of a site's catalogue."""
    from app.jobs.words.prints import read_catalogue

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read as UTF-8 text: {error}") from error
    count = store().prints.set_catalogue(site, read_catalogue(text))
    put({"site": site, "items": count}, as_json, lambda: [f"The catalogue of {site} has {count} items."])


def check(
    sources: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures of labels.")],
    site: Annotated[str | None, typer.Option("--site", help="Whose rules and catalogue count.")] = None,
    part_type: Annotated[str | None, typer.Option("--part-type", help="Whose rules count.")] = None,
    languages: Annotated[str, typer.Option("--languages", help="Of month names, where no site is given.")] = "en",
    day: Annotated[str | None, typer.Option("--today", metavar="DATE", help="Another day than today.")] = None,
    as_json: Json = False,
) -> None:
    """Read and check the labels in picture files; nothing is stored."""
    from app.jobs.words.prints import check_file, finding_document, reader_process
    from core.words.expiry import Printing
    from core.words.identity import expected_of
    from core.words.print_check import PrintRules

    wanted = PrintRules(Printing(languages=tuple(_listed(languages))), identity=False)
    entries, expected = expected_of((), None)
    if site is not None:
        kept = {one.part_type: one.rules for one in store().prints.rules(site)}
        found = kept.get(part_type or "")
        if found is None:
            raise BadInput(f"No rules for printed labels are set for part type '{part_type or ''}' at {site}.")
        wanted = found
        entries, expected = expected_of(store().prints.catalogue(site), part_type)
    today = _day(day)
    documents: list[dict[str, Any]] = []
    failed = 0
    with reader_process(current(), wanted.printing.languages) as process:
        for file in sources:
            try:
                finding, reading = check_file(current(), file, wanted, today, entries, expected, process)
            except (HoldpointError, OSError) as error:
                failed += 1
                note(f"{file}: {error}")
                continue
            documents.append({"file": str(file), **finding_document(finding), "reader": reading.reader,
                              "milliseconds": round(reading.milliseconds, 1)})  # fmt: skip
    put(documents, as_json, lambda: map(_line, documents))
    if failed:
        raise typer.Exit(1)


def _line(document: Mapping[str, Any]) -> str:
    said = "; ".join(one["text"] for one in document["reasons"]) or "in order"
    return f"{Path(document['file']).name}: {said}"


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"'{text}' is no date such as 2026-03-01.") from error
