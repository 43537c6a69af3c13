"""Shadows: models that score a site's live stream; what they say is kept apart and decides nothing."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.records import Image, ImageState
from core.roles import Action
from core.serving import MOST_HOURS, SHADOW_HOURS, Seen, Shadow, ShadowScore
from data.store.base import SubStore, site_row
from data.store.rows import IMAGE, image_of
from data.store.trail.audit import entry, record
from data.tables import images, labels, models, predictions, shadow_predictions, shadows, sites

_SHADOW = sa.select(shadows, sites.c.name.label("site")).join(sites, sites.c.id == shadows.c.site_id)
_RUNNING = shadows.c.ended_at.is_(None)
NEVER_SAW = 10_000  # pictures that are compared at most, the latest ones


class Shadows(SubStore):
    """One at a time at a site."""

    def start(
        self, site: str, model: str, hours: float = SHADOW_HOURS, reason: str = "", now: datetime | None = None
    ) -> Shadow:
        """Let a model look on from now.

        Raises:
            Conflict: it is in use there, or another one looks on.
        """
        when = self.now(now)
        if not 0 < hours <= MOST_HOURS:
            raise BadInput(f"A shadow of {hours:g} hours: give more than 0, up to {MOST_HOURS:g}.")
        with self.writing(Action.PROMOTE) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.PROMOTE, row.id)
            self.database.one_at_a_time(connection, "shadows", row.id)
            sha256 = connection.scalar(sa.select(models.c.sha256).where(models.c.name == model))
            if sha256 is None:
                raise NotFound(f"There is no model '{model}': train or add it first.")
            if row.model == model:
                raise Conflict(f"{model} decides at {site}: let another one look on.")
            there = connection.execute(_SHADOW.where(shadows.c.site_id == row.id, _RUNNING)).one_or_none()
            if there is not None:
                if there.until > when:
                    raise Conflict(f"{there.model} looks on at {site} until {there.until:%d %b, %H:%M} UTC: end that.")
                self._end(connection, there, "its time", there.until)
            values = {
                "site_id": row.id,
                "model": model,
                "sha256": sha256,
                "reason": reason.strip(),
                "by": self.actor.name,
                "started_at": when,
                "until": when + timedelta(hours=hours),
                "first_image": int(connection.scalar(sa.select(sa.func.max(images.c.id))) or 0),
                "ended_by": "",
                "trouble": "",
            }
            made = connection.execute(sa.insert(shadows).values(values).returning(shadows.c.id)).scalar_one()
            record(connection, entry(when, self.actor.name, "shadow started", f"model {model}", site_id=row.id,
                                     new={"shadow": made, "hours": hours}, reason=reason.strip(),
                                     model=row.model))  # fmt: skip
            return _shadow(connection.execute(_SHADOW.where(shadows.c.id == made)).one())

    def stop(self, site: str, reason: str = "", now: datetime | None = None) -> Shadow:
        """End the shadow of a site; what it has said is kept.

        Raises:
            NotFound: none looks on.
        """
        when = self.now(now)
        with self.writing(Action.PROMOTE) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.PROMOTE, row.id)
            self.database.one_at_a_time(connection, "shadows", row.id)
            there = connection.execute(_SHADOW.where(shadows.c.site_id == row.id, _RUNNING)).one_or_none()
            if there is None:
                raise NotFound(f"No model looks on at {site}.")
            self._end(connection, there, self.actor.name, when, reason)
            return _shadow(connection.execute(_SHADOW.where(shadows.c.id == there.id)).one())

    def latest(self, site: str) -> Shadow | None:
        """The last one of a site, running or not; None where there was none."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = _SHADOW.where(shadows.c.site_id == row.id).order_by(shadows.c.id.desc()).limit(1)
            found = connection.execute(query).one_or_none()
            return None if found is None else _shadow(found)

    def due(self) -> list[Shadow]:
        """Those nobody has ended: the ones whose time is over may still have pictures to look at."""
        with self.seeing(Action.INGEST) as (connection, rights):
            query = _SHADOW.where(_RUNNING).order_by(shadows.c.id)
            return [_shadow(row) for row in connection.execute(query) if rights.sees(row.site_id)]

    def waiting(self, shadow_id: int, limit: int) -> list[Image]:
        """Live pictures that production has scored and the shadow has not, the oldest first."""
        with self.seeing(Action.INGEST) as (connection, rights):
            row = self._row(connection, shadow_id)
            rights.need(Action.INGEST, row.site_id)
            done = sa.exists().where(
                shadow_predictions.c.image_id == images.c.id, shadow_predictions.c.shadow_id == shadow_id
            )
            scored = sa.exists().where(predictions.c.image_id == images.c.id)
            query = IMAGE.where(
                images.c.site_id == row.site_id, images.c.id > row.first_image, images.c.arrived_at < row.until,
                images.c.state == str(ImageState.OK), scored, ~done,
            ).order_by(images.c.id).limit(limit)  # fmt: skip
            return [image_of(one) for one in connection.execute(query)]

    def keep(self, shadow_id: int, scores: Iterable[ShadowScore], now: datetime | None = None) -> int:
        """Write down what a shadow said; what it has said already stays.

        Returns:
            How many are new.
        """
        when = self.now(now)
        with self.writing(Action.INGEST) as (connection, rights):
            row = self._row(connection, shadow_id)
            rights.need(Action.INGEST, row.site_id)
            self.database.one_at_a_time(connection, "shadow scores", shadow_id)
            found = list({one.image_id: one for one in scores}.values())
            query = sa.select(shadow_predictions.c.image_id).where(
                shadow_predictions.c.shadow_id == shadow_id,
                shadow_predictions.c.image_id.in_([one.image_id for one in found]),
            )
            known = set(connection.scalars(query))
            new = [
                {
                    "shadow_id": shadow_id,
                    "image_id": one.image_id,
                    "score": one.score,
                    "class_scores": dict(one.class_scores),
                    "milliseconds": one.milliseconds,
                    "error": one.error[:300],
                    "predicted_at": when,
                }
                for one in found
                if one.image_id not in known
            ]
            if new:
                connection.execute(sa.insert(shadow_predictions), new)
            return len(new)

    def note(self, shadow_id: int, trouble: str, now: datetime | None = None) -> None:
        """Say why a shadow cannot look, or that it can again; once its time is over and all is looked at, end it."""
        when = self.now(now)
        with self.writing(Action.INGEST) as (connection, rights):
            row = self._row(connection, shadow_id)
            rights.need(Action.INGEST, row.site_id)
            if row.trouble != trouble[:300]:
                mine = shadows.c.id == shadow_id
                connection.execute(sa.update(shadows).where(mine).values(trouble=trouble[:300]))
            if row.ended_at is None and when >= row.until:
                self._end(connection, row, "its time", when)

    def seen(self, shadow_id: int, limit: int = NEVER_SAW) -> list[Seen]:
        """Pictures that both have scored, with what people say of them; the latest ones, the newest first."""
        with self.seeing() as (connection, rights):
            row = self._row(connection, shadow_id)
            rights.need(Action.SEE, row.site_id)
            said = predictions.alias("said")
            first = (
                sa.select(sa.func.min(said.c.id))
                .where(said.c.image_id == images.c.id, said.c.model != row.model)
                .correlate(images)
                .scalar_subquery()
            )
            query = (
                sa.select(
                    images.c.id, images.c.part_id, predictions.c.score.label("old"),
                    shadow_predictions.c.score.label("new"), predictions.c.milliseconds.label("old_ms"),
                    shadow_predictions.c.milliseconds.label("new_ms"), labels.c.defective,
                )
                .select_from(shadow_predictions)
                .join(images, images.c.id == shadow_predictions.c.image_id)
                .join(predictions, predictions.c.id == first)
                .outerjoin(labels, labels.c.image_id == images.c.id)
                .where(shadow_predictions.c.shadow_id == shadow_id, shadow_predictions.c.score.is_not(None),
                       predictions.c.score.is_not(None))
                .order_by(images.c.id.desc())
                .limit(limit)
            )  # fmt: skip
            return [Seen(*one) for one in connection.execute(query)]

    def errors(self, shadow_id: int) -> dict[str, int]:
        """Why a shadow said nothing of pictures, and of how many."""
        with self.seeing() as (connection, rights):
            row = self._row(connection, shadow_id)
            rights.need(Action.SEE, row.site_id)
            mine = (shadow_predictions.c.shadow_id == shadow_id) & (shadow_predictions.c.error != "")
            query = sa.select(shadow_predictions.c.error, sa.func.count()).where(mine).group_by("error")
            return {error: int(many) for error, many in connection.execute(query)}

    def _row(self, connection: Connection, shadow_id: int) -> Any:
        row = connection.execute(_SHADOW.where(shadows.c.id == shadow_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no shadow {shadow_id}.")
        return row

    def _end(self, connection: Connection, row: Any, by: str, at: datetime, reason: str = "") -> None:
        connection.execute(sa.update(shadows).where(shadows.c.id == row.id).values(ended_at=at, ended_by=by))
        record(connection, entry(self.now(), self.actor.name, "shadow ended", f"model {row.model}",
                                 site_id=row.site_id, new={"shadow": row.id}, reason=reason.strip() or by))  # fmt: skip


def _shadow(row: Any) -> Shadow:
    return Shadow(
        row.id, row.site, row.model, row.sha256, row.reason, row.by, row.started_at, row.until, row.first_image,
        row.ended_at, row.ended_by, row.trouble,
    )  # fmt: skip
