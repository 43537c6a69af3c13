"""How commands speak: results on standard output, everything else on standard error."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

EVERY_S = 2.0  # a line of plain progress, where nobody watches a terminal

Say = Callable[[int, int, str], None]


def put(document: Any, as_json: bool, summary: Callable[[], Iterable[str]]) -> None:
    """Print a result: the one JSON document, or lines for a person."""
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False, default=str))
        return
    for line in summary():
        typer.echo(line)


def note(text: str) -> None:
    """A line beside the result."""
    typer.echo(text, err=True)


def table(rows: Sequence[Sequence[object]], heads: Sequence[str]) -> Iterator[str]:
    """Lines of left-aligned columns."""
    cells = [[str(cell) for cell in heads], *[["–" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def counted(counts: dict[str, int]) -> str:
    """Such as 3 PASS, 1 HOLD; without what did not occur."""
    return ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "none"


@contextmanager
def progress(title: str) -> Iterator[Say]:
    """A callback that shows how far something is: a bar on a terminal, a line every few seconds elsewhere."""
    if sys.stderr.isatty():
        with _bar(title) as say:
            yield say
    else:
        yield _lines(title)


@contextmanager
def _bar(title: str) -> Iterator[Say]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task(escape(title), total=None)

        def say(done: int, total: int, message: str) -> None:
            text = escape(f"{title}: {message}" if message else title)
            shown.update(bar, completed=done, total=total or None, description=text)

        yield say


def _lines(title: str) -> Say:
    started = time.monotonic()
    last = -EVERY_S

    def say(done: int, total: int, message: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < EVERY_S and (done < total or not total):
            return
        last = now
        left = ""
        if total and 0 < done < total:
            left = f", about {(now - started) / done * (total - done):.0f} s left"
        far = f"{done}/{total}" if total else f"{done}" if done else ""
        note(" ".join(part for part in (f"{title}:", far + left, message) if part))

    return say
