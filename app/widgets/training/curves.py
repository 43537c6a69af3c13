"""Learning curves of a training, train against validation, and a warning where they part."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import training
from app.navigation import go
from app.widgets.charts import plot
from app.widgets.frame import nothing
from app.widgets.science.model_card import provenance
from app.widgets.text import one_line, plain
from core.learn.pipeline_curves import WINDOW, overfitting


def curves_panel() -> None:
    """One model's curves and where it came from."""
    found = training.taught()
    if not found:
        nothing("No training on record", icon="show_chart", then="Run a pipeline, or holdpoint train.")
        return
    names = [one.name for one in found]
    chosen = st.selectbox("Model", names, key="training.curves", format_func=one_line, width=320)
    version = found[names.index(chosen)]
    epochs = training.history(version)
    losses = [float(one["loss"]) for one in epochs]
    checked = [_log_loss(one) for one in epochs]
    parted = overfitting(losses, checked)
    if parted is not None:
        st.warning(parted.sentence, icon=":material/trending_up:")
    elif len(epochs) < WINDOW or any(one is None for one in checked[-WINDOW:]):
        st.caption(f"Too little to say whether it overfits: that takes {WINDOW} epochs with validation losses.")
    else:
        st.caption(":material/check: Validation does not rise while training falls: no sign of overfitting.")
    card = version.card.get("training")
    best = card.get("best_epoch") if isinstance(card, Mapping) else None
    plot(curves_figure(losses, checked, best), f"training.figure.{version.name}", 340)
    chosen_by = card.get("chosen") if isinstance(card, Mapping) else ""
    kept = f"Kept: epoch {best} of {len(epochs)}" if best else f"{len(epochs)} epochs"
    st.caption(f"{kept}{', ' + plain(str(chosen_by), 300) if chosen_by else ''}. Training loss is what was minimised; "
               "validation loss is the log loss of the calibrated score.")  # fmt: skip
    provenance(version)
    if st.button("Its card", icon=":material/badge:", key="training.card"):
        go("science/models", **{"models.version": version.name})


def curves_figure(losses: Sequence[float], checked: Sequence[float | None], best: int | None) -> Any:
    """Both losses over the epochs, each on its own axis, told apart by dash as well as colour."""
    import plotly.graph_objects as go

    numbers = list(range(1, len(losses) + 1))
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines+markers", "x": numbers, "y": list(losses), "name": "training loss",
         "line": {"color": "#0072b2", "width": 2.5}, "marker": {"symbol": "circle"},
         "hovertemplate": "epoch %{x}<br>training loss %{y:.4f}<extra></extra>"},
        {"type": "scatter", "mode": "lines+markers", "x": numbers, "y": list(checked), "name": "validation loss",
         "yaxis": "y2", "line": {"color": "#d55e00", "width": 2.5, "dash": "dash"}, "marker": {"symbol": "diamond"},
         "hovertemplate": "epoch %{x}<br>validation loss %{y:.4f}<extra></extra>"},
    ]  # fmt: skip
    layout: dict[str, Any] = {
        "xaxis": {"title": "epoch", "dtick": max(1, len(numbers) // 12)},
        "yaxis": {"title": "training loss", "rangemode": "tozero"},
        "yaxis2": {"title": "validation loss", "overlaying": "y", "side": "right", "rangemode": "tozero",
                   "showgrid": False},
    }  # fmt: skip
    if best:
        layout["shapes"] = [{"type": "line", "x0": best, "x1": best, "yref": "paper", "y0": 0, "y1": 1,
                             "line": {"color": "#8a949e", "width": 2, "dash": "dot"}}]  # fmt: skip
    return go.Figure({"data": traces, "layout": layout})


def _log_loss(epoch: Mapping[str, Any]) -> float | None:
    found = epoch.get("validation")
    value = found.get("log_loss") if isinstance(found, Mapping) else None
    return float(value) if isinstance(value, int | float) else None
