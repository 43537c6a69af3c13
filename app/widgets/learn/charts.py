"""The Learn page's figures: the map of a pool, a batch's balance, learning curves."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.learn.select import STRATEGIES
from core.learn.select.batches import Item

# What each arm is called, its icon, and how it is drawn: by colour and by shape (Okabe and Ito's colours).
ARMS = {
    "strategy": ("Chosen", "target", ("#d55e00", "diamond")),
    "quota": ("For a quota", "playlist_add_check", ("#009e73", "square")),
    "random": ("At random", "casino", ("#0072b2", "circle")),
}
POOL = "rgba(138,148,158,.45)"


def map_figure(pool: Sequence[Sequence[float]], items: Sequence[Item]) -> Any:
    """The pool as grey dots and the chosen pictures on it, by arm."""
    import plotly.graph_objects as go

    dots = {"color": POOL, "size": 5}
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "markers", "x": [p[0] for p in pool], "y": [p[1] for p in pool], "name": "pool",
         "marker": dots, "hoverinfo": "skip"}
    ]  # fmt: skip
    for arm, (word, _, (colour, shape)) in ARMS.items():
        mine = [one for one in items if one.arm == arm and one.point is not None]
        if not mine:
            continue
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": f"{word} ({len(mine)})",
                "x": [one.point[0] for one in mine if one.point], "y": [one.point[1] for one in mine if one.point],
                "marker": {"color": colour, "symbol": shape, "size": 10, "line": {"width": 1, "color": "#ffffff"}},
                "customdata": [[one.image_id, one.why.replace("<", "‹")] for one in mine],
                "hovertemplate": "image %{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            }
        )  # fmt: skip
    bare = {"showticklabels": False, "zeroline": False, "title": None}
    return go.Figure({"data": traces, "layout": {"xaxis": bare, "yaxis": bare, "hovermode": "closest"}})


def balance_figure(rows: Sequence[Sequence[Any]], chosen: int, pool: int) -> Any:
    """Share of the batch beside share of the pool, for each name."""
    import plotly.graph_objects as go

    names = [str(row[0]).replace("<", "‹") for row in rows][::-1]
    sides = (("the batch", 1, chosen, "#d55e00"), ("the pool", 2, pool, "#8a949e"))
    traces = [
        {
            "type": "bar", "orientation": "h", "name": side, "y": names, "marker": {"color": colour},
            "x": [row[at] / max(1, total) for row in rows][::-1], "customdata": [row[at] for row in rows][::-1],
            "hovertemplate": "%{y}: %{x:.1%} of " + side + ", %{customdata:,} pictures<extra></extra>",
        }
        for side, at, total, colour in reversed(sides)
    ]  # fmt: skip
    layout = {
        "barmode": "group",
        "bargap": 0.6 if len(names) < 3 else 0.2,
        "xaxis": {"tickformat": ".0%", "rangemode": "tozero"},
        "yaxis": {"automargin": True},
    }
    return go.Figure({"data": traces, "layout": layout})


# Okabe and Ito's, and a dash of its own for each, so that lines are told apart without colour.
LINES = (
    ("#d55e00", "solid"), ("#0072b2", "dash"), ("#009e73", "dashdot"), ("#cc79a7", "longdash"),
    ("#e69f00", "longdashdot"), ("#56b4e9", "solid"),
)  # fmt: skip
RANDOM = ("#8a949e", "dot")


def curves_figure(comparison: Mapping[str, Any]) -> Any:
    """AUROC over labels for each strategy with its band, and the target."""
    import plotly.graph_objects as go

    traces: list[dict[str, Any]] = []
    looks = iter(LINES * 4)
    for name, one in comparison["strategies"].items():
        colour, dash = RANDOM if name == "random" else next(looks)
        title = STRATEGIES[name].title if name in STRATEGIES else str(name)
        labels = one["labels"]
        if all(value is not None for value in (*one["low"], *one["high"])):
            traces.append(
                {"type": "scatter", "x": [*labels, *labels[::-1]], "y": [*one["high"], *one["low"][::-1]],
                 "fill": "toself", "mode": "lines", "line": {"width": 0}, "fillcolor": colour, "opacity": 0.13,
                 "hoverinfo": "skip", "showlegend": False, "legendgroup": name}
            )  # fmt: skip
        traces.append(
            {"type": "scatter", "x": labels, "y": one["mean"], "mode": "lines", "name": title, "legendgroup": name,
             "line": {"color": colour, "dash": dash, "width": 2.5},
             "customdata": list(zip(one["low"], one["high"], strict=True)),
             "hovertemplate": title + ", %{x} labels<br>%{y:.3f}, between %{customdata[0]:.3f} and "
                              "%{customdata[1]:.3f}<extra></extra>"}
        )  # fmt: skip
    target = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": comparison["target"], "y1": comparison["target"],
              "line": {"color": "#c98a1b", "width": 2, "dash": "dot"}}  # fmt: skip
    layout = {"xaxis": {"title": "labels"}, "yaxis": {"title": "AUROC"}, "shapes": [target], "hovermode": "closest"}
    return go.Figure({"data": traces, "layout": layout})
