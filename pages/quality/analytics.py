"""Analytics: any chart's numbers with intervals, n, definition and query, and the pictures behind each bar."""

import streamlit as st

from app import analytics, command_bar, context
from app.analytics import AnalyticsState
from app.state import state
from app.widgets.frame import nothing, notices, title
from app.widgets.kpis.kpi_charts import draw, words_of
from app.widgets.kpis.kpi_filters import question
from app.widgets.kpis.kpi_panel import facts, patterns, pictures, table
from app.widgets.words.command_bar import command, meaning
from core.kpis.rates import MEASURES
from core.roles import Action

view = state(AnalyticsState)
title("quality/analytics")
analytics.follow(view)
notices(view.message, view.failed)
meaning("analytics", command("analytics", "burrs on line D since Monday"), command_bar.apply)
asked = question()
if asked is None:
    st.caption("Choose the last day, too.")
    st.stop()

chart, wanted = asked
found = analytics.counted(chart.name, wanted)
measure = None
if chart.name == "rates":
    measure = st.segmented_control("Measure", MEASURES, default=MEASURES[0], key="analytics.measure", required=True)
analytics.start(view, (chart.name, wanted, measure))
if not found.rows:
    nothing("Nothing was counted in this time", icon="query_stats", then="Widen the time, or take filters off.")
    table(found)
    st.stop()

facts(found)
pressed = draw(found, measure, f"analytics.figure.{chart.name}.{hash((wanted, measure))}")
rows = [n for n, row in enumerate(found.rows) if measure is None or row["measure"] == measure]
if pressed is not None:
    view.row = pressed
chosen = st.selectbox("Pictures behind", rows, index=None, key=f"analytics.row.{chart.name}.{measure}",
                      placeholder="Press a bar or a point, or choose it here", width=520,
                      format_func=lambda n: words_of(found, found.rows[n]))  # fmt: skip
row = view.row if chosen is None else chosen
if row is not None and row < len(found.rows):
    behind = analytics.behind(found, found.rows[row])
    pictures(view, behind, words_of(found, found.rows[row]), context.may(Action.REVIEW))
patterns(found)
table(found)
