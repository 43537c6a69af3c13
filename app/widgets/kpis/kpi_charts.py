"""Charts of the analytics: the same shape for the same kind of number, intervals as bands, n and definition beside."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from app import context, theme
from app.kpis.charts import Answer, Row
from app.widgets.text import one_line

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8a7f00", "#8a949e")  # Okabe and Ito
OUTCOMES = {"passed": "#0b7a4b", "held": "#c98a1b", "failed": "#b3202c"}
MOST_SERIES = 8
HEIGHT = 380
SURE = 0.85  # under which the daily mean is too low
SLOW_MS = 200.0
_FEW = 8  # up to which an axis has a tick at each whole number

Index = Sequence[tuple[int, Row]]  # rows with their numbers in the answer


def figure(answer: Answer, measure: str | None) -> Any:
    """The figure of an answer; a point's first custom datum is the number of its row."""
    import plotly.graph_objects as go

    made = go.Figure(layout={"barmode": "stack"})
    rows = [(n, row) for n, row in enumerate(answer.rows) if measure is None or row["measure"] == measure]
    _DRAWN[answer.chart.name](made, rows, answer)
    made.update_layout(height=HEIGHT, margin={"l": 10, "r": 10, "t": 34, "b": 10}, hovermode="closest",
                       legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})  # fmt: skip
    return made


def series_colours(names: Sequence[str]) -> dict[str, str]:
    """A class has its colour of every other page; anything else one of the palette, by its place."""
    known: dict[str, str] = {}
    for site in context.store().sites.all():
        known |= theme.class_colours(site.taxonomy.ids)
    return {name: known.get(name, PALETTE[place % len(PALETTE)]) for place, name in enumerate(names)}


def _by(rows: Index, name: str) -> dict[str, list[tuple[int, Row]]]:
    found: dict[str, list[tuple[int, Row]]] = defaultdict(list)
    for number, row in rows:
        found[str(row[name])].append((number, row))
    largest = sorted(found, key=lambda one: -sum(row.get("n") or row.get("parts") or 1 for _, row in found[one]))
    return {one: found[one] for one in sorted(largest[:MOST_SERIES])}


def _bars(made: Any, rows: Index, x: str, y: str, name: str, colour: str, hover: str = "%{y}") -> None:
    made.add_bar(
        x=[row[x] for _, row in rows], y=[row[y] for _, row in rows], name=one_line(name, 40), marker_color=colour,
        customdata=[[number] for number, _ in rows], hovertemplate=f"%{{x}}<br>{hover}<extra></extra>",
    )  # fmt: skip


def _line(made: Any, rows: Index, y: str, name: str, colour: str, **more: Any) -> None:
    made.add_scatter(
        x=[row["bucket"] for _, row in rows], y=[row[y] for _, row in rows], name=one_line(name, 40),
        mode="lines+markers", line={"color": colour}, connectgaps=False,
        customdata=[[number, row.get("low"), row.get("high"), row.get("n")] for number, row in rows], **more,
    )  # fmt: skip


def _band(made: Any, rows: Index, colour: str) -> None:
    """From low to high; where a whole bucket says nothing, it reaches from 0 to 1 as it should."""
    there = [row for _, row in rows if row["low"] is not None and row["high"] is not None]
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    made.add_scatter(
        x=[row["bucket"] for row in there] + [row["bucket"] for row in reversed(there)],
        y=[row["high"] for row in there] + [row["low"] for row in reversed(there)],
        fill="toself", fillcolor=f"rgba({red},{green},{blue},.16)", line={"width": 0}, hoverinfo="skip",
        showlegend=False, mode="lines",
    )  # fmt: skip


_WITHIN = (
    "%{x}<br>%{y:.2%}, between %{customdata[1]:.2%} and %{customdata[2]:.2%}<br>n %{customdata[3]:,}<extra></extra>"
)


