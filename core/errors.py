"""Everything that Holdpoint says no with.

HoldpointError
├── BadInput        what was given cannot be used; the message says what to give instead
│   └── Unreadable  a picture that cannot be shown or scored; carries a quarantine reason
├── NotFound        no such site, image, model, dataset, ...
├── Conflict        somebody else was first; nothing was changed
├── Busy            the store was not to be had in time; nothing was changed, the same again may succeed
├── NotAllowed      this person may not do this here
├── ModelError      a net, its file or its device failed; the part goes to HOLD
└── GateFailed      a model or dataset did not pass what it must pass

A message gives what was found, what was expected and what to do.
"""

from enum import StrEnum


class HoldpointError(Exception):
    """Anything that is the user's or the plant's to mend, not a bug."""


class BadInput(HoldpointError):
    """What was given cannot be used."""


class NotFound(HoldpointError):
    """What was asked for is not in the store."""


class Conflict(HoldpointError):
    """Somebody else was first; nothing was changed."""


class Busy(HoldpointError):
    """The store was not to be had in time; nothing was changed, and the same again may succeed."""


class NotAllowed(HoldpointError):
    """This person may not do this here."""


class ModelError(HoldpointError):
    """A net, its file or its device failed."""


class GateFailed(HoldpointError):
    """A model or dataset did not pass what it must pass."""


class QuarantineReason(StrEnum):
    """Why a file is in quarantine; one word for store, report and page."""

    EMPTY = "empty file"
    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too large"
    WRONG_TYPE = "wrong type"
    TOO_SLOW = "decoder over its limits"
    MISSING = "file missing"
    CHANGED = "evidence changed"
    OUTSIDE = "path outside the source folder"
    UNKNOWN_ID = "no known id"
    BAD_RECORD = "bad record"


class Unreadable(BadInput):
    """A picture that can be neither shown nor scored.

    Attributes:
        reason: the quarantine reason under which it is counted.
        sha256: of the bytes that were refused; None where there were none to read.
    """

    def __init__(self, reason: QuarantineReason, message: str, sha256: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.sha256 = sha256

    def __reduce__(self) -> tuple[type["Unreadable"], tuple[QuarantineReason, str, str | None]]:
        """Travels between processes; an exception's own way would call this class with its message alone."""
        return type(self), (self.reason, str(self), self.sha256)
