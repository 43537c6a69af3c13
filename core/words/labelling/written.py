"""Labels of a text as people type them: one line each, `defect: hairline crack`, in the order of the text."""

from collections.abc import Sequence

from core.errors import BadInput
from core.words.labelling.registry import LABELS
from core.words.text import Span


def written(text: str, spans: Sequence[Span]) -> str:
    """Labels as lines."""
    return "\n".join(f"{one.label}: {text[one.start : one.end]}" for one in sorted(spans))


def read(text: str, lines: str) -> tuple[Span, ...]:
    """Lines as labels; words that occur several times are taken from the left, the ones already taken left out.

    Raises:
        BadInput: naming the line: no such label, or words that the text does not hold (any more).
    """
    found: list[Span] = []
    for number, line in enumerate(lines.splitlines(), 1):
        if not line.strip():
            continue
        label, sign, words = line.partition(":")
        label, words = label.strip(), words.strip()
        if not sign or label not in LABELS or not words:
            raise BadInput(f"Line {number}: write label: words, with one of the labels {', '.join(LABELS)}.")
        start = text.find(words)
        while start >= 0 and any(start < one.end and one.start < start + len(words) for one in found):
            start = text.find(words, start + 1)
        if start < 0:
            raise BadInput(f"Line {number}: the note does not say '{words[:60]}', or not so often.")
        found.append(Span(start, start + len(words), label))
    return tuple(sorted(found))
