"""Labels: the present truth, and the truth as it was."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.plant import LabelledFile, LabelledImage
from core.records import Label
from core.roles import Action
from data.store.base import Rights, SubStore, site_row, within
from data.store.desk.labelling import derive_labels, derive_page
from data.store.rows import CHUNK, IMAGE, chunks, image_of
from data.tables import images, label_classes, labels, reviews, sites

_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_PICTURES = IMAGE.where(images.c.id.in_(_IDS))
_PLACES = sa.select(images.c.id, images.c.part_id, images.c.site_id).where(images.c.id.in_(_IDS))
_PER_READ = 5000  # rows that are in memory at once besides what is made of them


class Labels(SubStore):
    """Derived from reviews in the transaction of each review."""

    def get(self, image_id: int) -> Label | None:
        """The label of one image; None while nobody has said anything that stands."""
        return self.many([image_id]).get(image_id)

    def many(self, image_ids: Collection[int]) -> dict[int, Label]:
        """Labels by image id, of those images that have one and that the actor may see."""
        with self.seeing() as (connection, rights):
            visible: list[int] = []
            ordered = sorted(set(image_ids))
            for start in range(0, len(ordered), CHUNK):
                query = sa.select(images.c.id).where(
                    images.c.id.in_(ordered[start : start + CHUNK]), *within(rights, images.c.site_id)
                )
                visible.extend(connection.scalars(query))
            return derive_labels(connection, visible)[0]

    def count(self, site: str | None = None) -> dict[str, int]:
        """How many labels there are: by class, and under "defective", "good" and "unmapped"."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            mine = within(rights, labels.c.site_id, asked)
            sides = connection.execute(
                sa.select(labels.c.defective, sa.func.count()).where(*mine).group_by(labels.c.defective)
            )
            found = {"good": 0, "defective": 0} | {
                "defective" if defective else "good": count for defective, count in sides.all()
            }
            mine = within(rights, label_classes.c.site_id, asked)
            classes = connection.execute(
                sa.select(label_classes.c.class_id, sa.func.count()).where(*mine).group_by(label_classes.c.class_id)
            )
            return found | {class_id or "unmapped": count for class_id, count in classes.all()}

    def find(
        self,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        class_id: str | None = None,
        only_corrected: bool = False,
        as_of: datetime | None = None,
    ) -> Iterator[LabelledImage]:
        """Labelled images by id, each as one moment of the store knew it.

        Args:
            site: only of one site.
            since: labelled then or later.
            until: labelled before.
            class_id: only with this class.
            only_corrected: only where the review differs from what the model had said.
            as_of: leave out whatever was said, undone or mapped after this time.
        """
        with self.seeing() as (connection, rights):
            page = _candidates(rights, _asked(connection, rights, site), class_id, as_of)
            page = page.where(images.c.id > sa.bindparam("last")).order_by(images.c.id).limit(CHUNK)
            last = 0
            while places := connection.execute(page, {"last": last}).all():
                last = places[-1].id
                fits = _Fits(since, until, class_id, only_corrected)
                yield from _labelled(connection, places, as_of, fits)

    def files(
        self,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        class_id: str | None = None,
        only_corrected: bool = False,
        as_of: datetime | None = None,
    ) -> list[LabelledFile]:
        """Where the images lie that `find` would find, by id."""
        if as_of is not None:  # what the label was then has to be made again
            found = self.find(site, since, until, class_id, only_corrected, as_of)
            return [LabelledFile(one.image.id, one.image.path, one.image.sha256, one.image.site) for one in found]
        with self.seeing() as (connection, rights):
            wanted = _candidates(rights, _asked(connection, rights, site), class_id, None)
            if since is not None:
                wanted = wanted.where(labels.c.labelled_at >= since)
            if until is not None:
                wanted = wanted.where(labels.c.labelled_at < until)
            if only_corrected:
                wanted = wanted.where(labels.c.changed)
            query = wanted.with_only_columns(images.c.id, images.c.path, images.c.sha256, sites.c.name)
            query = query.join(sites, sites.c.id == images.c.site_id).order_by(images.c.id)
            rows: Iterable[Any] = connection.execution_options(yield_per=_PER_READ).execute(query)
            return [LabelledFile(image_id, path, sha256, name) for image_id, path, sha256, name in rows]

    @contextmanager
    def again(
        self, image_ids: Sequence[int], as_of: datetime | None = None, **filters: Any
    ) -> Iterator[Callable[[], Iterator[LabelledImage]]]:
        """Labelled images in the order given, as often as they are asked for, and the same each time.

        Those that have no such label any more, or that the actor may not see, are left out.

        Args:
            image_ids: as `files` gave them, in any order.
            as_of: as in `find`.
            **filters: since, until, class_id and only_corrected, as in `find`.
        """
        with self.seeing() as (connection, rights):
            wanted = _PLACES.where(*within(rights, images.c.site_id))

            def read() -> Iterator[LabelledImage]:
                for some in chunks(image_ids):
                    rows = {row.id: row for row in connection.execute(wanted, {"ids": some})}
                    places = [rows[image_id] for image_id in some if image_id in rows]
                    yield from _labelled(connection, places, as_of, _Fits(**filters))

            yield read


def _asked(connection: Connection, rights: Rights, site: str | None) -> int | None:
    """The id of the site that was asked for."""
    if site is None:
        return None
    asked = int(site_row(connection, site).id)
    rights.need(Action.SEE, asked)
    return asked


def _labelled(
    connection: Connection, places: Sequence[Any], as_of: datetime | None, fits: "_Fits"
) -> Iterator[LabelledImage]:
    """The images of some rows (id, part_id, site_id) with those of their labels that fit, in the order of the rows."""
    found, said = derive_page(connection, places, as_of)
    kept = {image_id: label for image_id, label in found.items() if fits.label(label)}
    if kept:
        shown = {row.id: row for row in connection.execute(_PICTURES, {"ids": list(kept)})}
        for place in places:
            if label := kept.get(place.id):
                yield LabelledImage(image_of(shown[place.id]), label, said.get(place.id))


def _candidates(rights: Rights, asked: int | None, class_id: str | None, as_of: datetime | None) -> sa.Select[Any]:
    """Images that could have such a label: from the labels as they are, or from every review up to a time."""
    query = sa.select(images.c.id, images.c.part_id, images.c.site_id)
    query = query.where(*within(rights, images.c.site_id, asked))
    if as_of is not None:
        return query.where(sa.exists().where(reviews.c.part_id == images.c.part_id, reviews.c.reviewed_at <= as_of))
    query = query.join(labels, labels.c.image_id == images.c.id)
    if class_id is not None:
        named = sa.exists().where(label_classes.c.image_id == images.c.id, label_classes.c.class_id == class_id)
        query = query.where(named)
    return query


@dataclass(frozen=True)
class _Fits:
    """What a label has to be, as `find` is asked for it."""

    since: datetime | None = None
    until: datetime | None = None
    class_id: str | None = None
    only_corrected: bool = False

    def label(self, label: Label) -> bool:
        """Whether a label is that."""
        return (
            (self.since is None or label.labelled_at >= self.since)
            and (self.until is None or label.labelled_at < self.until)
            and (self.class_id is None or self.class_id in label.classes)
            and (not self.only_corrected or label.changed)
        )
