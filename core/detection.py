"""Detectors as the plant knows them: which there are, what they have shown, which one draws where, what it drew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.records import Region


@dataclass(frozen=True)
class DetectorVersion:
    """A detector that was trained; its card says the rest."""

    name: str
    path: str
    sha256: str
    card: Mapping[str, Any] = field(hash=False)
    by: str
    made_at: datetime


@dataclass(frozen=True)
class DetectorTrial:
    """A detector's boxes against those of a model's heatmaps, on the same pictures of a site.

    Attributes:
        against: the model whose heatmap boxes it was compared with.
        refusal: why it may not take their place, in a sentence with the figures; empty where it may.
        document: all that was measured.
    """

    id: int
    site: str
    detector: str
    sha256: str
    against: str
    against_sha256: str
    dataset: str
    split: str
    refusal: str
    document: Mapping[str, Any] = field(hash=False)
    by: str
    made_at: datetime


@dataclass(frozen=True)
class DetectorChange:
    """One act by which another detector draws at a site, or none."""

    id: int
    site: str
    detector: str | None
    before: str | None
    trial: int | None
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class DrawnBoxes:
    """What a detector drew on one picture.

    Attributes:
        error: why it drew nothing; the heatmap's boxes are shown then. Empty where all is well.
    """

    detector: str
    regions: tuple[Region, ...] = ()
    milliseconds: float = 0.0
    error: str = ""
