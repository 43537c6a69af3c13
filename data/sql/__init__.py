"""Named queries of the analytics, a file each: what a chart shows is what its file says."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from core.errors import NotFound


@dataclass(frozen=True)
class Query:
    """One file.

    Attributes:
        definition: the comment at its head, as a sentence or more for whoever reads the chart.
        text: the whole file; values come into it as parameters only.
    """

    name: str
    definition: str
    text: str


@cache
def query(name: str) -> Query:
    """The query of this name.

    Raises:
        NotFound: naming those there are.
    """
    if name not in names():
        raise NotFound(f"There is no query '{name}': there are {', '.join(names())}.")
    text = (files(__name__) / f"{name}.sql").read_text(encoding="utf-8")
    head = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        head.append(line.removeprefix("--").strip())
    return Query(name, " ".join(head), text)


@cache
def names() -> tuple[str, ...]:
    """Of all queries."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".sql") for name in found if name.endswith(".sql")))
