"""What every command starts with: settings, store, and the options that many share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import BadInput

if TYPE_CHECKING:
    from app.jobs.upkeep.sealing import Sealer
    from app.settings import Settings
    from data.store import Store

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Site = Annotated[str, typer.Option("--site", help="The site.")]
Sources = Annotated[list[str], typer.Argument(metavar="SRC...", help="Files, folders, patterns or URLs.")]


def current() -> "Settings":
    """Settings, and the home folder made where it is missing."""
    from app.settings import settings

    now = settings()
    now.home.mkdir(parents=True, exist_ok=True)
    return now


_running: "list[Sealer]" = []


def store(by: str | None = None) -> "Store":
    """The store; with `by`, acting as that person and no more than they may. What the command does is sealed."""
    from app.jobs.upkeep.sealing import Sealer, open_plant
    from core.roles import Actor

    opened = open_plant(current())
    _running.append(Sealer(opened, current()))
    return opened if by is None else opened.acting_as(Actor(by))


def stop_sealing() -> None:
    """Seal what the command did; the last thing before it ends."""
    while _running:
        _running.pop().stop()


def pairs(values: list[str], option: str) -> dict[str, str]:
    """`key=value` options as a mapping.

    Raises:
        BadInput: one of them has no '='.
    """
    found = {}
    for text in values:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise BadInput(f"{option} {text} is no key=value.")
        found[key.strip()] = value.strip()
    return found


def read_json(path: Path, largest: int = 16 << 20) -> str:
    """The text of a JSON file.

    Raises:
        BadInput: it is missing, too large, or no text.
    """
    try:
        if path.stat().st_size > largest:
            raise BadInput(f"{path} is larger than {largest >> 20} MB, which no such file is.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read as text ({error}).") from error
