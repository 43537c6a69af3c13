"""Messages of approved notices about complaints: sent like those of alarms, by the same child process."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from app.jobs.quality.notices import channels, send_due
from app.settings import Settings
from core.errors import BadInput

if TYPE_CHECKING:
    from data.store import Store


def who_hears(current: Settings) -> list[str]:
    """Channels that are no alarm's own: those that hear of everything."""
    return [one.name for one in channels(current) if not one.rules]


def deliver_notices(
    store: "Store", current: Settings, now: Callable[[], datetime], stop: Callable[[], bool] = lambda: False
) -> int:
    """Send what is due of complaints; returns how many went out."""
    return send_due(store.complaint_notices, current, now, stop, "complaint-notice")


def chosen(current: Settings, wanted: list[str]) -> list[str]:
    """The channels that are asked for, or all that hear of everything.

    Raises:
        BadInput: for one that is not set up, or where there is none at all.
    """
    there = who_hears(current)
    unknown = [one for one in wanted if one not in there]
    if unknown:
        raise BadInput(f"There is no channel '{unknown[0][:40]}' that hears of everything: there are "
                       f"{', '.join(there) or 'none'}.")  # fmt: skip
    if not there:
        raise BadInput("No channel is set up, so nobody would be told: an administrator adds one.")
    return wanted or there
