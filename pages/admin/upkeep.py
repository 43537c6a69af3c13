"""Upkeep: backups, and how long what is kept."""

import streamlit as st

from app import context, office
from app.state import UpkeepState, state
from app.widgets.frame import notices, title
from app.widgets.jobs import follow, worker_state
from app.widgets.people.keeping import rule_row
from app.widgets.people.privacy import privacy_section
from app.widgets.text import ago
from core.retention import DataClass

view = state(UpkeepState)
store = context.store()
backups = store.upkeep.backups(8)
title("admin/upkeep", f"last backup {ago(backups[0].at, context.now())}" if backups else "no backup yet")
notices(view.message, view.failed)
left, right = st.columns([3, 2], gap="medium")
with left:
    st.subheader("Kept for", anchor=False)
    rules = store.upkeep.rules()
    for kind in DataClass:
        rule_row(view, kind, rules.get(kind))
    st.caption("The worker deletes once a day what is older: never what an open task is about, and never a picture "
               "that a frozen dataset names. Every deletion is in the audit trail.")  # fmt: skip
    with st.container(horizontal=True):
        st.button("Rehearse", icon=":material/visibility:", on_click=office.submit_retention, args=(view, True),
                  help="Count what would go, and delete nothing")  # fmt: skip
        with st.popover("Delete now", icon=":material/delete:", disabled=not rules):
            st.caption("Deletes what is older than the rules above say. Rehearse first.")
            st.button("Delete it", type="primary", on_click=office.submit_retention, args=(view, False))
    privacy_section(view)
with right:
    st.subheader("Backups", anchor=False)
    st.button("Back up now", icon=":material/backup:", type="primary", on_click=office.submit_backup, args=(view,))
    st.caption("Store, models, datasets, heads of the audit trail and the plant's keys, with a manifest of hashes. "
               "Pictures stay where they lie and are listed. Carry the folder to another machine and keep it as safe "
               "as the plant; `holdpoint restore` puts it into an empty one.")  # fmt: skip
    every, kept = context.settings().backup_hours, context.settings().backups_kept
    st.caption(f"The worker makes one every {every:g} hours and keeps its newest {kept}." if every else
               "Backups are made by hand. `HOLDPOINT_BACKUP_HOURS=24` lets the worker make one a day.")  # fmt: skip
    for one in backups:
        with st.container(border=True, gap=None):
            st.text(one.new["folder"])
            st.caption(
                f"{ago(one.at, context.now())} · {one.new['bytes'] / 1e6:,.1f} MB · manifest {one.new['manifest'][:12]}"
            )
    worker_state()
    follow(view.job)
