"""Before and after a change, drawn, with the baseline that it is compared with and the form that sets one."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import streamlit as st

from app import context, reporting
from app.kpis.asked import Asked
from app.kpis.charts import Answer, Row
from app.reporting import AcceptanceState
from app.widgets.charts import plot
from app.widgets.kpis.kpi_charts import PALETTE
from app.widgets.text import local, plain
from core.kpis.baseline import Baseline, Kept
from core.roles import Action

_SHARES = ("detection", "false_rejects", "agreement")
_WORDS = {
    "parts_per_shift": "Parts per shift",
    "seconds_per_part": "Seconds a part, by hand",
    "detection": "Detection (share of defective parts found)",
    "false_rejects": "False rejects (share of good parts)",
    "agreement": "Agreement of two inspectors (share)",
    "escapes_per_year": "Escapes a year",
    "cost_of_escape": "Cost of an escape",
    "cost_of_scrap": "Cost of a scrapped part",
    "shift_hours": "Hours of a shift",
    "shifts_per_week": "Shifts a week",
}


def change_day(asked: Asked) -> Asked:
    """The first day after the change."""
    middle = asked.since + (asked.until - asked.since) / 2
    day = st.date_input("Changed on", middle.date(), max_value=context.now().date() + timedelta(days=1),
                        key=f"acceptance.change.{asked.since:%Y%m%d}.{asked.until:%Y%m%d}", width=170)  # fmt: skip
    return replace(asked, change=datetime.combine(day, time()) if day else None)


def comparison(answer: Answer) -> None:
    """Every figure with its baseline, before, after, and what the change did."""
    rows = [
        {
            "figure": row["figure"],
            "baseline": _said(row["baseline"], row["unit"]),
            "before": _between(row, "before"),
            "after": _between(row, "after"),
            "the change did (95%)": "not enough weeks"
            if row["effect"] is None
            else f"{_said(row['effect'], row['unit'], sign=True)} ({_said(row['low'], row['unit'], sign=True)} to "
            f"{_said(row['high'], row['unit'], sign=True)})",
            "p": "–" if row["p"] is None else f"{row['p']:.3f}",
        }
        for row in answer.rows
    ]
    st.dataframe(rows, hide_index=True, height="content")
    st.caption(
        "The baseline was typed; before and after are measured, with 95% intervals where audits or second looks give "
        "them. What the change did is the mean distance from the line that the weeks before carry on."
    )


def _between(row: Row, side: str) -> str:
    value, low, high = row[side], row[f"{side}_low"], row[f"{side}_high"]
    if value is None and low is None:
        return "not known"
    told = "not known" if value is None else _said(value, row["unit"])
    return told if low is None else f"{told} ({_said(low, row['unit'])} to {_said(high, row['unit'])})"


def _said(value: float | None, unit: str, sign: bool = False) -> str:
    if value is None:
        return "–"
    plus = "+" if sign else ""
    if unit == "share":
        return f"{100 * value:{plus}.2f}{' points' if sign else '%'}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:{plus},.{digits}f}" + ("" if unit in ("money", "parts") else f" {unit}")


def weeks(answer: Answer) -> None:
    """One figure week by week: what was measured, the fitted line, and where the weeks before were going."""
    import plotly.graph_objects as go

    series: Mapping[str, Mapping[str, Any]] = answer.counted.more["series"]
    there = [name for name, one in series.items() if any(value is not None for value in one["values"])]
    if not there:
        return
    name = st.selectbox("Week by week", there, key="acceptance.figure", width=360)
    row = next(one for one in answer.rows if one["figure"] == name)
    one, share = series[name], row["unit"] == "share"
    starts: Sequence[Any] = one["weeks"]
    form = "%{y:.2%}" if share else "%{y:,.2f}"
    figure = go.Figure()
    if "fitted" in one:
        at = [starts[place] for place in one["places"]]
        after = at[len(at) - len(one["carried"]) :]
        figure.add_scatter(
            x=[*after, *reversed(after)], y=[*one["carried_high"], *reversed(one["carried_low"])], fill="toself",
            fillcolor="rgba(138,148,158,.22)", line={"width": 0}, hoverinfo="skip", showlegend=False, mode="lines",
        )  # fmt: skip
        figure.add_scatter(x=after, y=one["carried"], mode="lines", name="as the weeks before were going",
                           line={"dash": "dash", "color": PALETTE[7]}, hoverinfo="skip")  # fmt: skip
        split = len(at) - len(after)
        for part in (slice(0, split), slice(split, None)):
            figure.add_scatter(x=at[part], y=one["fitted"][part], mode="lines", name="fitted", legendgroup="fitted",
                               showlegend=part.start == 0, line={"color": PALETTE[4], "width": 2},
                               hoverinfo="skip")  # fmt: skip
    figure.add_scatter(x=list(starts), y=one["values"], mode="markers", name="measured", marker={"color": PALETTE[0]},
                       hovertemplate=f"week of %{{x}}<br>{form}<extra></extra>")  # fmt: skip
    if row["baseline"] is not None:
        figure.add_hline(y=row["baseline"], line_dash="dot", line_color=PALETTE[7], annotation_text="baseline (typed)",
                         annotation_position="top left")  # fmt: skip
    moment = (
        datetime.combine(answer.counted.more["change"], time(), UTC).timestamp() * 1000
    )  # an axis of days is in UTC
    figure.add_vline(x=moment, line_width=1, line_color=PALETTE[7], annotation_text="change",
                     annotation_position="top right")  # fmt: skip
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title="week that begins on")
    figure.update_yaxes(title=name, tickformat=".1~%" if share else ",", rangemode="tozero")
    plot(figure, key=f"acceptance.weeks.{name}", height=360)


def baseline(view: AcceptanceState, site: str | None) -> None:
    """The baseline that counts, who set it, and the form that sets another one."""
    if site is None:
        return
    kept = context.store().reported.baselines(site)
    number = kept[0].number if kept else 0
    _standing(kept[0] if kept else None, site)
    if not context.may(Action.POLICY):
        return
    with st.popover("Set the baseline", icon=":material/edit:"), st.form(f"acceptance.baseline.{site}.{number}"):
        start = kept[0].baseline if kept else Baseline()
        columns = st.columns(2)
        figures = {
            one.name: float(
                columns[place % 2].number_input(
                    _WORDS[one.name], min_value=0.0, max_value=1.0 if one.name in _SHARES else None,
                    value=float(getattr(start, one.name)), step=0.01 if one.name in _SHARES else 1.0,
                    key=f"acceptance.{site}.{number}.{one.name}",
                )
            )
            for place, one in enumerate(fields(Baseline))
        }  # fmt: skip
        reason = st.text_input("Where these figures come from", max_chars=300, key=f"acceptance.{site}.{number}.why")
        if st.form_submit_button("Set", icon=":material/check:", type="primary"):
            reporting.set_baseline(view, site, figures, reason, number)
            st.rerun()
    if len(kept) > 1:
        with st.expander("Earlier baselines"):
            for one in kept[1:]:
                _standing(one, site)


def _standing(kept: Kept | None, site: str) -> None:
    if kept is None:
        return
    zone = context.store().sites.get(site).timezone
    st.caption(f"Baseline {kept.number}, set by {plain(kept.by)}, {local(kept.at, zone)}: {plain(kept.reason, 300)}")
