"""Commands about complaints and returns: import, list, answer, trend, patterns, escapes, notices."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import note, progress, put, table
from app.cli.shared import Json, Site, current, store
from core.errors import BadInput

User = Annotated[str | None, typer.Option("--user", help="As this person, and no more than they may.")]
DAYS = 180
_SHOWN = 20  # rows of a file that are told


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Complaints and returns: what customers told, and what it shows.", no_args_is_help=True)
    group.command("import")(import_)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("answer")(answer)
    group.command("link")(link)
    group.command("volumes")(volumes)
    group.command("trend")(trend)
    group.command("patterns")(patterns)
    group.command("escapes")(escapes)
    group.command("notices")(notices)
    group.command("approve")(approve)
    cli.add_typer(group, name="complaints")


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns id, told_on, text; others may follow.")],
    site: Site,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Keep the complaints of a CSV file; done twice it changes nothing. What customers wrote is covered first."""
    from app.jobs.words.complaints import import_complaints

    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror or error}.") from error
    held = store(user)
    with progress("Complaints") as say:
        found = import_complaints(held, current(), site, file.name, data, held.database.clock(), say)
    for one in found.bad[:_SHOWN]:
        note(f"Line {one.line}: {one.why}")
    if len(found.bad) > _SHOWN:
        note(f"and {len(found.bad) - _SHOWN:,} rows more")
    if found.left_out:
        note(f"Columns that were not read: {', '.join(found.left_out)}.")
    put(found.to_json(), as_json, lambda: [found.sentence])


def list_(
    site: Site,
    which: Annotated[
        str, typer.Option("--which", help="to answer, to confirm, without a part, escapes, answered, set aside, all.")
    ] = "all",
    most: Annotated[int, typer.Option("--most", min=1, max=10_000)] = 50,
    user: User = None,
    as_json: Json = False,
) -> None:
    """The complaints of a site, the one told last first."""
    from app.jobs.words.complaints import document
    from data.store.words.complaints import Which

    if which not in tuple(Which):
        raise BadInput(f"--which {which}: give one of {', '.join(Which)}.")
    documents = [document(one) for one in store(user).complaints.find(site, Which(which), most)]
    rows = [
        [one["complaint"], one["reference"], one["told_on"], ", ".join(one["about"]) or "–", one["part"],
         one["visible"], "escape" if one["escape"] else one["state"], one["text"][:60]]
        for one in documents
    ]  # fmt: skip
    heads = ["complaint", "id", "told on", "about", "part", "visible", "state", "text"]
    put(documents, as_json, lambda: table(rows, heads))


def show(number: Annotated[int, typer.Argument(metavar="COMPLAINT")], user: User = None, as_json: Json = False) -> None:
    """One complaint, with what may be done about it."""
    from app.jobs.words.complaints import document

    held = store(user)
    found = document(held.complaints.get(number))
    found["acts"] = [{"act": str(one.kind), "state": str(one.state), "why": one.why, "by": one.by}
                     for one in held.complaints.acts(number)]  # fmt: skip
    put(found, as_json, lambda: table([[name, _said(value)] for name, value in found.items()], ["what", "is"]))


def answer(
    number: Annotated[int, typer.Argument(metavar="COMPLAINT")],
    sight: Annotated[str, typer.Option("--sight", help="visible, 'not visible' or 'cannot tell'.")],
    user: Annotated[str, typer.Option("--user", help="Who has looked at the pictures.")],
    remark: Annotated[str, typer.Option("--note")] = "",
    as_json: Json = False,
) -> None:
    """Say whether the pictures show what the customer tells."""
    from app.jobs.words.complaints import document
    from core.words.complaints.records import Sight

    if sight not in tuple(Sight):
        raise BadInput(f"--sight {sight}: give one of {', '.join(Sight)}.")
    made = store(user).complaints.answer(number, Sight(sight), remark)
    passed = "" if made.passage is None else f" {made.passage.sentence}"
    put(document(made), as_json, lambda: [f"Complaint {number}: {sight}.{passed}"])


def link(
    number: Annotated[int, typer.Argument(metavar="COMPLAINT")],
    part: Annotated[str, typer.Option("--part", help="Its name; empty for none.")],
    user: Annotated[str, typer.Option("--user", help="Who says so.")],
    as_json: Json = False,
) -> None:
    """Say which part a complaint is about."""
    from app.jobs.words.complaints import document

    made = store(user).complaints.link_to(number, part)
    put(document(made), as_json, lambda: [f"Complaint {number}: {made.link_why}"])


