"""What other thresholds would have done to a site's last weeks."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.output import counted, put
from app.cli.shared import Json, Site, store

if TYPE_CHECKING:
    from core.decide.replay import Replay


def register(thresholds: typer.Typer) -> None:
    """Add the command to those about thresholds."""
    thresholds.command("replay")(replay)


def replay(
    site: Site,
    pass_below: Annotated[float | None, typer.Option("--pass-below", help="Today's without it.")] = None,
    fail_above: Annotated[float | None, typer.Option("--fail-above", help="Today's without it.")] = None,
    weeks: Annotated[int, typer.Option("--weeks", help="To look back.", min=1, max=520)] = 4,
    as_json: Json = False,
) -> None:
    """Decide the parts of the last weeks again under other thresholds; changes nothing."""
    from datetime import UTC, datetime

    from app.jobs.quality.thresholds import gather, prices_of, staffing_of
    from core.decide.replay import replay as decide_again

    found = gather(store(), site, weeks, datetime.now(UTC))
    low = found.base.pass_below if pass_below is None else pass_below
    high = found.base.fail_above if fail_above is None else fail_above
    prices, assumed = prices_of(found.base.costs, staffing_of(found.base.attendance, found.rates)[0].seconds_per_look)
    draft = replace(found.base, pass_below=low, fail_above=high)
    again = decide_again(found.parts, draft, found.in_force, found.site.calibrated, prices)
    document = {"site": site, "pass_below": low, "fail_above": high, "weeks": weeks, **_figures(again),
                "costs_assumed": assumed}  # fmt: skip

    def lines() -> Any:
        yield f"{again.parts:,} parts of {weeks} weeks at {site}, under {low:g} to {high:g}:"
        yield f"  were {counted({str(k): n for k, n in again.was.items()})}"
        yield f"  would be {counted({str(k): n for k, n in again.would.items()})}; {len(again.changed):,} would change"
        yield f"  held per hour {again.held_per_hour[0]:.1f}, would be {again.held_per_hour[1]:.1f}"
        yield f"  misses found by audits {again.misses}, of them not passed {again.misses_held}"

    put(document, as_json, lines)


def _figures(again: "Replay") -> dict[str, Any]:
    return {
        "parts": again.parts,
        "was": {str(one): n for one, n in again.was.items()},
        "would": {str(one): n for one, n in again.would.items()},
        "changed": [{"part": part, "was": str(was), "would": str(would)} for part, was, would in again.changed],
        "held_per_hour": {"was": again.held_per_hour[0], "would": again.held_per_hour[1]},
        "misses_found_by_audits": again.misses,
        "misses_not_passed": again.misses_held,
        "known_defects_passed_anew": again.new_misses,
        "cost": None if again.cost is None else {"was": again.cost[0], "would": again.cost[1]},
    }
