"""Printed labels: what is asked of them, what the items are, and what was read."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint

from data.columns import Table, json, key, time, to


class PrintRules(Table, table=True):
    """What is asked of the labels of one part type; append-only: the last one counts, and an empty one asks nothing."""

    __tablename__ = "print_rules"
    __table_args__ = (UniqueConstraint("site_id", "part_type", "number"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    part_type: str
    number: int
    document: Any = json()
    by: str
    reason: str
    set_at: datetime = time()


class CatalogueItems(Table, table=True):
    """The items of a site, as their labels should read."""

    __tablename__ = "catalogue_items"
    __table_args__ = (UniqueConstraint("site_id", "sku"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    sku: str
    title: str
    part_type: str = ""
    language: str = "en"
    attributes: Any = json()


class Readings(Table, table=True):
    """What is printed on an image; never edited: a later one counts, and it goes when its image goes."""

    __table_args__ = (Index("ix_readings_image", "image_id", "id"),)
    id: int | None = key()
    image_id: int = to("images.id")
    document: Any = json()
    read_at: datetime = time()


class ReadingChecks(Table, table=True):
    """What a person says of a reading: whether it is what is printed; one answer a reading, the last one counts."""

    __tablename__ = "reading_checks"
    __table_args__ = (UniqueConstraint("reading_id", "by"),)
    id: int | None = key()
    reading_id: int = to("readings.id")
    language: str
    right: bool
    by: str
    checked_at: datetime = time()
