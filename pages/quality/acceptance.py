"""Acceptance: each target beside what was measured, OEE by line, before and after a change, and customers' reports."""

import streamlit as st

from app import analytics
from app.reporting import AcceptanceState
from app.state import state
from app.widgets.frame import nothing, notices, title
from app.widgets.kpis import acceptance, before_after, reports
from app.widgets.kpis.kpi_panel import facts, table

view = state(AcceptanceState)
title("quality/acceptance")
notices(view.message, view.failed)
asked = acceptance.question()
if asked is None:
    st.caption("Choose the last day, too.")
    st.stop()

targets, lines, change, told = st.tabs(["Targets", "OEE", "Before and after", "Customers' reports"],
                                       key="acceptance.part", on_change="rerun")  # fmt: skip
if targets.open:  # the others are counted when they are opened
    with targets:
        found = analytics.counted("acceptance", asked)
        acceptance.targets(found)
        facts(found)
        table(found, "acceptance.targets")
if lines.open:
    with lines:
        found = analytics.counted("oee", acceptance.oee_inputs(asked))
        if not found.rows:
            nothing("No line has decided a part in this time", icon="conveyor_belt", then="Widen the time above.")
        facts(found)
        table(found, "acceptance.oee")
if change.open:
    with change:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            wanted = before_after.change_day(asked)
            before_after.baseline(view, asked.site)
        found = analytics.counted("before-after", wanted)
        facts(found)
        before_after.comparison(found)
        before_after.weeks(found)
        table(found, "acceptance.change")
if told.open:
    with told:
        found = analytics.counted("reported-escapes", asked)
        reports.reported(found)
        facts(found)
        reports.entry(view, asked.site)
        reports.rows(view, asked.site, (asked.until - asked.since).days)
        table(found, "acceptance.reported")
