"""What is personal among the lines that a reader of print saw in a picture."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from core.pictures.covering import Cover
from core.words.prints import Print
from core.words.redaction import Kind, find
from core.words.redaction_lists import either

MOST_LINES_OF_AN_ADDRESS = 6
# Readers of print lose blanks: "12RoseStreet", "JohnSmith".
_GLUED = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=\d)(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])|(?<=[a-zß-öø-ÿ.])(?=\d)")
_TO_WORDS = either(
    r"""
    ship(?:ped)? ?to|deliver(?:y|ed)? ?to|sold ?to|bill ?to|recipient|consignee|addressee|to|from|sender|empf[äa]nger
    absender|lieferadresse|versandadresse|destinataire|exp[ée]diteur|livrer [àa]|destinatario|mittente|remitente|attn\.?
    """
)
_TO = re.compile(
    rf"^\W*(?:{_TO_WORDS})\W*$|^\W*(?:ship ?to|deliver ?to|recipient|consignee|empf[äa]nger|destinataire)\b\W*[:.]",
    re.IGNORECASE,
)
_LEAVES_ADDRESS = re.compile(
    r"\b(?:sku|lot|batch|exp|mhd|best before|weight|kg|order|item|qty|barcode|ean|gtin|tracking|charge|ref)\b",
    re.IGNORECASE,
)


def personal_prints(prints: Sequence[Print], region: str | None = None) -> tuple[Cover, ...]:
    """Which lines of print hold something personal, each covered whole.

    The line below "ship to", and lines that stand between a name and its address, count, too.

    Args:
        prints: in reading order.
        region: two letters of the country; see `core.words.redaction.redact`.
    """
    return _personal(tuple(prints), region)


@lru_cache(maxsize=512)  # a desk asks again for every part that it shows
def _personal(prints: tuple[Print, ...], region: str | None) -> tuple[Cover, ...]:
    lines = [" ".join(one.text.split()) for one in prints]
    found = _found(lines, region)
    for number, (kind, rule) in _found([_GLUED.sub(" ", line) for line in lines], region).items():
        found.setdefault(number, (kind, rule))
    for number in _below_to(lines, found):
        found.setdefault(number, (Kind.NAME, "below 'to'"))
    for number in _between(found):
        found.setdefault(number, (Kind.ADDRESS, "within an address"))
    return tuple(
        Cover(kind.value, prints[number].box, f"text: {rule}") for number, (kind, rule) in sorted(found.items())
    )


def shown_lines(prints: Sequence[Print], region: str | None = None) -> list[str]:
    """The text of each line; in place of a personal one what kind it is."""
    kinds = {one.box: one.kind for one in personal_prints(prints, region)}
    return [Kind(kinds[one.box]).placeholder if one.box in kinds else one.text for one in prints]


def _found(lines: Sequence[str], region: str | None) -> dict[int, tuple[Kind, str]]:
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    found: dict[int, tuple[Kind, str]] = {}
    for span in find("\n".join(lines), region=region):
        for number, start in enumerate(starts):
            if span.start < start + len(lines[number]) and start < span.end:
                found.setdefault(number, (span.kind, span.rule))
    return found


def _below_to(lines: Sequence[str], found: dict[int, tuple[Kind, str]]) -> list[int]:
    """From "ship to" down to the end of the address that follows, where one follows within a few lines."""
    inside: list[int] = []
    for number, line in enumerate(lines):
        if not _TO.search(line):
            continue
        end = number
        for below in range(number + 1, min(len(lines), number + 1 + MOST_LINES_OF_AN_ADDRESS)):
            if _LEAVES_ADDRESS.search(lines[below]):
                break
            if below in found:
                end = below
        inside += range(number + 1, end + 1)
    return inside


def _between(found: dict[int, tuple[Kind, str]]) -> list[int]:
    """A line or two between a name and an address."""
    inside: list[int] = []
    numbers = sorted(found)
    for one, after in pairwise(numbers):
        kinds = {found[one][0], found[after][0]}
        if 1 < after - one <= 3 and kinds == {Kind.NAME, Kind.ADDRESS}:
            inside += range(one + 1, after)
    return inside
