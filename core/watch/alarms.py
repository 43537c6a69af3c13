"""Alarms, what follows from them, and what people are told: as the store gives them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.watch.facts import Figure
from core.watch.rules import MEANING, Rule, RuleKind, Step, spoken_limit

FOLLOW_UPS = (Step.INVESTIGATE, Step.PROPOSE, Step.RECALIBRATE, Step.RETRAIN, Step.SCALE_UP)
RETRIES_S = (30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)  # then it is given up, and the page says so


class AlarmState(StrEnum):
    """Where an alarm is."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True)
class Alarm:
    """A rule that was found broken.

    Attributes:
        subject: line or camera; empty for the site.
        rule: number of the rule; 0 for what comes with Holdpoint.
        text: what was found, in a sentence.
        paused: it stopped auto-PASS at the site.
    """

    id: int
    site: str
    kind: RuleKind
    subject: str
    state: AlarmState
    rule: int
    text: str
    evidence: Mapping[str, Any]
    paused: bool
    raised_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True)
class AlarmEvent:
    """One thing that happened about an alarm."""

    at: datetime
    by: str
    what: str
    note: str


@dataclass(frozen=True)
class FollowUp:
    """Something that was asked for and that somebody closes.

    Attributes:
        kind: investigation, policy, recalibration, retraining or scale-up.
        document: what it was opened with; for an investigation its checklist.
    """

    id: int
    site: str
    alarm: int | None
    kind: Step
    open: bool
    text: str
    document: Mapping[str, Any]
    opened_by: str
    opened_at: datetime
    closed_by: str | None = None
    closed_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class Notice:
    """A message that waits, was sent or was given up; its channel is a name, never an address."""

    id: int
    alarm: int
    channel: str
    state: str
    title: str
    body: str
    attempts: int
    error: str
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Raised:
    """An alarm that a look asks for.

    Attributes:
        channels: names of those who are told.
        follow_ups: kind, sentence and document of each record to open.
    """

    kind: RuleKind
    subject: str
    rule: int
    text: str
    evidence: Mapping[str, Any]
    paused: bool
    channels: Sequence[str] = ()
    follow_ups: Sequence[tuple[Step, str, Mapping[str, Any]]] = ()


@dataclass(frozen=True)
class SiteStatus:
    """What the status bar says of one site.

    Attributes:
        passing: a policy is approved and the model is calibrated, so that parts pass by themselves unless paused.
        paused: why auto-PASS is paused; None while it is not.
        alarms: that nobody has closed.
        backlog: open tasks.
    """

    site: str
    passing: bool
    paused: str | None
    alarms: int
    backlog: int


def checked_off(key: str) -> str:
    """What an alarm's history says of a point of a checklist that somebody looked at."""
    return f"looked at: {key}"


def sentence(figure: Figure, rule: Rule) -> str:
    """What an alarm says: figure, interval, number and limit."""
    meaning = MEANING[figure.kind]
    about = f" ({meaning.about} {figure.subject})" if figure.subject else ""
    if figure.value is None:
        return f"{rule.sentence}{about}."
    unit = {"/min": " a minute", "/s": " a second"}.get(meaning.unit, "")
    value = f"{spoken_limit(figure.kind, figure.value)}{unit}"
    interval = ""
    if figure.low is not None and figure.high is not None:
        interval = f" ({spoken_limit(figure.kind, figure.low)} to {spoken_limit(figure.kind, figure.high)})"
    of = f" of {figure.n:,}" if figure.n else ""
    most = f", {figure.note}" if "feature" in figure.more else ""
    return f"{rule.sentence}{about}: {value}{interval}{of}{most}."


def retry_at(attempts: int, now: datetime) -> datetime | None:
    """When a message that failed so many times is tried again; None when it is given up."""
    return None if attempts > len(RETRIES_S) else now + timedelta(seconds=RETRIES_S[attempts - 1])
