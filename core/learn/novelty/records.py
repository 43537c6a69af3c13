"""What the store keeps about novelty: memories, which of them judge where, novel parts, proposed classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

QUOTA = 20  # novel parts of a day that come before other work; the others are held all the same
RATE = 0.05  # of good parts that may be held for their novelty alone
MOST_QUOTA = 10_000


@dataclass(frozen=True)
class MemoryVersion:
    """A memory as the store knows it; never changed.

    Attributes:
        part_type: whose parts it may judge; None is any.
        path: of its file, below the plant's home.
        sha256: that its bytes have to have.
    """

    id: int
    name: str
    site: str
    part_type: str | None
    path: str
    sha256: str
    card: Mapping[str, Any]
    by: str
    made_at: datetime


@dataclass(frozen=True)
class InForce:
    """A memory that judges the parts of a site, or of one part type of it.

    Attributes:
        part_type: the scope it was put in force for; None is the whole site.
        quota: novel parts of a day that come first.
    """

    part_type: str | None
    memory: MemoryVersion
    quota: int


@dataclass(frozen=True)
class MemoryChange:
    """One act by which another memory judges, or none.

    Attributes:
        memory, before: names; None is none.
        uncalibrated: the site's calibration ended with it, because parts that were held may now not be.
    """

    id: int
    site: str
    part_type: str | None
    memory: str | None
    before: str | None
    quota: int
    uncalibrated: bool
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class NovelPart:
    """A part that resembled nothing known good when it was decided.

    Attributes:
        asked: it came first in the queue, within the day's quota.
        defective: what people say of it; None while nobody has.
        classes: that they named.
        image_ids: of its pictures.
        paths, hashes: of those, in order.
    """

    part_id: int
    novelty: float
    asked: bool
    found_at: datetime
    defective: bool | None
    classes: tuple[str, ...]
    image_ids: tuple[int, ...]
    paths: tuple[str, ...]
    hashes: tuple[str, ...]
    part_type: str | None = None


class ProposalState(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True)
class Proposal:
    """Novel parts that look alike and may be a class that nobody has named.

    Attributes:
        image_ids: the most typical first.
        part_ids: that they show.
        apart: see `core.learn.novelty.clusters.Cluster`.
        model: through whose eyes.
        class_id: it became; None unless accepted.
        answer: why it was accepted or declined.
    """

    id: int
    site: str
    state: ProposalState
    image_ids: tuple[int, ...]
    part_ids: tuple[int, ...]
    apart: float
    model: str
    by: str
    made_at: datetime
    class_id: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None
    answer: str = ""


@dataclass(frozen=True)
class Suggested:
    """A proposal before the store gives it a number."""

    image_ids: tuple[int, ...]
    part_ids: tuple[int, ...]
    apart: float


def scope_of(found: Mapping[str | None, InForce], part_type: str | None) -> InForce | None:
    """The memory that judges a part: that of its type, else that of the whole site, else none."""
    own = None if part_type is None else found.get(part_type)
    return own or found.get(None)
