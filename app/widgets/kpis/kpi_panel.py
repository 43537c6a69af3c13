"""What stands beside every chart: its rows, what they mean, the query that made them, and files to take away."""

import streamlit as st

from app import analytics
from app.analytics import AnalyticsState
from app.kpis.charts import Answer
from app.kpis.drill import Behind
from app.kpis.files import as_csv, as_parquet
from app.widgets.desk.viewer import absolute
from app.widgets.kpis.kpi_charts import cells
from app.widgets.text import count, one_line, plain

WIDTH = 150


def patterns(answer: Answer) -> None:
    """How each pattern of overrides has gone in 90 days, and what follows from it."""
    found = answer.counted.more.get("patterns", [])
    if not found:
        return
    st.dataframe(
        [
            {
                "model said": one_line(one["model_said"]),
                "inspector said": one_line(one["inspector_said"]),
                "count": one["count"],
                "trend over 90 days": _trend(one["trend"]),
                "p": "–" if one["trend"] is None else f"{one['trend']['p']:.3f}",
                "p, all together": "–" if one["trend"] is None else f"{one['trend']['p_adjusted']:.3f}",
                "what follows": one["action"],
            }
            for one in found
        ],
        hide_index=True,
        height="content",
    )
    st.caption(
        "The trend is of the pattern's share of all answers of a week, in points a week (Theil and Sen), tested by "
        "Mann and Kendall; the second p holds for all patterns together (Benjamini and Hochberg)."
    )


def _trend(found: dict[str, float] | None) -> str:
    if found is None:
        return "too few weeks"
    word = "level" if found["p_adjusted"] > 0.05 else "rising" if found["slope"] > 0 else "falling"
    return f"{word}, {100 * found['slope']:+.2f} ({100 * found['low']:+.2f} to {100 * found['high']:+.2f})"


def facts(answer: Answer) -> None:
    """Hints and notes that belong to the chart."""
    for text in answer.counted.more.get("hints", []):
        st.warning(plain(text), icon=":material/build:")
    for text in answer.counted.notes:
        st.info(plain(text, 400), icon=":material/info:")
    if "waiting_now" in answer.counted.more:
        hours = answer.counted.more["oldest_hours"]
        oldest = "" if hours is None else f", the oldest for {hours:,.1f} hours"
        st.caption(f"{count(answer.counted.more['waiting_now'], 'held part')} wait now{oldest}.")


def table(answer: Answer, key: str = "analytics") -> None:
    """The rows, their definition and query, and both files."""
    rows, text, query = st.tabs(["Numbers", "What it means", "Query"], key=f"{key}.beside", on_change="rerun")
    with rows:
        st.dataframe([cells(row, answer.chart.columns) for row in answer.rows], hide_index=True, height=260)
        with st.container(horizontal=True):
            name = f"{answer.chart.name}-{answer.asked.since:%Y%m%d}-{answer.asked.until:%Y%m%d}"
            st.download_button("CSV", as_csv(answer), f"{name}.csv", "text/csv", icon=":material/download:",
                               on_click="ignore", key=f"{key}.csv")  # fmt: skip
            st.download_button("Parquet", as_parquet(answer), f"{name}.parquet", "application/vnd.apache.parquet",
                               icon=":material/download:", on_click="ignore", key=f"{key}.parquet")  # fmt: skip
    with text:
        st.text(answer.chart.definition)
    if query.open:  # what colours the code is large: browsers fetch it when somebody asks
        with query:
            st.code(answer.chart.sql, language="sql")
            given = {name: value for name, value in answer.values.items() if value is not None}
            st.caption("With " + plain(", ".join(f"{name} = {value}" for name, value in given.items()), 400))


def pictures(view: AnalyticsState, found: Behind, words: str, may_correct: bool) -> None:
    """The pictures behind a row; each leads to its correction."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(words)}**", width="content")
            st.caption(count(len(found.pictures), "picture"), width="content")
            st.space("stretch")
            st.button("Close", key="analytics.close", icon=":material/close:", on_click=analytics.open_row,
                      args=(view, None))  # fmt: skip
        if found.hidden:
            st.caption(f"{count(found.hidden, 'part')} left out: you are asked to look at them first.")
        if not found.pictures:
            st.caption("No picture can be shown for this.")
        for start in range(0, len(found.pictures), 6):
            for column, one in zip(st.columns(6), found.pictures[start : start + 6], strict=False):
                with column:
                    st.image(absolute(f"/img/{one.image_id}/thumb"), width=WIDTH, alt=f"Image {one.image_id}")
                    st.caption(f"{plain(one.site)}, {one.at:%d %b, %H:%M}  \n{plain(one.said)}")
                    if may_correct and one.part_id is not None:
                        st.button("Correct", key=f"analytics.correct.{one.image_id}", icon=":material/draw:",
                                  on_click=analytics.take, args=(view, one.part_id))  # fmt: skip
        with st.expander("Query"):
            st.code(found.sql, language="sql")
