"""What the ladder's form does: let the worker measure models on the same pictures."""

from dataclasses import dataclass

import streamlit as st

from app import context
from app.state import FormState, told


@dataclass
class LadderState(FormState):
    """The form of the ladder."""


def measure(view: LadderState, key: str) -> None:
    """Submit what the form holds at this moment."""
    models = list(st.session_state.get(f"{key}.models") or ())
    if not models:
        view.message, view.failed = "", "Choose at least one model or detector."
        return
    with told(view):
        given = {
            "dataset": st.session_state[f"{key}.dataset"],
            "models": models,
            "split": st.session_state[f"{key}.split"],
        }
        view.job = context.store().jobs.submit("ladder", given, now=context.now())
        view.message = "The worker measures them now: leave this page if you like."
