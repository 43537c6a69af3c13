"""What customers have reported: a chart of its own, the reports, and the two ways to enter them."""

from datetime import timedelta

import streamlit as st

from app import context, reporting
from app.kpis.charts import Answer
from app.reporting import AcceptanceState
from app.widgets.charts import plot
from app.widgets.frame import nothing
from app.widgets.kpis.kpi_charts import PALETTE
from app.widgets.text import count, local, plain
from core.kpis.escapes import COLUMNS, Entered
from core.roles import Action

_SHOWN = 40


def reported(answer: Answer) -> None:
    """Parts by the week of the report, by themselves: never beside what audits estimate."""
    import plotly.graph_objects as go

    if not answer.rows:
        nothing("No customer has reported a part in this time", icon="mark_email_unread",
                then="That proves nothing: reports come late, and most escapes are never reported.")  # fmt: skip
        return
    figure = go.Figure()
    figure.add_bar(x=[row["bucket"] for row in answer.rows], y=[row["parts"] for row in answer.rows],
                   marker_color=PALETTE[3], customdata=[[row["reports"], row["days_late"]] for row in answer.rows],
                   hovertemplate="week of %{x}<br>%{y:,} parts in %{customdata[0]} reports<extra></extra>")  # fmt: skip
    figure.update_xaxes(title="week of the report that begins on")
    figure.update_yaxes(title="parts that customers reported", tickformat=",d", rangemode="tozero")
    plot(figure, key="acceptance.reported", height=280)
    late = [row["days_late"] for row in answer.rows if row["days_late"] is not None]
    if late:
        st.caption(f"Reports came up to {max(late):,.0f} days after shipping, by the median of a week.")


def entry(view: AcceptanceState, site: str | None) -> None:
    """One report typed, or many from a file."""
    if not context.may(Action.POLICY):
        return
    if site is None:
        st.caption("Choose a site above to enter what its customers have reported.")
        return
    typed, file = st.tabs(["Enter one", "From a file"])
    with typed:
        _form(view, site)
    with file:
        upload = st.file_uploader("Reports as CSV", type=["csv"], key=f"acceptance.upload.{site}",
                                  help=f"Columns: {', '.join(COLUMNS)}; reported_on has to be there.")  # fmt: skip
        if upload is not None and st.button("Take them in", icon=":material/upload:", key="acceptance.import"):
            reporting.import_file(view, site, upload.name, upload.getvalue())
            st.rerun()
        if view.bad:
            st.markdown(f"**{count(len(view.bad), 'row')} not taken**")
            st.dataframe([{"line": one.line, "why": one.why} for one in view.bad], hide_index=True, height="content")


def _form(view: AcceptanceState, site: str) -> None:
    today = context.store().reported.today(site, context.now())
    classes = {one.id: one.label for one in context.store().sites.get(site).taxonomy.classes}
    with st.form(f"acceptance.report.{site}", clear_on_submit=True):
        first, second, third = st.columns(3)
        entered = {
            "reported_on": first.date_input("Reported on", today, max_value=today),
            "shipped_on": second.date_input("Shipped on", None, max_value=today),
            "parts": int(third.number_input("Defective parts", 1, 1_000_000, 1)),
            "customer": first.text_input("Customer", max_chars=200),
            "reference": second.text_input("Their number for it", max_chars=100),
            "part": third.text_input("Part, if known", max_chars=200),
            "class_id": first.selectbox("Defect, if known", list(classes), index=None, format_func=classes.__getitem__),
            "note": st.text_input("Note", max_chars=300),
        }
        if st.form_submit_button("Keep the report", icon=":material/mark_email_read:", type="primary"):
            reporting.report(view, site, entered)
            st.rerun()


def rows(view: AcceptanceState, site: str | None, days: int) -> None:
    """The reports themselves, the last one first."""
    since = (context.now() - timedelta(days=days + 1)).date()
    found = context.store().reported.escapes(site, since, limit=_SHOWN + 1)
    for one in found[:_SHOWN]:
        _row(view, one)
    if len(found) > _SHOWN:
        st.caption("And more: the file of the chart has them all.")


def _row(view: AcceptanceState, one: Entered) -> None:
    escape = one.escape
    what = [count(escape.parts, "part"), escape.customer, escape.reference or "", escape.part, escape.class_id or "",
            "" if escape.shipped_on is None else f"shipped {escape.shipped_on:%d %b %Y}", escape.note]  # fmt: skip
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap=None):
            line = f"**{escape.reported_on:%d %b %Y}** · {plain(' · '.join(word for word in what if word), 300)}"
            st.markdown(line if one.taken_back_by is None else f":gray[{line}]")
            st.caption(f"{plain(one.site)} · entered by {plain(one.by)} ({plain(one.source)}), {local(one.at)}")
        if one.taken_back_by is not None:
            st.badge(f"taken back by {one.taken_back_by}", icon=":material/undo:", color="gray")
            st.caption(plain(one.why), width="content")
        elif context.may(Action.POLICY):
            key = f"acceptance.back.{one.number}"
            with st.popover("Take back", icon=":material/undo:"):
                st.text_input("Why", key=key, max_chars=300)
                st.button("Take it back", key=f"{key}.do", on_click=reporting.take_back,
                          args=(view, one.number, key))  # fmt: skip
