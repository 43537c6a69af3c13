"""Commands about audits: what they say of a site, and what more of them would show."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.output import put, table
from app.cli.shared import Json, Site, store
from core.errors import BadInput

if TYPE_CHECKING:
    from app.jobs.audits import Measured
    from core.audits.estimates import Rate

Days = Annotated[float, typer.Option("--days", help="How far to look back.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    audits = typer.Typer(help="Random audits: missed, escaped, falsely rejected; and a planner.", no_args_is_help=True)
    audits.command("show")(audits_show)
    audits.command("plan")(audits_plan)
    cli.add_typer(audits, name="audits")


def audits_show(site: Site, days: Days = 28.0, as_json: Json = False) -> None:
    """Estimate miss rate, escape rate and false-reject rate from audited parts, with 95% intervals."""
    from app.jobs.audits import RATES, document

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
    from app.jobs.audits import document
    from core.audits.planner import sentence

    if share is not None and not 0 <= share <= 1:
        raise BadInput(f"--share {share} is no share: give a number from 0 to 1.")
    found = _measured(site, days)
    planned = found.planned(limit, confidence, misses, share)
    put(document(found, planned), as_json, lambda: [sentence(planned)])


def _measured(site: str, days: float) -> "Measured":
    from app.jobs.audits import measure

    if not 0 < days <= 3660:
        raise BadInput(f"--days {days:g} is outside 0 to 3,660.")
    return measure(store(), site, days, datetime.now(UTC))


def _said(rate: "Rate | None") -> str | None:
    return None if rate is None else f"{rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%}, n {rate.n:,})"
