"""Models are gated, run in the shadow, promoted and taken back; each act stays on record."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect
from data.store.engine.unlocked import unlocked

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "gates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("split", sa.String(), nullable=False),
        sa.Column("against", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.CheckConstraint("answer IN ('pass', 'fail', 'not enough evidence')", name=op.f("ck_gates_answer")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_gates_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gates")),
    )
    op.create_index("ix_gates_model", "gates", ["model", "site_id", "id"])
    op.create_table(
        "shadows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("first_image", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_shadows_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadows")),
    )
    running = {"sqlite_where": sa.text("ended_at IS NULL"), "postgresql_where": sa.text("ended_at IS NULL")}
    op.create_index("uq_shadows_running", "shadows", ["site_id"], unique=True, **running)
    op.create_index("ix_shadows_site", "shadows", ["site_id", "id"])
    op.create_table(
        "shadow_predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shadow_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("class_scores", JSON, nullable=False),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("predicted_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["shadow_id"], ["shadows.id"], name=op.f("fk_shadow_predictions_shadow_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_shadow_predictions_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_predictions")),
        sa.UniqueConstraint("shadow_id", "image_id", name=op.f("uq_shadow_predictions_shadow_id_image_id")),
    )
    op.create_index(op.f("ix_shadow_predictions_image_id"), "shadow_predictions", ["image_id"])
    op.create_table(
        "model_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("calibrated", sa.Boolean(), nullable=False),
        sa.Column("calibrated_until", UtcTime(), nullable=True),
        sa.Column("score_map", JSON, nullable=True),
        sa.Column("policies", JSON, nullable=False),
        sa.Column("gate_id", sa.Integer(), nullable=True),
        sa.Column("shadow_id", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("restored", sa.Boolean(), nullable=False),
        sa.Column("alternatives", JSON, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.CheckConstraint("kind IN ('set', 'promotion', 'rollback')", name=op.f("ck_model_changes_kind")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_model_changes_site_id")),
        sa.ForeignKeyConstraint(["gate_id"], ["gates.id"], name=op.f("fk_model_changes_gate_id")),
        sa.ForeignKeyConstraint(["shadow_id"], ["shadows.id"], name=op.f("fk_model_changes_shadow_id")),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_model_changes_request_id")),
        sa.ForeignKeyConstraint(["undoes"], ["model_changes.id"], name=op.f("fk_model_changes_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_changes")),
    )
    op.create_index("ix_model_changes_site", "model_changes", ["site_id", "id"])
    for table in ("gates", "model_changes"):
        protect(table)


def downgrade() -> None:
    for table in ("model_changes", "shadow_predictions", "shadows", "gates"):
        op.drop_table(table)
    _forget_what_an_older_version_cannot_read()


def _forget_what_an_older_version_cannot_read() -> None:
    """An older version knows neither alarms about gates nor requests to promote; the audit trail keeps both."""
    alarms = "SELECT id FROM alarms WHERE kind = 'gate'"
    wishes = "SELECT id FROM requests WHERE kind = 'promote a model'"
    with unlocked(op.get_bind(), "alarm_events", "alarm_rules", "alarm_rule_approvals", "requests",
                  "request_approvals"):  # fmt: skip
        for table in ("notices", "follow_ups", "alarm_events"):
            op.execute(f"DELETE FROM {table} WHERE alarm_id IN ({alarms})")
        op.execute("DELETE FROM alarms WHERE kind = 'gate'")
        op.execute("DELETE FROM alarm_rule_approvals WHERE rule_id IN (SELECT id FROM alarm_rules WHERE kind = 'gate')")
        op.execute("DELETE FROM alarm_rules WHERE kind = 'gate'")
        op.execute(f"DELETE FROM request_approvals WHERE request_id IN ({wishes})")
        op.execute("DELETE FROM requests WHERE kind = 'promote a model'")
