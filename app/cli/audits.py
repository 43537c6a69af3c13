"""Commands about audits: what they say of a site, what more would show, and what customers report beside them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.output import put, table
from app.cli.shared import Json, Site, store
from core.errors import BadInput

if TYPE_CHECKING:
    from app.jobs.quality.audits import Measured
    from core.audits.estimates import Rate

User = Annotated[str | None, typer.Option("--user", help="In whose name.")]
Days = Annotated[float, typer.Option("--days", help="How far to look back.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    audits = typer.Typer(help="Random audits: missed, escaped, falsely rejected; and a planner.", no_args_is_help=True)
    audits.command("show")(audits_show)
    audits.command("plan")(audits_plan)
    audits.command("report-escape")(audits_report_escape)
    audits.command("import-escapes")(audits_import_escapes)
    audits.command("escapes")(audits_escapes)
    audits.command("take-back-escape")(audits_take_back)
    cli.add_typer(audits, name="audits")


def audits_show(site: Site, days: Days = 28.0, as_json: Json = False) -> None:
    """Estimate miss rate, escape rate and false-reject rate from audited parts, with 95% intervals."""
    from app.jobs.quality.audits import RATES, document

    found = _measured(site, days)

    def lines() -> Any:
        rows = [
            [
                name.replace("_", " "),
                _said(None if found.restated is None else getattr(found.restated, name)),
                _said(getattr(found.answered, name)),
                _said(found.overrides[name]),
            ]
            for name in RATES
        ]
        yield from table(rows, ("rate", "restated for people's error", "as answered", "overrides alone (biased)"))
        for outcome, parts in found.parts.items():
            looked, waiting = found.looked[outcome], found.waiting.get(outcome, 0)
            yield f"{outcome}: {parts:,} parts, {looked:,} looked at, {waiting:,} wait"
        yield from found.answered.missing

    put(document(found), as_json, lines)


def audits_plan(
    site: Site,
    limit: Annotated[float, typer.Option("--miss", help="Miss rate to show, such as 0.01.")] = 0.01,
    confidence: Annotated[float, typer.Option("--confidence", help="How sure, such as 0.95.")] = 0.95,
    misses: Annotated[int, typer.Option("--misses", help="Misses that may be found on the way.")] = 0,
    share: Annotated[float | None, typer.Option("--share", help="Audited share of passes, if another.")] = None,
    days: Days = 28.0,
    as_json: Json = False,
) -> None:
    """Say how many clean audits show a miss rate, and how long that is at the present rate."""
    from app.jobs.quality.audits import document
    from core.audits.planner import sentence

    if share is not None and not 0 <= share <= 1:
        raise BadInput(f"--share {share} is no share: give a number from 0 to 1.")
    found = _measured(site, days)
    planned = found.planned(limit, confidence, misses, share)
    put(document(found, planned), as_json, lambda: [sentence(planned)])


def audits_report_escape(
    site: Site,
    reported_on: Annotated[str, typer.Option("--on", help="The day on which the customer told: 2026-03-01.")],
    parts: Annotated[int, typer.Option("--parts", help="Defective parts that it is about.")] = 1,
    reference: Annotated[str, typer.Option("--reference", help="The customer's own number for it.")] = "",
    customer: Annotated[str, typer.Option("--customer")] = "",
    part: Annotated[str, typer.Option("--part", help="Name or serial number, if known.")] = "",
    class_id: Annotated[str, typer.Option("--class", help="Of the defect, if known.")] = "",
    shipped_on: Annotated[str | None, typer.Option("--shipped", help="The day of shipping, if known.")] = None,
    note: Annotated[str, typer.Option("--note")] = "",
    user: User = None,
    as_json: Json = False,
) -> None:
    """Keep one report of a customer about defective parts; it is a lower bound and never an estimate."""
    from core.kpis.escapes import Escape

    shipped = None if shipped_on is None else _day("--shipped", shipped_on)
    one = Escape(_day("--on", reported_on), parts, reference or None, customer, part, class_id or None, shipped, note)
    took = store(user).reported.report(site, [one], "command line")
    found = {"new": list(took.new), "known": list(took.known)}
    said = f"Report {took.new[0]} is kept." if took.new else f"{site} has report {reference} already."
    put(found, as_json, lambda: [said])


def audits_import_escapes(
    file: Annotated[Path, typer.Argument(help="A CSV with the column reported_on; see the page for the others.")],
    site: Site,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Keep the reports of a file; rows that cannot be kept are told one by one, and the status is then 1."""
    from app.jobs.quality.escapes import take

    if not file.is_file():
        raise BadInput(f"There is no file {file}.")
    found = take(store(user), site, file.name, file.read_bytes(), datetime.now(UTC))
    put(found.to_json(), as_json, lambda: [found.sentence, *(f"line {one.line}: {one.why}" for one in found.bad)])
    if found.bad:
        raise typer.Exit(1)


def audits_escapes(site: Site, user: User = None, as_json: Json = False) -> None:
    """List what customers have reported, the last one first."""
    from app.jobs.quality.escapes import document

    found = store(user).reported.escapes(site)
    rows = [
        [one.number, one.escape.reported_on, one.escape.parts, one.escape.customer, one.escape.reference,
         "" if one.taken_back_by is None else f"taken back by {one.taken_back_by}"]
        for one in found
    ]  # fmt: skip
    head = ("report", "reported on", "parts", "customer", "reference", "")
    put([document(one) for one in found], as_json, lambda: table(rows, head))


def audits_take_back(
    number: Annotated[int, typer.Argument(help="Of the report.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it was wrong.")],
    user: User = None,
) -> None:
    """Say that a report was wrong: it stays on record and counts no more."""
    store(user).reported.take_back(number, reason)
    put({"taken_back": number}, False, lambda: [f"Report {number} is taken back."])


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option} is '{text[:40]}': give a day such as 2026-03-01.") from error


def _measured(site: str, days: float) -> "Measured":
    from app.jobs.quality.audits import measure

    if not 0 < days <= 3660:
        raise BadInput(f"--days {days:g} is outside 0 to 3,660.")
    return measure(store(), site, days, datetime.now(UTC))


def _said(rate: "Rate | None") -> str | None:
    return None if rate is None else f"{rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%}, n {rate.n:,})"
