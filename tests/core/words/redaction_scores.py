"""How much of what is personal is found, and how much else is taken for it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.words.redaction import Kind, Personal, find

_MARKED = re.compile(r"\[([^\]]+)\]\((name|address|phone|email|number)\)")


@dataclass(frozen=True)
class Score:
    """Counts of one kind.

    Attributes:
        there: marked stretches.
        covered: of them, those of which every letter and digit is covered, whatever the kind.
        partly: those of which some is.
        found: what the rules found.
        right: of that, what lies on a marked stretch.
    """

    there: int = 0
    covered: int = 0
    partly: int = 0
    found: int = 0
    right: int = 0


def marked(written: str) -> tuple[str, tuple[Personal, ...]]:
    """A text that marks what is personal as [words](kind), and the stretches it marks."""
    parts, spans, at, length = [], [], 0, 0
    for hit in _MARKED.finditer(written):
        parts.append(written[at : hit.start()])
        length += hit.start() - at
        parts.append(hit[1])
        spans.append(Personal(length, length + len(hit[1]), Kind(hit[2])))
        length += len(hit[1])
        at = hit.end()
    parts.append(written[at:])
    return "".join(parts), tuple(spans)


def scores(texts: Sequence[str]) -> Mapping[str, Score]:
    """Counts by kind, and of all together under "all"."""
    counts: dict[str, list[int]] = {}

    def add(kind: str, place: int) -> None:
        for name in (kind, "all"):
            counts.setdefault(name, [0] * 5)[place] += 1

    for written in texts:
        text, there = marked(written)
        found = find(text)
        for span in there:
            letters = [at for at in range(span.start, span.end) if text[at].isalnum()]
            hit = [any(one.start <= at < one.end for one in found) for at in letters]
            add(span.kind, 0)
            if all(hit):
                add(span.kind, 1)
            elif any(hit):
                add(span.kind, 2)
        for one in found:
            add(one.kind, 3)
            if any(one.start < span.end and span.start < one.end for span in there):
                add(one.kind, 4)
    return {name: Score(*values) for name, values in sorted(counts.items())}
