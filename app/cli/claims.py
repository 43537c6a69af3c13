"""Commands about claims: check what is said of a part, describe it, and set from when on a model's word counts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import progress, put
from app.cli.shared import Json, Site, current, store
from core.errors import BadInput, NotFound
from core.words.claims.promised import CONFIDENCE, RATE

Part = Annotated[str, typer.Argument(metavar="PART", help="The part's name.")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What is said of it; it is only read.")]
By = Annotated[str | None, typer.Option("--by", help="In whose name; their rights are theirs.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Claims held against evidence.", no_args_is_help=True)
    group.command("check")(check)
    group.command("describe")(describe)
    group.command("defect")(defect)
    group.command("limits")(limits)
    group.command("calibrate")(calibrate)
    cli.add_typer(group, name="claims")


def check(
    part: Part,
    text: Text,
    site: Site,
    mm_per_px: Annotated[
        float | None, typer.Option("--mm-per-px", help="How many millimetres a pixel is, to hold sizes against.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Write down what was found.")] = True,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Hold what a text says of a part against its pictures, labels and readings."""
    from datetime import UTC, datetime

    from app.jobs.words.claiming import check_claims, checked_document

    if mm_per_px is not None and not 0 < mm_per_px < 1000:
        raise BadInput(f"{mm_per_px} millimetres a pixel: give a number above 0.")
    opened = store(by)
    found = check_claims(opened, current(), _part(opened, site, part), text, "typed on the command line",
                         now=datetime.now(UTC), keep=keep, mm_per_px=mm_per_px)  # fmt: skip
    document = {"part": part, "check": found.kept, **checked_document(found)}
    put(document, as_json, lambda: _lines(document["sentences"]))


def describe(part: Part, site: Site, by: By = None, as_json: Json = False) -> None:
    """Say what happened to a part, from the record and, where one is set, by a describer whose words are checked."""
    from datetime import UTC, datetime

    from app.jobs.words.claiming import sentence_document
    from app.jobs.words.describing import describe_part

    opened = store(by)
    made = describe_part(opened, current(), _part(opened, site, part), now=datetime.now(UTC))
    document = {"part": part, "by": made.by, "text": list(made.sentences), "fallback": made.fallback,
                "struck": [sentence_document(one) for one in made.struck], "check": made.kept}  # fmt: skip
    struck = f"({len(made.struck)} sentences struck out)" if made.struck else ""
    put(
        document,
        as_json,
        lambda: [*made.sentences, *filter(None, [f"({made.fallback})" * bool(made.fallback), struck])],
    )


def defect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A picture.")],
    text: Text,
    site: Site,
    model: Annotated[str | None, typer.Option("--model", help="Another than the site's.")] = None,
    as_json: Json = False,
) -> None:
    """Hold a statement against one picture file: what the model sees, and what a describer says, where one is set."""
    from datetime import UTC, datetime

    from app.jobs.words.claiming import sentence_document
    from app.jobs.words.describing import check_defect
    from app.jobs.words.unfiled import evidence_of_file

    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}).") from error
    opened = store()
    kept = opened.claims.limits(site)
    evidence = evidence_of_file(opened, current(), site, file.name, data, model, now=datetime.now(UTC))
    found = check_defect(data, text, current(), evidence, None if kept is None else kept.limits)
    document: dict[str, Any] = {
        "file": str(file), "ruling": str(found.ruling), "opinion": found.opinion, "said": found.said, "by": found.by,
        "problem": found.problem, "sentences": [sentence_document(one) for one in found.sentences],
    }  # fmt: skip
    said = f"{found.by} looked: {found.opinion}. {found.said or found.problem}".strip() if found.by else ""
    put(document, as_json, lambda: [*_lines(document["sentences"]), *([said] if said else [])])


def limits(site: Site, as_json: Json = False) -> None:
    """From when on a model's word counts for claims at a site, and what that rests on."""
    from core.words.claims.limits import limits_document

    kept = store().claims.limits(site)
    found = None if kept is None else kept.limits
    document = None if kept is None else {
        "number": kept.number, "by": kept.by, "reason": kept.reason,
        "limits": None if found is None else limits_document(found),
    }  # fmt: skip
    none = [f"No limits for claims are set at {site}: a model's word alone confirms nothing."]
    put(document, as_json, lambda: none if found is None else [one.said(found.rate) for one in found.all])


def calibrate(
    site: Site,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence.")],
    rate: Annotated[float, typer.Option("--rate", help="Of false confirmations, at most.")] = RATE,
    confidence: Annotated[float, typer.Option("--confidence", help="With which that holds.")] = CONFIDENCE,
    off: Annotated[bool, typer.Option("--off", help="Trust no model's word any more.")] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Set the limits from true and false claims about labelled parts that the model has not learnt from."""
    from datetime import UTC, datetime

    from app.jobs.words.claiming import set_limits
    from core.words.claims.limits import limits_document

    opened, now = store(by), datetime.now(UTC)
    if off:
        kept = opened.claims.set_limits(site, None, reason, now=now)
    else:
        with progress(f"Claims about parts of {site}") as say:
            kept = set_limits(opened, current(), site, reason, rate=rate, confidence=confidence, now=now, progress=say)
    found = kept.limits
    document = {"number": kept.number, "limits": None if found is None else limits_document(found)}
    said = ["No model's word counts any more."] if found is None else [one.said(found.rate) for one in found.all]
    put(document, as_json, lambda: said)


def _part(opened: Any, site: str, name: str) -> int:
    found = opened.parts.find(site, name)
    if found is None:
        raise NotFound(f"There is no part '{name}' at {site}.")
    return int(found.id)


def _lines(sentences: list[dict[str, Any]]) -> Iterator[str]:
    for one in sentences:
        yield one["text"]
        if not one["claims"]:
            yield f"  no claim to check: {one['nothing']}"
        for claim in one["claims"]:
            yield f"  {claim['ruling']}: {'no ' if claim['negated'] else ''}{claim['phrase']}. {claim['why']}"
