"""Commands of whoever runs the plant: users, audit trail, retention, backup and restore."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import progress, put, table
from app.cli.shared import Json, current, store
from core.errors import BadInput
from core.roles import Role
from core.times import time_of

Name = Annotated[str, typer.Argument(metavar="NAME")]
Sites = Annotated[
    list[str] | None, typer.Option("--site", help="A site they may see; all without it. May be repeated.")
]
RoleName = Annotated[str, typer.Option("--role", help=f"One of {', '.join(Role)}.")]
Company = Annotated[
    str | None, typer.Option("--oidc", help="E-mail address or subject under which the company's sign-in knows them.")
]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    users = typer.Typer(help="Accounts.", no_args_is_help=True)
    for name, command in (
        ("list", users_list), ("add", users_add), ("role", users_role), ("sites", users_sites),
        ("disable", users_disable), ("enable", users_enable), ("password", users_password), ("unlock", users_unlock),
        ("oidc", users_oidc), ("leave", users_leave),
    ):  # fmt: skip
        users.command(name)(command)
    audit = typer.Typer(help="The audit trail: who did what, and whether it is whole.", no_args_is_help=True)
    audit.command("show")(audit_show)
    audit.command("verify")(audit_verify)
    audit.command("head")(audit_head)
    retention = typer.Typer(help="How long what is kept.", no_args_is_help=True)
    retention.command("show")(retention_show)
    retention.command("set")(retention_set)
    retention.command("run")(retention_run)
    cli.add_typer(users, name="users")
    cli.add_typer(audit, name="audit")
    cli.add_typer(retention, name="retention")
    cli.command()(backup)
    cli.command()(restore)


def users_list(as_json: Json = False) -> None:
    """List the accounts."""
    held = store()
    locked = set(held.people.locked())
    people = held.people.all()
    document = [
        {
            "name": one.name,
            "role": one.role.value,
            "sites": None if one.sites is None else list(one.sites),
            "disabled": one.disabled,
            "locked": one.name in locked,
            "oidc": one.identity,
        }
        for one in people
    ]
    rows = [
        [
            one.name,
            one.role.spoken,
            "all" if one.sites is None else ", ".join(one.sites),
            one.identity,
            " ".join(["disabled"] * one.disabled + ["locked"] * (one.name in locked)),
        ]
        for one in people
    ]
    put(document, as_json, lambda: table(rows, ("name", "role", "sites", "company sign-in", "")))


def users_add(
    name: Name,
    role: RoleName,
    site: Sites = None,
    oidc: Company = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They come in by the company's sign-in only.")
    ] = False,
) -> None:
    """Add an account; the password is asked for, or read from standard input."""
    what = _role(role)
    password = None if no_password else _password()
    person = store().people.add(name, password, what, site or None, identity=oidc)
    typer.echo(f"{person.name} may sign in as {person.role.spoken}.")


def users_role(
    name: Name, role: Annotated[str, typer.Argument(metavar="ROLE", help=f"One of {', '.join(Role)}.")]
) -> None:
    """Give somebody another role; their sessions end."""
    person = store().people.set_role(name, _role(role))
    typer.echo(f"{person.name} is {person.role.spoken} from now on.")


def users_sites(
    name: Name,
    site: Sites = None,
    every: Annotated[bool, typer.Option("--all", help="All sites, also later ones.")] = False,
) -> None:
    """Give somebody other sites."""
    if every == bool(site):
        raise BadInput("Name the sites with --site, or say --all.")
    person = store().people.set_sites(name, None if every else site)
    typer.echo(f"{person.name} sees {'all sites' if person.sites is None else ', '.join(person.sites)}.")


def users_disable(name: Name) -> None:
    """Disable an account and end its sessions."""
    store().people.disable(name)
    typer.echo(f"{name} cannot sign in any more.")


def users_enable(name: Name) -> None:
    """Open an account again."""
    store().people.enable(name)
    typer.echo(f"{name} can sign in again.")


def users_password(name: Name) -> None:
    """Set a new password and end the account's sessions; it is asked for, or read from standard input."""
    store().people.set_password(name, _password())
    typer.echo(f"{name} has a new password.")