def _counts(made: Any, title: str) -> None:
    """Whole numbers on the axis, and each of them once."""
    heights: Counter[Any] = Counter()
    for one in made.data:
        for x, y in zip(one.x, one.y, strict=True):
            heights[x] += (y or 0) if one.type == "bar" else 0  # bars stand on each other
            heights[one.name, x] = y or 0
    top = max(heights.values(), default=0)
    made.update_yaxes(title=title, tickformat=",d", dtick=1 if top < _FEW else None)


def _overrides(made: Any, rows: Index, answer: Answer) -> None:
    named = [(number, {**row, "said": f"{row['model_said']} → {row['inspector_said']}"}) for number, row in rows]
    groups = _by(named, "said")
    for (said, some), colour in zip(groups.items(), PALETTE, strict=False):
        _bars(made, some, "week", "count", said, colour, "%{y} answers")
    _counts(made, "answers against the model")
    made.update_xaxes(title="week that begins on")


def _rates(made: Any, rows: Index, answer: Answer) -> None:
    _shares(made, rows, "value", "rate")


def _held(made: Any, rows: Index, answer: Answer) -> None:
    _shares(made, rows, "hold_rate", "held when first decided")


def _shares(made: Any, rows: Index, y: str, words: str) -> None:
    groups = _by(rows, "group")
    colours = series_colours(list(groups))
    for group, some in groups.items():
        _band(made, some, colours[group])
        _line(made, some, y, group, colours[group], hovertemplate=_WITHIN)
    made.update_yaxes(title=words, tickformat=".0%", rangemode="tozero")


def _throughput(made: Any, rows: Index, answer: Answer) -> None:
    if answer.asked.by is None:
        for name, colour in OUTCOMES.items():
            _bars(made, rows, "bucket", name, name, colour, f"%{{y:,}} {name}")
    else:
        for (group, some), colour in zip(_by(rows, "group").items(), PALETTE, strict=False):
            _bars(made, some, "bucket", "parts", group, colour, "%{y:,} parts")
    _counts(made, "parts")


def _latency(made: Any, rows: Index, answer: Answer) -> None:
    if answer.asked.by is None:
        for name, colour in zip(("p50", "p95", "p99"), PALETTE, strict=False):
            _line(made, rows, name, name.upper(), colour, hovertemplate="%{x}<br>%{y:.0f} ms<extra></extra>")
    else:
        for (group, some), colour in zip(_by(rows, "group").items(), PALETTE, strict=False):
            _line(made, some, "p99", group, colour, hovertemplate="%{x}<br>P99 %{y:.0f} ms<extra></extra>")
    made.add_hline(y=SLOW_MS, line_dash="dash", annotation_text="200 ms")
    made.update_yaxes(title="milliseconds", rangemode="tozero")


def _confidence(made: Any, rows: Index, answer: Answer) -> None:
    days = 7 if answer.asked.grain == "week" else 1
    made.add_histogram2d(
        x=[row["bucket"] for _, row in rows], y=[row["confidence"] + 0.025 for _, row in rows],
        z=[row["share"] for _, row in rows], histfunc="sum", colorscale="Blues", showscale=False,
        xbins={"start": min(row["bucket"] for _, row in rows).isoformat(), "size": days * 86_400_000},
        ybins={"start": 0.5, "end": 1.0, "size": 0.05}, hovertemplate="%{x}<br>%{y}: %{z:.0%}<extra></extra>",
    )  # fmt: skip
    means = {row["bucket"]: (number, row) for number, row in rows}
    _line(made, [means[bucket] for bucket in sorted(means)], "mean", "mean", PALETTE[4],
          hovertemplate="%{x}<br>mean %{y:.3f}<extra></extra>")  # fmt: skip
    made.add_hline(y=SURE, line_dash="dash", annotation_text=".85")
    made.update_yaxes(title="confidence", range=[0.5, 1.0])


