"""Bars, bands and curves, drawn the same way on every page."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.widgets.text import plain, share


def class_bars(scores: Mapping[str, float], most: int = 4) -> None:
    """Class scores as labelled bars, the likeliest first."""
    for name, value in sorted(scores.items(), key=lambda pair: -pair[1])[:most]:
        st.progress(min(1.0, max(0.0, value)), text=f"{plain(name)} **{share(value)}**")


def score_band(score: float | None, band: tuple[float, float] | None, key: str) -> None:
    """Where a score lies between pass, hold and fail: a line with the band marked and the words beside it."""
    if score is None:
        st.caption("No score: nothing could be scored.")
        return
    low, high = band or (0.0, 1.0)
    st.html(_band(score, low, high))
    st.caption(
        f"score **{share(score)}** · hold from {share(low)} to {share(high)}"
        if band
        else f"score **{share(score)}** · no policy in force"
    )


def hold_band(band: tuple[float, float]) -> None:
    """Which scores pass, are held and fail, as a line without any one score on it."""
    st.html(_band(None, *band))


def _band(score: float | None, low: float, high: float) -> str:
    """Pass, hold and fail as a line with the score on it; made of numbers only, so nothing comes from outside."""
    parts = (("pass", 0.0, low, "#0b7a4b"), ("hold", low, high, "#c98a1b"), ("fail", high, 1.0, "#b3202c"))
    segments = "".join(
        f'<div title="{word}" style="left:{start:.2%};width:{max(0.0, end - start):.2%};background:{colour}"></div>'
        for word, start, end, colour in parts
    )
    words = f"hold from {low:.2f} to {high:.2f}"
    mark = ""
    if score is not None:
        words, mark = f"score {score:.2f}, {words}", f'<i style="left:{score:.2%}"></i>'
    return f'<div class="band" role="img" aria-label="{words}">{segments}{mark}</div>'


def plot(figure: Any, key: str, height: int = 320) -> None:
    """A plotly figure in the page's own colours, without its tool bar."""
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}  # above: below, it lies over the axis' title
    figure.update_layout(height=height, margin={"l": 10, "r": 10, "t": 30, "b": 10}, legend=legend)
    st.plotly_chart(figure, key=key, config={"displayModeBar": False, "displaylogo": False})


def confusion(matrix: Sequence[Sequence[float]], names: Sequence[str], key: str) -> None:
    """A confusion matrix, rows what it was and columns what was said."""
    import plotly.graph_objects as go

    labels = [name.replace("<", "‹") for name in names]
    figure = go.Figure(
        go.Heatmap(
            z=[list(row) for row in matrix],
            x=labels,
            y=labels,
            texttemplate="%{z}",
            colorscale="Blues",
            showscale=False,
            hovertemplate="was %{y}<br>said %{x}<br>%{z}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", title="was")
    figure.update_xaxes(title="said")
    plot(figure, key, height=80 + 46 * max(3, len(labels)))
