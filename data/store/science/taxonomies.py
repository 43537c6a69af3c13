"""Taxonomies: numbered versions of each site's classes, and the names that no class has been given for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.plant import UnmappedName
from core.roles import Action
from core.taxonomy import Taxonomy
from data.store.base import SubStore, site_row
from data.store.desk.labelling import relabel
from data.store.rules.in_force import append_version, taxonomy_in_force
from data.tables import label_classes, labels, taxonomies

EXAMPLES = 5


@dataclass(frozen=True)
class TaxonomyVersion:
    """One row of a site's history of classes."""

    number: int
    taxonomy: Taxonomy
    note: str
    by: str
    created_at: datetime


class Taxonomies(SubStore):
    """A version is never edited; labels always mean what the newest one says."""

    def append(self, site: str, taxonomy: Taxonomy, note: str, now: datetime | None = None) -> int:
        """A new version, in force at once; labels with names that it maps are derived anew."""
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.TAXONOMY, row.id)
            self.database.one_at_a_time(connection, "taxonomy", row.id)
            _, old = taxonomy_in_force(connection, row.id)
            number = append_version(connection, row.id, site, taxonomy, note, self.actor.name, when)
            _relabel(connection, row.id, old, taxonomy)
            return number

    def of(self, site: str) -> Taxonomy:
        """The one in force; without classes where the site has none."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return taxonomy_in_force(connection, row.id)[1]

    def versions(self, site: str) -> list[TaxonomyVersion]:
        """Every version, newest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            chosen = sa.select(taxonomies).where(taxonomies.c.site_id == row.id).order_by(taxonomies.c.number.desc())
            return [
                TaxonomyVersion(one.number, Taxonomy.from_json(one.document), one.note, one.by, one.created_at)
                for one in connection.execute(chosen)
            ]

    def unmapped(self, site: str) -> list[UnmappedName]:
        """Names on labels that mean no class yet, the most frequent first, with the nearest classes."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            _, taxonomy = taxonomy_in_force(connection, row.id)
            unknown = (label_classes.c.site_id == row.id) & label_classes.c.class_id.is_(None)
            counted = connection.execute(
                sa.select(label_classes.c.name, sa.func.count()).where(unknown).group_by(label_classes.c.name)
            ).all()
            found = []
            for name, count in sorted(counted, key=lambda pair: (-pair[1], pair[0])):
                examples = (
                    sa.select(label_classes.c.image_id)
                    .where(unknown, label_classes.c.name == name)
                    .order_by(label_classes.c.image_id)
                    .limit(EXAMPLES)
                )
                images = tuple(connection.scalars(examples))
                found.append(UnmappedName(name, count, images, tuple(taxonomy.nearest(name))))
            return found

    def map_name(self, site: str, raw_name: str, class_id: str, now: datetime | None = None) -> int:
        """Say what a name means: a new version with one alias more, and the labels that carry the name follow.

        Returns:
            The number of the taxonomy in force afterwards.

        Raises:
            NotFound: for a class that the site does not have.
            BadInput: when the name already means something else.
        """
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.TAXONOMY, row.id)
            self.database.one_at_a_time(connection, "taxonomy", row.id)
            number, taxonomy = taxonomy_in_force(connection, row.id)
            mapped = taxonomy.with_alias(class_id, raw_name, self.actor.name)
            if mapped == taxonomy:
                return number
            note = f"{raw_name} means {class_id}"
            number = append_version(connection, row.id, site, mapped, note, self.actor.name, when)
            _relabel(connection, row.id, taxonomy, mapped)
            return number


def _relabel(connection: Connection, site_id: int, old: Taxonomy, new: Taxonomy) -> None:
    """Derive anew the labels on which a name has another meaning than before."""
    mine = label_classes.c.site_id == site_id
    if any(new.match(name) != old.match(name) for entry in old.classes for name in entry.names):
        chosen = sa.select(labels.c.image_id).where(labels.c.site_id == site_id)
    else:
        unknown = sa.select(label_classes.c.name).where(mine, label_classes.c.class_id.is_(None)).distinct()
        names = [name for name in connection.scalars(unknown) if new.match(name) is not None]
        if not names:
            return
        chosen = sa.select(label_classes.c.image_id).where(mine, label_classes.c.name.in_(names))
    relabel(connection, set(connection.scalars(chosen)))
