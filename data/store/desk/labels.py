"""Labels: the present truth, and the truth as it was."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.plant import LabelledImage
from core.records import Label
from core.roles import Action
from data.store.base import Rights, SubStore, site_row, within
from data.store.desk.labelling import derive_labels, derive_page
from data.store.rows import CHUNK, IMAGE, image_of
from data.tables import images, label_classes, labels, reviews

_PICTURES = IMAGE.where(images.c.id.in_(sa.bindparam("ids", expanding=True))).order_by(images.c.id)


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
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            page = _candidates(rights, asked, class_id, as_of).where(images.c.id > sa.bindparam("last"))
            page = page.order_by(images.c.id).limit(CHUNK)
            last = 0
            while places := connection.execute(page, {"last": last}).all():
                last = places[-1].id
                found, said = derive_page(connection, places, as_of)
                kept = {
                    image_id: label
                    for image_id, label in found.items()
                    if _fits(label, since, until, class_id, only_corrected)
                }
                if kept:
                    for row in connection.execute(_PICTURES, {"ids": list(kept)}).all():
                        yield LabelledImage(image_of(row), kept[row.id], said.get(row.id))


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


def _fits(
    label: Label, since: datetime | None, until: datetime | None, class_id: str | None, only_corrected: bool
) -> bool:
    return (
        (since is None or label.labelled_at >= since)
        and (until is None or label.labelled_at < until)
        and (class_id is None or class_id in label.classes)
        and (not only_corrected or label.changed)
    )
