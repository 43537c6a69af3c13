"""`holdpoint`: every command, its options, and how each one fails.

A command reads its arguments, calls one function of app.jobs or the store and prints what came back. What those need
(torch, the database) is imported when the command runs, so that `holdpoint --help` answers at once.
"""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from types import FrameType, TracebackType

import typer
from typer._click.exceptions import ClickException  # typer carries its own click and does not export this

from app.cli import (
    audits,
    claims,
    complaints,
    datasets,
    desk,
    detector,
    labels,
    line,
    notes,
    novelty,
    office,
    pipelines,
    prints,
    privacy,
    quality,
    science,
    select,
    text,
    thresholds,
)
from app.cli.shared import stop_sealing
from core.errors import HoldpointError

cli = typer.Typer(
    name="holdpoint",
    help="The desk where doubtful parts are released or stopped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (
    line,
    labels,
    datasets,
    prints,
    privacy,
    complaints,
    claims,
    science,
    pipelines,
    select,
    novelty,
    detector,
    desk,
    thresholds,
    text,
    notes,
    audits,
    quality,
    office,
):
    part.register(cli)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Returns:
        The exit status: 0, 1 for what failed, 2 for what was asked wrongly, 130 when interrupted.
    """
    sys.excepthook = _bug
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)  # so that child processes end with their parent
    command = typer.main.get_command(cli)
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = command.main(args=given, prog_name="holdpoint", standalone_mode=False)
        sys.stdout.flush()
    except HoldpointError as error:
        return _fail(str(error), 1)
    except ClickException as error:
        return _fail(error.format_message() or "Nothing was asked: see holdpoint --help.", 2)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("Interrupted: what was filed before stays filed.", 130)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _fail(f"The system refused ({error.strerror or error}{where}).", 1)
    finally:
        stop_sealing()
    return status if isinstance(status, int) else 0


def _fail(sentence: str, status: int) -> int:
    typer.echo(" ".join(sentence.split()), err=True)
    return status


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody foresaw: a sentence here, the whole story in a file."""
    from app.settings import CHECKOUT, settings

    story = "".join(traceback.format_exception(kind, error, trace))
    try:
        folder = settings().home / "logs"
    except HoldpointError:
        folder = CHECKOUT / "var" / "logs"
    path = folder / f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(story)
    except OSError:
        typer.echo(story, err=True)
        return
    _fail(f"This is a bug in Holdpoint ({kind.__name__}: {error}); the whole story is in {path}.", 70)
