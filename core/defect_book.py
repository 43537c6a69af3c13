"""The defect book: a page for each class, with pictures that show it, that only look like it, and doubtful ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import BadInput
from core.records import NO_DEFECT

MOST_TEXT, MOST_CAPTION = 6000, 300  # letters
MOST_EXAMPLES = 60  # of one kind on one page

Box = tuple[float, float, float, float]  # x, y, width, height in the picture's own pixels


class ExampleKind(StrEnum):
    """What a picture shows of a class."""

    GOOD = "good"
    COUNTER = "counter"
    BORDERLINE = "borderline"


@dataclass(frozen=True)
class Example:
    """One picture on a page of the book.

    Attributes:
        box: the part of the picture to look at; None for all of it.
        really: what a counter-example is: another class, or NO_DEFECT; None on the others.
        place: in the order of its kind, the smallest first.
    """

    id: int
    class_id: str
    image_id: int
    kind: ExampleKind
    caption: str
    box: Box | None
    really: str | None
    place: int
    by: str
    added_at: datetime


@dataclass(frozen=True)
class BookPage:
    """What the book says of one class.

    Attributes:
        known: the site's taxonomy still has the class.
        text: empty while nobody has written any.
        held_back: examples that are not shown to who asks, while their parts wait for an answer.
    """

    class_id: str
    known: bool
    text: str
    by: str
    written_at: datetime | None
    examples: tuple[Example, ...]
    held_back: int = 0

    def of(self, kind: ExampleKind) -> list[Example]:
        """Those of one kind, in their order."""
        return [one for one in self.examples if one.kind is kind]


def checked_text(text: str) -> str:
    """A page's text as it is kept.

    Raises:
        BadInput: too long.
    """
    found = text.strip()
    if len(found) > MOST_TEXT:
        raise BadInput(f"A page of {len(found):,} letters, at most {MOST_TEXT:,}: shorten it.")
    return found


def checked_caption(caption: str) -> str:
    """A caption as it is kept.

    Raises:
        BadInput: too long.
    """
    found = " ".join(caption.split())
    if len(found) > MOST_CAPTION:
        raise BadInput(f"A caption of {len(found):,} letters, at most {MOST_CAPTION}: shorten it.")
    return found


def checked_box(box: Sequence[float] | None, size_wh: tuple[int, int]) -> Box | None:
    """A box as it is kept.

    Raises:
        BadInput: it has no area, or reaches beyond the picture.
    """
    if box is None:
        return None
    if len(box) != 4:
        raise BadInput(f"A box of {len(box)} numbers: give x, y, width and height.")
    x, y, width, height = (float(value) for value in box)
    if not (width >= 1 and height >= 1 and x >= 0 and y >= 0 and x + width <= size_wh[0] and y + height <= size_wh[1]):
        raise BadInput(
            f"The box {x:g}, {y:g}, {width:g} × {height:g} is not inside the picture of {size_wh[0]} × {size_wh[1]} "
            "pixels: choose another, or the whole picture."
        )
    return x, y, width, height


def checked_really(kind: ExampleKind, class_id: str, really: str | None, known: Sequence[str]) -> str | None:
    """What a counter-example is; nothing for the other kinds.

    Raises:
        BadInput: a counter-example does not say what it is, or says the very class.
    """
    if kind is not ExampleKind.COUNTER:
        return None
    if really == class_id or really not in (NO_DEFECT, *known):
        raise BadInput(
            f"A counter-example looks like {class_id} and is something else: say which class, or {NO_DEFECT}."
        )
    return really


def with_margin(box: Box, size_wh: tuple[int, int], margin: float = 0.6) -> tuple[int, int, int, int]:
    """The box with what lies around it, in whole pixels inside the picture: a defect is judged by its surroundings.

    Args:
        box: in the picture's own pixels.
        size_wh: of the picture.
        margin: on each side, as a share of the longer side of the box.
    """
    x, y, width, height = box
    more = margin * max(width, height)
    left, top = max(0, int(x - more)), max(0, int(y - more))
    right, bottom = min(size_wh[0], int(x + width + more) + 1), min(size_wh[1], int(y + height + more) + 1)
    return left, top, right - left, bottom - top


def to_json(page: BookPage, hashes: Mapping[int, str]) -> dict[str, Any]:
    """A page in the exchange form: pictures by the hash of their bytes, for numbers mean nothing elsewhere.

    Args:
        page: of the book.
        hashes: SHA-256 by image id; an example whose picture has none is left out.
    """
    return {
        "class": page.class_id,
        "text": page.text,
        "examples": [
            {
                "sha256": hashes[one.image_id],
                "kind": str(one.kind),
                "caption": one.caption,
                "box": None if one.box is None else list(one.box),
                "really": one.really,
            }
            for one in page.examples
            if one.image_id in hashes
        ],
    }
