"""The worker's share in pipelines: begin what is due, end what died; mostly there is nothing to do."""

from datetime import datetime
from typing import TYPE_CHECKING

from app.jobs.quality.notices import channels
from app.settings import Settings
from core.errors import BadInput
from core.watch.rules import RuleKind

if TYPE_CHECKING:
    from data.store import Store

EVERY_S = 5.0


def look(store: "Store", current: Settings, now: datetime) -> list[int]:
    """End the runs whose job is over, then begin those that are due.

    Returns:
        Ids of the runs that began.
    """
    told = told_of_pipelines(current)
    store.pipelines.settle(told, now)
    return [run.id for run in store.pipelines.due(told, now)]


def told_of_pipelines(current: Settings) -> list[str]:
    """Names of the channels that hear of pipelines; none where their file cannot be read: the alarm is there anyway."""
    try:
        return [one.name for one in channels(current) if one.wants(RuleKind.PIPELINE)]
    except BadInput:  # whoever sends the messages says so
        return []
