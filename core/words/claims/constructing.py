"""True and false claims made from labelled parts, to set limits by and to measure them."""

from collections.abc import Iterator, Sequence

from core.records import Label
from core.words.claims.limits import ANY, Constructed
from core.words.claims.places import Place, inside, place_of
from core.words.claims.records import Seen
from core.words.claims.support import support

PLACES: tuple[Place, ...] = tuple(
    place
    for words in ("top left", "top right", "bottom left", "bottom right", "centre", "top edge", "bottom edge",
                  "left edge", "right edge")
    if (place := place_of(words.split())) is not None
)  # fmt: skip


def surely(label: Label | None) -> bool:
    """Whether a label says something definite: not a probability near one half."""
    return label is not None and (label.probability is None or not 0.2 < label.probability < 0.8)


def constructed(unit: str, seen: Sequence[Seen], class_ids: Sequence[str]) -> Iterator[Constructed]:
    """Every claim of damage, with and without a place, of which the labels of a part's images say if it is true.

    A part with an image that nobody has labelled, with a name that no class has been given for, or that is defective
    without anybody saying how, gives no claims about classes.

    Args:
        unit: what counts once, such as the part.
        seen: all images of the part.
        class_ids: of the taxonomy.
    """
    labels = [one.label for one in seen]
    if not seen or any(one.unusable for one in seen) or not all(surely(one) for one in labels):
        return
    there = [one for one in labels if one is not None]
    strength = support(seen, None)
    if strength is None:
        return
    defective = any(one.defective for one in there)
    yield Constructed(unit, ANY, False, defective, strength)
    if any(one.unmapped or (one.defective and not one.classes) for one in there):
        return
    for class_id in class_ids:
        true = any(class_id in one.classes for one in there)
        strength = support(seen, class_id)
        if strength is None:
            continue
        yield Constructed(unit, class_id, False, true, strength)
        yield from _placed(unit, seen, class_id, true)


def _placed(unit: str, seen: Sequence[Seen], class_id: str, there: bool) -> Iterator[Constructed]:
    boxes = [(one, region) for one in seen if one.label for region in one.label.regions if region.class_id == class_id]
    drawn = {one.image_id for one, _ in boxes}
    named = {one.image_id for one in seen if one.label and class_id in one.label.classes}
    if there and drawn != named:
        return  # it is somewhere on a picture without a box
    for place in PLACES:
        told = [inside(place, region, one.size_wh) for one, region in boxes]
        true = any(one is True for one in told)
        if not true and any(one is None for one in told):
            continue
        strength = support(seen, class_id, place)
        if strength is not None:
            yield Constructed(unit, class_id, True, true, strength)
