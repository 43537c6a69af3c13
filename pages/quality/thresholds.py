"""Thresholds: what a setting would do, what it guarantees, what it costs; try, replay, propose."""

import streamlit as st

from app import context, threshold_desk
from app.state import state
from app.threshold_desk import ThresholdsState
from app.widgets.frame import nothing, title
from app.widgets.gallery import site_choice
from app.widgets.quality.threshold_panel import panel

view = state(ThresholdsState)
title("quality/thresholds")
names = [site.name for site in context.store().sites.all()]
if not names:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    site_name = site_choice(names, "thresholds.site")
    weeks = st.number_input("Weeks to look back", 1, 52, 4, key="thresholds.weeks", width=180)
study = threshold_desk.study(view, str(site_name), int(weeks))
if not study.parts:
    nothing("No part was decided in these weeks", icon="tune", then="Look back further, or ingest some pictures.")
    st.stop()

if not study.site.calibrated:
    st.info("The model is not calibrated at this site: until it is, nothing passes by itself whatever is set here.",
            icon=":material/straighten:")  # fmt: skip
panel(view, study)
