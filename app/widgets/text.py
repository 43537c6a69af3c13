"""Words from people, files and cameras on their way into a place that reads Markdown."""

import re
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")

# Markdown makes a link of any address, escaped or not: an invisible joiner in it keeps it a word.
_ADDRESS = re.compile(r"(https?:(?=//)|www(?=\.)|(?<=\S)@(?=\w))", re.IGNORECASE)
_JOINER = "\u2060"
_INSIDE = re.compile(r"(?<=[^\W_])\\([-._])(?=[^\W_])")
_MOST = 0.9999  # the largest share below one that is told apart from others


def one_line(text: str, most: int = 200) -> str:
    """Text from outside where no Markdown is read, as in the options of a list: no control characters, not endless."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def plain(text: str, most: int = 200) -> str:
    """Text from outside as a label: no Markdown, no HTML, no link, no control characters, one line, not endless."""
    return _SPECIAL.sub(r"\\\1", _ADDRESS.sub(rf"\1{_JOINER}", one_line(text, most)))


def option(text: str, most: int = 200) -> str:
    """The same as a choice that also stands in the page's address: signs that mean nothing inside a word stay bare.

    Streamlit knows a choice in an address by its label, and nobody puts backslashes into an address.
    """
    return _INSIDE.sub(r"\1", plain(text, most))


def zone(name: str) -> tzinfo:
    """A site's time zone; UTC where its name is unknown here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return timezone(timedelta(0), "UTC")


def local(moment: datetime | None, zone_name: str = "UTC", *, day: bool = True) -> str:
    """A time as the site's clock shows it, to the second."""
    if moment is None:
        return "not known"
    there = moment.astimezone(zone(zone_name))
    return there.strftime("%d %b %Y, %H:%M:%S" if day else "%H:%M:%S") + f" {there.tzname()}"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    seconds = max(0.0, (now - moment).total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count != 1 else ''} ago"
    return "just now"


def share(value: float | None) -> str:
    """A probability as people write it here: .61; a dash where there is none.

    What is less than one never reads 1.00: it takes the digits that it needs, as in .997, up to .9999.
    """
    if value is None:
        return "–"
    if _MOST < value < 1:
        value = _MOST
    digits = next((number for number in (2, 3) if value >= 1 or round(value, number) < 1), 4)
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0.") else text


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 part, 2 parts."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
