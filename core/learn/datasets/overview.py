"""What is in a dataset, and what about it is likely to go wrong: the figures of the risk checklist."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from core.pictures.tiling import Look, plan

EDGES = (10.0, 25.0, 50.0, 100.0)  # px of the longer side, as in core.learn.by_size
FEWEST_PX = 3.0  # of the shorter side after the planned resize: below, a defect is a grain
MOST_TINY = 0.02
MOST_CUT = 0.10
MOST_IMBALANCE = 20.0
LEAST_PREVALENCE = 0.02
MOST_FLAGGED = 0.10

LookOf = Callable[[str, str | None], Look]  # of a site and a part type


@dataclass(frozen=True)
class Risk:
    """One line of the checklist.

    Attributes:
        held: None where the dataset says nothing about it.
    """

    name: str
    held: bool | None
    sentence: str


@dataclass(frozen=True)
class Overview:
    """The figures of one dataset or of one side of it.

    Attributes:
        pictures, parts, tiles: how many there are.
        prevalence: share of defective ones, by "picture", "part" and "tile"; a tile is defective where a drawn region
            touches it, so it is only known where defects are drawn.
        sizes: regions by the longer side in the picture's own pixels, as "10–25 px".
        tiny: share of regions whose shorter side is under FEWEST_PX after the planned resize.
        cut: share of regions that no tile holds whole.
        classes: pictures of each class.
        undrawn: defective pictures of which nobody drew anything.
    """

    pictures: int
    parts: int
    tiles: int
    prevalence: Mapping[str, float | None]
    sizes: Mapping[str, int]
    regions: int
    tiny: float | None
    cut: float | None
    classes: Mapping[str, int]
    undrawn: int
    flags: Mapping[str, int] = field(default_factory=dict)

    @property
    def imbalance(self) -> float | None:
        """How often the most frequent class comes for each time of the rarest; None with fewer than two."""
        counts = list(self.classes.values())
        return max(counts) / min(counts) if len(counts) > 1 else None


def overview(items: Sequence[Mapping[str, Any]], look_of: LookOf) -> Overview:
    """Count what is there.

    Args:
        items: of a manifest.
        look_of: how pictures of a site's part type are cut.
    """
    parts: dict[str, bool] = {}
    classes: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    grids = _Grids(look_of)
    tiles = defective_tiles = defective = undrawn = 0
    longer, shorter, cut = [], [], 0
    for item in items:
        part = f"{item.get('site')}/{item.get('part') or item['group']}"
        parts[part] = parts.get(part, False) or bool(item["defective"])
        classes.update({*(item.get("classes") or ()), *(item.get("unmapped") or ())})
        flags.update(item.get("quality") or ())
        defective += bool(item["defective"])
        grid = grids.of(item)
        drawn = item.get("regions") or ()
        if not item["defective"] or drawn:
            tiles += len(grid.boxes)
        elif not drawn:
            undrawn += 1
        if not drawn:
            continue
        boxes = np.array([(r["x"], r["y"], r["width"], r["height"]) for r in drawn], float)
        touched, whole = grid.touched(boxes)
        defective_tiles += int(touched.any(axis=0).sum())
        cut += int((~whole.any(axis=1)).sum())
        longer.extend(boxes[:, 2:].max(axis=1).tolist())
        shorter.extend((boxes[:, 2:].min(axis=1) * grid.scale).tolist())
    number = len(longer)
    return Overview(
        pictures=len(items),
        parts=len(parts),
        tiles=tiles,
        prevalence={
            "picture": defective / len(items) if items else None,
            "part": sum(parts.values()) / len(parts) if parts else None,
            "tile": defective_tiles / tiles if tiles and (number or not defective) else None,
        },
        sizes=_sizes(longer),
        regions=number,
        tiny=sum(side < FEWEST_PX for side in shorter) / number if number else None,
        cut=cut / number if number else None,
        classes=dict(classes.most_common()),
        undrawn=undrawn,
        flags=dict(flags.most_common()),
    )


def risks(found: Overview) -> list[Risk]:
    """The checklist, what has to be looked at first."""
    prevalence, imbalance, flags = found.prevalence["picture"], found.imbalance, sum(found.flags.values())
    drawn = f"{found.regions:,} drawn defects"
    lines = [
        _risk(
            "Enough defects",
            None if prevalence is None else prevalence >= LEAST_PREVALENCE,
            "There are no pictures." if prevalence is None else f"{prevalence:.1%} of the pictures are defective.",
            f"Under {LEAST_PREVALENCE:.0%}, training sees hardly any: label more, or leave good ones out.",
        ),
        _risk(
            "Large enough to be seen",
            None if found.tiny is None else found.tiny <= MOST_TINY,
            "Nobody has drawn a defect."
            if found.tiny is None
            else f"{found.tiny:.1%} of {drawn} are under {FEWEST_PX:g} px after the planned resize.",
            "Raise the part type's scale.",
        ),
        _risk(
            "Whole in a tile",
            None if found.cut is None else found.cut <= MOST_CUT,
            "Nobody has drawn a defect."
            if found.cut is None
            else f"{found.cut:.1%} of {drawn} are cut by the borders of every tile that they touch.",
            "More overlap, or the whole picture beside the tiles, shows them.",
        ),
        _risk(
            "Classes in balance",
            None if imbalance is None else imbalance <= MOST_IMBALANCE,
            "There are fewer than two classes."
            if imbalance is None
            else f"The most frequent class has {imbalance:.1f} pictures for each one of the rarest.",
            "Show rare classes more often, or label more of them.",
        ),
        _risk(
            "Defects drawn",
            None if not found.classes and not found.undrawn else found.undrawn == 0,
            f"{found.undrawn:,} defective pictures have no region."
            if found.undrawn
            else "Every defective picture has its regions.",
            "They are learned from shrunk into one tile, which small defects do not survive: draw them.",
        ),
        _risk(
            "Pictures fit to learn from",
            flags <= MOST_FLAGGED * found.pictures if found.pictures else None,
            f"{flags:,} quality flags on {found.pictures:,} pictures.",
            "Set a quota for blurry and partial ones.",
        ),
    ]
    return sorted(lines, key=lambda line: {False: 0, None: 2, True: 1}[line.held])


def _risk(name: str, held: bool | None, found: str, advice: str) -> Risk:
    return Risk(name, held, f"{found} {advice}" if held is False else found)


def _sizes(longer: Sequence[float]) -> dict[str, int]:
    names = [f"under {EDGES[0]:g} px", *(f"{a:g}–{b:g} px" for a, b in pairwise(EDGES)),
             f"{EDGES[-1]:g} px and more"]  # fmt: skip
    counts, _ = np.histogram(np.array(longer, float), np.array((0.0, *EDGES, 1e12)))
    return dict(zip(names, (int(count) for count in counts), strict=True))


@dataclass(frozen=True)
class _Grid:
    """Tiles of pictures of one size: (n, 4) x1, y1, x2, y2 in the picture's own pixels."""

    boxes: npt.NDArray[np.float64]
    scale: float

    def touched(self, given: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """(regions, tiles) whether they overlap, and whether the region lies in the tile as a whole."""
        x1, y1 = given[:, :1], given[:, 1:2]
        x2, y2 = x1 + given[:, 2:3], y1 + given[:, 3:4]
        left, top, right, bottom = self.boxes.T
        overlap = (x1 < right) & (x2 > left) & (y1 < bottom) & (y2 > top)
        whole = (x1 >= left - 0.5) & (x2 <= right + 0.5) & (y1 >= top - 0.5) & (y2 <= bottom + 0.5)
        return overlap, whole


class _Grids:
    """One grid for each size of picture and part type."""

    def __init__(self, look_of: LookOf) -> None:
        self._look_of = look_of
        self._looks: dict[tuple[str, str | None], Look] = {}
        self._known: dict[tuple[int, int, Look], _Grid] = {}

    def of(self, item: Mapping[str, Any]) -> _Grid:
        kind = (str(item.get("site") or ""), item.get("part_type"))
        if kind not in self._looks:
            self._looks[kind] = self._look_of(*kind)
        look = self._looks[kind]
        key = (int(item["width"]), int(item["height"]), look)
        if key not in self._known:
            cut = plan(key[0], key[1], look).picture_boxes
            corners = np.column_stack([cut[:, 0], cut[:, 1], cut[:, 0] + cut[:, 2], cut[:, 1] + cut[:, 3]])
            self._known[key] = _Grid(corners, look.scale)
        return self._known[key]
