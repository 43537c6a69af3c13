"""Complaints and returns beside interception, before and after a change, and what they prove about escapes."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import streamlit as st

from app import complaints as desk
from app import context
from app.jobs.words.complaint_figures import Beside, Trend, change_sentence
from app.widgets.charts import plot
from app.widgets.frame import nothing
from app.widgets.kpis.kpi_charts import PALETTE
from app.widgets.text import plain
from core.learn.metrics.proportions import Interval
from core.plant import Site
from core.words.complaints.late import Delays


def trend(site: Site) -> None:
    """The whole tab."""
    today = desk.today(site)
    changes = context.store().complaint_counts.changes(site.name, desk.first_day(site))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        since = st.date_input("Since", desk.first_day(site), max_value=today, width=160, key="complaints.since")
        horizon = st.number_input("Told within (days)", 1, 400, desk.horizon(site), width=170,
                                  key=f"complaints.horizon.{site.name}",
                                  help="A complaint counts in the week in which its part left, if it was told of "
                                  "within so many days: so young weeks and old ones can be compared.")  # fmt: skip
        days = {f"{at.date():%d %b %Y}: {what}": at.date() for at, what in changes}
        chosen = st.selectbox("A change", list(days), None, key="complaints.changed", width=280,
                              placeholder="A model or policy that came into force")  # fmt: skip
        day = st.date_input("Before and after", days.get(chosen or ""), max_value=today, width=160,
                            key=f"complaints.change.{chosen}")  # fmt: skip
    if not isinstance(since, date):
        st.caption("Choose the first day, too.")
        return
    found = desk.trend(site, since, day if isinstance(day, date) else None, int(horizon))
    if not any(one.week.left for one in found.points):
        nothing("No part has left in this time", icon="local_shipping", then="Choose an earlier first day.")
        return
    plot(_figure(found), key="complaints.trend", height=430)
    if found.change is not None:
        st.markdown(plain(change_sentence(found.change), 400))
        change = found.change
        if change.intercepted_ratio is not None and change.intercepted_within is not None:
            low, high = change.intercepted_within
            st.markdown(f"Interception: {change.intercepted_ratio:.2f} times the rate before (95%: {low:.2f} to "
                        f"{high:.2f}).")  # fmt: skip
    for note in found.notes:
        st.caption(plain(note, 400))
    st.caption("Above: complaints and returns per thousand parts that left, with exact 95% Poisson intervals; hollow "
               "weeks may still grow. Below: of the parts that were decided, the share that model or person stopped "
               "as defective, with exact intervals.")  # fmt: skip
    _proven(desk.beside(site, since))


def _proven(found: Beside) -> None:
    st.markdown("##### What complaints prove about escapes")
    for sentence in found.sentences:
        if sentence == found.trouble:
            st.warning(plain(sentence, 500), icon=":material/error:")
        else:
            st.markdown(f"- {plain(sentence, 400)}")
    st.caption("Complaints are never added to the audits' estimate: an audited part was drawn with a known chance, a "
               "complaint came with an unknown one that hangs together with how bad the defect is.")  # fmt: skip
    delays = found.proven.delays
    if delays is not None and len(delays.days) > 1:
        plot(_late(delays), key="complaints.delays", height=240)


def _late(delays: Delays) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure(go.Scatter(x=delays.days, y=delays.share, mode="lines", line_shape="hv",
                                  line_color=PALETTE[0], name="corrected",
                                  hovertemplate="%{y:.0%} within %{x} days<extra></extra>"))  # fmt: skip
    figure.update_xaxes(title="days from leaving to telling")
    figure.update_yaxes(title="share of the reports", tickformat=".0%", range=[0, 1.05])
    return figure


def _figure(found: Trend) -> Any:
    from plotly.subplots import make_subplots

    made = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.09)
    told = [one for one in found.points if one.rate is not None]
    made.add_scatter(
        row=1, col=1, x=[one.week.start for one in told], y=[one.rate for one in told], name="complaints and returns",
        mode="lines+markers", line_color=PALETTE[4], error_y=_bars([one.rate for one in told],
                                                                   [one.within for one in told]),
        marker={"size": 8, "symbol": ["circle-open" if one.young else "circle" for one in told]},
        customdata=[[one.week.complaints, one.week.returns, one.week.left] for one in told],
        hovertemplate="week of %{x}<br>%{y:.2f} per thousand<br>%{customdata[0]} complaints, %{customdata[1]} returns "
                      "of %{customdata[2]:,} parts<extra></extra>",
    )  # fmt: skip
    caught = [one for one in found.points if one.intercepted is not None]
    made.add_scatter(
        row=2, col=1, x=[one.week.start for one in caught], y=[one.intercepted for one in caught],
        name="stopped as defective", mode="lines+markers", line_color=PALETTE[0],
        error_y=_bars([one.intercepted for one in caught], [one.intercepted_within for one in caught]),
        customdata=[[one.week.stopped, one.week.decided] for one in caught],
        hovertemplate="week of %{x}<br>%{y:.1%}<br>%{customdata[0]:,} of %{customdata[1]:,}<extra></extra>",
    )  # fmt: skip
    if found.change is not None:
        made.add_vline(x=found.change.day.isoformat(), line_dash="dash", line_color=PALETTE[7])
    made.update_yaxes(row=1, col=1, title="per thousand", rangemode="tozero")
    made.update_yaxes(row=2, col=1, title="stopped", tickformat=".0%", rangemode="tozero")
    made.update_xaxes(row=2, col=1, title="week in which the parts left")
    last = found.points[-1].week.start + timedelta(days=7)
    made.update_xaxes(range=[found.points[0].week.start - timedelta(days=4), last])
    return made


def _bars(values: Sequence[float | None], within: Sequence[Interval | None]) -> dict[str, Any]:
    pairs = [(value or 0.0, one or Interval(value or 0.0, value or 0.0))
             for value, one in zip(values, within, strict=True)]  # fmt: skip
    return {"type": "data", "array": [one.high - value for value, one in pairs],
            "arrayminus": [value - one.low for value, one in pairs], "thickness": 1}  # fmt: skip
