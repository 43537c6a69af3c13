"""Training runs by a schedule; each run keeps its steps."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect
from data.store.engine.unlocked import unlocked

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "pipelines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_pipelines_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipelines")),
        sa.UniqueConstraint("name", name=op.f("uq_pipelines_name")),
    )
    op.create_index(op.f("ix_pipelines_site_id"), "pipelines", ["site_id"])
    op.create_table(
        "pipeline_configurations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pipeline_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("schedule", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name=op.f("fk_pipeline_configurations_pipeline_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline_configurations")),
        sa.UniqueConstraint("pipeline_id", "number", name=op.f("uq_pipeline_configurations_pipeline_id_number")),
    )
    op.create_table(
        "pipeline_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pipeline_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("said", sa.String(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_pipeline_runs_state")
        ),
        sa.CheckConstraint("cause IN ('schedule', 'catch-up', 'by hand')", name=op.f("ck_pipeline_runs_cause")),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name=op.f("fk_pipeline_runs_pipeline_id")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_pipeline_runs_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline_runs")),
        sa.UniqueConstraint("pipeline_id", "due_at", name=op.f("uq_pipeline_runs_pipeline_id_due_at")),
    )
    op.create_index("ix_pipeline_runs_pipeline", "pipeline_runs", ["pipeline_id", "id"])
    op.create_index("ix_pipeline_runs_state", "pipeline_runs", ["state"])
    op.create_table(
        "pipeline_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("result", JSON, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'not run', 'cancelled')",
            name=op.f("ck_pipeline_steps_state"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["pipeline_runs.id"], name=op.f("fk_pipeline_steps_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline_steps")),
        sa.UniqueConstraint("run_id", "place", name=op.f("uq_pipeline_steps_run_id_place")),
    )
    protect("pipeline_configurations")


def downgrade() -> None:
    for table in ("pipeline_steps", "pipeline_runs", "pipeline_configurations", "pipelines"):
        op.drop_table(table)
    _forget_what_an_older_version_cannot_read()


def _forget_what_an_older_version_cannot_read() -> None:
    """An older version knows neither alarms about pipelines nor their jobs; the audit trail keeps both."""
    alarms = "SELECT id FROM alarms WHERE kind = 'pipeline'"
    rules = "SELECT id FROM alarm_rules WHERE kind = 'pipeline'"
    with unlocked(op.get_bind(), "alarm_events", "alarm_rules", "alarm_rule_approvals"):
        for table in ("notices", "follow_ups", "alarm_events"):
            op.execute(f"DELETE FROM {table} WHERE alarm_id IN ({alarms})")
        op.execute("DELETE FROM alarms WHERE kind = 'pipeline'")
        op.execute(f"DELETE FROM alarm_rule_approvals WHERE rule_id IN ({rules})")
        op.execute("DELETE FROM alarm_rules WHERE kind = 'pipeline'")
    op.execute(
        "UPDATE jobs SET state = 'cancelled', error = 'This version runs no pipelines.' "
        "WHERE kind = 'pipeline' AND state IN ('waiting', 'running')"
    )
