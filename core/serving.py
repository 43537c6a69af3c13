"""Which model decides at a site, which one only looks on, and how that came about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SHADOW_HOURS = 48.0
MOST_HOURS = 24.0 * 90


class Change(StrEnum):
    """How another model came into use."""

    SET = "set"
    PROMOTION = "promotion"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class ModelChange:
    """One act by which the model in use at a site became another.

    Attributes:
        model: in use from then on; None for none.
        before: in use until then.
        gate: number of the gate that it passed; None for an override, a roll back, or the plant's own set-up.
        request: number of the request to which a second person agreed; None where one act was enough.
        alternatives: what else could have been promoted, with the latest answer of its gate here.
        restored: the calibration that two people had confirmed came back with the model.
    """

    id: int
    site: str
    kind: Change
    model: str | None
    before: str | None
    reason: str
    by: str
    at: datetime
    gate: int | None = None
    shadow: int | None = None
    request: int | None = None
    alternatives: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    restored: bool = False


@dataclass(frozen=True)
class Shadow:
    """A model that scores a site's live stream and decides nothing.

    Attributes:
        first_image: pictures with a higher number are the live stream.
        until: pictures that arrive later are left to production alone.
        ended_at: somebody, or its time, ended it.
        trouble: why its last attempt to score failed; empty where it did not.
    """

    id: int
    site: str
    model: str
    sha256: str
    reason: str
    by: str
    started_at: datetime
    until: datetime
    first_image: int
    ended_at: datetime | None = None
    ended_by: str = ""
    trouble: str = ""

    def running(self, now: datetime) -> bool:
        """Whether pictures that arrive now are for it."""
        return self.ended_at is None and now < self.until


@dataclass(frozen=True)
class ShadowScore:
    """What a shadow made of one picture: an answer, or why there is none."""

    image_id: int
    score: float | None = None
    class_scores: Mapping[str, float] = field(default_factory=dict, hash=False)
    milliseconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Seen:
    """One live picture as production and the shadow saw it.

    Attributes:
        old, new: defect probability by production and by the shadow.
        defective: what people say of it; None where nobody has looked.
    """

    image_id: int
    part_id: int
    old: float
    new: float
    old_ms: float
    new_ms: float
    defective: bool | None = None
