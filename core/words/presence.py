"""Whether the label is where it should be: present, missing, cut off, or on another side."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from core.words.prints import Print

LEAST_LETTERS = 4  # fewer than these on a side are scratches, not a label
EDGE = 0.01  # share of a side within which print that touches the edge of the picture counts as cut off
WHOLE = 2 / 3  # least share of the letters that stand clear of the edge on a label that is not cut off


class Presence(StrEnum):
    """Where the label is."""

    PRESENT = "present"
    MISSING = "missing"
    PARTLY = "partly visible"
    WRONG_SIDE = "on the wrong side"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Side:
    """What was read on one view of a part.

    Attributes:
        size: width and height of the picture in pixels.
        failed: why it could not be read; None where it was.
    """

    prints: Sequence[Print]
    size: tuple[int, int]
    failed: str | None = None


def presence(sides: Mapping[str, Side], expected: Set[str]) -> tuple[Presence, str]:
    """Where the label of a part is, and why that is thought.

    Args:
        sides: what was read, by view.
        expected: views that should carry the label; empty: any may.
    """
    wanted = expected or set(sides)
    seen = {view: side for view, side in sides.items() if side.failed is None}
    here = [view for view in seen if view in wanted and _letters(seen[view], cut=True) >= LEAST_LETTERS]
    whole = [view for view in here if _letters(seen[view], cut=False) >= WHOLE * _letters(seen[view], cut=True)]
    if whole:
        return Presence.PRESENT, f"print on {whole[0]}"
    cut = [view for view in here if view not in whole]
    if cut:
        return Presence.PARTLY, f"print on {cut[0]} is cut off by the edge of the picture"
    failed = sorted(view for view in wanted if view not in seen)
    if failed:
        return Presence.UNKNOWN, f"{failed[0]} could not be read"
    elsewhere = [view for view in seen if view not in wanted and _letters(seen[view], cut=True) >= LEAST_LETTERS]
    if elsewhere:
        return Presence.WRONG_SIDE, f"print on {elsewhere[0]}, expected on {', '.join(sorted(wanted))}"
    return Presence.MISSING, f"no print on {', '.join(sorted(wanted)) or 'any picture'}"


def _letters(side: Side, *, cut: bool) -> int:
    """Letters and digits on a side; `cut` counts those in lines that the edge of the picture cuts off as well."""
    width, height = side.size
    count = 0
    for one in side.prints:
        x, y, w, h = one.box
        inside = x > EDGE * width and y > EDGE * height and x + w < (1 - EDGE) * width and y + h < (1 - EDGE) * height
        if cut or inside:
            count += sum(letter.isalnum() for letter in one.text)
    return count
