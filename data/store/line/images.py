"""Images: finding them, what was said of them, and what became of their files."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import NotFound
from core.records import Image, ImageState, Prediction
from core.roles import Action
from data.store.base import SubStore, site_row, within
from data.store.line.deciding import decide_parts, last_decisions
from data.store.rows import IMAGE, chunks, image_of, newest_predictions
from data.store.trail.audit import entry, record
from data.tables import cameras, images, sites


class Images(SubStore):
    """Pictures stay where they lie; only their state changes here."""

    def get(self, image_id: int) -> Image:
        """One image.

        Raises:
            NotFound: when there is none of that id.
        """
        with self.seeing() as (connection, rights):
            row = image_row(connection, image_id)
            rights.need(Action.SEE, row.site_id)
            return image_of(row)

    def many(self, image_ids: Collection[int]) -> dict[int, Image]:
        """Images by id; what the actor may not see, or what is not there, is left out."""
        found: dict[int, Image] = {}
        with self.seeing() as (connection, rights):
            for some in chunks(sorted(set(image_ids))):
                query = IMAGE.where(images.c.id.in_(some), *within(rights, images.c.site_id))
                found.update((row.id, image_of(row)) for row in connection.execute(query))
        return found

    def of_part(self, part_id: int) -> list[Image]:
        """Every image of a part, by view and then by age."""
        with self.seeing() as (connection, rights):
            query = IMAGE.where(images.c.part_id == part_id, *within(rights, images.c.site_id)).order_by(images.c.id)
            found = [image_of(row) for row in connection.execute(query)]
            return sorted(found, key=lambda image: (image.capture.view or "", image.id))

    def find(
        self,
        site: str | None = None,
        state: ImageState | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        offset: int = 0,
        *,
        camera: str | None = None,
        source: str | None = None,
        before: int | None = None,
    ) -> list[Image]:
        """The newest images first.

        Args:
            site: only of one site.
            state: only in one state.
            since: arrived then or later.
            until: arrived before.
            limit: at most so many.
            offset: leave out so many.
            camera: only of one camera, by name.
            source: only what its source calls so.
            before: only older images than this id; quicker than an offset on a long list.
        """
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            query = IMAGE.where(*within(rights, images.c.site_id, asked))
            if state is not None:
                query = query.where(images.c.state == str(state))
            if since is not None:
                query = query.where(images.c.arrived_at >= since)
            if until is not None:
                query = query.where(images.c.arrived_at < until)
            if camera is not None:
                query = query.where(cameras.c.name == camera)
            if source is not None:
                query = query.where(images.c.source == source)
            if before is not None:
                query = query.where(images.c.id < before)
            query = query.order_by(images.c.id.desc()).limit(limit).offset(offset)
            return [image_of(row) for row in connection.execute(query)]

    def count(self, site: str | None = None, state: ImageState | None = None) -> int:
        """How many images the actor could see."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            query = sa.select(sa.func.count()).select_from(images).where(*within(rights, images.c.site_id, asked))
            if state is not None:
                query = query.where(images.c.state == str(state))
            return int(connection.scalar(query) or 0)

    def prediction(self, image_id: int) -> Prediction | None:
        """What the last model said of it, with its maps."""
        return self.predictions([image_id]).get(image_id)

    def predictions(self, image_ids: Collection[int]) -> dict[int, Prediction]:
        """The same for many images."""
        with self.seeing() as (connection, rights):
            visible = [
                image_id
                for some in chunks(sorted(set(image_ids)))
                for image_id in connection.scalars(
                    sa.select(images.c.id).where(images.c.id.in_(some), *within(rights, images.c.site_id))
                )
            ]
            return newest_predictions(connection, visible)

    def set_state(self, image_id: int, state: ImageState, note: str = "", now: datetime | None = None) -> None:
        """Say what is wrong with the file, or that it is back; a part that was decided is decided anew.

        A better state never loosens a decision by itself: that takes a review.
        """
        when = self.now(now)
        with self.writing(Action.SCORE) as (connection, rights):  # whoever may do more than look
            row = image_row(connection, image_id)
            rights.need(Action.SCORE, row.site_id)
            if state is ImageState.OK and row.state == ImageState.QUARANTINED:
                rights.need(Action.RESTORE, row.site_id)
            change_state(self, connection, row, state, note, when)


def change_state(
    store: SubStore, connection: Connection, row: Any, state: ImageState, note: str, now: datetime
) -> None:
    """Set an image's state, leave a trace and decide its part anew where it had a decision."""
    if (row.state, row.state_note) == (state, note):
        return
    connection.execute(sa.update(images).where(images.c.id == row.id).values(state=str(state), state_note=note))
    old, new = {"state": row.state, "note": row.state_note}, {"state": str(state), "note": note}
    record(
        connection,
        entry(now, store.actor.name, "image state", f"image {row.id}", site_id=row.site_id, old=old, new=new),
    )
    if row.state != state and row.part_id in last_decisions(connection, [row.part_id]):
        name = connection.scalar(sa.select(sites.c.name).where(sites.c.id == row.site_id))
        at = site_row(connection, str(name), lock=True)
        decide_parts(store.database, connection, at, [row.part_id], store.actor.name, now)


def image_row(connection: Connection, image_id: int) -> Any:
    """An image with the names of everything it belongs to."""
    row = connection.execute(IMAGE.where(images.c.id == image_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no image {image_id}.")
    return row