def _backlog(made: Any, rows: Index, answer: Answer) -> None:
    _bars(made, rows, "bucket", "opened", "held", OUTCOMES["held"], "%{y:,} held")
    _line(
        made, rows, "answered", "answered", OUTCOMES["passed"], hovertemplate="%{x}<br>%{y:,} answered<extra></extra>"
    )
    _line(made, rows, "waiting", "waiting at the end", PALETTE[0], hovertemplate="%{x}<br>%{y:,} wait<extra></extra>")
    _counts(made, "parts")


def _labour(made: Any, rows: Index, answer: Answer) -> None:
    for (group, some), colour in zip(_by(rows, "group").items(), PALETTE, strict=False):
        _line(made, some, "per_hour", group, colour, hovertemplate="%{x}<br>%{y:.0f} an hour<extra></extra>")
    made.update_yaxes(title="items per inspector-hour", rangemode="tozero")


def _defects(made: Any, rows: Index, answer: Answer) -> None:
    groups = _by(rows, "class")
    colours = series_colours(list(groups))
    for name, some in groups.items():
        made.add_bar(
            x=[row["line"] for _, row in some], y=[row["share"] for _, row in some], name=one_line(name, 40),
            marker_color=colours[name], customdata=[[number, row["n"], row["parts"]] for number, row in some],
            text=["▲" if row["stands_out"] else "" for _, row in some], textposition="outside",
            error_y={"type": "data", "array": [row["high"] - row["share"] for _, row in some],
                     "arrayminus": [row["share"] - row["low"] for _, row in some], "thickness": 1},
            hovertemplate="%{x}<br>%{y:.2%}: %{customdata[2]:,} of %{customdata[1]:,} parts<extra></extra>",
        )  # fmt: skip
    made.update_yaxes(title="share of the line's parts", tickformat=".0%")
    made.update_layout(barmode="group")


_DRAWN: Mapping[str, Callable[[Any, Index, Answer], None]] = {
    "overrides": _overrides,
    "rates": _rates,
    "throughput": _throughput,
    "latency": _latency,
    "confidence": _confidence,
    "held": _held,
    "backlog": _backlog,
    "labour": _labour,
    "defects": _defects,
}


def words_of(answer: Answer, row: Row) -> str:
    """A row in a few words, to choose it from a list."""
    bucket = row.get("bucket", row.get("week"))
    when = "" if bucket is None else bucket.strftime("%d %b %Y, %H:00" if answer.asked.grain == "hour" else "%d %b %Y")
    said = f"{row['model_said']} → {row['inspector_said']}" if "model_said" in row else ""
    group = row.get("group", row.get("line"))
    what = [
        when,
        "" if group == "all" else str(group or ""),
        str(row.get("class", "")),
        str(row.get("measure", "")),
        said,
    ]
    return one_line(" · ".join(word for word in what if word), 90)


def cells(row: Row, columns: Sequence[str]) -> Row:
    """A row as a table shows it; text from outside is never read as anything else there."""
    return {name: _cell(row.get(name)) for name in columns}


def _cell(value: Any) -> Any:
    if isinstance(value, date):
        return (
            value.isoformat() if not hasattr(value, "hour") else value.strftime("%Y-%m-%d %H:%M").removesuffix(" 00:00")
        )
    if isinstance(value, float):
        return round(value, 4)
    return one_line(value) if isinstance(value, str) else value


def draw(answer: Answer, measure: str | None, key: str) -> int | None:
    """Draw it; the number of the row that was pressed in this run, None otherwise."""
    event = st.plotly_chart(figure(answer, measure), key=key, on_select="rerun", selection_mode="points",
                            config={"displayModeBar": False, "displaylogo": False})  # fmt: skip
    points = event.get("selection", {}).get("points", []) if event else []
    data = points[0].get("customdata") if points else None
    first = data[0] if isinstance(data, list) and data else data
    return first if isinstance(first, int) and 0 <= first < len(answer.rows) else None
