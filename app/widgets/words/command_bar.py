"""The command bar: type what you want to see; what was understood is shown before anything changes."""

import streamlit as st

from app import command_bar
from app.widgets.text import plain, share
from core.errors import ModelError


def command() -> None:
    """A line to type in, and what it means with a button to apply it; nothing where no text model is at hand."""
    if not command_bar.available():
        return
    words = st.text_input(
        "Ask in words",
        key="analytics.command",
        placeholder="burrs on line D since Monday",
        max_chars=command_bar.MOST,
        icon=":material/terminal:",
        label_visibility="collapsed",
    )
    if not words.strip():
        return
    try:
        said = command_bar.understood(words)
    except ModelError as error:
        st.caption(f"Sentences are not understood now: {error} Use the filters below.")
        return
    found = command_bar.filters(said)
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="analytics.understood"):
        if said.out_of_scope or found.empty:
            st.caption("This names nothing to filter by here: name a site, line, camera, class of defect or time.")
            return
        for one in found.said():
            st.badge(plain(one, 60), icon=":material/filter_alt:", color="blue")
        for one in found.missed:
            st.badge(f"not known here: {plain(one, 40)}", icon=":material/help:", color="orange")
        if said.confirm:
            st.caption(f"Not sure ({share(said.confidence)}): is this what you mean?", width="content")
        st.space("stretch")
        st.button("Apply", key="analytics.apply", type="primary", icon=":material/check:",
                  on_click=command_bar.apply, args=(found,))  # fmt: skip
