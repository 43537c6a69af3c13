"""What a model has shown, which one looks on, and which one was put in use when and why."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint

from data.columns import Table, json, key, maybe_json, maybe_time, maybe_to, one_of, only, time, to


class Gates(Table, table=True):
    """Gates that a model went through, or did not; append-only."""

    __table_args__ = (
        one_of("answer", "pass", "fail", "not enough evidence"),
        Index("ix_gates_model", "model", "site_id", "id"),
    )
    id: int | None = key()
    model: str
    sha256: str
    site_id: int = to("sites.id")
    dataset: str
    split: str
    against: str | None = None
    answer: str
    document: Any = json()
    by: str
    made_at: datetime = time()


class Shadows(Table, table=True):
    """Models that score a site's live stream without deciding; one at a time at a site."""

    __table_args__ = (
        Index("uq_shadows_running", "site_id", unique=True, **only("ended_at IS NULL")),
        Index("ix_shadows_site", "site_id", "id"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    model: str
    sha256: str
    reason: str
    by: str
    started_at: datetime = time()
    until: datetime = time()
    first_image: int
    ended_at: datetime | None = maybe_time()
    ended_by: str = ""
    trouble: str = ""


class ShadowPredictions(Table, table=True):
    """What a shadow said of a picture, or why it said nothing; never read by a decision."""

    __tablename__ = "shadow_predictions"
    __table_args__ = (UniqueConstraint("shadow_id", "image_id"),)
    id: int | None = key()
    shadow_id: int = to("shadows.id")
    image_id: int = to("images.id", index=True)
    score: float | None = None
    class_scores: Any = json()
    milliseconds: float
    error: str = ""
    predicted_at: datetime = time()


class ModelChanges(Table, table=True):
    """Every act by which another model came into use at a site; append-only.

    Attributes:
        calibrated, calibrated_until, score_map, policies: as they stood before, for the way back.
        undoes: the change that a roll back takes back.
        restored: the calibration came back with the model.
    """

    __tablename__ = "model_changes"
    __table_args__ = (
        one_of("kind", "set", "promotion", "rollback"),
        Index("ix_model_changes_site", "site_id", "id"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    kind: str
    model: str | None = None
    before: str | None = None
    calibrated: bool
    calibrated_until: datetime | None = maybe_time()
    score_map: Any = maybe_json()
    policies: Any = json()
    gate_id: int | None = maybe_to("gates.id")
    shadow_id: int | None = maybe_to("shadows.id")
    request_id: int | None = maybe_to("requests.id")
    undoes: int | None = maybe_to("model_changes.id")
    restored: bool
    alternatives: Any = maybe_json()
    reason: str
    by: str
    at: datetime = time()
