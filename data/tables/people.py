"""Who may come in, who did what, and how long what is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from data.columns import Table, key, maybe_json, maybe_to, one_of, time, to


class Users(Table, table=True):
    """Accounts."""

    __table_args__ = (
        one_of("role", "inspector", "qa_lead", "data_scientist", "admin", "viewer"),
        Index("uq_users_identity", "identity", unique=True),
        Index("uq_users_subject", "subject", unique=True),
    )
    id: int | None = key()
    name: str = Field(unique=True)
    password_hash: str
    role: str
    all_sites: bool
    disabled: bool = False
    demo: bool = False
    identity: str | None = None
    subject: str | None = None
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
    """Who did what; append-only. People are named by number, so that a leaver's name is in no sealed row."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_subject", "subject", "id"),
        Index("ix_audit_events_by_id", "by_id", "id"),
        Index("ix_audit_events_action", "action", "id"),
        Index("uq_audit_events_mark", "mark", unique=True),
    )
    id: int | None = key()
    at: datetime = time()
    by: str
    # A plain number: the trail stands by itself, whatever becomes of the other tables.
    by_id: int | None = None
    action: str
    subject: str
    site_id: int | None = maybe_to("sites.id")
    old: Any = maybe_json()
    new: Any = maybe_json()
    reason: str = ""
    model: str | None = None
    policy: int | None = None
    mark: str | None = None


class AuditSeals(Table, table=True):
    """The chain over the audit events; append-only. Without a foreign key: retention removes events, never seals."""

    __tablename__ = "audit_seals"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    event_id: int = Field(unique=True)
    content: str
    before: bool
    sealed_at: datetime = time()
    key_id: str
    seal: str


class RetentionRules(Table, table=True):
    """How many days each class of data is kept; a class without a row is kept for ever."""

    __tablename__ = "retention_rules"
    __table_args__ = (CheckConstraint("days > 0", name="days"),)
    kind: str = Field(primary_key=True)
    days: int
