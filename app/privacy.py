"""What the Privacy section of the Upkeep page does."""

import streamlit as st

from app import context
from app.jobs.words.covering import KIND
from app.state import FormState, told
from core.privacy import MEANING, Mode


def set_mode(view: FormState, site: str, mode_key: str, reason_key: str, seen: int) -> None:
    """Say which pictures of a site are covered."""
    with told(view):
        mode, reason = Mode(st.session_state[mode_key]), str(st.session_state[reason_key])
        context.store().privacy.set_rule(site, mode, reason, seen=seen, now=context.now())
        st.session_state[reason_key] = ""
        view.message = f"Covered at {site}: {MEANING[mode]}."


def look_now(view: FormState) -> None:
    """Let the worker look at pictures that wait for it."""
    with told(view):
        view.job = context.store().jobs.submit(KIND, {}, context.now())
        view.message = "The worker looks at them now; what it cannot look at stays withheld."
