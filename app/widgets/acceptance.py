"""What the acceptance page asks and shows: targets with their standing, OEE, before and after."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime, time, timedelta
from typing import Any

import streamlit as st

from app import context
from app.kpis.asked import Asked
from app.kpis.charts import Answer
from app.widgets.kpi_filters import site_and_days
from app.widgets.text import count, plain
from core.kpis.acceptance import Met
from core.kpis.baseline import Baseline

_LOOKS: Mapping[str, tuple[str, str]] = {
    Met.MET: ("green", ":material/check_circle:"),
    Met.MISSED: ("red", ":material/cancel:"),
    Met.UNSURE: ("orange", ":material/help:"),
    Met.UNKNOWN: ("gray", ":material/remove:"),
}
_STEPS = {"detection": 0.01, "false_rejects": 0.01, "agreement": 0.01}
_SHARES = {"recall", "false reject rate", "miss rate", "accuracy", "availability"}


def question() -> Asked | None:
    """Site and time, as the controls stand."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        site, days = site_and_days("acceptance")
    return None if days is None else Asked(*days, site=site)


def targets(answer: Answer) -> None:
    """Each with its value, interval, n and standing."""
    for row in answer.rows:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            colour, icon = _LOOKS[row["standing"]]
            st.badge(row["standing"], color=colour, icon=icon)  # type: ignore[arg-type]  # the colours above
            st.markdown(f"**{plain(row['target'])}**, {plain(row['wanted'])}", width=260)
            st.markdown(_measured(row), width=330)
            st.caption(plain(row["definition"], 300), width="stretch")


def _measured(row: Mapping[str, Any]) -> str:
    if row["low"] is None or row["high"] is None or not row["n"]:
        return "nothing measured"
    form = "{:.2%}" if row["target"] in _SHARES else "{:.3g}" if row["target"] != "latency p99" else "{:.3g} ms"
    value = "not known" if row["measured"] is None else form.format(row["measured"])
    return f"{value}, between {form.format(row['low'])} and {form.format(row['high'])}, n {row['n']:,}"


def oee_inputs(asked: Asked) -> Asked:
    """What nobody measures."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ideal = st.number_input("Ideal parts a minute", 0.1, 10_000.0, 20.0, 1.0, key="acceptance.ideal", width=200)
        hours = st.number_input("Planned hours a day", 0.5, 24.0, None, 0.5, key="acceptance.hours", width=200,
                                placeholder="as measured")  # fmt: skip
    return replace(asked, ideal_per_minute=float(ideal), planned_hours=None if hours is None else float(hours))


def baseline_inputs(asked: Asked) -> Asked:
    """The day of the change, and how it was before."""
    now = context.now()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        middle = asked.since + (asked.until - asked.since) / 2
        day = st.date_input("Changed on", middle.date(), max_value=now.date() + timedelta(days=1),
                            key=f"acceptance.change.{asked.since:%Y%m%d}.{asked.until:%Y%m%d}", width=170)  # fmt: skip
        with st.popover("Baseline", icon=":material/edit:"):
            typed = {
                one.name: float(
                    st.number_input(one.name.replace("_", " ").capitalize(), min_value=0.0,
                                    max_value=1.0 if one.name in _STEPS else None, value=float(one.default),  # type: ignore[arg-type]
                                    step=_STEPS.get(one.name, 1.0), key=f"acceptance.{one.name}")
                )
                for one in fields(Baseline)
            }  # fmt: skip
    change = datetime.combine(day, time()) if day else None
    return replace(asked, change=change, baseline=Baseline(**typed))


def reported_escapes(asked: Asked) -> None:
    """What customers have told; it stands by itself, never on an axis with what audits estimate."""
    found = st.number_input("Escapes that customers reported in this time", 0, 1_000_000, None, width=340,
                            key="acceptance.reported", placeholder="not known")  # fmt: skip
    if found is not None:
        days = (asked.until - asked.since).days
        st.caption(
            f"At least {count(int(found), 'part')} in {count(days, 'day')}: a lower bound, and a late one. It is no "
            "estimate of what escapes and is not compared with one."
        )
