"""Every table of the store, with the constraints that keep it true whatever the code does.

A class is a table and its name is the plural of what a row is. Code above `data/store` never sees one: it speaks
`core.records` and `core.plant`. Change a table together with a migration; a test compares the two.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_json, maybe_time, maybe_to, one_of, only, table, time, to


class Sites(Table, table=True):
    """Plants."""

    id: int | None = key()
    name: str = Field(unique=True)
    timezone: str
    model: str | None = None
    calibrated: bool = False
    paused: str | None = None
    requires_ids: bool = False
    created_at: datetime = time()


class Named(Table):
    """Things of a site that are known by name only."""

    id: int | None = key()
    site_id: int = to("sites.id")
    name: str


class Lines(Named, table=True):
    """Production lines."""

    __table_args__ = (UniqueConstraint("site_id", "name"),)


class Cameras(Named, table=True):
    """Cameras, each at one site."""

    __table_args__ = (UniqueConstraint("site_id", "name"),)


class Machines(Named, table=True):
    """Machines that made the parts."""

    __table_args__ = (UniqueConstraint("site_id", "name"),)


class Orders(Named, table=True):
    """Production orders."""

    __table_args__ = (UniqueConstraint("site_id", "name"),)


class PartTypes(Table, table=True):
    """How each kind of part is looked at."""

    __tablename__ = "part_types"
    __table_args__ = (UniqueConstraint("site_id", "name"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    name: str
    scale: float
    tile: int
    stride: int
    whole_picture: bool
    views: Any = json()
    pictures: int | None = None
    time_out_s: float
    flips: bool
    exposures: bool


class Parts(Table, table=True):
    """Physical items."""

    __table_args__ = (
        UniqueConstraint("site_id", "name"),
        one_of("state", "open", "decided"),
        Index("ix_parts_due", "due_at", **only("state = 'open'")),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    name: str
    order_id: int | None = maybe_to("orders.id")
    part_type_id: int | None = maybe_to("part_types.id")
    state: str
    first_at: datetime = time()
    last_at: datetime = time()
    due_at: datetime | None = maybe_time()


class Images(Table, table=True):
    """Pictures, kept where they lie and known by site, source and content."""

    __table_args__ = (
        UniqueConstraint("site_id", "source", "sha256"),
        one_of("state", "ok", "quarantined", "file missing", "evidence changed"),
        Index("ix_images_content", "site_id", "sha256"),
        Index("ix_images_arrived", "site_id", "arrived_at"),
        Index("ix_images_site", "site_id", "id"),
        Index("ix_images_not_ok", "site_id", "state", **only("state <> 'ok'")),
    )  # fmt: skip
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = to("parts.id", index=True)
    source: str
    path: str
    sha256: str
    width: int
    height: int
    state: str
    state_note: str = ""
    reason: str | None = None
    error: str | None = None
    same_as: int | None = maybe_to("images.id")
    line_id: int | None = maybe_to("lines.id")
    camera_id: int | None = maybe_to("cameras.id")
    machine_id: int | None = maybe_to("machines.id")
    order_id: int | None = maybe_to("orders.id")
    part_type_id: int | None = maybe_to("part_types.id")
    stage: str | None = None
    view: str | None = None
    taken_at: datetime | None = maybe_time()
    iso: float | None = None
    aperture: float | None = None
    shutter_s: float | None = None
    quality: Any = maybe_json()
    arrived_at: datetime = time()


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
    """Thresholds and rules as they were proposed; append-only."""

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


class PolicyApprovals(Table, table=True):
    """A second person's name under a policy, which puts it in force; append-only."""

    __tablename__ = "policy_approvals"
    id: int | None = key()
    policy_id: int = Field(foreign_key="policies.id", unique=True)
    by: str
    reason: str
    approved_at: datetime = time()


class Decisions(Table, table=True):
    """PASS, HOLD or FAIL of a part; a higher number supersedes."""

    __table_args__ = (UniqueConstraint("part_id", "number"), one_of("outcome", "PASS", "HOLD", "FAIL"))
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


