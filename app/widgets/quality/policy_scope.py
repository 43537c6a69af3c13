"""Which parts a policy is for, and what the form starts from."""

from dataclasses import replace

import streamlit as st

from app import context, ruling
from app.state import PolicyState
from app.widgets.text import one_line
from core.decide.policy import Policy

_ALL_LINES, _ALL_TYPES = "all lines", "all part types"


def scope_choice(site: str) -> tuple[str | None, str | None]:
    """A line and a part type of the site; None for all of them."""
    store = context.store()
    lines = [one.name for one in store.sites.names(site) if one.kind == "line"]
    types = [one.name for one in store.part_types.all(site)]
    with st.container(horizontal=True):
        line = st.selectbox("For", [None, *lines], key=f"policy.line.{site}",
                            format_func=lambda one: _ALL_LINES if one is None else one_line(one, 60))  # fmt: skip
        part_type = st.selectbox("and", [None, *types], key=f"policy.type.{site}",
                                 format_func=lambda one: _ALL_TYPES if one is None else one_line(one, 60))  # fmt: skip
    return line, part_type


def start_of(view: PolicyState, site: str, line: str | None, part_type: str | None) -> tuple[Policy, str]:
    """What decides these parts now, as the form's start, and the form's key.

    The start stays while somebody types, whatever others do: what they changed meanwhile is told, never overwritten.
    """
    store = context.store()
    about, version = (site, line, part_type), store.policies.version(site)
    if view.about != about or view.seen is None:
        found = store.policies.in_force(site, line, part_type)
        start = found or Policy(0, site, 0.0, 1.0)
        view.about, view.seen = about, version
        view.start = replace(start, line=line, part_type=part_type, ends=False, optimum=None)
    if view.seen != version:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                ":material/sync_problem: The policies have changed since you opened this form.", width="stretch"
            )
            st.button("Begin anew", key="policy.newest", on_click=ruling.take_newest, args=(view,))
    return view.start, f"policy.form.{site}.{line}.{part_type}.{view.seen}"
