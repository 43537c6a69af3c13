"""What is watched at a site, which alarms that raised, and what people did about them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from data.columns import Table, json, key, maybe_time, maybe_to, one_of, only, time, to


class AlarmRules(Table, table=True):
    """Rules as people set them; append-only. A kind without a row has the rule that comes with Holdpoint."""

    __tablename__ = "alarm_rules"
    __table_args__ = (UniqueConstraint("site_id", "kind", "number"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    kind: str
    number: int
    limit: float
    rate: float
    steps: Any = json()
    on: bool
    looser: str
    by: str
    reason: str
    made_at: datetime = time()


class AlarmRuleApprovals(Table, table=True):
    """A second person's name under a rule that loosens something; append-only."""

    __tablename__ = "alarm_rule_approvals"
    id: int | None = key()
    rule_id: int = Field(foreign_key="alarm_rules.id", unique=True)
    by: str
    reason: str
    approved_at: datetime = time()


class WatchStates(Table, table=True):
    """How far each detector has read and what evidence it holds; one that is lost begins anew."""

    __tablename__ = "watch_states"
    site_id: int = Field(primary_key=True, foreign_key="sites.id", sa_column_kwargs={"autoincrement": False})
    kind: str = Field(primary_key=True)
    revision: int
    document: Any = json()
    looked_at: datetime = time()


class Alarms(Table, table=True):
    """A rule that was found broken; about one thing at most one alarm is open."""

    __table_args__ = (
        one_of("state", "open", "acknowledged", "closed"),
        Index("uq_alarms_open", "site_id", "kind", "subject", unique=True, **only("state <> 'closed'")),
        Index("ix_alarms_site", "site_id", "id"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    kind: str
    subject: str
    state: str
    rule: int
    text: str
    evidence: Any = json()
    paused: bool
    raised_at: datetime = time()
    closed_at: datetime | None = maybe_time()


class AlarmEvents(Table, table=True):
    """What happened about an alarm; append-only."""

    __tablename__ = "alarm_events"
    id: int | None = key()
    alarm_id: int = to("alarms.id", index=True)
    at: datetime = time()
    by: str
    what: str
    note: str


class FollowUps(Table, table=True):
    """What an alarm, or a person, asked for; somebody closes it with a word on what came of it."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        one_of("kind", "investigation", "policy", "recalibration", "retraining", "scale-up"),
        one_of("state", "open", "closed"),
        Index("ix_follow_ups_site", "site_id", "state", "id"),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    alarm_id: int | None = maybe_to("alarms.id", index=True)
    kind: str
    state: str
    text: str
    document: Any = json()
    opened_by: str
    opened_at: datetime = time()
    closed_by: str | None = None
    closed_at: datetime | None = maybe_time()
    note: str = ""


class Notices(Table, table=True):
    """What people have to be told, kept until they have been; channels are named, their addresses are not here."""

    __table_args__ = (
        UniqueConstraint("alarm_id", "channel", "what"),
        one_of("state", "waiting", "sent", "given up"),
        Index("ix_notices_due", "next_at", **only("state = 'waiting'")),
    )
    id: int | None = key()
    alarm_id: int = to("alarms.id")
    channel: str
    what: str
    state: str
    title: str
    body: str
    attempts: int = 0
    error: str = ""
    created_at: datetime = time()
    next_at: datetime = time()
    sent_at: datetime | None = maybe_time()
