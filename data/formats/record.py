"""What a reader finds: one record for each picture in a list, or the problem that made it lose that record."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import BadInput, QuarantineReason
from core.records import Polygons, Region, Rle, Severity, Verdict
from data.formats.runs import regions_of_runs

OVERHANG_PX = 1.0  # some tools count from 1, some round up; what hangs over further is a wrong box or a wrong picture
MAX_SIDE = 1_000_000.0
MAX_REGIONS = 2000  # on one picture; the store keeps no more


@dataclass(frozen=True)
class MaskFile:
    """A picture whose set pixels are the defect.

    Attributes:
        path: checked to lie below the source.
        name: the class of its regions.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Runs:
    """One class's pixels as start and length pairs, counted from 1 down the columns, as Severstal writes them."""

    name: str
    pairs: tuple[int, ...]


@dataclass(frozen=True)
class Record:
    """One picture with what its list says of it. Nothing here has been opened or measured yet.

    Attributes:
        file: as listed.
        path: of the picture, resolved after links and checked to lie below the source.
        where: file and line, for messages.
        regions: in pixels, or in fractions of width and height where `fractions` is set; a `class_id` is what an
            export had made of the name, to be checked against the taxonomy.
        names: defect classes named without a box.
        good: listed as free of defects; that is evidence.
        probability: a number given as label; one half and more is defective.
        listed_size: (width, height) that the list gives; None where it gives none.
        sure: 1 (guess) to 5 (certain).
        source: whatever else the list says and an export should say again.
    """

    file: str
    path: Path
    where: str
    regions: tuple[Region, ...] = ()
    fractions: bool = False
    runs: tuple[Runs, ...] = ()
    masks: tuple[MaskFile, ...] = ()
    names: tuple[str, ...] = ()
    good: bool = False
    probability: float | None = None
    verdict: Verdict | None = None
    listed_size: tuple[int, int] | None = None
    severity: Severity | None = None
    sure: int | None = None
    annotator: str = ""
    note: str = ""
    group: str | None = None
    split: str | None = None
    part: str | None = None
    order: str | None = None
    machine: str | None = None
    line: str | None = None
    camera: str | None = None
    stage: str | None = None
    view: str | None = None
    part_type: str | None = None
    taken_at: datetime | None = None
    source: Mapping[str, Any] = field(default_factory=dict)

    def class_names(self) -> Iterator[str]:
        """Every name this record uses for a class, in order, repeats included."""
        yield from self.names
        for region in self.regions:
            yield region.class_id or region.name
        for runs in self.runs:
            yield runs.name
        for mask in self.masks:
            yield mask.name


@dataclass(frozen=True)
class Problem:
    """A record that cannot be used; the others go on."""

    file: str
    where: str
    reason: QuarantineReason
    text: str
    path: Path | None = None


@dataclass(frozen=True)
class Reading:
    """A source, understood by one format.

    Attributes:
        format: its name in the registry.
        total: how many records to expect, for progress.
        declared: (id, display name) of the classes that the source declares; those it merely uses are not here.
        entries: reads the records anew, in a stable order.
    """

    format: str
    total: int
    declared: tuple[tuple[str, str], ...]
    entries: Callable[[], Iterator[Record | Problem]]

    def __iter__(self) -> Iterator[Record | Problem]:
        return self.entries()


def box(corners: tuple[float, float, float, float], name: str, severity: Severity | None = None) -> Region:
    """A region from corners x1, y1, x2, y2.

    Raises:
        BadInput: where it is not finite, not positive or has no name.
    """
    x1, y1, x2, y2 = corners
    if not all(math.isfinite(value) and abs(value) <= MAX_SIDE for value in corners):
        raise BadInput(f"Box {list(corners)} is not made of finite numbers: draw it again.")
    if x2 <= x1 or y2 <= y1:
        raise BadInput(f"Box {list(corners)} has no area: x2 and y2 must be beyond x1 and y1.")
    if not name.strip():
        raise BadInput(f"Box {list(corners)} has no class: name one.")
    return Region(x1, y1, x2 - x1, y2 - y1, name.strip(), severity=severity)


