"""Quarantine: files that could not be used, why, and the way back."""

import streamlit as st

from app import acts, context
from app.state import QuarantineState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.text import count, local, plain

view = state(QuarantineState)
store = context.store()
counts = store.quarantine.counts()
title("admin/quarantine", count(sum(counts.values()), "file"))
notices(view.message, view.failed)
if not counts:
    nothing(
        "Nothing is in quarantine", icon="verified", then="Files that cannot be read appear here with their reason."
    )
    st.stop()

reason = st.pills("Reason", list(counts), key="quarantine.reason", label_visibility="collapsed", bind="query-params",
                  format_func=lambda one: f"{one} ({counts[one]:,})")  # fmt: skip
zones = {site.name: site.timezone for site in store.sites.all()}
found = store.quarantine.list(reason=reason, limit=acts.SHOWN_AT_ONCE)
for one in found:
    with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
        st.badge(plain(one.reason), icon=":material/report:", color="orange")
        with st.container(width="stretch", gap=None):
            st.text(one.image.capture.source)
            st.caption(f"{plain(one.image.state_note, 300)} · {plain(one.image.site)} · "
                       f"{local(one.image.arrived_at, zones.get(one.image.site, 'UTC'))}")  # fmt: skip
        st.button("Restore" if one.image.width else "Read again", key=f"quarantine.retry.{one.image.id}",
                  icon=":material/refresh:", on_click=acts.restore, args=(view, one.image.id))  # fmt: skip
if len(found) == acts.SHOWN_AT_ONCE:
    st.caption("There are more: mend these first, or choose a reason above.")
