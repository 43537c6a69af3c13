"""Named queries of the analytics, a file each: what a chart shows is what its file says.

What several queries share is a file in `blocks/`, written once and put in where a line begins with its name in braces.
That happens to our own files only, when they are read; whatever comes from outside is a parameter.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from core.errors import NotFound

_BLOCK = re.compile(r"^( *)\{(\w+)\}", re.MULTILINE)


@dataclass(frozen=True)
class Query:
    """One file.

    Attributes:
        definition: the comment at its head, as a sentence or more for whoever reads the chart.
        text: the whole file with its blocks; values come into it as parameters only.
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
    text = _filled((files(__name__) / f"{name}.sql").read_text(encoding="utf-8"))
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


def _filled(text: str) -> str:
    """A query with its blocks, each indented as its name was; a block may name others."""

    def block(found: re.Match[str]) -> str:
        indent, name = found.groups()
        inner = _filled((files(__name__) / "blocks" / f"{name}.sql").read_text(encoding="utf-8").rstrip("\n"))
        return "\n".join(indent + line for line in inner.splitlines())

    return _BLOCK.sub(block, text)
