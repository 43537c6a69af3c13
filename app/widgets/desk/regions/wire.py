"""Regions as a browser sends them, read with suspicion: it may be old, broken, or of somebody who tries things."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.widgets.desk.regions.contract import Sheet
from core.records import Polygons, Region, Rle, Severity

MOST_POINTS = 20_000  # numbers in the outlines of one region
LONGEST_KEY = 200
SMALLEST_PX = 1.0  # a thinner box is a slip of the hand
_SIDES = ("x", "y", "width", "height")


def written(region: Region, by: str) -> dict[str, Any]:
    """A region for the browser.

    Run lengths stay here, they only tell that they are there: a browser can neither show nor change them.
    """
    rings = [list(ring) for ring in region.mask.rings] if isinstance(region.mask, Polygons) else None
    return {
        "key": region.key,
        **{side: getattr(region, side) for side in _SIDES},
        "class": region.class_id,
        "name": region.name,
        "severity": None if region.severity is None else str(region.severity),
        "score": region.score,
        "rings": rings,
        "rle": isinstance(region.mask, Rle),
        "by": by,
    }


def read(rows: object, sheet: Sheet, known: Iterable[Region]) -> tuple[Region, ...]:
    """What a browser sent, as regions inside the picture with classes and severities of this site.

    Args:
        rows: should be a list of what `written` makes; what is not is left out.
        sheet: of this picture.
        known: regions that may come back; what says the same as one of them *is* that one, with score and mask.
    """
    by_key: dict[str, list[Region]] = {}
    for region in known:
        by_key.setdefault(region.key, []).append(region)
    found: dict[str, Region] = {}
    for row in rows if isinstance(rows, Sequence) else ():
        made = _region(row, sheet, by_key) if isinstance(row, Mapping) else None
        if made is not None and made.key not in found:
            found[made.key] = made
    return tuple(found.values())


def _region(row: Mapping[str, Any], sheet: Sheet, known: Mapping[str, list[Region]]) -> Region | None:
    key, sides = row.get("key"), [_number(row.get(side)) for side in _SIDES]
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        return None
    x, y, width, height = sides
    if x is None or y is None or width is None or height is None:
        return None
    like = known.get(key, [])
    untouched = next((one for one in like if _says(row) == _says(written(one, ""))), None)
    if untouched is not None:
        return untouched
    right, bottom = min(x + width, float(sheet.size_wh[0])), min(y + height, float(sheet.size_wh[1]))
    if x >= 0 and y >= 0 and right == x + width and bottom == y + height:
        box = (x, y, width, height)
    else:
        left, top = max(0.0, x), max(0.0, y)
        box = (left, top, right - left, bottom - top)
    if box[2] < SMALLEST_PX or box[3] < SMALLEST_PX:
        return None
    class_id, name = _class(row, sheet, like)
    region = Region(*box, name=name, class_id=class_id, key=key, severity=_severity(row, sheet, class_id))
    same_place = next((one for one in like if (one.x, one.y, one.width, one.height) == box), None)
    if row.get("rle") is True and same_place is not None:
        return replace(region, mask=same_place.mask)
    return replace(region, mask=_outline(row.get("rings"), sheet.size_wh))


def _says(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """All that a person could have changed."""
    rings = row.get("rings")
    return (
        *(_number(row.get(side)) for side in _SIDES),
        row.get("class"),
        row.get("severity"),
        bool(row.get("rle")),
        repr([[_number(value) for value in ring] for ring in rings if isinstance(ring, list)])
        if isinstance(rings, list)
        else None,
    )


def _class(row: Mapping[str, Any], sheet: Sheet, like: Sequence[Region]) -> tuple[str | None, str]:
    """Class and name: one of the site's, or the unmapped one that the region came with."""
    given = row.get("class")
    if isinstance(given, str) and sheet.kind(given) is not None:
        name = next((one.name for one in like if one.class_id == given), given)
        return given, name or given
    if given is None:
        unmapped = next((one.name for one in like if one.class_id is None and one.name), "")
        if unmapped:
            return None, unmapped
    return sheet.new_class, sheet.new_class


def _severity(row: Mapping[str, Any], sheet: Sheet, class_id: str | None) -> Severity | None:
    kind = sheet.kind(class_id)
    allowed = kind.severities if kind else tuple(Severity)
    return next((one for one in allowed if str(one) == row.get("severity")), None)


def _outline(rings: object, size_wh: tuple[int, int]) -> Polygons | None:
    """Rings of at least three points, inside the picture; None where there is no such ring."""
    if not isinstance(rings, list) or sum(len(ring) for ring in rings if isinstance(ring, list)) > MOST_POINTS:
        return None
    result = []
    for ring in rings:
        values = [_number(value) for value in ring] if isinstance(ring, list) else []
        if len(values) < 6 or len(values) % 2 or None in values:
            continue
        result.append(tuple(min(max(float(v or 0), 0.0), float(size_wh[i % 2])) for i, v in enumerate(values)))
    return Polygons(tuple(result)) if result else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
