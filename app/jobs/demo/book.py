"""The demo plant's defect book: what its people have labelled, put on pages as a QA lead would."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from core.defect_book import ExampleKind
from core.errors import Conflict
from core.records import NO_DEFECT, Region
from core.roles import Actor
from data.demo.plant import SITES

if TYPE_CHECKING:
    from data.store import Store

KEEPER = "marta"
EXAMPLES = 3  # of each class
LOOKED_AT = 400  # labels of a site that are gone through for good parts
HOW_TO_LOOK = {
    "SURFACE_SCRATCH": "Follow the line: a scratch cuts across the marks of turning, or ends in the middle of the "
    "face. Marks that run with the tool all the way round are the tool's own.",
    "BURR": "Look along the edge of bores and shoulders: a burr stands out into the dark. "
    "An even bright rim is the chamfer.",
    "SURFACE_PIT": "A pit is dark on all sides and has a bright lower lip. Dust lies on top and casts no shadow.",
    "CRACK": "A crack is thin, branches, and does not follow the tool. When in doubt answer Unsure: "
    "one that is missed can break in use.",
    "TORN_COVER": "The edge of a tear is rough and shows the brown inside of the board. A fold is smooth.",
    "BROKEN_SEAL": "The tape has to go over both edges of the lid without a gap.",
}


def open_book(store: "Store", now: datetime) -> int:
    """Fill the pages that have no picture yet.

    Args:
        store: bound to a process of the plant.
        now: aware UTC.

    Returns:
        Pictures put into the book.
    """
    keeper, added = store.acting_as(Actor(KEEPER)), 0
    for site in SITES:
        filled = {page.class_id for page in keeper.book.pages(site.name) if page.examples}
        for class_id in keeper.sites.get(site.name).taxonomy.ids:
            if class_id in filled:
                continue
            if class_id in HOW_TO_LOOK:
                keeper.book.write(site.name, class_id, HOW_TO_LOOK[class_id], now)
            for image_id, region, name in list(islice(_labelled(keeper, site.name, class_id), EXAMPLES)):
                box = (region.x, region.y, region.width, region.height)
                with suppress(Conflict):  # its part waits for somebody's own first look
                    keeper.book.add(site.name, class_id, image_id, ExampleKind.GOOD, f"Part {name}", box, now=now)
                    added += 1
        added += _mistaken(keeper, site.name, filled, now)
    return added


def _labelled(store: "Store", site: str, class_id: str) -> Iterator[tuple[int, Region, str]]:
    """Pictures on which people have drawn a defect of a class: its largest region on each, one picture a part."""
    seen = set()
    for one in store.labels.find(site, class_id=class_id):
        drawn = [region for region in one.label.regions if region.class_id == class_id]
        if drawn and one.image.part_id not in seen:
            seen.add(one.image.part_id)
            yield one.image.id, max(drawn, key=lambda region: region.width * region.height), one.image.capture.part


def _mistaken(store: "Store", site: str, filled: set[str], now: datetime) -> int:
    """A good part on the page of the class that the model took it for."""
    good = [one.image for one in islice(store.labels.find(site), LOOKED_AT) if not one.label.defective]
    said = store.images.predictions([one.id for one in good])
    added, done = 0, set(filled)
    for image in sorted(good, key=lambda one: -said[one.id].score if one.id in said else 0.0):
        scores = said[image.id].class_scores if image.id in said else {}
        taken_for = max(scores, key=lambda one: scores[one], default=None)
        if taken_for is None or taken_for in done:
            continue
        with suppress(Conflict):
            caption = f"Good, though the model gave it {said[image.id].score:.2f}"
            store.book.add(site, taken_for, image.id, ExampleKind.COUNTER, caption, really=NO_DEFECT, now=now)
            done.add(taken_for)
            added += 1
    return added
