"""The outbox: what other systems have to be told, kept until they have been."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from core.plant import OutboxEvent
from core.roles import Action
from data.store.base import SubStore, within
from data.store.rows import chunks
from data.tables import outbox


class Outbox(SubStore):
    """Written by decisions and reviews in their own transactions."""

    def pending(self, limit: int = 100, topic: str | None = None) -> list[OutboxEvent]:
        """What has not been sent, the oldest first."""
        with self.seeing(Action.INGEST) as (connection, rights):
            query = sa.select(outbox).where(outbox.c.sent_at.is_(None), *within(rights, outbox.c.site_id))
            if topic is not None:
                query = query.where(outbox.c.topic == topic)
            return [
                OutboxEvent(row.id, row.topic, row.part_id, row.payload, row.created_at)
                for row in connection.execute(query.order_by(outbox.c.id).limit(limit))
            ]

    def sent(self, event_ids: Collection[int], now: datetime | None = None) -> None:
        """Mark events as delivered; done twice it changes nothing."""
        with self.writing(Action.INGEST) as (connection, rights):
            for some in chunks(event_ids):
                mine = [outbox.c.id.in_(some), outbox.c.sent_at.is_(None), *within(rights, outbox.c.site_id)]
                connection.execute(sa.update(outbox).where(*mine).values(sent_at=self.now(now)))
