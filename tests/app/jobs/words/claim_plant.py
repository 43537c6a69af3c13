"""The small plant with its own settings, for tests of claims and descriptions."""

from pathlib import Path

from app.settings import Settings
from core.records import Image
from data.store import Store, open_store
from tests.small_plant import SITE, make_plant


def plant_at(home: Path, **more: object) -> tuple[Store, Settings]:
    """A fresh plant: three of its parts in Lyon are labelled, one with a scratch at (50, 60, 80, 40)."""
    made = make_plant(home)
    return open_store(made.url), Settings(home=home, database_url=made.url, decoders=1, decode_seconds=120, **more)  # type: ignore[arg-type]


def labelled(store: Store, defective: bool) -> Image:
    """An image that is labelled: with the scratch, which is on a part of two views, or as good."""
    found = [one for one in store.labels.find(SITE) if one.label.defective is defective]
    return next(one.image for one in found if bool(one.label.classes) is defective)


def unlabelled(store: Store) -> Image:
    """An image that nobody labelled, of a part with one picture."""
    known = {one.image.part_id for one in store.labels.find(SITE)}
    alone = [one for one in store.images.find(site=SITE) if one.part_id not in known]
    return next(one for one in alone if len(store.images.of_part(one.part_id)) == 1)
