"""Commands about a site's policy: proposed by one person, approved by another."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import policies, replays
from app.cli.output import put, table
from app.cli.policies import Line, PartType, Seen, Set, policy_json
from app.cli.shared import Json, Site, store
from core.errors import BadInput

By = Annotated[str, typer.Option("--by", help="Name of the account that acts.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    thresholds = typer.Typer(help="The policy of a site: proposed by one, approved by another.", no_args_is_help=True)
    thresholds.command("show")(thresholds_show)
    thresholds.command("propose")(thresholds_propose)
    thresholds.command("approve")(thresholds_approve)
    policies.register(thresholds)
    replays.register(thresholds)
    cli.add_typer(thresholds, name="thresholds")


def thresholds_show(site: Site, as_json: Json = False) -> None:
    """Show the policy in force and those before and after it."""
    held = store()
    current_one = held.policies.in_force(site)
    everywhere = held.policies.all_in_force(site)
    narrower = [one for one in everywhere if (one.line, one.part_type) != (None, None)]
    history = held.policies.history(site)
    document = {
        "site": site,
        "version": held.policies.version(site),
        "in_force": None if current_one is None else policy_json(current_one),
        "narrower": [policy_json(one) for one in narrower],
        "history": [policy_json(one) for one in history],
    }

    def lines() -> Any:
        if current_one is None:
            yield f"No policy is approved at {site}: nothing passes by itself."
        rows = [
            [
                one.number,
                one.scope,
                one.pass_below,
                one.fail_above,
                one.proposed_by,
                one.approved_by or "waits",
                "in force" if one in everywhere else "",
            ]
            for one in history
        ]
        yield from table(rows, ("number", "for", "pass below", "fail above", "proposed by", "approved by", ""))

    put(document, as_json, lines)


def thresholds_propose(
    site: Annotated[str | None, typer.Option("--site", help="The site.")] = None,
    pass_below: Annotated[
        float | None, typer.Option("--pass-below", help="Scores under it pass; 0 passes nothing.")
    ] = None,
    fail_above: Annotated[
        float | None, typer.Option("--fail-above", help="Scores over it fail; 1 fails nothing.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why these; the one who approves reads it.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Name of the account that acts.")] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration",
            help="Store nothing: answer what this CSV of labelled parts guarantees "
            "(columns site, score, defective, weight; weight is 1 / inclusion probability).",
        ),
    ] = None,
    miss: Annotated[
        float | None, typer.Option("--miss", help="With --calibration: the largest miss rate, such as 0.01.")
    ] = None,
    confidence: Annotated[
        float, typer.Option("--confidence", help="With --calibration: of each site's answer.")
    ] = 0.95,
    minimum_confidence: Annotated[
        float | None,
        typer.Option("--minimum-confidence", help="Share of the likeliest class under which a FAIL is held."),
    ] = None,
    novelty_limit: Annotated[
        float | None, typer.Option("--novelty-limit", help="More novel pictures are held.")
    ] = None,
    audit_pass: Annotated[
        float | None, typer.Option("--audit-pass", help="Share of passes that a person looks at.")
    ] = None,
    audit_fail: Annotated[
        float | None, typer.Option("--audit-fail", help="Share of fails that a person looks at.")
    ] = None,
    fail_route: Annotated[str | None, typer.Option("--fail-route", help="rework or divert.")] = None,
    line: Line = None,
    part_type: PartType = None,
    values: Set = None,
    seen: Seen = None,
    as_json: Json = False,
) -> None:
    """Propose what is in force with other rules, for somebody else to approve; or ask what a file of parts proves."""
    if calibration is not None:
        if miss is None:
            raise BadInput("--calibration needs --miss, the largest share of defective parts that may pass: 0.01.")
        _guarantees(calibration, miss, confidence, as_json)
        return
    if site is None or pass_below is None or fail_above is None or reason is None or by is None:
        raise BadInput("A proposal needs --site, --pass-below, --fail-above, --reason and --by; or ask --calibration.")
    given = {
        "pass_below": pass_below,
        "fail_above": fail_above,
        "minimum_confidence": minimum_confidence,
        "novelty_limit": novelty_limit,
        "audit_pass": audit_pass,
        "audit_fail": audit_fail,
        "fail_route": fail_route,
    }
    held = store(by)
    rules = [*(f"{key}={value}" for key, value in given.items() if value is not None), *(values or [])]
    draft = policies.draft(held, site, line, part_type, rules)
    made = held.policies.put_forward(draft, reason, seen=seen)
    put(policy_json(made), as_json, lambda: [f"Policy {made.number} of {site} waits for somebody else's approval."])


def _guarantees(path: Path, miss: float, confidence: float, as_json: bool) -> None:
    """What the labelled parts of a file prove of each of its sites."""
    from app.jobs.quality.calibration import from_file

    answers = from_file(path, miss, confidence)
    put(answers, as_json, lambda: (f"{one['site']}: {one['status']}. {one['sentence']}" for one in answers))


def thresholds_approve(
    number: Annotated[int, typer.Argument(metavar="NUMBER")],
    site: Site,
    reason: Annotated[str, typer.Option("--reason", help="Why it is right; kept with the approval.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Put a proposed policy in force; what the figures alone would choose now is recorded beside it."""
    from app.jobs.quality.thresholds import optimum_of

    held = store(by)
    now = held.database.clock()
    proposed = next((one for one in held.policies.history(site) if one.number == number), None)
    best = None if proposed is None else optimum_of(held, proposed, now)
    made = held.policies.approve(site, number, reason, now, optimum=best)
    put(policy_json(made), as_json, lambda: [f"Policy {number} is in force at {site}.", *policies.optimum_said(made)])
