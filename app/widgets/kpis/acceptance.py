"""What the acceptance page asks and shows: targets with their standing, and OEE."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app.kpis.asked import Asked
from app.kpis.charts import Answer
from app.widgets.kpis.kpi_filters import site_and_days
from app.widgets.text import plain
from core.kpis.acceptance import Met

_LOOKS: Mapping[str, tuple[str, str]] = {
    Met.MET: ("green", ":material/check_circle:"),
    Met.MISSED: ("red", ":material/cancel:"),
    Met.UNSURE: ("orange", ":material/help:"),
    Met.UNKNOWN: ("gray", ":material/remove:"),
}
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
