"""Batches of pictures chosen to be labelled."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint

from data.columns import Table, json, key, maybe_json, maybe_time, maybe_to, one_of, only, time, to


class Selections(Table, table=True):
    """What was chosen, how, by whom, and whether it has gone into the queue."""

    __table_args__ = (one_of("state", "proposed", "sending", "sent", "discarded"),)
    id: int | None = key()
    state: str
    strategy: str
    model: str
    model_sha256: str
    asked: Any = json()
    facts: Any = json()
    price: float
    seconds: float
    by: str
    made_at: datetime = time()
    sent_by: str | None = None
    sent_at: datetime | None = maybe_time()


class SelectionItems(Table, table=True):
    """One chosen picture.

    Attributes:
        arm: why it is in the batch: the strategy's own choice, a quota, or drawn at random to compare with.
        chance: with which it was drawn; None for what nobody drew.
        again: its part had an answer already when it was asked about, so that nobody may see why it comes.
        skipped: why no task was opened for it.
    """

    __tablename__ = "selection_items"
    __table_args__ = (
        UniqueConstraint("selection_id", "part_id"),
        one_of("arm", "strategy", "quota", "random"),
        Index("ix_selection_items_again", "site_id", **only("again")),
    )
    id: int | None = key()
    selection_id: int = to("selections.id", index=True)
    place: int
    image_id: int = to("images.id")
    part_id: int = to("parts.id")
    site_id: int = to("sites.id")
    arm: str
    value: float | None = None
    why: str
    chance: float | None = None
    point: Any = maybe_json()
    task_id: int | None = maybe_to("tasks.id", index=True)
    again: bool = False
    skipped: str = ""
