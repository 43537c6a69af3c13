"""Times as people write them."""

from datetime import UTC, datetime

from core.errors import BadInput


def time_of(text: str | None) -> datetime | None:
    """A time in ISO 8601; without an offset it is UTC, and None stays None.

    Raises:
        BadInput: it is no time.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"'{text}' is no time: write it as 2026-03-01 or 2026-03-01T08:00+01:00.") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
