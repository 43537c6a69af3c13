"""How long each class of data is kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import BadInput

LONGEST_DAYS = 36_500


class DataClass(StrEnum):
    """What can be kept for a time."""

    ORIGINALS = "originals"
    PREVIEWS = "previews"
    AUDIT = "audit"
    READINGS = "readings"
    NOTES = "notes"


MEANING: Mapping[DataClass, str] = {
    DataClass.ORIGINALS: "Pictures in Holdpoint's own folder; those it only refers to are never touched",
    DataClass.PREVIEWS: "Screen copies, made again when somebody looks",
    DataClass.READINGS: "What was read on printed labels; the decisions stay",
    DataClass.NOTES: "Notes with reviews; the reviews stay",
    DataClass.AUDIT: "Rows of the audit trail; their seals stay, so the chain can still be checked",
}
LEAST_DAYS: Mapping[DataClass, int] = {
    DataClass.ORIGINALS: 30,  # a shift, its audit and its complaints come first
    DataClass.PREVIEWS: 1,
    DataClass.READINGS: 30,
    DataClass.NOTES: 30,
    DataClass.AUDIT: 365,  # an auditor asks for the last year
}


def check_days(kind: DataClass, days: int) -> None:
    """Refuse a time that would throw away what is still needed.

    Raises:
        BadInput: naming the least and the most.
    """
    least = LEAST_DAYS[kind]
    if not least <= days <= LONGEST_DAYS:
        raise BadInput(f"{days} days for {kind}: choose {least} to {LONGEST_DAYS:,}, or keep it for ever.")


def kept_since(days: int, now: datetime) -> datetime:
    """What is older than this may go."""
    return now - timedelta(days=days)