def users_unlock(name: Name) -> None:
    """Forget the wrong passwords given for a name, so that it need not wait."""
    store().people.unlock(name)
    typer.echo(f"{name} need not wait any more.")


def users_oidc(
    name: Name,
    identity: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="None takes it away.")] = None,
) -> None:
    """Say under which address or subject the company's sign-in knows somebody."""
    person = store().people.set_identity(name, identity)
    told = f"comes in as {person.identity}" if person.identity else "comes in by password only"
    typer.echo(f"{person.name} {told}.")


def users_leave(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="There is no way back.")] = False,
) -> None:
    """Replace a leaver's name by a number, everywhere; the account must be disabled. What they did stays."""
    if not yes:
        raise BadInput(f"This takes the name {name} out for ever: say --yes.")
    becomes = store().people.replace_name(name)
    typer.echo(f"{name} is '{becomes}' from now on, also in old records.")


def audit_show(
    by: Annotated[str | None, typer.Option("--by", help="Only of one person or process.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only one kind, such as 'policy approved'.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only about one thing, such as 'part 12'.")] = None,
    site: Annotated[str | None, typer.Option("--site", help="Only of one site.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Then or later; UTC if no zone.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before.")] = None,
    before: Annotated[int | None, typer.Option("--before", metavar="ID", help="Only older than this event.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:  # fmt: skip
    """List the newest events first."""
    found = store().audit.recent(
        limit, site, subject, before, by=by, action=action, since=time_of(since), until=time_of(until)
    )
    document = [
        {"id": one.id, "at": one.at.isoformat(), "by": one.by, "action": one.action, "subject": one.subject,
         "site": one.site, "old": one.old, "new": one.new, "reason": one.reason, "model": one.model,
         "policy": one.policy, "seal": one.seal}
        for one in found
    ]  # fmt: skip
    rows = [
        [one.id, f"{one.at:%Y-%m-%d %H:%M:%S}", one.by, one.action, one.subject, one.site, one.reason[:60],
         "sealed" if one.seal else "waits"]
        for one in found
    ]  # fmt: skip
    put(document, as_json, lambda: table(rows, ("event", "UTC", "by", "act", "about", "site", "reason", "")))


def audit_verify(
    head: Annotated[
        Path | None, typer.Option("--head", metavar="FILE", help="A head that was kept elsewhere; finds a cut-off end.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every event and seal; exits with 1 and names what was edited, removed, swapped or inserted."""
    from app.jobs.upkeep.sealing import verify

    with progress("Audit trail") as say:
        found = verify(store(), current(), head, progress=lambda done, total: say(done, total, ""))
    document = {
        "ok": found.ok,
        "events": found.events,
        "sealed": found.sealed,
        "waiting": found.waiting,
        "deleted": found.deleted,
        "unused": found.unused,
        "head": None if found.head is None else found.head.to_json(),
        "problems": [{"kind": one.kind, "event": one.event, "told": one.told} for one in found.problems],
    }
    put(document, as_json, lambda: [
        f"{found.events:,} events, {found.sealed:,} sealed, {found.waiting} in their first second"
        + (f", {found.deleted:,} deleted as retention says" if found.deleted else ""),
        *(one.told for one in found.problems),
        *(["The trail is whole."] if found.ok else []),
    ])  # fmt: skip
    if not found.ok:
        typer.echo(f"The audit trail is not as Holdpoint wrote it: {found.problems[0].told}", err=True)
        raise typer.Exit(1)


def audit_head(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; standard output without it.")] = None,
) -> None:
    """Export the end of the chain, to be kept where whoever writes to the store cannot reach it."""
    from app.jobs.upkeep.sealing import key_of, seal, write_head

    held = store()
    seal(held, current(), key_of(current()))
    head = held.seals.head()
    if head is None:
        raise BadInput("Nothing is sealed yet: there is no head to export.")
    if file is None:
        put(head.to_json(), True, list)
        return
    write_head(head, file)
    typer.echo(f"The head at {head.number:,} is in {file}.", err=True)


def retention_show(as_json: Json = False) -> None:
    """Show how long each class of data is kept."""
    from core.retention import MEANING, DataClass

    rules = store().upkeep.rules()
    rows = [[str(kind), f"{rules[kind]} days" if kind in rules else "for ever", MEANING[kind]] for kind in DataClass]
    put({str(kind): rules.get(kind) for kind in DataClass}, as_json, lambda: table(rows, ("class", "kept", "")))


def retention_set(
    kind: Annotated[str, typer.Argument(metavar="CLASS", help="originals, previews, audit, readings or notes.")],
    days: Annotated[str, typer.Argument(metavar="DAYS", help="A number of days, or ever.")],
) -> None:
    """Keep a class of data for so many days; the worker deletes once a day what is older."""
    from core.retention import DataClass

    if kind not in tuple(DataClass):
        raise BadInput(f"'{kind}' is no class of data: choose {', '.join(DataClass)}.")
    if days != "ever" and not days.isdecimal():
        raise BadInput(f"'{days}' is no number of days: give one, or ever.")
    store().upkeep.set_rule(DataClass(kind), None if days == "ever" else int(days))
    typer.echo(f"{kind} are kept {'for ever' if days == 'ever' else f'{days} days'}.")


def retention_run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False, as_json: Json = False
) -> None:
    """Delete what has been kept long enough; never what an open task is about."""
    from app.jobs.upkeep.retention import clean

    with progress("Retention") as say:
        done = clean(store(), current(), dry_run=dry_run, progress=say)
    would = "would go" if dry_run else "gone"
    lines = [f"{name}: {one['deleted']:,} {would}" for name, one in done.items() if name != "dry_run"]
    put(done, as_json, lambda: lines or ["There is no rule: everything is kept for ever."])


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The backup becomes a new folder in this one.")],
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave the plant's keys out; keep HOLDPOINT_HOME/secrets elsewhere.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy the store, models, datasets, heads and keys while the plant runs; pictures are listed with their hashes."""
    from app.jobs.upkeep.backups import backup as make

    with progress("Backup") as say:
        made = make(store(), current(), folder.absolute(), keys=not without_keys, progress=say)
    rows = sum(made["tables"].values())
    put(made, as_json, lambda: [
        f"{made['folder']}: {rows:,} rows, {made['files']} files, {made['bytes'] / 1e6:.1f} MB; "
        f"{made['pictures']:,} pictures listed where they lie",
    ])  # fmt: skip


def restore(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A backup.")], as_json: Json = False) -> None:
    """Put a backup into an empty HOLDPOINT_HOME, and check it."""
    from app.jobs.upkeep.backups import restore as put_back

    with progress("Restore") as say:
        done = put_back(current(), folder, progress=say)

    def lines() -> list[str]:
        whole = done["audit"]
        told = (
            "not checked: put the plant's keys into HOLDPOINT_HOME/secrets first"
            if whole is None
            else "whole"
            if whole["ok"]
            else "NOT whole"
        )
        return [
            f"{sum(done['tables'].values()):,} rows and {done['files']} files are back; the audit trail is {told}.",
            f"{done['missing']:,} of {done['pictures']:,} pictures are not at their place: bring them back, too."
            if done["missing"]
            else f"All {done['pictures']:,} pictures are at their place.",
        ]

    put(done, as_json, lines)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise BadInput(f"'{text}' is no role: choose {', '.join(Role)}.") from error


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password (15 characters or more): ")
    if getpass.getpass("Once more: ") != first:
        raise BadInput("The two passwords differ: nothing was changed.")
    return first