class Tasks(Table, table=True):
    """Requests that a person look; at most one of a kind is open for a part."""

    __table_args__ = (
        one_of("kind", "triage", "audit", "second_look", "gold", "label"),
        one_of("state", "open", "done", "withdrawn"),
        Index("uq_tasks_open", "part_id", "kind", unique=True, **only("state = 'open'")),
        Index("ix_tasks_rank", "rank", "id", **only("state = 'open'")),
        Index("ix_tasks_site_rank", "site_id", "rank", "id", **only("state = 'open'")),
        Index("ix_tasks_leased", "leased_by", **only("state = 'open' AND leased_by IS NOT NULL")),
        Index("ix_tasks_part", "part_id"),
        Index("ix_tasks_counts", "site_id", "kind", **only("state = 'open'")),
        Index("ix_tasks_closed", "closed_by", "closed_at"),
    )  # fmt: skip
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = to("parts.id")
    kind: str
    state: str
    decision_id: int | None = maybe_to("decisions.id")
    risk: float | None = None
    novelty: float | None = None
    rank: float
    revision: int = 0
    fence: int = 0
    leased_by: str | None = None
    leased_until: datetime | None = maybe_time()
    created_at: datetime = time()
    closed_by: str | None = None
    closed_at: datetime | None = maybe_time()


