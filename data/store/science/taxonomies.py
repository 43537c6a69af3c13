"""Taxonomies: numbered versions of each site's classes, and the names that no class has been given for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.plant import UnmappedName
from core.records import NO_DEFECT, TaskKind
from core.roles import Action
from core.taxonomy import Taxonomy
from data.store.base import SubStore, site_row, within
from data.store.desk.labelling import relabel
from data.store.rules.in_force import append_version, taxonomy_in_force
from data.tables import images, label_classes, labels, regions, reviews, sites, taxonomies

EXAMPLES = 5


@dataclass(frozen=True)
class RawName:
    """A name as it came, at one site.

    Attributes:
        pictures: that carry it.
        class_id: what it means there now; None while it is unmapped.
    """

    site: str
    name: str
    pictures: int
    class_id: str | None


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

    def append(
        self, site: str, taxonomy: Taxonomy, note: str, now: datetime | None = None, *, based_on: int | None = None
    ) -> int:
        """A new version, in force at once; labels with names that it maps are derived anew.

        Args:
            site: of the version.
            taxonomy: whole, as it is to be.
            note: why.
            now: aware UTC.
            based_on: the version that was changed to this one; not checked where None.

        Raises:
            Conflict: another version has come into force since.
        """
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.TAXONOMY, row.id)
            self.database.one_at_a_time(connection, "taxonomy", row.id)
            last, old = taxonomy_in_force(connection, row.id)
            if based_on is not None and based_on != last:
                raise Conflict(f"Version {last} has come into force since you began: look at it and change that one.")
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

    def names(self, site: str | None = None) -> list[RawName]:
        """Every name that files and people have used, with how many pictures carry it at each site.

        Counted are pictures on which an answer that stands uses the name: one that nobody took back, and that is not
        about a part with a known answer.

        Args:
            site: only of one; all that the actor sees where None.

        Returns:
            Those of most pictures first; the class is what the name means at the site now, None while it is unmapped.
        """
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                at: Any = site_row(connection, site)
                rights.need(Action.SEE, at.id)
                asked = at.id
            said = _said(connection, within(rights, reviews.c.site_id, asked)).subquery()
            query = (
                sa.select(sites.c.id, sites.c.name.label("site"), said.c.name, sa.func.count().label("pictures"))
                .join(sites, sites.c.id == said.c.site_id)
                .group_by(sites.c.id, sites.c.name, said.c.name)
            )
            rows = connection.execute(query).all()
            known = {one.id: taxonomy_in_force(connection, one.id)[1] for one in rows}
            found = [RawName(one.site, one.name, one.pictures, _class_now(known[one.id], one.name)) for one in rows]
            return sorted(found, key=lambda one: (-one.pictures, one.name, one.site))

    def named(self, site: str, name: str, limit: int = 24) -> list[int]:
        """The newest pictures of a site that carry a name, by id."""
        with self.seeing() as (connection, rights):
            at: Any = site_row(connection, site)
            rights.need(Action.SEE, at.id)
            said = _said(connection, [reviews.c.site_id == at.id]).subquery()
            query = sa.select(said.c.image_id).where(said.c.name == name).order_by(said.c.image_id.desc()).limit(limit)
            return list(connection.scalars(query))

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


def _said(connection: Connection, where: list[sa.ColumnElement[bool]]) -> sa.CompoundSelect[Any]:
    """Site, picture and name, each once: names on drawn regions, and names given without a box."""
    undone = sa.select(reviews.c.undoes).where(reviews.c.undoes.is_not(None))
    gold = sa.and_(reviews.c.task_kind.is_not(None), reviews.c.task_kind == str(TaskKind.GOLD))
    stands = [reviews.c.undoes.is_(None), reviews.c.id.not_in(undone), ~gold, *where]
    drawn = (
        sa.select(reviews.c.site_id, regions.c.image_id, regions.c.name)
        .join(regions, regions.c.review_id == reviews.c.id)
        .where(*stands)
    )
    # An answer about a whole part names classes of all its pictures.
    whole = sa.or_(reviews.c.image_id == images.c.id, reviews.c.image_id.is_(None))
    unrolled = sa.func.json_each if connection.dialect.name == "sqlite" else sa.func.jsonb_array_elements_text
    each = unrolled(reviews.c.classes).table_valued("value")
    named = (
        sa.select(reviews.c.site_id, images.c.id, sa.cast(each.c.value, sa.String))
        .select_from(reviews)
        .join(images, sa.and_(images.c.part_id == reviews.c.part_id, whole))
        .join(each, sa.true())
        .where(*stands)
    )
    return sa.union(drawn, named)


def _class_now(taxonomy: Taxonomy, name: str) -> str | None:
    found = taxonomy.match(name)
    return None if found == NO_DEFECT else found


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
