"""What the policy page does: drafts made of its form, proposals, tightenings, approvals, calibrations."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

import streamlit as st

from app import context
from app.jobs.quality.thresholds import optimum_of
from app.state import FormState, PolicyState, told
from core.decide.attendance import Attendance, parse_hours
from core.decide.audit_steps import parse_steps
from core.decide.policy import ClassRule, Costs, Nobody, Policy
from core.decide.requests import Matrix
from core.errors import BadInput, Conflict
from core.pictures.quality import QualityLimits
from core.records import Route, Severity


@dataclass(frozen=True)
class Entry:
    """What stands in the form, as it was typed.

    Attributes:
        rules: fields of a policy that need no reading.
        steps: strata of scores in words.
        classes, costs: rows of tables.
        hours: staffed hours in words.
        desk: fields of an attendance.
        quality: fields of quality limits; empty takes the flags measured on arrival.
    """

    rules: Mapping[str, Any]
    classes: Sequence[Mapping[str, Any]]
    costs: Sequence[Mapping[str, Any]]
    inspector_hour: float | None
    hours: str
    desk: Mapping[str, float | None]
    quality: Mapping[str, Any]
    steps: str = ""


def drafted(base: Policy, entry: Entry) -> Policy:
    """A policy with the scope of `base` and the rules of the form.

    Raises:
        BadInput: for what cannot be meant.
    """
    classes = {row["class"]: ClassRule(row["pass below"], row["fail above"], row["report above"])
               for row in map(_without_nan, entry.classes)}  # fmt: skip
    miss, false_reject = ({Severity(row["severity"]): row[side] for row in map(_without_nan, entry.costs)
                           if row[side] is not None} for side in ("a miss", "a false reject"))  # fmt: skip
    costs = Costs(miss, false_reject, entry.inspector_hour)
    desk = Attendance(parse_hours(entry.hours), **{name: value for name, value in entry.desk.items()
                                                   if value is not None})  # fmt: skip
    return replace(
        base,
        **entry.rules,
        audit_steps=parse_steps(entry.steps),
        quality_limits=QualityLimits(**entry.quality) if entry.quality else None,
        classes={name: rule for name, rule in classes.items() if rule != ClassRule()},
        costs=None if costs == Costs() else costs,
        attendance=None if desk == Attendance() else desk,
        optimum=None,
    )


def _without_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    """A table gives an empty cell as a number that equals nothing."""
    return {name: None if isinstance(value, float) and value != value else value for name, value in row.items()}


def propose(view: PolicyState, base: Policy, entry: Entry, reason: str) -> None:
    """Propose what the form says; it does nothing until somebody else approves it."""
    with told(view), _newest_after_conflict(view):
        made = context.store().policies.put_forward(drafted(base, entry), reason, seen=view.seen, now=context.now())
        view.message = f"Policy {made.number} for {made.scope} waits for approval by somebody else."
        view.seen = None


def tighten(view: PolicyState, base: Policy, entry: Entry, reason: str) -> None:
    """Put what the form says in force alone; the store refuses what would be looser, and says what."""
    with told(view), _newest_after_conflict(view):
        store, now = context.store(), context.now()
        draft = drafted(base, entry)
        draft = replace(draft, optimum=optimum_of(store, draft, now, reason))
        made = store.policies.tighten(draft, reason, seen=view.seen, now=now)
        view.message = f"Policy {made.number} is in force for {made.scope}: it only tightens."
        view.seen = None


@contextmanager
def _newest_after_conflict(view: PolicyState) -> Iterator[None]:
    """Whoever was second sees what the first one did, and begins anew."""
    try:
        yield
    except Conflict:
        view.seen = None
        raise


def take_newest(view: PolicyState) -> None:
    """Begin anew from what is in force now."""
    view.seen = None


def approve(view: FormState, site: str, number: int, why: str) -> None:
    """Put somebody else's proposal in force, beside what the figures alone would choose now."""
    with told(view):
        store, now = context.store(), context.now()
        proposed = next((one for one in store.policies.history(site) if one.number == number), None)
        best = None if proposed is None else optimum_of(store, proposed, now)
        store.policies.approve(site, number, typed(why), now=now, optimum=best)
        view.message = f"Policy {number} is in force at {site}."


def rollback(view: FormState, site: str, number: int, why: str) -> None:
    """Propose the rules of an earlier policy again."""
    with told(view):
        made = context.store().policies.rollback(site, number, typed(why), now=context.now())
        view.message = f"Policy {made.number} has the rules of policy {number}, and waits for somebody else."


def end_scope(view: FormState, policy: Policy, why: str) -> None:
    """Propose that the wider policy decides again where a line or part type has one of its own."""
    with told(view):
        draft = replace(policy, ends=True, optimum=None)
        made = context.store().policies.put_forward(draft, typed(why), now=context.now())
        view.message = f"Policy {made.number} ends the one for {policy.scope}, and waits for somebody else."


def withdraw_calibration(view: FormState, site: str, why: str) -> None:
    """Say that the scores are no probabilities here: nothing passes by itself from now on."""
    with told(view):
        if not typed(why).strip():
            raise BadInput("Say why the calibration does not hold any more.")
        context.store().sites.set_calibrated(site, False, typed(why).strip(), now=context.now())
        view.message = f"Nothing passes by itself at {site} until a calibration is confirmed."


def ask_calibration(view: FormState, site: str, matrix: Matrix, until: date, reason: str) -> None:
    """Ask somebody else to confirm the calibration on a confusion matrix."""
    with told(view):
        moment = datetime.combine(until, time(), UTC)
        made = context.store().requests.ask_calibration(site, matrix, moment, reason, now=context.now())
        view.message = f"Asked: request {made.number} waits until somebody else agrees."


def typed(key: str) -> str:
    """What a field holds at this moment: a callback's arguments are as old as the last run of the page."""
    return str(st.session_state.get(key, ""))


FAIL_ROUTES = (Route.REWORK, Route.DIVERT)
NOBODY_WORDS: Mapping[Nobody, str] = {
    Nobody.HOLD: "wait in the queue",
    Nobody.SECOND_SCAN: "are scanned a second time",
    Nobody.STOP: "stop the line",
}
