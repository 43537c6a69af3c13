"""Complaints and returns: one case at a time, the trend, what stands out, and who is told."""

import streamlit as st

from app import complaints as desk
from app import context
from app.complaints import ComplaintsState
from app.state import state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.words import complaint_cases, complaint_import, complaint_patterns, complaint_trend
from core.roles import Action

view = state(ComplaintsState)
title("words/complaints")
notices(view.message, view.failed)
with st.container(horizontal=True, vertical_alignment="bottom"):
    site_name = site_choice([site.name for site in context.store().sites.all()], "complaints.site")
    if site_name is not None and context.may(Action.COMPLAINTS):
        complaint_import.bring_in(view, site_name)
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()
complaint_import.progress(view)

site = context.store().sites.get(site_name)
cases, trend, patterns, told = st.tabs(["Cases", "Trend", "Patterns", "Notices"], key="complaints.part",
                                       on_change="rerun")  # fmt: skip
if cases.open:
    with cases:
        which = complaint_import.which_list(site_name)
        found = desk.listed(view, site_name, which)
        if not found:
            complaint_import.empty(which)
        else:
            side, work = st.columns([2, 7], gap="medium")
            with side:
                complaint_cases.table(view, found, site, which)
            with work:
                complaint_cases.turn(view, len(found))
                complaint_cases.case(view, desk.shown(found[view.place]), site)
if trend.open:
    with trend:
        complaint_trend.trend(site)
if patterns.open:
    with patterns:
        complaint_patterns.patterns(view, site)
if told.open:
    with told:
        complaint_patterns.notices(view, site)