def volumes(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns about (seller or batch), name, parts.")],
    site: Site,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Say how many parts sellers and batches have had, so that their rates can be compared."""
    from core.words.complaints.reading import read_parts_of

    try:
        good, bad = read_parts_of(file.read_bytes())
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror or error}.") from error
    for one in bad[:_SHOWN]:
        note(f"Line {one.line}: {one.why}")
    count = store(user).complaint_counts.set_volumes(site, good)
    put({"names": count, "bad": len(bad)}, as_json, lambda: [f"{count:,} sellers and batches have their parts."])


def trend(
    site: Site,
    since: Annotated[str | None, typer.Option("--since", help="Such as 2026-03-01; 180 days without it.")] = None,
    change: Annotated[str | None, typer.Option("--change", help="Before and after this day.")] = None,
    horizon: Annotated[
        int, typer.Option("--horizon", min=1, max=400, help="Days within which a complaint counts.")
    ] = 28,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Complaints and returns per thousand parts that left, beside interception, by week; before and after a day."""
    from app.jobs.words.complaint_figures import trend_document

    held = store(user)
    today = held.reported.today(site)
    found = trend_document(held, site, _day(since) or today - timedelta(days=DAYS), today, _day(change), horizon)
    rows = [[one["week"], one["told"], one["left"], _per(one["per_thousand"]), _between(one, 1), _share(one["stopped"]),
             "young" if one["young"] else ""] for one in found["weeks"]]  # fmt: skip
    heads = ["week", "told", "left", "per thousand", "95%", "intercepted", ""]
    put(found, as_json, lambda: [*table(rows, heads), *found["notes"]])


def patterns(
    site: Site,
    since: Annotated[str | None, typer.Option("--since", help="Such as 2026-03-01; 180 days without it.")] = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Orders, batches, sellers, machines, lines and part types that stand out; at most 1 in 10 of them by chance."""
    from app.jobs.words.complaint_figures import patterns_document

    held = store(user)
    found = patterns_document(held, site, _day(since) or held.reported.today(site) - timedelta(days=DAYS))
    lines = [one["sentence"] for one in found["patterns"]] or ["Nothing stands out."]
    put(found, as_json, lambda: [*lines, f"{found['tests']:,} names and mixes were tested together."])


def escapes(
    site: Site,
    since: Annotated[str | None, typer.Option("--since", help="Such as 2026-03-01; 180 days without it.")] = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """What complaints prove about escapes: a lower bound with its delay, beside the audits' estimate."""
    from app.jobs.words.complaint_figures import escapes_document

    held = store(user)
    today = held.reported.today(site)
    found = escapes_document(held, site, _day(since) or today - timedelta(days=DAYS), today)
    put(found, as_json, lambda: found["sentences"])


def notices(site: Site, user: User = None, as_json: Json = False) -> None:
    """Notices: drafts, and what became of the others."""
    held = store(user)
    found = [
        {"notice": one.id, "title": one.draft.title, "text": one.draft.body, "state": str(one.state),
         "drafted_by": one.drafted_by, "decided_by": one.decided_by, "reason": one.reason,
         "messages": [{"channel": each.channel, "state": each.state, "error": each.error}
                      for each in held.complaint_notices.messages(one.id)]}
        for one in held.complaint_notices.find(site)
    ]  # fmt: skip
    rows = [[one["notice"], one["state"], one["title"], one["drafted_by"], one["decided_by"]] for one in found]
    put(found, as_json, lambda: table(rows, ["notice", "state", "title", "drafted by", "decided by"]))


def approve(
    number: Annotated[int, typer.Argument(metavar="NOTICE")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is right to send it.")],
    user: Annotated[str, typer.Option("--user", help="Whoever approves; not whoever drafted it.")],
    channels: Annotated[str, typer.Option("--channels", help="By name; all that hear of everything without it.")] = "",
    as_json: Json = False,
) -> None:
    """Approve a notice that somebody else has drafted; the worker sends it."""
    from app.jobs.words.complaint_messages import chosen

    told = chosen(current(), [one.strip() for one in channels.split(",") if one.strip()])
    made = store(user).complaint_notices.approve(number, told, reason)
    document = {"notice": made.id, "state": str(made.state), "channels": told}
    put(document, as_json, lambda: [f"Notice {number} goes to {', '.join(told)}."])


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"'{text}' is no date such as 2026-03-01.") from error


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {each['value'] if isinstance(each, Mapping) else each}"
                         for name, each in value.items()) or "–"  # fmt: skip
    if isinstance(value, list):
        return "; ".join(str(one["act"]) + " " + str(one["state"]) if isinstance(one, Mapping) else str(one)
                         for one in value) or "–"  # fmt: skip
    return "–" if value in (None, "") else str(value)


def _per(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _between(one: Mapping[str, Any], digits: int) -> str:
    return "–" if one["low"] is None else f"{one['low']:.{digits}f}–{one['high']:.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
