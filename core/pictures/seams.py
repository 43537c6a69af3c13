"""Boxes found tile by tile become boxes of the picture: none lost at a seam, none there twice.

Tiles overlap, so a box is seen by several of them: whole by some, cut by others. Two finds are the same thing where
they agree on the ground that both of their tiles see; of the finds of one thing the one that lies deepest inside its
tile is kept, and a thing that no tile sees whole is put together from its pieces.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.pictures.boxes import BoxArray, iou, overlap
from core.pictures.tiling import Look

SAME = 0.5  # overlap over union, on shared ground, from which on two finds are one thing
INSIDE = 0.6  # share of a cut find that lies in another tile's whole one
AGAIN = 0.6  # overlap over union from which on two finds of one tile are one thing
LEAST_OVERLAP = 0.25  # of a tile
SLACK = 0.02  # of a tile: how near to its edge a box counts as cut


class Finds(NamedTuple):
    """Boxes found in the tiles of one picture, or, stitched, in all of it.

    Attributes:
        boxes: (n, 4) x, y, width, height in picture pixels.
        scores: (n,) in [0, 1].
        classes: (n,) number of the class.
        tiles: (n,) number of the tile that each was found in.
    """

    boxes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    classes: npt.NDArray[np.int64]
    tiles: npt.NDArray[np.int64]

    def at(self, index: Any) -> "Finds":
        """Some of them."""
        return Finds(self.boxes[index], self.scores[index], self.classes[index], self.tiles[index])


def nothing() -> Finds:
    """No finds."""
    return Finds(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))


def check_overlap(look: Look) -> None:
    """Refuse tiles of which two neighbours share too little to tell that they see the same.

    Raises:
        BadInput: saying how far apart they may lie.
    """
    most = int(look.tile * (1 - LEAST_OVERLAP))
    if look.stride > most:
        raise BadInput(
            f"Tiles of {look.tile} px every {look.stride}: a detector needs them to overlap by a quarter, so that a "
            f"box on a seam is neither lost nor found twice; take a stride of at most {most}."
        )


def stitched(finds: Finds, tiles: BoxArray, picture_wh: tuple[float, float]) -> Finds:
    """Boxes of the picture, the surest first.

    Args:
        finds: of all tiles, in picture pixels.
        tiles: (m, 4) x, y, width, height in picture pixels, cut at its edges.
        picture_wh: its size.
    """
    finds = _once_a_tile(finds)
    if not len(finds.boxes):
        return finds
    margin = _margins(finds, tiles, picture_wh)
    cut = margin <= SLACK * tiles[finds.tiles, 2:].max(axis=1)
    groups: list[list[int]] = []
    alike = _alike(finds, tiles, cut)
    for one in np.lexsort((-finds.scores, cut)):
        near = sorted(
            (g for g in range(len(groups)) if _joins(int(one), groups[g], alike, finds.tiles)),
            key=lambda g: -float(alike[one, groups[g]].max()),
        )
        home: list[int] = []
        rest = [group for g, group in enumerate(groups) if g not in near]
        for g in near:  # one find may tie pieces together that had no ground in common
            taken = {int(finds.tiles[i]) for i in home}
            if taken.isdisjoint(int(finds.tiles[i]) for i in groups[g]):
                home = home + groups[g]
            else:
                rest.append(groups[g])
        groups = [*rest, [*home, int(one)]]
    rows = [_one_of(group, finds, cut, margin) for group in groups]
    made = Finds(
        np.array([row[0] for row in rows]).reshape(-1, 4),
        np.array([row[1] for row in rows]),
        np.array([finds.classes[row[2]] for row in rows], np.int64),
        np.array([finds.tiles[row[2]] for row in rows], np.int64),
    )
    return made.at(suppressed(made.boxes, made.scores, AGAIN))


def suppressed(boxes: BoxArray, scores: BoxArray, most: float) -> npt.NDArray[np.int64]:
    """Which boxes stay, the surest first, where one that overlaps a surer one by more than `most` goes."""
    order = [int(i) for i in np.argsort(-np.asarray(scores), kind="stable")]
    shared = iou(boxes, boxes)
    kept: list[int] = []
    for i in order:
        if not kept or float(shared[i, kept].max()) <= most:
            kept.append(i)
    return np.array(kept, np.int64)


def _once_a_tile(finds: Finds) -> Finds:
    """Each tile names a place once, whatever classes it hesitates between."""
    kept = [
        mine[suppressed(finds.boxes[mine], finds.scores[mine], AGAIN)]
        for tile in np.unique(finds.tiles)
        if len(mine := np.flatnonzero(finds.tiles == tile))
    ]
    return finds.at(np.concatenate(kept)) if kept else nothing()


def _margins(finds: Finds, tiles: BoxArray, picture_wh: tuple[float, float]) -> npt.NDArray[np.float64]:
    """(n,) how far each box is from the nearest edge of its tile beyond which the picture goes on."""
    own = tiles[finds.tiles]
    low, high = own[:, :2], own[:, :2] + own[:, 2:]
    size = np.asarray(picture_wh, np.float64)
    near = np.where(low <= 0.5, np.inf, finds.boxes[:, :2] - low)
    far = np.where(high >= size - 0.5, np.inf, high - finds.boxes[:, :2] - finds.boxes[:, 2:])
    margins: npt.NDArray[np.float64] = np.minimum(near, far).min(axis=1)
    return margins


def _alike(finds: Finds, tiles: BoxArray, cut: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(n, n) in [0, 1]: how surely two finds of different tiles are one thing; 0 where they are not."""
    own = tiles[finds.tiles]
    mine = _clipped(finds.boxes[:, None], own[None, :])  # box i on the ground of j's tile
    theirs = _clipped(finds.boxes[None, :], own[:, None])  # box j on the ground of i's tile
    shared = _area(_clipped(mine, theirs))
    joint = _area(mine) + _area(theirs) - shared
    agree = np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0)
    area = finds.boxes[:, 2] * finds.boxes[:, 3]
    inside = overlap(finds.boxes, finds.boxes) / np.maximum(area[:, None], 1e-9)  # share of i that lies in j
    swallowed = np.where((inside >= INSIDE) & cut[:, None] & ~cut[None, :], inside, 0.0)
    found = np.where(agree >= SAME, agree, 0.0)
    found = np.maximum(found, np.maximum(swallowed, swallowed.T))
    return np.where(finds.tiles[:, None] == finds.tiles[None, :], 0.0, found)


