"""What a review may say: boxes inside the picture, classes of the site, severities that those classes have."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.errors import BadInput
from core.records import NO_DEFECT, Polygons, Region, Review, Rle
from core.taxonomy import Taxonomy
from data.store.line.preparing import clipped

SLACK_PX = 0.5  # how far a box may stick out and still be meant
MAX_REGIONS = 2000
MAX_NOTE = 4000


def check_review(
    review: Review, sizes: Mapping[int, tuple[int, int]], taxonomy: Taxonomy
) -> dict[int, tuple[Region, ...]]:
    """The regions of a person's review as they are stored.

    Raises:
        BadInput: naming what cannot be meant.
    """
    if review.sure is not None and not 1 <= review.sure <= 5:
        raise BadInput(f"Sure is {review.sure}: give 1 (a guess) to 5 (certain).")
    if len(review.note) > MAX_NOTE:
        raise BadInput(f"The note has {len(review.note)} characters, the limit is {MAX_NOTE}: shorten it.")
    strangers = sorted(set(review.regions) - set(sizes))
    if strangers:
        raise BadInput(f"Images {strangers} do not belong to this part: draw on its own pictures.")
    if review.verdict.defective is False and (review.classes or any(review.regions.values())):
        raise BadInput("A part that passes has no defects: remove the boxes and classes, or choose FAIL or REWORK.")
    return {
        image_id: checked_regions(some, *sizes[image_id], taxonomy) for image_id, some in sorted(review.regions.items())
    }


def checked_regions(
    given: Iterable[Region], width: int, height: int, taxonomy: Taxonomy, strict: bool = True
) -> tuple[Region, ...]:
    """Regions of one image, each inside it and with a class that its taxonomy knows or none.

    Args:
        given: in the image's own pixels.
        width: of the image.
        height: of the image.
        taxonomy: of the site.
        strict: refuse an unknown class id or severity; an import keeps the name and drops what does not fit.
    """
    found = list(given)
    if len(found) > MAX_REGIONS:
        raise BadInput(f"{len(found)} regions on one picture, the limit is {MAX_REGIONS}.")
    keys = [region.key for region in found if region.key]
    if len(set(keys)) != len(keys):
        raise BadInput("Two regions of one picture have the same key.")
    return tuple(_checked(region, width, height, taxonomy, strict) for region in found)


def _checked(region: Region, width: int, height: int, taxonomy: Taxonomy, strict: bool) -> Region:
    corners = (region.x, region.y, region.width, region.height)
    told = f"The box {region.name or 'without a name'} at {region.x}, {region.y}, {region.width} × {region.height}"
    if not all(math.isfinite(value) for value in corners) or region.width <= 0 or region.height <= 0:
        raise BadInput(f"{told} has no area: draw it again.")
    out = max(-region.x, -region.y, region.x + region.width - width, region.y + region.height - height)
    inside = clipped(region, width, height)
    if out > SLACK_PX or inside is None:
        raise BadInput(f"{told} leaves the picture of {width} × {height}: draw it inside.")
    if isinstance(region.mask, Rle) and region.mask.size_hw != (height, width):
        raise BadInput(f"{told} has a mask of another picture: draw it again.")
    if isinstance(region.mask, Polygons) and not all(
        math.isfinite(value) for ring in region.mask.rings for value in ring
    ):
        raise BadInput(f"{told} has an outline that is no number: draw it again.")
    if not (region.name or region.class_id):
        raise BadInput(f"{told} has no class: choose one.")
    return _with_class(inside, taxonomy, strict)


def _with_class(region: Region, taxonomy: Taxonomy, strict: bool) -> Region:
    class_id = region.class_id
    if class_id is not None and class_id not in taxonomy.ids:
        if strict:
            raise BadInput(f"'{class_id}' is no class of this site: choose one of {', '.join(taxonomy.ids) or 'none'}.")
        region, class_id = replace(region, class_id=None, name=region.name or class_id), None
    means = class_id or taxonomy.match(region.name)
    if means in (None, NO_DEFECT) or region.severity is None:
        return region if region.name else replace(region, name=str(class_id))
    try:
        taxonomy.check_severity(str(means), region.severity)
    except BadInput:
        if strict:
            raise
        region = replace(region, severity=None)
    return region if region.name else replace(region, name=str(class_id))
