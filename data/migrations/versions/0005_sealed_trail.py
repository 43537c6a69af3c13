"""The audit trail names people by number and is sealed; people may be viewers or come from a company's sign-in."""

import sqlalchemy as sa
from alembic import op

from data.columns import UtcTime
from data.migrations.append_only import protect
from data.store.engine.unlocked import unlocked

revision = "0005"
down_revision = "0004"

_WITHOUT = "role IN ('inspector', 'qa_lead', 'data_scientist', 'admin')"
_WITH = "role IN ('inspector', 'qa_lead', 'data_scientist', 'admin', 'viewer')"


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("by_id", sa.Integer(), nullable=True))
    op.add_column("audit_events", sa.Column("mark", sa.String(), nullable=True))
    with unlocked(op.get_bind(), "audit_events"):
        op.execute(
            'UPDATE audit_events SET by_id = (SELECT id FROM users WHERE name = audit_events."by"), "by" = \'\' '
            'WHERE "by" IN (SELECT name FROM users)'
        )
        op.execute(
            "UPDATE audit_events SET subject = (SELECT 'person ' || id FROM users "
            "WHERE 'person ' || name = audit_events.subject) WHERE subject IN (SELECT 'person ' || name FROM users)"
        )
    op.create_index("ix_audit_events_by_id", "audit_events", ["by_id", "id"])
    op.create_index("ix_audit_events_action", "audit_events", ["action", "id"])
    op.create_index("uq_audit_events_mark", "audit_events", ["mark"], unique=True)
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("before", sa.Boolean(), nullable=False),
        sa.Column("sealed_at", UtcTime(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("seal", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_seals_event_id")),
    )
    protect("audit_seals")
    op.create_table(
        "retention_rules",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.CheckConstraint("days > 0", name=op.f("ck_retention_rules_days")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_retention_rules")),
    )
    _roles(_WITHOUT, _WITH)
    op.add_column("users", sa.Column("identity", sa.String(), nullable=True))
    op.add_column("users", sa.Column("subject", sa.String(), nullable=True))
    op.create_index("uq_users_identity", "users", ["identity"], unique=True)
    op.create_index("uq_users_subject", "users", ["subject"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_users_subject", "users")
    op.drop_index("uq_users_identity", "users")
    op.drop_column("users", "subject")
    op.drop_column("users", "identity")
    _roles(_WITH, _WITHOUT)
    op.drop_table("retention_rules")
    op.drop_table("audit_seals")
    op.drop_index("uq_audit_events_mark", "audit_events")
    op.drop_index("ix_audit_events_action", "audit_events")
    op.drop_index("ix_audit_events_by_id", "audit_events")
    op.drop_column("audit_events", "mark")
    op.drop_column("audit_events", "by_id")


def _roles(old: str, new: str) -> None:
    """Other roles than before.

    SQLite changes a constraint only by a new table, which other tables' references do not survive inside a
    transaction; for a change that touches no row its manual gives this way (lang_altertable.html, section 7).
    """
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_users_role"), "users")
        op.create_check_constraint(op.f("ck_users_role"), "users", new)
        return
    version = op.get_bind().scalar(sa.text("PRAGMA schema_version"))
    op.execute("PRAGMA writable_schema=ON")
    change = sa.text("UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = 'users'")
    op.get_bind().execute(change, {"old": old, "new": new})
    op.execute(f"PRAGMA schema_version={version + 1}")
    op.execute("PRAGMA writable_schema=OFF")
