"""What models said and what was decided under which rules."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_json, maybe_to, one_of, time, to


class Predictions(Table, table=True):
    """What one model version said of one image."""

    __table_args__ = (UniqueConstraint("image_id", "model"),)
    id: int | None = key()
    image_id: int = to("images.id")
    model: str
    score: float | None = None
    class_scores: Any = json()
    novelty: float | None = None
    heatmap: bytes | None = None
    where_map: bytes | None = None
    tiles: bytes | None = None
    milliseconds: float
    back_end: str | None = None
    predicted_at: datetime = time()


class Regions(Table, table=True):
    """Boxes and masks in the image's own pixels, of a prediction or of a review."""

    __table_args__ = (
        CheckConstraint("(prediction_id IS NULL) <> (review_id IS NULL)", name="owner"),
        CheckConstraint("width > 0 AND height > 0", name="area"),
    )
    id: int | None = key()
    image_id: int = to("images.id")
    prediction_id: int | None = maybe_to("predictions.id", index=True)
    review_id: int | None = maybe_to("reviews.id", index=True)
    x: float
    y: float
    width: float
    height: float
    name: str
    class_id: str | None = None
    severity: str | None = None
    score: float | None = None
    mask: Any = maybe_json()
    key: str = ""


class Taxonomies(Table, table=True):
    """Numbered versions of each site's list of defect classes; append-only."""

    __table_args__ = (UniqueConstraint("site_id", "number"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    number: int
    document: Any = json()
    note: str
    by: str
    created_at: datetime = time()


class Policies(Table, table=True):
    """Thresholds and rules as they were proposed; append-only.

    What was a minimum confidence before version 0006 widened the band and is kept, and read, as that; what it is now
    stands in `class_confidence`.
    """

    __table_args__ = (UniqueConstraint("site_id", "number"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    number: int
    pass_below: float
    fail_above: float
    minimum_confidence: float | None = None
    novelty_limit: float | None = None
    quality_limits: Any = maybe_json()
    audit_pass: float
    audit_fail: float
    fail_route: str
    proposed_by: str
    reason: str
    proposed_at: datetime = time()
    # Plain numbers of this site's lines and part types: SQLite gives no foreign key to a table that is there already.
    line_id: int | None = None
    part_type_id: int | None = None
    class_confidence: float | None = None
    classes: Any = maybe_json()
    costs: Any = maybe_json()
    attendance: Any = maybe_json()
    when_nobody: str = Field(default="hold", sa_column_kwargs={"server_default": "hold"})
    ends: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    kind: str = Field(default="change", sa_column_kwargs={"server_default": "change"})
    rolls_back_to: int | None = None
    optimum: Any = maybe_json()
    audit_steps: Any = maybe_json()


class PolicyApprovals(Table, table=True):
    """A second person's name under a policy, which puts it in force; append-only.

    Attributes:
        optimum: what the figures alone would have chosen, as known when it was approved.
    """

    __tablename__ = "policy_approvals"
    id: int | None = key()
    policy_id: int = Field(foreign_key="policies.id", unique=True)
    by: str
    reason: str
    approved_at: datetime = time()
    optimum: Any = maybe_json()


class Requests(Table, table=True):
    """What one person asked for and another has to agree to: auto-PASS on again, a calibration; append-only."""

    id: int | None = key()
    site_id: int = to("sites.id", index=True)
    kind: str
    content: Any = json()
    by: str
    reason: str
    asked_at: datetime = time()


class RequestApprovals(Table, table=True):
    """A second person's name under a request, which carries it out; append-only."""

    __tablename__ = "request_approvals"
    id: int | None = key()
    request_id: int = Field(foreign_key="requests.id", unique=True)
    by: str
    reason: str
    approved_at: datetime = time()


class Decisions(Table, table=True):
    """PASS, HOLD or FAIL of a part; a higher number supersedes."""

    __table_args__ = (
        UniqueConstraint("part_id", "number"),
        one_of("outcome", "PASS", "HOLD", "FAIL"),
        Index("ix_decisions_decided", "decided_at"),
    )
    id: int | None = key()
    part_id: int = to("parts.id")
    number: int
    outcome: str
    reasons: Any = json()
    route: str
    score: float | None = None
    class_scores: Any = json()
    leaning: str | None = None
    policy: int | None = None
    model: str | None = None
    audit_share: float = 0.0
    audited: bool = False
    decided_at: datetime = time()
