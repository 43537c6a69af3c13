"""Printed labels: the rules of a site's part types, its catalogue, and what was read on its images."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.errors import BadInput, Conflict
from core.roles import Action
from core.words.identity import CatalogueItem
from core.words.print_check import PrintRules, rules_document, rules_of
from data.store.base import SubStore, site_row
from data.store.line.print_checking import PrintedPart, printed_part
from data.store.line.print_rows import ImageRead, KeptRules, items_of, kept_rules, read_on, read_row
from data.store.rows import insert_many
from data.store.trail.audit import entry, record
from data.tables import catalogue_items, images, part_types, parts, print_rules, reading_checks, readings, sites

MOST_ITEMS = 100_000


@dataclass(frozen=True)
class ReadShare:
    """Readings that people looked at, in one language."""

    language: str
    right: int
    checked: int


class Prints(SubStore):
    """Rules are superseded, a catalogue is replaced, readings only grow."""

    def rules(self, site: str) -> list[KeptRules]:
        """The rules that count, by part type."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return sorted(kept_rules(connection, row.id).values(), key=lambda one: one.part_type)

    def set_rules(
        self, site: str, part_type: str, rules: PrintRules | None, reason: str, *, seen: int | None = None,
        now: datetime | None = None,
    ) -> KeptRules:  # fmt: skip
        """Say what is asked of a part type's labels from now on; decided parts keep their decisions.

        Args:
            site: where.
            part_type: of the site.
            rules: None asks nothing any more.
            reason: in a sentence.
            seen: number of the rules that these were made from, 0 for none; None does not ask.
            now: aware UTC.

        Raises:
            BadInput: without a reason, for a part type the site does not have, or for rules that ask nothing.
            Conflict: when somebody has set others since `seen`.
        """
        if not reason.strip():
            raise BadInput("Rules for printed labels need a reason: say in a sentence why.")
        document = {} if rules is None else rules_document(rules)
        if rules is not None:
            rules_of(document)
        when = self.now(now)
        with self.writing(Action.PART_TYPE) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.PART_TYPE, row.id)
            self.database.one_at_a_time(connection, "print rules", row.id)
            known = list(connection.scalars(sa.select(part_types.c.name).where(part_types.c.site_id == row.id)))
            if part_type not in known:
                raise BadInput(
                    f"There is no part type '{part_type}' at {site}: there are {', '.join(known) or 'none'}."
                )
            before = kept_rules(connection, row.id).get(part_type)
            number = 0 if before is None else before.number
            if seen is not None and seen != number:
                raise Conflict("Somebody has set other rules since you began: look at them, then set yours again.")
            made = KeptRules(part_type, number + 1, rules, self.actor.name, reason.strip(), when)
            connection.execute(sa.insert(print_rules).values(
                site_id=row.id, part_type=part_type, number=made.number, document=document, by=made.by,
                reason=made.reason, set_at=when,
            ))  # fmt: skip
            old = None if before is None or before.rules is None else rules_document(before.rules)
            record(connection, entry(when, made.by, "print rules set", f"part type {part_type}", site_id=row.id,
                                     old=old, new=document, reason=made.reason))  # fmt: skip
            return made

    def catalogue(self, site: str) -> list[CatalogueItem]:
        """The items of a site, by number."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return items_of(connection, row.id)

    def set_catalogue(self, site: str, items: Sequence[CatalogueItem], now: datetime | None = None) -> int:
        """Put a site's items in place of those it had.

        Raises:
            BadInput: naming the item, for one without number or title, a number twice, or too many.
        """
        _check(items)
        when = self.now(now)
        with self.writing(Action.IMPORT) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.IMPORT, row.id)
            self.database.one_at_a_time(connection, "catalogue", row.id)
            mine = catalogue_items.c.site_id == row.id
            before = connection.scalar(sa.select(sa.func.count()).select_from(catalogue_items).where(mine))
            connection.execute(sa.delete(catalogue_items).where(mine))
            insert_many(connection, catalogue_items, [
                {"site_id": row.id, "sku": one.entry.sku, "title": one.entry.title, "part_type": one.part_type,
                 "language": one.entry.language, "attributes": dict(one.entry.attributes)}
                for one in items
            ])  # fmt: skip
            record(connection, entry(when, self.actor.name, "catalogue set", f"site {site}", site_id=row.id,
                                     old={"items": before}, new={"items": len(items)}))  # fmt: skip
            return len(items)

    def recent(self, site: str, limit: int = 200) -> list[ImageRead]:
        """What was read last, newest first, one row an image."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            newest = sa.select(sa.func.max(readings.c.id)).group_by(readings.c.image_id)
            query = (
                sa.select(readings, images.c.part_id, images.c.view, images.c.width, images.c.height)
                .join(images, images.c.id == readings.c.image_id)
                .where(images.c.site_id == row.id, readings.c.id.in_(newest))
                .order_by(readings.c.id.desc())
                .limit(limit)
            )
            return [read_row(one) for one in connection.execute(query)]

    def unchecked(self, site: str, limit: int = 1) -> list[ImageRead]:
        """Readings that nobody has looked at, drawn by chance and the same ones until they are answered."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            newest = sa.select(sa.func.max(readings.c.id)).group_by(readings.c.image_id)
            shuffled = (readings.c.id * 7919) % 10007  # a fixed order that follows neither time nor camera
            query = (
                sa.select(readings, images.c.part_id, images.c.view, images.c.width, images.c.height)
                .join(images, images.c.id == readings.c.image_id)
                .outerjoin(reading_checks, reading_checks.c.reading_id == readings.c.id)
                .where(images.c.site_id == row.id, readings.c.id.in_(newest), reading_checks.c.id.is_(None))
                .order_by(shuffled, readings.c.id)
                .limit(limit)
            )
            return [read_row(one) for one in connection.execute(query)]

    def say_right(self, reading_id: int, right: bool, language: str, now: datetime | None = None) -> None:
        """Say whether a reading is what is printed; the same person's later answer counts.

        Raises:
            BadInput: there is no such reading.
        """
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            query = sa.select(images.c.site_id).join(readings, readings.c.image_id == images.c.id)
            site_id = connection.scalar(query.where(readings.c.id == reading_id))
            if site_id is None:
                raise BadInput(f"There is no reading {reading_id}.")
            rights.need(Action.REVIEW, site_id)
            mine = (reading_checks.c.reading_id == reading_id) & (reading_checks.c.by == self.actor.name)
            connection.execute(sa.delete(reading_checks).where(mine))
            connection.execute(sa.insert(reading_checks).values(
                reading_id=reading_id, language=language, right=right, by=self.actor.name, checked_at=when
            ))  # fmt: skip
            record(connection, entry(when, self.actor.name, "reading checked", f"reading {reading_id}",
                                     site_id=site_id, new={"right": right}))  # fmt: skip

    def accuracy(self, site: str) -> list[ReadShare]:
        """How many of the readings that people looked at were right, by language."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = (
                sa.select(reading_checks.c.language, sa.func.count().label("checked"),
                          sa.func.sum(sa.cast(reading_checks.c.right, sa.Integer)).label("right"))
                .join(readings, readings.c.id == reading_checks.c.reading_id)
                .join(images, images.c.id == readings.c.image_id)
                .where(images.c.site_id == row.id)
                .group_by(reading_checks.c.language)
                .order_by(reading_checks.c.language)
            )  # fmt: skip
            return [ReadShare(one.language, one.right, one.checked) for one in connection.execute(query)]

    def of_part(self, part_id: int) -> list[ImageRead]:
        """What was read on a part's images, in the order they came."""
        with self.seeing() as (connection, rights):
            query = sa.select(images.c.site_id).where(images.c.part_id == part_id).limit(1)
            site_id = connection.scalar(query)
            if site_id is None:
                return []
            rights.need(Action.SEE, site_id)
            return [one for some in read_on(connection, [part_id]).values() for one in some]

    def check(self, part_id: int, now: datetime | None = None) -> PrintedPart | None:
        """What the check of a part's label says by the rules of today; None where its part type has none."""
        with self.seeing() as (connection, rights):
            query = (
                sa.select(sites, part_types.c.name.label("kind"))
                .join(parts, parts.c.site_id == sites.c.id)
                .join(part_types, part_types.c.id == parts.c.part_type_id)
                .where(parts.c.id == part_id)
            )
            row: Any = connection.execute(query).one_or_none()
            if row is None:
                return None
            rights.need(Action.SEE, row.id)
            return printed_part(connection, row, part_id, row.kind, self.now(now))


def _check(items: Sequence[CatalogueItem]) -> None:
    if len(items) > MOST_ITEMS:
        raise BadInput(f"A catalogue of {len(items):,} items is too long: at most {MOST_ITEMS:,}.")
    seen: set[str] = set()
    for number, one in enumerate(items, 1):
        if not one.entry.sku.strip() or not one.entry.title.strip():
            raise BadInput(f"Item {number} of the catalogue lacks a number or a title.")
        if one.entry.sku in seen:
            raise BadInput(f"Item {one.entry.sku} is in the catalogue twice: keep one of them.")
        seen.add(one.entry.sku)
