"""Rows of printed labels as plain facts: rules, items, readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.words.identity import CatalogueItem, Entry
from core.words.presence import Side
from core.words.print_check import PrintRules, rules_of
from core.words.prints import Print, Reading
from data.store.rows import chunks
from data.tables import catalogue_items, images, print_rules, readings


@dataclass(frozen=True)
class KeptRules:
    """Rules as they were set; None asks nothing of the labels."""

    part_type: str
    number: int
    rules: PrintRules | None
    by: str
    reason: str
    set_at: datetime


@dataclass(frozen=True)
class ImageRead:
    """What was read on one image.

    Attributes:
        id: of the reading.
        size: width and height of the image in pixels.
    """

    id: int
    image_id: int
    part_id: int
    view: str | None
    size: tuple[int, int]
    reading: Reading
    read_at: datetime


def kept_rules(connection: Connection, site_id: int) -> dict[str, KeptRules]:
    """The rules that count at a site, by part type."""
    query = sa.select(print_rules).where(print_rules.c.site_id == site_id).order_by(print_rules.c.number)
    return {
        row.part_type: KeptRules(row.part_type, row.number, rules_of(row.document) if row.document else None, row.by,
                                 row.reason, row.set_at)
        for row in connection.execute(query)
    }  # fmt: skip


def items_of(connection: Connection, site_id: int) -> list[CatalogueItem]:
    """The items of a site, by number."""
    query = sa.select(catalogue_items).where(catalogue_items.c.site_id == site_id).order_by(catalogue_items.c.sku)
    return [
        CatalogueItem(Entry(row.sku, row.title, row.attributes, row.language), row.part_type)
        for row in connection.execute(query)
    ]


def read_on(connection: Connection, part_ids: Sequence[int]) -> dict[int, list[ImageRead]]:
    """The last reading of each image of some parts, by part."""
    found: dict[int, dict[int, ImageRead]] = {}
    for some in chunks(list(part_ids)):
        query = (
            sa.select(readings, images.c.part_id, images.c.view, images.c.width, images.c.height)
            .join(images, images.c.id == readings.c.image_id)
            .where(images.c.part_id.in_(some))
            .order_by(readings.c.id)
        )
        for row in connection.execute(query):
            found.setdefault(row.part_id, {})[row.image_id] = read_row(row)
    return {part_id: list(by_image.values()) for part_id, by_image in found.items()}


def insert_readings(connection: Connection, read: Sequence[tuple[int, Reading]], now: datetime) -> None:
    """Write down what was read on images, inside the caller's transaction."""
    rows = [{"image_id": image_id, "document": reading_document(one), "read_at": now} for image_id, one in read]
    if rows:
        connection.execute(sa.insert(readings), rows)


def reading_document(reading: Reading) -> dict[str, Any]:
    """A reading as JSON."""
    return {"reader": reading.reader, "failed": reading.failed, "milliseconds": round(reading.milliseconds, 1),
            "prints": [[one.text, round(one.sure, 4), [round(value, 1) for value in one.box]]
                       for one in reading.prints]}  # fmt: skip


def reading_of(document: Mapping[str, Any]) -> Reading:
    """A reading from JSON."""
    prints = tuple(
        Print(text, sure, (box[0], box[1], box[2], box[3])) for text, sure, box in document.get("prints", ())
    )
    return Reading(prints, document.get("reader", ""), document.get("failed"), document.get("milliseconds", 0.0))


def side_of(one: ImageRead) -> Side:
    """As the check of a label asks for it."""
    return Side(one.reading.prints, one.size, one.reading.failed)


def read_row(row: Any) -> ImageRead:
    return ImageRead(
        row.id, row.image_id, row.part_id, row.view, (row.width, row.height), reading_of(row.document), row.read_at
    )
