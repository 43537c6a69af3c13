"""Detectors, what they have shown against heatmaps, which one draws where, and the boxes they drew."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_to, time, to


class Detectors(Table, table=True):
    """Detectors that were trained; append-only."""

    id: int | None = key()
    name: str = Field(unique=True)
    path: str
    sha256: str
    card: Any = json()
    by: str
    made_at: datetime = time()


class DetectorTrials(Table, table=True):
    """Comparisons of a detector's boxes with those of a model's heatmaps, on the same pictures; append-only.

    Attributes:
        against, against_sha256: the model whose heatmap boxes it was compared with.
        refusal: why it may not take their place; empty where it may.
    """

    __tablename__ = "detector_trials"
    __table_args__ = (Index("ix_detector_trials_site", "site_id", "id"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    detector_id: int = to("detectors.id")
    against: str
    against_sha256: str
    dataset: str
    split: str
    refusal: str
    document: Any = json()
    by: str
    made_at: datetime = time()


class DetectorChanges(Table, table=True):
    """Every act by which another detector draws at a site, or none; append-only."""

    __tablename__ = "detector_changes"
    __table_args__ = (Index("ix_detector_changes_site", "site_id", "id"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    detector_id: int | None = maybe_to("detectors.id")
    before_id: int | None = maybe_to("detectors.id")
    trial_id: int | None = maybe_to("detector_trials.id")
    reason: str
    by: str
    at: datetime = time()


class DetectorBoxes(Table, table=True):
    """What a detector drew on a picture, or why it drew nothing; never read by a decision."""

    __tablename__ = "detector_boxes"
    __table_args__ = (UniqueConstraint("image_id", "detector_id"),)
    id: int | None = key()
    image_id: int = to("images.id")
    detector_id: int = to("detectors.id")
    regions: Any = json()
    milliseconds: float = Field(sa_type=sa.Float)
    error: str = ""
    drawn_at: datetime = time()
