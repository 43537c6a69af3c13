"""More commands about what is in force at a site: whatever tightens at once, and whatever needs a second person."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.output import note, put, table
from app.cli.shared import Json, Site, pairs, store
from core.errors import BadInput

if TYPE_CHECKING:
    from core.decide.policy import Policy
    from core.decide.requests import Matrix, Request
    from core.plant import Site as Site_
    from data.store import Store

By = Annotated[str, typer.Option("--by", help="Name of the account that acts.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept, and read by whoever agrees.")]
Line = Annotated[str | None, typer.Option("--line", help="Only for this line.")]
PartType = Annotated[str | None, typer.Option("--part-type", help="Only for this part type.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="RULE=VALUE, such as class.CRACK.pass_below=.1, cost.miss.critical=2000, "
                 "hours='Mon-Fri 06:00-22:00', when_nobody=stop; none takes a rule away."),
]  # fmt: skip
Seen = Annotated[
    int | None, typer.Option("--seen", help="The version that `show` gave; refused where somebody was faster.")
]


def register(thresholds: typer.Typer) -> None:
    """Add the commands to those about thresholds."""
    thresholds.command("tighten")(tighten)
    thresholds.command("rollback")(rollback)
    thresholds.command("calibrate")(calibrate)
    thresholds.command("requests")(requests)
    thresholds.command("agree")(agree)


def draft(held: "Store", site: str, line: str | None, part_type: str | None, values: list[str]) -> "Policy":
    """What decides these parts now, with other rules.

    Raises:
        BadInput: where nothing decides yet and the thresholds are not among the rules.
    """
    from dataclasses import replace

    from core.decide.changing import changed
    from core.decide.policy import Policy

    given = pairs(values, "--set")
    found = held.policies.in_force(site, line, part_type)
    if found is None:
        if not {"pass_below", "fail_above"} <= given.keys():
            raise BadInput(f"No policy decides at {site} yet: give --pass-below and --fail-above, or --set them.")
        found = Policy(0, site, 0.0, 1.0)
    # First as wide as can be: .3 to .8 becomes .85 to .9 in two steps, and the one in between would be upside down.
    if {"pass_below", "fail_above"} <= given.keys():
        found = replace(found, pass_below=0.0, fail_above=1.0)
    return changed(replace(found, line=line, part_type=part_type, ends=False, optimum=None), given)


def tighten(
    site: Site, reason: Reason, by: By, values: Set = None, line: Line = None, part_type: PartType = None,
    seen: Seen = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Change rules alone and at once, where no possible part is decided less strictly."""
    from dataclasses import replace

    from app.jobs.quality.thresholds import optimum_of

    held = store(by)
    wished = draft(held, site, line, part_type, values or [])
    wished = replace(wished, optimum=optimum_of(held, wished, held.database.clock(), reason))
    made = held.policies.tighten(wished, reason, seen=seen)
    put(policy_json(made), as_json, lambda: [f"Policy {made.number} is in force for {made.scope} of {site}.",
                                             *optimum_said(made)])  # fmt: skip


def rollback(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The policy to go back to.")],
    site: Site, reason: Reason, by: By, seen: Seen = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Propose the rules of an earlier policy again; somebody else approves it."""
    made = store(by).policies.rollback(site, number, reason, seen=seen)
    put(policy_json(made), as_json, lambda: [
        f"Policy {made.number} has the rules of policy {number} and waits for somebody else's approval."])  # fmt: skip


def calibrate(
    site: Site, reason: Reason, by: By,
    until: Annotated[str, typer.Option("--until", help="Day by which it is looked at again, such as 2026-09-30.")],
    counts: Annotated[
        str | None,
        typer.Option("--counts", help="TP,FN,FP,TN at a score of one half; without it, measured on the labels here."),
    ] = None,
    source: Annotated[str, typer.Option("--source", help="Where the counts come from.")] = "",
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit the scores anew from the parts that chance drew and people labelled.")
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Ask to confirm, on a confusion matrix, that the model's scores are probabilities at a site."""
    from core.times import time_of

    held = store(by)
    if refit:
        from app.jobs.quality.recalibration import fit, matrix_of, sentence

        if counts is not None:
            raise BadInput("--refit measures by itself: leave --counts out.")
        found = fit(held, site, held.database.clock())
        note(sentence(found))
        matrix: Matrix | None = matrix_of(found)
    else:
        matrix = held.requests.matrix(site) if counts is None else _typed(held.sites.get(site), counts, source)
    if matrix is None:
        raise BadInput(f"{site} has no model, or no labelled picture to measure it on: give --counts and --source.")
    moment = time_of(until)
    if moment is None:
        raise BadInput("--until needs a day.")
    made = held.requests.ask_calibration(site, matrix, moment, reason)
    put(request_json(made), as_json, lambda: [*made.content["caveats"], waits(made)])


def _typed(site: "Site_", counts: str, source: str) -> "Matrix":
    from core.decide.requests import Matrix
    from core.decide.score_map import read_map
    from core.learn.metrics import Counts

    try:
        tp, fn, fp, tn = (int(text) for text in counts.split(","))
    except ValueError as error:
        raise BadInput(
            f"--counts {counts} is not TP,FN,FP,TN: write four whole numbers, such as 118,9,6,127."
        ) from error
    if not source.strip():
        raise BadInput("Counts from elsewhere need --source: say in a sentence on which pictures they were measured.")
    reading = read_map(site.score_map, site.model)
    return Matrix(Counts(tp, fn, fp, tn), site.model or "", f"typed: {source.strip()}", reading=reading)


def requests(site: Site, as_json: Json = False) -> None:
    """Show what waits for a second person."""
    found = store().requests.waiting(site)
    rows = [[one.number, one.wish, one.by, f"{one.asked_at:%Y-%m-%d %H:%M}", one.reason] for one in found]
    heads = ("number", "wish", "asked by", "at (UTC)", "reason")
    put([request_json(one) for one in found], as_json, lambda: table(rows, heads))


def agree(
    number: Annotated[int, typer.Argument(metavar="NUMBER")], reason: Reason, by: By, as_json: Json = False
) -> None:
    """Agree to what somebody else asked for; it is so from the very next decision on."""
    made = store(by).requests.agree(number, reason)
    put(request_json(made), as_json, lambda: [f"{made.site}: {made.wish}, asked by {made.by}, agreed by {by}."])


def waits(made: "Request") -> str:
    """What has to happen next."""
    return (
        f"Request {made.number} ({made.wish} at {made.site}) waits for somebody else: "
        f"holdpoint thresholds agree {made.number} --reason ... --by NAME"
    )


def optimum_said(policy: "Policy") -> list[str]:
    """What the figures alone would have chosen, or that they chose nothing."""
    best = policy.optimum
    if best is None:
        return ["No optimum is recorded beside it: no part that it decides was drawn by chance and labelled."]
    return [f"The figures alone would choose {best.pass_below:g} to {best.fail_above:g} ({best.basis})."]


def policy_json(policy: "Policy") -> dict[str, Any]:
    """A policy as a document."""
    from dataclasses import asdict

    return {**asdict(policy), "band": list(policy.band), "scope": policy.scope}


def request_json(request: "Request") -> dict[str, Any]:
    """A request as a document."""
    from dataclasses import asdict

    return asdict(request)
