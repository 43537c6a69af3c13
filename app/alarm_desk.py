"""What the buttons of the alarms page do; each says in the page's own words how it went."""

from typing import Any

import streamlit as st

from app import context
from app.jobs.quality.notices import channels
from app.state import FormState, told
from app.widgets.text import one_line
from core.errors import HoldpointError
from core.watch.rules import MEANING, Rule, RuleKind, Step


def typed(key: str) -> Any:
    """What a field holds at this moment: a callback's arguments are as old as the last run of the page."""
    return st.session_state.get(key)


def who_is_told() -> str:
    """The channels that are set up, by name; their addresses stay where they are."""
    try:
        found = [one.name for one in channels(context.settings())]
    except HoldpointError:
        return "The file of channels cannot be used, so nobody is told outside this page: an administrator mends it."
    if not found:
        return "No channel is set up, so nobody is told outside this page: an administrator adds some."
    return f"Told by {', '.join(one_line(name, 40) for name in found)}."


def acknowledge(view: FormState, alarm_id: int) -> None:
    """Say that somebody looks after an alarm."""
    with told(view):
        context.store().alarms.acknowledge(alarm_id, now=context.now())
        view.message = f"Alarm {alarm_id} is yours."


def close(view: FormState, alarm_id: int, key: str) -> None:
    """Close an alarm with what it was."""
    with told(view):
        context.store().alarms.close(alarm_id, str(typed(key) or ""), now=context.now())
        view.message = f"Alarm {alarm_id} is closed; its rule is watched anew from here on."


def finish(view: FormState, follow_up_id: int, key: str) -> None:
    """Close a follow-up with what came of it."""
    with told(view):
        context.store().alarms.finish(follow_up_id, str(typed(key) or ""), now=context.now())
        view.message = "Closed, with your word on what came of it."


def check_off(view: FormState, follow_up_id: int, key: str) -> None:
    """Say that a point of a checklist was looked at."""
    with told(view):
        context.store().alarms.check_off(follow_up_id, key, now=context.now())


def ask(view: FormState, site: str, kind: Step, text: str) -> None:
    """Open a follow-up by hand."""
    with told(view):
        context.store().alarms.ask(site, kind, text, now=context.now())
        view.message = f"The {kind} is on the list."


def agree(view: FormState, number: int, key: str) -> None:
    """Agree to what somebody else asked for."""
    with told(view):
        context.store().requests.agree(number, str(typed(key) or ""), now=context.now())
        view.message = "Agreed: it is so from the next decision on."


def set_rule(view: FormState, site: str, rule: Rule, reason: str, based_on: int) -> None:
    """Enter a rule; a looser one waits for somebody else."""
    with told(view):
        made = context.store().alarms.set_rule(site, rule, reason, based_on, now=context.now())
        view.message = (
            f"The rule on {made.kind} would be looser: it waits until somebody else approves it."
            if made.waits
            else f"The rule on {made.kind} is in force from the next look on."
        )


def approve_rule(view: FormState, site: str, kind: RuleKind, number: int, key: str) -> None:
    """Put somebody else's looser rule in force."""
    with told(view):
        context.store().alarms.approve_rule(site, kind, number, str(typed(key) or ""), now=context.now())
        view.message = f"The rule on {kind} is in force from the next look on."


def shown_limit(kind: RuleKind, limit: float) -> float:
    """A limit as a form shows it: shares in percent."""
    return round(100 * limit, 6) if MEANING[kind].unit == "share" else limit


def entered_limit(kind: RuleKind, shown: float) -> float:
    """The opposite of `shown_limit`."""
    return shown / 100 if MEANING[kind].unit == "share" else shown
