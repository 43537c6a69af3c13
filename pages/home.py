"""Home: what waits, what runs, and what to do next."""

import streamlit as st

from app import context
from app.navigation import go
from app.state import HomeState, state
from app.widgets.frame import auto_pass, notices, title
from app.widgets.jobs import recent_jobs, worker_state
from app.widgets.next_steps import next_steps

view = state(HomeState)
title("home")
notices(view.message, view.failed)
left, right = st.columns([3, 2], gap="medium")
with left:
    for step in next_steps():
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"## :material/{step.icon}:", width="content")
            with st.container(width="stretch", gap=None):
                st.markdown(f"**{step.what}**")
                st.caption(step.why)
            if st.button(step.act, key=f"home.{step.page}", type="primary" if step.first else "secondary"):
                go(step.page)
    st.subheader("Sites", anchor=False)
    sites = context.store().sites.all()
    standing = {one.site: one for one in context.site_statuses(context.me())}
    rows = [
        {
            "site": site.name,
            "waiting": context.store().queue.counts(site.name).waiting,
            "auto-PASS": auto_pass(standing.get(site.name)),
            "model": site.model or "none yet",
            "classes": len(site.taxonomy.ids),
        }
        for site in sites
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height="content")
    else:
        st.caption("No site yet. `holdpoint demo` makes a plant to try; an import makes the site it names.")
with right:
    st.subheader("Work in progress", anchor=False)
    worker_state()
    recent_jobs()
