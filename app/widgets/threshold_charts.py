"""The charts of the thresholds page: scores of good and defective parts with the band, and six figures over it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.decide.rates import Curve
from core.decide.replay import Past

GOOD, DEFECTIVE, EVERY = "#0072b2", "#d55e00", "#8a949e"  # Okabe and Ito's
PASSES, HOLDS, FAILS = "rgba(11,122,75,.10)", "rgba(201,138,27,.16)", "rgba(179,32,44,.10)"
BINS = 40
PERCENT = ("recall", "false rejects", "hold", "escapes")
TITLES = {
    "recall": "Recall: defective parts not passed",
    "false rejects": "False rejects: good parts failed",
    "hold": "HOLD rate",
    "escapes": "Escape rate: defective among passed",
    "cost per thousand": "Cost per 1,000 parts",
    "inspector-hours per shift": "Inspector-hours per shift",
}


def distributions(found: Past, low: float, high: float, marks: Mapping[str, float]) -> Any:
    """Scores as shares of each kind, so that rare defects show; the band as grounds and lines."""
    import plotly.graph_objects as go

    edges = np.linspace(0, 1, BINS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    scored = ~np.isnan(found.scores)
    kinds = (("all parts", scored, EVERY), ("known to be good", scored & found.known & ~found.defective, GOOD),
             ("known to be defective", scored & found.known & found.defective, DEFECTIVE))  # fmt: skip
    traces = []
    for name, rows, colour in kinds:
        counts, _ = np.histogram(found.scores[rows], edges)
        n = max(1, int(counts.sum()))
        traces.append(
            {
                "type": "bar", "x": middle.tolist(), "y": (counts / n).tolist(), "name": f"{name} ({counts.sum():,})",
                "marker": {"color": colour}, "opacity": 0.45 if name == "all parts" else 0.75,
                "customdata": counts.tolist(),
                "hovertemplate": "score %{x:.2f}<br>%{y:.1%}, %{customdata:,} parts<extra></extra>",
            }
        )  # fmt: skip
    notes = [_note(at, name, place) for place, (name, at) in enumerate(marks.items())]
    layout = {
        "barmode": "overlay", "bargap": 0.02, "shapes": _grounds(low, high), "annotations": notes,
        "xaxis": {"title": "score", "range": [0, 1]}, "yaxis": {"title": "share of its kind", "tickformat": ".0%"},
        "uirevision": "band",
    }  # fmt: skip
    return go.Figure({"data": traces, "layout": layout})


def figures(curves: Mapping[str, Curve], low: float, high: float) -> Any:
    """Six small charts in one figure; the line is the edge that each depends on."""
    import plotly.graph_objects as go

    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"showlegend": False, "annotations": [], "shapes": [], "uirevision": "curves"}
    for place, (name, curve) in enumerate(curves.items()):
        row, column = divmod(place, 3)
        number = "" if place == 0 else str(place + 1)  # plotly's first axis has none
        x, y = f"x{number}", f"y{number}"
        left, top = column * 0.345, 1 - row * 0.55
        layout[f"xaxis{number}"] = {"domain": [left, left + 0.3], "anchor": y, "range": [0, 1]}
        layout[f"yaxis{number}"] = {"domain": [top - 0.38, top], "anchor": x, "rangemode": "tozero",
                                       **({"tickformat": ".3~p"} if name in PERCENT else {})}  # fmt: skip
        layout["annotations"].append(
            {"text": f"{TITLES[name]} · n {curve.n:,}", "showarrow": False, "xref": "paper", "yref": "paper",
             "x": left, "y": top + 0.02, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}}
        )  # fmt: skip
        at = high if curve.edge == "fail above" else low
        layout["shapes"].append(
            {"type": "line", "xref": x, "yref": f"{y} domain", "x0": at, "x1": at, "y0": 0, "y1": 1,
             "line": {"color": HOLDS.replace(".16", "1"), "width": 2, "dash": "dot"}}
        )  # fmt: skip
        traces += _curve(name, curve, x, y)
    return go.Figure({"data": traces, "layout": layout})


def _curve(name: str, curve: Curve, x: str, y: str) -> list[dict[str, Any]]:
    at, low, high = curve.thresholds.tolist(), curve.low.tolist(), curve.high.tolist()
    shown = ":.2%" if name in PERCENT else ":,.2f"
    band = {
        "type": "scatter", "x": at + at[::-1], "y": high + low[::-1], "xaxis": x, "yaxis": y, "fill": "toself",
        "mode": "lines", "line": {"width": 0}, "fillcolor": "rgba(0,114,178,.18)", "hoverinfo": "skip",
    }  # fmt: skip
    line = {
        "type": "scatter", "x": at, "y": [None if np.isnan(v) else v for v in curve.value.tolist()], "xaxis": x,
        "yaxis": y, "mode": "lines", "line": {"color": GOOD}, "name": name,
        "customdata": list(zip(low, high, strict=True)),
        "hovertemplate": f"{curve.edge} %{{x:.3f}}<br>%{{y{shown}}}, between %{{customdata[0]{shown}}} and "
                         f"%{{customdata[1]{shown}}}<extra></extra>",
    }  # fmt: skip
    return [band, line]


def _grounds(low: float, high: float) -> list[dict[str, Any]]:
    whole = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 0}, "layer": "below"}
    line = {"type": "line", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": "#c98a1b", "width": 3}}
    spans = ((0.0, low, PASSES), (low, high, HOLDS), (high, 1.0, FAILS))
    return [
        *({**whole, "x0": one, "x1": other, "fillcolor": colour} for one, other, colour in spans),
        *({**line, "x0": at, "x1": at} for at in (low, high)),
    ]


def _note(at: float, name: str, place: int) -> dict[str, Any]:
    return {
        "x": at, "y": 1 - 0.1 * place, "xref": "x", "yref": "paper", "text": name, "showarrow": True, "arrowhead": 2,
        "ax": 34 if at < 0.8 else -34, "ay": 0, "font": {"size": 11},
    }  # fmt: skip