def polygon(
    rings: tuple[tuple[float, ...], ...], name: str, bounds: tuple[float, float, float, float] | None
) -> Region:
    """A region with an outline; its box is `bounds` (x1, y1, x2, y2) or else the smallest around the rings.

    Raises:
        BadInput: for a ring with fewer than three corners or a number that is not finite.
    """
    for ring in rings:
        if len(ring) < 6 or len(ring) % 2:
            raise BadInput(f"An outline of {len(ring)} numbers: three corners (six numbers) or more are needed.")
        if not all(math.isfinite(value) for value in ring):
            raise BadInput("An outline is not made of finite numbers: draw it again.")
    if bounds is None:
        xs, ys = [x for ring in rings for x in ring[::2]], [y for ring in rings for y in ring[1::2]]
        bounds = (min(xs), min(ys), max(xs), max(ys))
    return replace(box(bounds, name), mask=Polygons(rings))


def placed(record: Record, width: int, height: int) -> tuple[Region, ...]:
    """The record's regions in the pixels of the opened picture.

    Args:
        record: whose mask files are not looked at here.
        width: of the picture after EXIF orientation.
        height: likewise.

    Raises:
        BadInput: where a region does not fit the picture, or the list was made for another size.
    """
    found = list(record.regions)
    for runs in record.runs:
        found += regions_of_runs(runs.pairs, runs.name, width, height)
    if (found or record.masks) and record.listed_size not in (None, (width, height)):
        listed = "{}x{}".format(*record.listed_size or ())
        raise BadInput(f"Listed as {listed} but the picture is {width}x{height} when upright: its boxes do not fit.")
    if len(found) > MAX_REGIONS:
        raise BadInput(f"{len(found)} regions on one picture, at most {MAX_REGIONS}: was the right file given?")
    if record.fractions:
        found = [_scaled(region, width, height) for region in found]
    return tuple(_fitted(region, width, height) for region in found)


def _scaled(region: Region, width: int, height: int) -> Region:
    """From fractions to pixels, to the thousandth, so that 0.3 x 10 is 3 again."""
    x1, y1 = round(region.x * width, 3), round(region.y * height, 3)
    x2, y2 = round((region.x + region.width) * width, 3), round((region.y + region.height) * height, 3)
    mask = region.mask
    if isinstance(mask, Polygons):
        rings = (
            tuple(round(value * (height if i % 2 else width), 3) for i, value in enumerate(ring)) for ring in mask.rings
        )
        mask = Polygons(tuple(rings))
    return replace(region, x=x1, y=y1, width=round(x2 - x1, 3), height=round(y2 - y1, 3), mask=mask)


def _fitted(region: Region, width: int, height: int) -> Region:
    """Inside the picture, cut where it hangs over by no more than a rounding."""
    if isinstance(region.mask, Rle) and region.mask.size_hw != (height, width):
        h, w = region.mask.size_hw
        raise BadInput(f"A mask is {w}x{h} but the picture is {width}x{height}: redraw it.")
    x1, y1, x2, y2 = region.x, region.y, region.x + region.width, region.y + region.height
    if x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height and x2 > x1 and y2 > y1:
        return region
    if min(x1, y1) < -OVERHANG_PX or x2 > width + OVERHANG_PX or y2 > height + OVERHANG_PX:
        raise BadInput(f"Box {[x1, y1, x2, y2]} is not inside the picture of {width}x{height}: draw it again.")
    x1, y1, x2, y2 = max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2)
    if x2 <= x1 or y2 <= y1:
        raise BadInput(f"Box {[x1, y1, x2, y2]} has no area inside the picture of {width}x{height}: draw it again.")
    return replace(region, x=x1, y=y1, width=x2 - x1, height=y2 - y1)
