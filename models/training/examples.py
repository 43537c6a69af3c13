"""What training learns from: a labelled picture, and what its regions say of a tile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.records import Mask, Polygons, Region, Rle, Severity

Labels = npt.NDArray[np.uint8]  # (h, w): 0 good, 1.. number of the region, BEYOND outside the picture

BEYOND = 255  # of a window's cell that lies outside the picture
MOST_REGIONS = 254  # further ones share the last number


@dataclass(frozen=True)
class Example:
    """One labelled picture of a dataset.

    Attributes:
        split: "train", "val" or "test".
        group: what must stay on one side of a split.
        part, view: what is decided together; the group where the dataset knows no parts.
        probability: of a defect, as it was annotated; 0 or 1 from a verdict.
        classes: class ids on the picture, boxed or not.
        regions: where; empty on a defective picture of which nobody drew anything.
        weight: what it counts for in training beside 1; a model's own guess counts less.
        repeat: how often it is shown in a turn; rare classes are shown more often.
        part_type: of the part, where the dataset knows it; pictures of it may be augmented in a way of their own.
    """

    path: str
    sha256: str
    split: str
    group: str
    defective: bool
    width: int
    height: int
    probability: float | None = None
    classes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    part: str = ""
    view: str | None = None
    weight: float = 1.0
    repeat: int = 1
    part_type: str = ""

    @property
    def target(self) -> float:
        """What the defect logit should say."""
        return float(self.defective) if self.probability is None else self.probability

    @property
    def placed(self) -> bool:
        """Whether every place of the picture is labelled: a good one, or one with its defects drawn."""
        return bool(self.regions) if self.defective else self.probability in (None, 0.0)

    @property
    def outlined(self) -> bool:
        """Whether every pixel is labelled: a good picture, or one of whose defects each has an outline."""
        return self.placed and all(region.mask is not None for region in self.regions)


def example_of(item: Mapping[str, Any]) -> Example:
    """Read one item of a dataset's manifest.

    Raises:
        BadInput: what a picture needs is missing.
    """
    try:
        probability = item.get("probability")
        return Example(
            path=str(item["path"]),
            sha256=str(item["sha256"]),
            split=str(item["split"]),
            group=str(item["group"]),
            defective=bool(item["defective"]),
            width=int(item["width"]),
            height=int(item["height"]),
            probability=None if probability is None else float(probability),
            classes=tuple(item.get("classes") or ()),
            regions=tuple(region_of(r) for r in item.get("regions") or ()),
            part=f"{item.get('site', '')}/{item['part']}" if item.get("part") else "",
            view=item.get("view"),
            weight=_weight(item),
            repeat=max(1, int(item.get("repeat") or 1)),
            part_type=str(item.get("part_type") or ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"An item of the dataset is not whole ({error}): build the dataset again.") from error


def _weight(item: Mapping[str, Any]) -> float:
    weight = float(item.get("weight", 1.0))
    if not 0 < weight <= 1:
        raise ValueError(f"a weight of {weight}")
    return weight


def region_of(values: Mapping[str, Any]) -> Region:
    """Read one region of a manifest: x, y, width, height, name, class_id, severity, mask."""
    severity, mask = values.get("severity"), values.get("mask")
    return Region(
        float(values["x"]),
        float(values["y"]),
        float(values["width"]),
        float(values["height"]),
        str(values.get("name") or values.get("class_id") or ""),
        values.get("class_id"),
        None if severity is None else Severity(severity),
        mask=None if mask is None else _mask_of(mask),
    )


def _mask_of(values: Mapping[str, Any] | Sequence[Any]) -> Mask:
    """Run lengths {"size_hw"|"size", "counts"} or rings [[x, y, ...], ...], bare or under "rings"."""
    if isinstance(values, Mapping) and "counts" in values:
        height, width = values.get("size_hw") or values["size"]
        return Rle((int(height), int(width)), tuple(int(c) for c in values["counts"]))
    rings = values["rings"] if isinstance(values, Mapping) else values
    return Polygons(tuple(tuple(float(v) for v in ring) for ring in rings))


def labels_of(regions: Sequence[Region], picture_wh: tuple[int, int], working_wh: tuple[int, int]) -> Labels:
    """Number the pixels of each region at working scale; a later region lies over an earlier one.

    A region thinner than a working pixel still marks the pixels it passes through.
    """
    width, height = working_wh
    ratio = np.array([width / picture_wh[0], height / picture_wh[1]])
    labels = np.zeros((height, width), np.uint8)
    for i, region in enumerate(regions):
        number = min(i + 1, MOST_REGIONS)
        if isinstance(region.mask, Rle):
            full = _unrolled(region.mask)
            small = full if full.shape == labels.shape else _shrunk(full, working_wh)
            labels[small > 0] = number
        elif isinstance(region.mask, Polygons):
            rings = [np.round(np.reshape(r, (-1, 2)) * ratio).astype(np.int32) for r in region.mask.rings]
            cv2.fillPoly(labels, rings, number)
        else:
            x0, y0 = np.floor(np.array([region.x, region.y]) * ratio + 0.5).astype(int)
            x1, y1 = np.floor(np.array([region.x + region.width, region.y + region.height]) * ratio + 0.5).astype(int)
            labels[max(0, y0) : max(y1, y0 + 1), max(0, x0) : max(x1, x0 + 1)] = number
    return labels


def _unrolled(mask: Rle) -> Labels:
    values = (np.arange(len(mask.counts)) % 2).astype(np.uint8)
    return np.repeat(values, mask.counts).reshape(mask.size_hw, order="F")


def _shrunk(mask: Labels, size_wh: tuple[int, int]) -> Labels:
    """A mask at another size; every cell that the region touches noticeably is kept."""
    share = np.asarray(cv2.resize(mask.astype(np.float32), size_wh, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(share >= 0.25, np.uint8)


@dataclass(frozen=True)
class TileRule:
    """When a tile counts as defective: at least min(`pixels`, `share` of the region) of one region lies in it.

    Attributes:
        pixels: in the picture's own pixels.
        share: of the region's area.
    """

    pixels: float = 50.0
    share: float = 0.25

    def __post_init__(self) -> None:
        if self.pixels <= 0 or not 0 < self.share <= 1:
            raise BadInput(f"A tile rule of {self.pixels} px or {self.share:.0%}: give pixels above 0, share up to 1.")

    def inside(self, inside: npt.NDArray[np.floating], whole: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
        """Which regions make the tile defective.

        Args:
            inside: area of each region within the tile.
            whole: area of each region; both in the picture's own pixels.
        """
        enough: npt.NDArray[np.bool_] = inside >= np.minimum(self.pixels, self.share * whole) - 1e-6
        return enough & (inside > 0)


def tile_labels(
    labels: Labels, boxes: npt.NDArray[np.int64], rule: TileRule, own_pixels: float
) -> npt.NDArray[np.bool_]:
    """Which regions make which tile defective.

    Args:
        labels: of the picture at working scale.
        boxes: (n, 4) x, y, width, height of the tiles, in working pixels.
        rule: when a tile counts as defective.
        own_pixels: the picture's own pixels in one working pixel; 4 at half scale.

    Returns:
        (n, regions); a tile is defective where any is true.
    """
    whole = areas(labels)
    inside = np.array([areas(labels[y : y + h, x : x + w], len(whole)) for x, y, w, h in boxes.tolist()])
    return rule.inside(inside.reshape(len(boxes), len(whole)) * own_pixels, whole[None] * own_pixels)


def areas(labels: Labels, regions: int | None = None) -> npt.NDArray[np.float64]:
    """Pixels of each region, the first region first."""
    counts = np.bincount(labels.ravel(), minlength=BEYOND + 1)[1:BEYOND].astype(np.float64)
    last = int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 0
    return counts[: last if regions is None else regions]