class Reviews(Table, table=True):
    """Answers, and the undoing of answers; append-only."""

    __table_args__ = (
        UniqueConstraint("task_id", "revision"),
        # Partial, or SQLite would look for "undoes IS NULL" in it and find nearly every row.
        Index("uq_reviews_undoes", "undoes", unique=True, **only("undoes IS NOT NULL")),
        one_of("verdict", "PASS", "FAIL", "REWORK", "UNSURE"),
        CheckConstraint("sure IS NULL OR sure BETWEEN 1 AND 5", name="sure"),
        Index("ix_reviews_part", "part_id"),
        Index("ix_reviews_by", "by", "reviewed_at"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    part_id: int = to("parts.id")
    image_id: int | None = maybe_to("images.id", index=True)
    task_id: int | None = maybe_to("tasks.id")
    task_kind: str | None = None
    revision: int | None = None
    undoes: int | None = maybe_to("reviews.id")
    verdict: str
    by: str
    images: Any = json()
    classes: Any = json()
    sure: int | None = None
    note: str = ""
    reasons: Any = json()
    seconds: float | None = None
    source: Any = json()
    decision_id: int | None = maybe_to("decisions.id")
    outcome: str | None = None
    model: str | None = None
    policy: int | None = None
    taxonomy: int
    reviewed_at: datetime = time()


class Labels(Table, table=True):
    """The present truth of each image; derived from reviews and rebuilt at will."""

    __table_args__ = (Index("ix_labels_site", "site_id", "labelled_at"),)
    image_id: int = Field(primary_key=True, foreign_key="images.id", sa_column_kwargs={"autoincrement": False})
    site_id: int = to("sites.id")
    defective: bool
    verdict: str
    status: str
    by: str
    labelled_at: datetime = time()
    review_id: int = to("reviews.id")
    model: str | None = None
    policy: int | None = None
    changed: bool
    probability: float | None = None


class LabelClasses(Table, table=True):
    """The names on each label, with the class each one means now; None while it is unmapped."""

    __tablename__ = "label_classes"
    __table_args__ = (Index("ix_label_classes_class", "site_id", "class_id"),)
    image_id: int = Field(primary_key=True, foreign_key="images.id", sa_column_kwargs={"autoincrement": False})
    name: str = Field(primary_key=True)
    site_id: int = to("sites.id")
    class_id: str | None = None


class Models(Table, table=True):
    """Trained model versions."""

    id: int | None = key()
    name: str = Field(unique=True)
    path: str
    sha256: str
    card: Any = json()
    by: str
    created_at: datetime = time()


class Datasets(Table, table=True):
    """Frozen lists of labelled images."""

    id: int | None = key()
    name: str = Field(unique=True)
    sha256: str
    manifest: Any = json()
    by: str
    created_at: datetime = time()


class Jobs(Table, table=True):
    """Long work and where it is."""

    __table_args__ = (
        one_of("state", "waiting", "running", "done", "failed", "cancelled"),
        Index("ix_jobs_state", "state", "id"),
    )
    id: int | None = key()
    kind: str
    arguments: Any = json()
    state: str
    by: str
    attempt: int = 0
    done: int = 0
    total: int = 0
    message: str = ""
    cancel: bool = False
    worker: str | None = None
    result: Any = maybe_json()
    error: str = ""
    submitted_at: datetime = time()
    started_at: datetime | None = maybe_time()
    heartbeat_at: datetime | None = maybe_time()
    finished_at: datetime | None = maybe_time()


class Workers(Table, table=True):
    """Processes that run jobs, each with its last sign of life."""

    name: str = Field(primary_key=True)
    heartbeat_at: datetime = time()


class Users(Table, table=True):
    """Accounts."""

    __table_args__ = (one_of("role", "inspector", "qa_lead", "data_scientist", "admin"),)
    id: int | None = key()
    name: str = Field(unique=True)
    password_hash: str
    role: str
    all_sites: bool
    disabled: bool = False
    demo: bool = False
    created_at: datetime = time()


class UserSites(Table, table=True):
    """The sites that a person was given."""

    __tablename__ = "user_sites"
    user_id: int = Field(primary_key=True, foreign_key="users.id", sa_column_kwargs={"autoincrement": False})
    site_id: int = Field(primary_key=True, foreign_key="sites.id", sa_column_kwargs={"autoincrement": False})


class Sessions(Table, table=True):
    """Who is signed in; only a hash of the token is kept."""

    token_hash: str = Field(primary_key=True)
    user_id: int = to("users.id", index=True)
    created_at: datetime = time()
    expires_at: datetime = time()


class SignInFailures(Table, table=True):
    """Wrong passwords by name, whether or not there is such an account."""

    __tablename__ = "sign_in_failures"
    name_hash: str = Field(primary_key=True)
    failures: int
    last_at: datetime = time()


class AuditEvents(Table, table=True):
    """Who did what; append-only. A later chain of seals names events by id and lies in a table of its own."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_subject", "subject", "id"),)
    id: int | None = key()
    at: datetime = time()
    by: str
    action: str
    subject: str
    site_id: int | None = maybe_to("sites.id")
    old: Any = maybe_json()
    new: Any = maybe_json()
    reason: str = ""
    model: str | None = None
    policy: int | None = None


class Outbox(Table, table=True):
    """What other systems have to be told, written with the act itself."""

    __table_args__ = (Index("ix_outbox_pending", "id", **only("sent_at IS NULL")),)
    id: int | None = key()
    topic: str
    site_id: int = to("sites.id")
    part_id: int | None = maybe_to("parts.id")
    payload: Any = json()
    created_at: datetime = time()
    sent_at: datetime | None = maybe_time()


APPEND_ONLY = ("reviews", "policies", "policy_approvals", "taxonomies", "audit_events")

audit_events = table(AuditEvents)
cameras = table(Cameras)
datasets = table(Datasets)
decisions = table(Decisions)
images = table(Images)
jobs = table(Jobs)
label_classes = table(LabelClasses)
labels = table(Labels)
lines = table(Lines)
machines = table(Machines)
models = table(Models)
orders = table(Orders)
outbox = table(Outbox)
part_types = table(PartTypes)
parts = table(Parts)
policies = table(Policies)
policy_approvals = table(PolicyApprovals)
predictions = table(Predictions)
regions = table(Regions)
reviews = table(Reviews)
sessions = table(Sessions)
sign_in_failures = table(SignInFailures)
sites = table(Sites)
tasks = table(Tasks)
taxonomies = table(Taxonomies)
user_sites = table(UserSites)
users = table(Users)
workers = table(Workers)

# Written out and not as a parameter: a partial index serves a query only where the plan can see the same words.
IS_OPEN = tasks.c.state == sa.literal_column("'open'")
