"""When a pipeline is due: a cron line on a site's clock, read by cronsim, which keeps Debian's rules of summer time.

Where clocks go forward, a time that does not exist is due right after the gap; where they go back, a time that comes
twice is due once.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from core.errors import BadInput

FIELDS = 5
MOST_MISSED = 1000  # counted no further
LATE = timedelta(minutes=5)  # a worker that was there begins well within it


def check(line: str) -> str:
    """A cron line with single spaces.

    Raises:
        BadInput: it is none, or no day ever matches it.
    """
    fields = line.split()
    if len(fields) != FIELDS:
        raise BadInput(
            f"The schedule '{line.strip()}' has {len(fields)} fields: write minute, hour, day, month and weekday, "
            "such as 0 2 * * 6 for Saturdays at two."
        )
    plain = " ".join(fields)
    next(_times(plain, datetime(2024, 1, 1, tzinfo=UTC)), None)
    return plain


def next_times(line: str, zone: str, after: datetime, n: int = 1) -> list[datetime]:
    """The next times after a moment, in UTC; fewer than n only where the line never comes again.

    Args:
        line: five fields.
        zone: name of the site's time zone.
        after: aware; a time equal to it is not among them.
        n: how many.

    Raises:
        BadInput: no cron line, or an unknown zone.
    """
    return [one.astimezone(UTC) for one in islice(_times(check(line), after.astimezone(_zone(zone))), n)]


def missed(line: str, zone: str, due: datetime, now: datetime) -> int:
    """How many further times of the line lie after `due` and not after `now`; MOST_MISSED at most."""
    found = 0
    for one in _times(check(line), due.astimezone(_zone(zone))):
        if one.astimezone(UTC) > now or found >= MOST_MISSED:
            break
        found += 1
    return found


def late(due: datetime, now: datetime) -> bool:
    """Whether a run that begins now makes up for one that nobody could begin in time."""
    return now - due > LATE


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"There is no time zone '{name}': give one such as Europe/Paris.") from error


def _times(line: str, after: datetime) -> Iterator[datetime]:
    try:
        yield from CronSim(line, after)
    except CronSimError as error:
        raise BadInput(
            f"The schedule '{line}' is no cron line ({str(error).lower()}): write it as 0 2 * * 6."
        ) from error
