"""What a reader of print says it saw."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Print:
    """One line of print in a picture.

    Attributes:
        sure: the reader's own confidence, 0 to 1; no probability.
        box: x, y, width, height in the image's own pixels; upright, around what may be a slanted line.
    """

    text: str
    sure: float = 1.0
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Reading:
    """What a reader made of one picture.

    Attributes:
        prints: in reading order.
        reader: its name; empty where it never came to that.
        failed: why the picture could not be read; None where it was.
        milliseconds: it took.
    """

    prints: tuple[Print, ...] = ()
    reader: str = ""
    failed: str | None = None
    milliseconds: float = 0.0


def in_reading_order(prints: list[Print]) -> list[Print]:
    """From top to bottom, and from left to right where lines share most of their height."""
    rows: list[list[Print]] = []
    for one in sorted(prints, key=lambda each: each.box[1] + each.box[3] / 2):
        middle = one.box[1] + one.box[3] / 2
        if rows and abs(middle - _middle(rows[-1])) < 0.5 * min(one.box[3], rows[-1][0].box[3]):
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda each: each.box[0])]


def _middle(row: list[Print]) -> float:
    return sum(one.box[1] + one.box[3] / 2 for one in row) / len(row)
