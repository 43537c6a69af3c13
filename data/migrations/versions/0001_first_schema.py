"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from data.columns import UtcTime
from data.migrations.append_only import protect

revision = "0001"
down_revision = None

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("manifest", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("name", name=op.f("uq_datasets_name")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("arguments", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("result", JSON, nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("submitted_at", UtcTime(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=True),
        sa.Column("heartbeat_at", UtcTime(), nullable=True),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_state", "jobs", ["state", "id"], unique=False)
    op.create_table(
        "models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("card", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("name", name=op.f("uq_models_name")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("name_hash", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_sign_in_failures")),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("calibrated", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.String(), nullable=True),
        sa.Column("requires_ids", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("all_sites", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint("role IN ('inspector', 'qa_lead', 'data_scientist', 'admin')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("heartbeat_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("old", JSON, nullable=True),
        sa.Column("new", JSON, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("policy", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_audit_events_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_subject", "audit_events", ["subject", "id"], unique=False)
    op.create_table(
        "cameras",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_cameras_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cameras")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_cameras_site_id_name")),
    )
    op.create_table(
        "lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_lines_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_lines_site_id_name")),
    )
    op.create_table(
        "machines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_machines_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machines")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_machines_site_id_name")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_orders_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_orders_site_id_name")),
    )
    op.create_table(
        "part_types",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scale", sa.Float(), nullable=False),
        sa.Column("tile", sa.Integer(), nullable=False),
        sa.Column("stride", sa.Integer(), nullable=False),
        sa.Column("whole_picture", sa.Boolean(), nullable=False),
        sa.Column("views", JSON, nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=True),
        sa.Column("time_out_s", sa.Float(), nullable=False),
        sa.Column("flips", sa.Boolean(), nullable=False),
        sa.Column("exposures", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_part_types_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part_types")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_part_types_site_id_name")),
    )
    op.create_table(
        "policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pass_below", sa.Float(), nullable=False),
        sa.Column("fail_above", sa.Float(), nullable=False),
        sa.Column("minimum_confidence", sa.Float(), nullable=True),
        sa.Column("novelty_limit", sa.Float(), nullable=True),
        sa.Column("quality_limits", JSON, nullable=True),
        sa.Column("audit_pass", sa.Float(), nullable=False),
        sa.Column("audit_fail", sa.Float(), nullable=False),
        sa.Column("fail_route", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_policies_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_policies_site_id_number")),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "taxonomies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_taxonomies_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomies")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_taxonomies_site_id_number")),
    )
    op.create_table(
        "user_sites",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_user_sites_site_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sites_user_id")),
        sa.PrimaryKeyConstraint("user_id", "site_id", name=op.f("pk_user_sites")),
    )
    op.create_table(
        "parts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("part_type_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("first_at", UtcTime(), nullable=False),
        sa.Column("last_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'decided')", name=op.f("ck_parts_state")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_parts_order_id")),
        sa.ForeignKeyConstraint(["part_type_id"], ["part_types.id"], name=op.f("fk_parts_part_type_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_parts_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parts")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_parts_site_id_name")),
    )
    op.create_index(
        "ix_parts_due",
        "parts",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "policy_approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("approved_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["policy_id"], ["policies.id"], name=op.f("fk_policy_approvals_policy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_approvals")),
        sa.UniqueConstraint("policy_id", name=op.f("uq_policy_approvals_policy_id")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("class_scores", JSON, nullable=False),
        sa.Column("leaning", sa.String(), nullable=True),
        sa.Column("policy", sa.Integer(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("audit_share", sa.Float(), nullable=False),
        sa.Column("audited", sa.Boolean(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=False),
        sa.CheckConstraint("outcome IN ('PASS', 'HOLD', 'FAIL')", name=op.f("ck_decisions_outcome")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_decisions_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("part_id", "number", name=op.f("uq_decisions_part_id_number")),
    )
    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_note", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("same_as", sa.Integer(), nullable=True),
        sa.Column("line_id", sa.Integer(), nullable=True),
        sa.Column("camera_id", sa.Integer(), nullable=True),
        sa.Column("machine_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("part_type_id", sa.Integer(), nullable=True),
        sa.Column("stage", sa.String(), nullable=True),
        sa.Column("view", sa.String(), nullable=True),
        sa.Column("taken_at", UtcTime(), nullable=True),
        sa.Column("iso", sa.Float(), nullable=True),
        sa.Column("aperture", sa.Float(), nullable=True),
        sa.Column("shutter_s", sa.Float(), nullable=True),
        sa.Column("quality", JSON, nullable=True),
        sa.Column("arrived_at", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('ok', 'quarantined', 'file missing', 'evidence changed')", name=op.f("ck_images_state")
        ),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_images_camera_id")),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_images_line_id")),
        sa.ForeignKeyConstraint(["machine_id"], ["machines.id"], name=op.f("fk_images_machine_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_images_order_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_images_part_id")),
        sa.ForeignKeyConstraint(["part_type_id"], ["part_types.id"], name=op.f("fk_images_part_type_id")),
        sa.ForeignKeyConstraint(["same_as"], ["images.id"], name=op.f("fk_images_same_as")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_images_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("site_id", "source", "sha256", name=op.f("uq_images_site_id_source_sha256")),
    )
    op.create_index("ix_images_arrived", "images", ["site_id", "arrived_at"], unique=False)
    op.create_index("ix_images_content", "images", ["site_id", "sha256"], unique=False)
    op.create_index(
        "ix_images_not_ok",
        "images",
        ["site_id", "state"],
        unique=False,
        sqlite_where=sa.text("state <> 'ok'"),
        postgresql_where=sa.text("state <> 'ok'"),
    )
    op.create_index(op.f("ix_images_part_id"), "images", ["part_id"], unique=False)
    op.create_index("ix_images_site", "images", ["site_id", "id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=True),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_outbox_part_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_outbox_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "label_classes",
        sa.Column("image_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_label_classes_image_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_label_classes_site_id")),
        sa.PrimaryKeyConstraint("image_id", "name", name=op.f("pk_label_classes")),
    )
    op.create_index("ix_label_classes_class", "label_classes", ["site_id", "class_id"], unique=False)
    op.create_table(
        "predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("class_scores", JSON, nullable=False),
        sa.Column("novelty", sa.Float(), nullable=True),
        sa.Column("heatmap", sa.LargeBinary(), nullable=True),
        sa.Column("where_map", sa.LargeBinary(), nullable=True),
        sa.Column("tiles", sa.LargeBinary(), nullable=True),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("predicted_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_predictions_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
        sa.UniqueConstraint("image_id", "model", name=op.f("uq_predictions_image_id_model")),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("risk", sa.Float(), nullable=True),
        sa.Column("novelty", sa.Float(), nullable=True),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.CheckConstraint("kind IN ('triage', 'audit', 'second_look', 'gold', 'label')", name=op.f("ck_tasks_kind")),
        sa.CheckConstraint("state IN ('open', 'done', 'withdrawn')", name=op.f("ck_tasks_state")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_tasks_decision_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_tasks_part_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_tasks_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_closed", "tasks", ["closed_by", "closed_at"], unique=False)
    op.create_index(
        "ix_tasks_counts",
        "tasks",
        ["site_id", "kind"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_tasks_leased",
        "tasks",
        ["leased_by"],
        unique=False,
        sqlite_where=sa.text("state = 'open' AND leased_by IS NOT NULL"),
        postgresql_where=sa.text("state = 'open' AND leased_by IS NOT NULL"),
    )
    op.create_index("ix_tasks_part", "tasks", ["part_id"], unique=False)
    op.create_index(
        "ix_tasks_rank",
        "tasks",
        ["rank", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_tasks_site_rank",
        "tasks",
        ["site_id", "rank", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_tasks_open",
        "tasks",
        ["part_id", "kind"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("task_kind", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("images", JSON, nullable=False),
        sa.Column("classes", JSON, nullable=False),
        sa.Column("sure", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("source", JSON, nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("policy", sa.Integer(), nullable=True),
        sa.Column("taxonomy", sa.Integer(), nullable=False),
        sa.Column("reviewed_at", UtcTime(), nullable=False),
        sa.CheckConstraint("verdict IN ('PASS', 'FAIL', 'REWORK', 'UNSURE')", name=op.f("ck_reviews_verdict")),
        sa.CheckConstraint("sure IS NULL OR sure BETWEEN 1 AND 5", name=op.f("ck_reviews_sure")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_reviews_decision_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_reviews_image_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_reviews_part_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_reviews_site_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_reviews_task_id")),
        sa.ForeignKeyConstraint(["undoes"], ["reviews.id"], name=op.f("fk_reviews_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("task_id", "revision", name=op.f("uq_reviews_task_id_revision")),
    )
    op.create_index("ix_reviews_by", "reviews", ["by", "reviewed_at"], unique=False)
    op.create_index(op.f("ix_reviews_image_id"), "reviews", ["image_id"], unique=False)
    op.create_index("ix_reviews_part", "reviews", ["part_id"], unique=False)
    op.create_index(
        "uq_reviews_undoes",
        "reviews",
        ["undoes"],
        unique=True,
        sqlite_where=sa.text("undoes IS NOT NULL"),
        postgresql_where=sa.text("undoes IS NOT NULL"),
    )
    op.create_table(
        "labels",
        sa.Column("image_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("defective", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("labelled_at", UtcTime(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("policy", sa.Integer(), nullable=True),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_labels_image_id")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_labels_review_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_labels_site_id")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_labels")),
    )
    op.create_index("ix_labels_site", "labels", ["site_id", "labelled_at"], unique=False)
    op.create_table(
        "regions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("prediction_id", sa.Integer(), nullable=True),
        sa.Column("review_id", sa.Integer(), nullable=True),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("class_id", sa.String(), nullable=True),
        sa.Column("severity", sa.String(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("mask", JSON, nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.CheckConstraint("(prediction_id IS NULL) <> (review_id IS NULL)", name=op.f("ck_regions_owner")),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_regions_area")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_regions_image_id")),
        sa.ForeignKeyConstraint(["prediction_id"], ["predictions.id"], name=op.f("fk_regions_prediction_id")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_regions_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regions")),
    )
    op.create_index(op.f("ix_regions_prediction_id"), "regions", ["prediction_id"], unique=False)
    op.create_index(op.f("ix_regions_review_id"), "regions", ["review_id"], unique=False)
    for name in ("reviews", "policies", "policy_approvals", "taxonomies", "audit_events"):
        protect(name)


def downgrade() -> None:
    op.drop_table("regions")
    op.drop_table("labels")
    op.drop_table("reviews")
    op.drop_table("tasks")
    op.drop_table("predictions")
    op.drop_table("label_classes")
    op.drop_table("outbox")
    op.drop_table("images")
    op.drop_table("decisions")
    op.drop_table("policy_approvals")
    op.drop_table("parts")
    op.drop_table("user_sites")
    op.drop_table("taxonomies")
    op.drop_table("sessions")
    op.drop_table("policies")
    op.drop_table("part_types")
    op.drop_table("orders")
    op.drop_table("machines")
    op.drop_table("lines")
    op.drop_table("cameras")
    op.drop_table("audit_events")
    op.drop_table("workers")
    op.drop_table("users")
    op.drop_table("sites")
    op.drop_table("sign_in_failures")
    op.drop_table("models")
    op.drop_table("jobs")
    op.drop_table("datasets")
