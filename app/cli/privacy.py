"""Commands about privacy: what is covered, and what is encrypted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import counted, note, progress, put, table
from app.cli.shared import Json, current, store
from core.errors import BadInput

SiteOrAll = Annotated[str | None, typer.Option("--site", help="Only there; every site without it.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Personal details: found, covered, encrypted.", no_args_is_help=True)
    for name, command in (
        ("status", status), ("set", set_), ("find", find_), ("cover", cover_), ("text", text_), ("key", key),
        ("rotate", rotate_),
    ):  # fmt: skip
        group.command(name)(command)
    cli.add_typer(group, name="privacy")


def status(as_json: Json = False) -> None:
    """What each site covers, how many pictures wait for a look, and what is encrypted with which key."""
    from app.jobs.upkeep.vault import standing

    held = store()
    found = held.privacy.status()
    kept = standing(held, current())
    document = {
        "sites": [{"site": one.rule.site, "mode": str(one.rule.mode), "region": one.rule.region or None,
                   "looked": one.looked, "covered": one.covered, "failed": one.failed, "waiting": one.waiting}
                  for one in found],
        "encryption": kept,
    }  # fmt: skip
    rows = [[one.rule.site, one.rule.mode, one.looked, one.covered, one.failed, one.waiting] for one in found]
    put(document, as_json, lambda: [
        *table(rows, ("site", "covers", "looked at", "with covers", "failed", "waiting")),
        *_kept(kept),
    ])  # fmt: skip


def set_(
    site: Annotated[str, typer.Option("--site", help="The site.")],
    mode: Annotated[str, typer.Argument(metavar="MODE", help="always, labels or never.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence.")],
    region: Annotated[
        str, typer.Option("--region", help="Two letters of the country whose telephone numbers stand without +.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Say which pictures of a site are covered for whoever may not see personal details."""
    from core.privacy import MEANING, Mode

    if mode not in tuple(Mode):
        raise BadInput(f"'{mode}' is no way to cover: choose {', '.join(Mode)}.")
    made = store().privacy.set_rule(site, Mode(mode), reason, region)
    put({"site": site, "mode": str(made.mode), "number": made.number}, as_json,
        lambda: [f"Covered at {site}: {MEANING[made.mode]}."])  # fmt: skip


def find_(
    site: SiteOrAll = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that were looked at before.")] = False,
    as_json: Json = False,
) -> None:
    """Look for personal details in pictures that wait for it, and write down what is to be covered."""
    from app.jobs.words.covering import cover

    with progress("Pictures") as say:
        done = cover(store(), current(), site, again=again, progress=say)
    put(done, as_json, lambda: [
        f"{done['images']} pictures in {done['seconds']:.1f} s: {counted(done['covers'])} to cover"
        + (f"; {done['failed']} could not be looked at and are withheld" if done["failed"] else "") + ".",
    ])  # fmt: skip


def cover_(
    sources: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures.")],
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="Where the covered copies go.")],
    region: Annotated[str | None, typer.Option("--region", help="Two letters of a country.")] = None,
    as_json: Json = False,
) -> None:
    """Write covered copies of picture files; nothing is stored, the files stay as they are."""
    from app.jobs.words.covering import cover_files

    with progress("Pictures") as say:
        done = cover_files(current(), sources, into, region, say)
    for one in done:
        if one["failed"] is not None:
            note(f"{one['file']}: {one['failed']}")
    put(done, as_json, lambda: [f"{one['file']}: {counted(one['covers'])}" for one in done if one["failed"] is None])
    if any(one["failed"] is not None for one in done):
        raise typer.Exit(1)


def text_(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A text; standard input without it.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="Two letters of a country.")] = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", help="A word that is no name here.")] = None,
    as_json: Json = False,
) -> None:
    """Put placeholders into a text; nothing is stored."""
    import sys

    from core.words.redaction import redact

    try:
        text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file or 'standard input'} cannot be read as UTF-8 text: {error}") from error
    made = redact(text, region=region, keep=keep or ())
    spans = [{"start": one.start, "end": one.end, "kind": str(one.kind), "rule": one.rule} for one in made.spans]
    put({"text": made.text, "spans": spans, "counts": dict(made.counts)}, as_json, lambda: [made.text.rstrip("\n")])


def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Outside HOLDPOINT_HOME; made, or a key put in front.")],
    as_json: Json = False,
) -> None:
    """Make a key, or put a new one in front of those of a file; then set HOLDPOINT_KEY_FILE and rotate."""
    from core.vault import add_key, read_keys

    path = file.expanduser().absolute()
    if path.resolve().is_relative_to(current().home.resolve()):
        raise BadInput(f"{path} lies inside HOLDPOINT_HOME: keep the key elsewhere.")
    made = add_key(path)
    count = len(read_keys(path).keys)
    put({"key": made.id, "file": str(path), "keys": count}, as_json, lambda: [
        f"The key {made.id} is in {path}, before {count - 1} older ones. Set HOLDPOINT_KEY_FILE={path} for every "
        "process, keep a copy where no backup lies, then: holdpoint privacy rotate",
    ])  # fmt: skip


def rotate_(as_json: Json = False) -> None:
    """Seal everything with the first key of HOLDPOINT_KEY_FILE; run it again after a kill, it goes on."""
    from app.jobs.upkeep.vault import rotate

    with progress("Sealing") as say:
        done = rotate(store(), current(), say)
    put(done, as_json, lambda: [
        f"{done['pictures']} pictures and {done['notes']} notes are sealed with the key {done['key']} now, "
        f"{done['already']} pictures were.",
        *([f"Nothing here needs {', '.join(done['retired'])} any more; older backups do."] if done["retired"] else []),
    ])  # fmt: skip


def _kept(kept: Mapping[str, Any]) -> list[str]:
    if kept["key"] is None:
        return ["Nothing is encrypted: there is no HOLDPOINT_KEY_FILE."]
    return [
        f"Key {kept['key']}: {kept['sealed_with_it']} of {kept['ours']} pictures in HOLDPOINT_HOME are sealed with it, "
        f"{kept['notes_left']} notes wait; {kept['by_reference']} pictures lie elsewhere and are not touched.",
    ]