def _joins(one: int, group: list[int], alike: npt.NDArray[np.float64], tiles: npt.NDArray[np.int64]) -> bool:
    """Whether a find belongs to a thing: some other find says so, and its own tile has not named the thing yet."""
    return bool(alike[one, group].max() > 0) and int(tiles[one]) not in {int(tiles[i]) for i in group}


def _one_of(
    group: list[int], finds: Finds, cut: npt.NDArray[np.bool_], margin: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], float, int]:
    """Box, score and the deciding find of one thing."""
    score = float(finds.scores[group].max())
    whole = [i for i in group if not cut[i]]
    if whole:
        best = max(whole, key=lambda i: (margin[i], finds.scores[i]))
        return finds.boxes[best], score, best
    low = finds.boxes[group, :2].min(axis=0)
    high = (finds.boxes[group, :2] + finds.boxes[group, 2:]).max(axis=0)
    return np.concatenate([low, high - low]), score, max(group, key=lambda i: float(finds.scores[i]))


def _clipped(boxes: BoxArray, by: BoxArray) -> npt.NDArray[np.float64]:
    """The part of boxes inside others, by broadcasting; without area where they do not meet."""
    low = np.maximum(boxes[..., :2], by[..., :2])
    high = np.minimum(boxes[..., :2] + boxes[..., 2:], by[..., :2] + by[..., 2:])
    return np.concatenate([low, np.clip(high - low, 0, None)], axis=-1)


def _area(boxes: BoxArray) -> npt.NDArray[np.float64]:
    area: npt.NDArray[np.float64] = boxes[..., 2] * boxes[..., 3]
    return area
