"""What was read, and a person's word on it."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from app import context
from app.printing import PrintsState, say
from app.private import covers_texts, texts_of
from app.widgets.charts import plot
from app.widgets.desk.viewer import absolute, picture_url
from app.widgets.frame import nothing
from app.widgets.text import local, one_line, plain, share
from core.decide.bounds import exact_intervals
from data.store.line.print_rows import ImageRead
from data.store.line.prints import ReadShare


def recent(read: Sequence[ImageRead], zone: str, private: bool) -> None:
    """The last readings: picture, text, how sure, how long it took."""
    images = {one.id: one for one in context.store().images.many([one.image_id for one in read]).values()}
    st.dataframe(
        [
            {
                "picture": absolute(picture_url(images[one.image_id], "thumb")) if one.image_id in images else "",
                "read": one_line(" / ".join(texts_of(one.reading, private)), 200) or "nothing",
                "least sure": min((line.sure for line in one.reading.prints), default=None),
                "problem": one_line(one.reading.failed or "", 120),
                "seconds": one.reading.milliseconds / 1000,
                "view": one.view or "",
                "when": local(one.read_at, zone),
            }
            for one in read
        ],
        hide_index=True,
        row_height=54,
        column_config={
            "picture": st.column_config.ImageColumn(width="small"),
            "least sure": st.column_config.NumberColumn(format="%.2f"),
            "seconds": st.column_config.NumberColumn(format="%.1f"),
        },
    )


def one_by_one(view: PrintsState, site: str, read: ImageRead | None, languages: Mapping[str, str]) -> None:
    """One reading drawn by chance beside its picture: is it what is printed?"""
    if read is None:
        nothing("Every reading has been looked at", icon="task_alt", then="New ones come with the next parts.")
        return
    image = context.store().images.get(read.image_id)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.image(absolute(picture_url(image)), caption=plain(image.capture.part or "", 60))
    with right:
        st.caption("Is this what is printed, word for word?")
        private = covers_texts(context.store(), site)
        for line, text in zip(read.reading.prints, texts_of(read.reading, private), strict=True):
            st.text(f"{text}   ({share(line.sure)})")
        if not read.reading.prints:
            st.text(read.reading.failed or "nothing")
        language = st.selectbox("Language", list(languages), key=f"prints.{site}.language",
                                format_func=languages.__getitem__)  # fmt: skip
        with st.container(horizontal=True):
            st.button("Right", key=f"prints.right.{read.id}", icon=":material/check:", shortcut="A", type="primary",
                      on_click=say, args=(view, read.id, True, language))  # fmt: skip
            st.button("Wrong", key=f"prints.wrong.{read.id}", icon=":material/close:", shortcut="S",
                      on_click=say, args=(view, read.id, False, language))  # fmt: skip


def accuracy(found: Sequence[ReadShare], languages: Mapping[str, str]) -> None:
    """Share of readings that were right, by language, with exact 95% intervals (Clopper & Pearson 1934)."""
    if not found:
        st.caption("Nobody has looked at a reading yet.")
        return
    low, high = exact_intervals([one.right for one in found], [one.checked for one in found])
    shares = [one.right / one.checked for one in found]
    chart = go.Figure(
        go.Bar(
            x=[languages.get(one.language, one.language) for one in found],
            y=shares,
            error_y={"type": "data", "array": [up - at for up, at in zip(high, shares, strict=True)],
                     "arrayminus": [at - down for at, down in zip(shares, low, strict=True)]},
            text=[f"{one.right} of {one.checked}" for one in found],
        )
    )  # fmt: skip
    chart.update_yaxes(range=[0, 1.05], title="share of readings that are right")
    plot(chart, key="prints.accuracy")
