"""Acceptance: each target beside what was measured, OEE of each line with its inputs, before and after a change."""

import streamlit as st

from app import analytics
from app.widgets import acceptance
from app.widgets.frame import nothing, title
from app.widgets.kpi_panel import facts, table

title("quality/acceptance")
asked = acceptance.question()
if asked is None:
    st.caption("Choose the last day, too.")
    st.stop()

targets, lines, change = st.tabs(["Targets", "OEE", "Before and after"])
with targets:
    found = analytics.counted("acceptance", asked)
    acceptance.targets(found)
    facts(found)
    table(found, "acceptance.targets")
with lines:
    found = analytics.counted("oee", acceptance.oee_inputs(asked))
    if not found.rows:
        nothing("No line has decided a part in this time", icon="conveyor_belt", then="Widen the time above.")
    facts(found)
    table(found, "acceptance.oee")
with change:
    found = analytics.counted("before-after", acceptance.baseline_inputs(asked))
    facts(found)
    table(found, "acceptance.change")
    acceptance.reported_escapes(asked)
