"""Quarantine: pictures that could not be used, why, and back again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.errors import Conflict
from core.records import Image, ImageState
from core.roles import Action
from data.store.base import SubStore, site_row, within
from data.store.line.images import change_state, image_row
from data.store.rows import IMAGE, image_of
from data.tables import images


@dataclass(frozen=True)
class Quarantined:
    """One picture that could not be used."""

    image: Image
    reason: str


class Quarantine(SubStore):
    """Nothing is thrown away here."""

    def list(self, site: str | None = None, reason: str | None = None, limit: int = 200) -> list[Quarantined]:
        """The newest first."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            query = IMAGE.where(images.c.state != str(ImageState.OK), *within(rights, images.c.site_id, asked))
            if reason is not None:
                query = query.where(sa.func.coalesce(images.c.reason, images.c.state) == reason)
            query = query.order_by(images.c.id.desc()).limit(limit)
            return [Quarantined(image_of(row), row.reason or row.state) for row in connection.execute(query)]

    def counts(self, site: str | None = None) -> Mapping[str, int]:
        """How many by reason, the most frequent first; missing and changed files count too."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            reason = sa.func.coalesce(images.c.reason, images.c.state)
            query = (
                sa.select(reason, sa.func.count())
                .where(images.c.state != str(ImageState.OK), *within(rights, images.c.site_id, asked))
                .group_by(reason)
            )
            found = connection.execute(query).all()
            return dict(sorted(found, key=lambda pair: (-pair[1], pair[0])))

    def to_read_again(self, image_id: int) -> Image:
        """A picture in quarantine whose file the actor may have read once more.

        Raises:
            Conflict: it is not in quarantine, or names no file.
        """
        with self.seeing(Action.RESTORE) as (connection, rights):
            row = image_row(connection, image_id)
            rights.need(Action.RESTORE, row.site_id)
            if row.state == ImageState.OK or not row.path:
                raise Conflict(f"Image {image_id} has no file in quarantine to read again.")
            return image_of(row)

    def restore(self, image_id: int, now: datetime | None = None) -> Image:
        """Take a picture back; its part stays held until a person has reviewed it.

        Raises:
            Conflict: for a picture that is not in quarantine, or that could never be read.
        """
        when = self.now(now)
        with self.writing(Action.RESTORE) as (connection, rights):
            row = image_row(connection, image_id)
            rights.need(Action.RESTORE, row.site_id)
            if row.state == ImageState.OK:
                raise Conflict(f"Image {image_id} is not in quarantine.")
            if not row.width or not row.height:
                raise Conflict(f"Image {image_id} has never been read: mend the file and ingest it again.")
            connection.execute(sa.update(images).where(images.c.id == image_id).values(reason=None))
            change_state(self, connection, row, ImageState.OK, f"restored by {self.actor.name}", when)
            return image_of(image_row(connection, image_id))
