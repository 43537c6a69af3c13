"""The command bar: type what you want to see; what was understood is shown before anything changes."""

from collections.abc import Callable

import streamlit as st

from app import command_bar
from app.widgets.text import plain, share
from core.errors import ModelError
from core.words.command import Filters


def command(page: str, placeholder: str) -> str:
    """A line to type in; nothing where no text model is at hand.

    Args:
        page: prefix of the widgets' keys.
        placeholder: an example of what can be asked.

    Returns:
        What was typed, for `meaning`.
    """
    if not command_bar.available():
        return ""
    return st.text_input(
        "Ask in words",
        key=f"{page}.command",
        placeholder=placeholder,
        max_chars=command_bar.MOST,
        icon=":material/terminal:",
        label_visibility="collapsed",
    ).strip()


def meaning(page: str, words: str, apply: Callable[[Filters], None]) -> None:
    """What a sentence means here, with a button that applies it.

    Args:
        page: as for `command`.
        words: what was typed; nothing is shown for none.
        apply: sets the page's filters; it is called by a press only.
    """
    if not words:
        return
    try:
        said = command_bar.understood(words)
    except ModelError as error:
        st.caption(f"Sentences are not understood now: {error} Use the filters of the page.")
        return
    found = command_bar.filters(said)
    with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"{page}.understood"):
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
        st.button("Apply", key=f"{page}.apply", type="primary", icon=":material/check:", on_click=apply, args=(found,))
