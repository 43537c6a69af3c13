"""Places in a picture as people say them: top left, the right edge, a corner, the centre.

They are the picture's own places: nobody knows how a customer held the part.
"""

from dataclasses import dataclass

from core.records import Floats, Region

EDGE = 0.2  # share of a side that counts as its edge
CORNER = 1 / 3  # of either side
NEAR = 0.08  # of a side: what lies so near the border of a place is neither in it nor out of it

Box = tuple[float, float, float, float]  # x0, y0, x1, y1, shares of the picture's sides

_UP = {"top": "top", "upper": "top", "bottom": "bottom", "lower": "bottom"}
_ACROSS = {"left": "left", "right": "right", "lefthand": "left", "righthand": "right"}
_CENTRE = {"centre", "center", "middle"}
_SHAPES = {"corner": "corner", "edge": "edge", "rim": "edge", "border": "edge",
           "corners": "corner", "edges": "edge", "side": "", "half": "", "area": "", "part": ""}  # fmt: skip
WORDS = frozenset({*_UP, *_ACROSS, *_CENTRE, "corner", "corners", "edge", "edges", "rim", "border"})
BESIDE = frozenset(_SHAPES)  # words that may follow a place's own


@dataclass(frozen=True)
class Place:
    """Some of the picture.

    Attributes:
        name: as people say it.
        boxes: what counts as there.
    """

    name: str
    boxes: tuple[Box, ...]


def place_of(words: list[str]) -> Place | None:
    """The place that a run of words names; None where they name none, or contradict each other."""
    ups = {_UP[one] for one in words if one in _UP}
    across = {_ACROSS[one] for one in words if one in _ACROSS}
    shapes = {_SHAPES[one] for one in words if one in _SHAPES} - {""}
    centre = any(one in _CENTRE for one in words)
    if len(ups) > 1 or len(across) > 1 or len(shapes) > 1:
        return None
    up, left = next(iter(ups), ""), next(iter(across), "")
    shape = next(iter(shapes), "")
    if centre:
        return None if shape else _centre(up, left)
    if shape == "corner":
        return Place(_named(up, left, "corner"), tuple(
            box for y, x, box in _corners() if up in ("", y) and left in ("", x)
        ))  # fmt: skip
    if shape == "edge":
        if up and left:
            return Place(_named(up, left, "edge"), (_edge(up), _edge(left)))
        sides = [one for one in (up, left) if one] or ["top", "bottom", "left", "right"]
        return Place(_named(up, left, "edge"), tuple(_edge(one) for one in sides))
    if not up and not left:
        return None
    return Place(_named(up, left, ""), (_half(up, left),))


def _named(up: str, left: str, shape: str) -> str:
    return " ".join(one for one in (up, left, shape) if one)


def _centre(up: str, left: str) -> Place:
    if not up and not left:
        return Place("centre", ((0.25, 0.25, 0.75, 0.75),))
    x = {"left": (0.0, 0.5), "right": (0.5, 1.0), "": (0.25, 0.75)}[left]
    y = {"top": (0.0, 0.5), "bottom": (0.5, 1.0), "": (0.25, 0.75)}[up]
    return Place(_named(up, left, "centre"), ((x[0], y[0], x[1], y[1]),))


def _half(up: str, left: str) -> Box:
    x = {"left": (0.0, 0.5), "right": (0.5, 1.0), "": (0.0, 1.0)}[left]
    y = {"top": (0.0, 0.5), "bottom": (0.5, 1.0), "": (0.0, 1.0)}[up]
    return x[0], y[0], x[1], y[1]


def _corners() -> list[tuple[str, str, Box]]:
    far = 1 - CORNER
    return [
        (y, x, (0.0 if x == "left" else far, 0.0 if y == "top" else far,
                CORNER if x == "left" else 1.0, CORNER if y == "top" else 1.0))
        for y in ("top", "bottom")
        for x in ("left", "right")
    ]  # fmt: skip


def _edge(side: str) -> Box:
    return {"top": (0.0, 0.0, 1.0, EDGE), "bottom": (0.0, 1 - EDGE, 1.0, 1.0),
            "left": (0.0, 0.0, EDGE, 1.0), "right": (1 - EDGE, 0.0, 1.0, 1.0)}[side]  # fmt: skip


def inside(place: Place, region: Region, size_wh: tuple[int, int]) -> bool | None:
    """Whether a region lies at a place, by its centre; None so near the border that one cannot say."""
    x = (region.x + region.width / 2) / max(size_wh[0], 1)
    y = (region.y + region.height / 2) / max(size_wh[1], 1)
    away = [_away(box, x, y) for box in place.boxes]
    if min(away) <= 0:
        return True
    return None if min(away) <= NEAR else False


def _away(box: Box, x: float, y: float) -> float:
    """How far outside a box a point lies, along the worse axis; 0 inside."""
    return max(box[0] - x, x - box[2], box[1] - y, y - box[3], 0.0)


def share_there(place: Place, heat: Floats) -> float:
    """The highest heat at a place over the highest anywhere, 0 to 1; 0 where nothing is hot.

    Args:
        place: of the picture.
        heat: (rows, columns), spanning the whole picture.
    """
    most = float(heat.max(initial=0.0))
    if most <= 0:
        return 0.0
    rows, columns = heat.shape
    best = 0.0
    for x0, y0, x1, y1 in place.boxes:
        top, bottom = int(y0 * rows), max(int(y0 * rows) + 1, round(y1 * rows))
        left, right = int(x0 * columns), max(int(x0 * columns) + 1, round(x1 * columns))
        best = max(best, float(heat[top:bottom, left:right].max(initial=0.0)))
    return best / most
