"""What is asked of the analytics: a chart, a site and a time, how to count, and one of each filter."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

import streamlit as st

from app import context
from app.kpis.asked import Asked
from app.kpis.charts import Chart, charts
from app.widgets.text import one_line

DAYS = 90
HOURS = 7
OWN_PAGE = ("acceptance", "oee", "before-after", "reported-escapes")


def question() -> tuple[Chart, Asked] | None:
    """The chart and the question as the controls stand; None while the time is half chosen.

    Every choice is from a list that is made here; what an address says and is not in it, Streamlit drops.
    """
    places = context.store().facts.places()
    every = {name: chart for name, chart in charts().items() if name not in OWN_PAGE}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Chart", list(every), key="analytics.chart", width=240, bind="query-params",
                            format_func=lambda one: every[one].title)  # fmt: skip
        chart = every[name]
        site = _one("Site", [one for one, _, _ in places.sites.values()], "site", "All", 170)
        grain = st.selectbox("By", chart.grains, key=f"analytics.grain.{name}", width=110)
        by = None
        if chart.groups:
            by = _one("For each", chart.groups, f"by.{name}", "All together", 150)
        days = _days(grain)
        with st.popover("Filters", icon=":material/filter_alt:"):
            line = _one("Line", _names(places.lines, places.line_sites, places.sites, site), "line")
            camera = _one("Camera", _names(places.cameras, places.camera_sites, places.sites, site), "camera")
            kind = _one("Part type", _names(places.part_types, places.part_type_sites, places.sites, site), "kind")
            model = _one("Model", [one.name for one in context.store().models.all()], "model")
            number = st.number_input("Policy", min_value=1, value=None, step=1, key="analytics.policy")
            class_id = None
            if "class" in chart.groups:
                class_id = _one("Class", sorted({one for _, one in places.classes}), "class")
    if days is None:
        return None
    return chart, Asked(
        *days, grain=grain, by=by, site=site, line=line, camera=camera, part_type=kind, class_id=class_id, model=model,
        policy=None if number is None else int(number),
    )  # fmt: skip


def site_and_days(page: str) -> tuple[str | None, tuple[datetime, datetime] | None]:
    """A site and a time for a page that asks for nothing else."""
    places = context.store().facts.places()
    site = st.selectbox("Site", [name for name, _, _ in places.sites.values()], index=None, key=f"{page}.site",
                        placeholder="All", width=170, format_func=one_line, bind="query-params")  # fmt: skip
    return site, _days("week", page)


def _one(label: str, names: Sequence[str], key: str, empty: str = "All", width: int | None = None) -> str | None:
    return st.selectbox(label, list(dict.fromkeys(names)), index=None, key=f"analytics.{key}", placeholder=empty,
                        width=width or "stretch", format_func=one_line, bind="query-params")  # fmt: skip


def _names(
    names: Mapping[int, str], at: Mapping[int, int], sites: Mapping[int, tuple[str, str, int]], site: str | None
) -> list[str]:
    return [name for number, name in names.items() if site is None or sites[at[number]][0] == site]


def _days(grain: str, page: str = "analytics") -> tuple[datetime, datetime] | None:
    today = context.now().date()
    first = today - timedelta(days=(HOURS if grain == "hour" else DAYS) - 1)
    chosen = st.date_input("From – to", (first, today), key=f"{page}.days.{grain}", width=230)
    if not isinstance(chosen, tuple) or len(chosen) != 2:
        return None
    start, end = chosen
    return _midnight(start), _midnight(end) + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
