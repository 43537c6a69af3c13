"""What somebody asks of a chart: a time, a place, and how to count. Names become numbers here, by our own lists."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from data.store.science.facts import Places

GRAINS = ("hour", "day", "week")
GROUPS = ("site", "line", "camera", "part type", "class", "parent", "model", "policy")
IDEAL_PER_MINUTE = 20.0
MOST_HOURS = 24 * 31  # buckets of an hour that one chart shows


@dataclass(frozen=True)
class Asked:
    """A question about the time from `since` up to `until`, both on the sites' own clocks.

    Attributes:
        grain: one of GRAINS.
        by: one of GROUPS; None counts all together.
        site, line, camera, part_type, class_id, model: names; None for all.
        policy: its number.
        change: the first day after a change that the time before is compared with; None takes the middle.
        ideal_per_minute: parts that a line could decide in a minute; typed.
        planned_hours: of a day; None takes the time from the first to the last part.
    """

    since: datetime
    until: datetime
    grain: str = "week"
    by: str | None = None
    site: str | None = None
    line: str | None = None
    camera: str | None = None
    part_type: str | None = None
    class_id: str | None = None
    model: str | None = None
    policy: int | None = None
    change: datetime | None = None
    ideal_per_minute: float = IDEAL_PER_MINUTE
    planned_hours: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is in no list, before anything is asked."""
        if self.grain not in GRAINS:
            raise BadInput(f"There is no grain '{self.grain[:40]}': choose {', '.join(GRAINS)}.")
        if self.by is not None and self.by not in GROUPS:
            raise BadInput(f"Nothing is grouped by '{self.by[:40]}': choose {', '.join(GROUPS)}.")
        if self.since.tzinfo is not None or self.until.tzinfo is not None:
            raise BadInput("Times of a chart are on the sites' own clocks: give them without an offset.")
        if self.ideal_per_minute <= 0 or (self.planned_hours is not None and not 0 < self.planned_hours <= 24):
            raise BadInput("An ideal rate is above 0, and a day has more than 0 and at most 24 planned hours.")
        if not self.since < self.until:
            raise BadInput(f"The time from {self.since} to {self.until} is empty: let it begin before it ends.")
        if self.grain == "hour" and self.until - self.since > timedelta(hours=MOST_HOURS):
            raise BadInput(f"Hours of more than {MOST_HOURS // 24} days are too many to look at: choose days or weeks.")

    def values(self, places: "Places") -> dict[str, Any]:
        """As parameters of a query.

        Raises:
            NotFound: a name that is not there, or not at the sites this person sees.
            BadInput: a name that several sites have.
        """
        site_ids = self.site_ids(places)
        return {
            "since": self.since,
            "until": self.until,
            "grain": self.grain,
            "by": self.by,
            "line": _number("line", self.line, places.lines, places.line_sites, site_ids),
            "camera": _number("camera", self.camera, places.cameras, places.camera_sites, site_ids),
            "part_type": _number("part type", self.part_type, places.part_types, places.part_type_sites, site_ids),
            "class": self.class_id,
            "model": self.model,
            "policy": self.policy,
        }

    def site_ids(self, places: "Places") -> frozenset[int] | None:
        """The site that was asked for; None for all.

        Raises:
            NotFound: there is none of that name that this person sees.
        """
        if self.site is None:
            return None
        found = frozenset(number for number, (name, _, _) in places.sites.items() if name == self.site)
        if not found:
            raise NotFound(f"There is no site '{self.site[:60]}' that you see.")
        return found


def _number(
    what: str, name: str | None, names: Mapping[int, str], at: Mapping[int, int], site_ids: frozenset[int] | None
) -> int | None:
    if name is None:
        return None
    found = [number for number, one in names.items() if one == name and (site_ids is None or at[number] in site_ids)]
    if not found:
        raise NotFound(f"There is no {what} '{name[:60]}' there.")
    if len(found) > 1:
        raise BadInput(f"Several sites have a {what} '{name[:60]}': choose the site, too.")
    return found[0]


def local_time(text: str, zone: str | None) -> datetime:
    """A time as somebody typed it, on a site's own clock.

    Args:
        text: ISO 8601; with an offset it needs a zone to be turned into.
        zone: of the one site that is asked about; None for several.

    Raises:
        BadInput: it is no time, or its offset cannot be turned.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"'{text[:40]}' is no time: write it as 2026-03-01 or 2026-03-01T08:00.") from error
    if found.tzinfo is None:
        return found
    if zone is None:
        raise BadInput(f"'{text[:40]}' has an offset, but sites have their own clocks: leave it out, or choose a site.")
    return found.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def widened(asked: Asked, days: int) -> Asked:
    """The same question over at least so many days before its end."""
    return replace(asked, since=min(asked.since, asked.until - timedelta(days=days)))
