"""Audits: what was missed, how sure that is, and how many audits it takes to show more."""

import streamlit as st

from app import auditing, context
from app.state import AuditsState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.quality.audits import intervals, looked_at, planner, rate_cards

DAYS = (7, 28, 91)

view = state(AuditsState)
title("quality/audits")
notices(view.message, view.failed)
with st.container(horizontal=True, vertical_alignment="bottom"):
    site_name = site_choice([site.name for site in context.store().sites.all()], "audits.site")
    days = st.segmented_control("The last", DAYS, default=28, format_func=lambda one: f"{one} days", key="audits.days")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

found = auditing.measured(site_name, days or 28)
if not any(found.parts.values()):
    nothing("Nothing was decided in this time", icon="event_busy", then="Choose a longer time above.")
    st.stop()
if not found.pass_share:
    st.warning("The policy in force audits no passes, so what passes by itself is never looked at: set a share on the "
               "Policy page.", icon=":material/visibility_off:")  # fmt: skip
rate_cards(found)
left, right = st.columns([3, 2], gap="medium")
with left:
    intervals(found)
    looked_at(found)
with right:
    st.subheader("What more audits would show", anchor=False)
    planner(found)
