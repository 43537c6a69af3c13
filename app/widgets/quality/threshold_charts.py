"""The figures of the thresholds page: scores of good and defective parts with the band, and six curves over it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from core.decide.rates import Curve
from core.decide.replay import Past

HERE = Path(__file__).parent
GOOD, DEFECTIVE, EVERY = "#2a8fd0", "#d55e00", "#8a949e"  # after Okabe and Ito; told apart on light and dark
BINS = 40
DIGITS = 6  # of what is sent to be drawn
PERCENT = ("recall", "false rejects", "hold", "escapes")
TITLES = {
    "recall": "Recall: defective not passed",
    "false rejects": "False rejects: good failed",
    "hold": "HOLD rate",
    "escapes": "Escapes: defective of passed",
    "cost per thousand": "Cost per 1,000 parts",
    "inspector-hours per shift": "Inspector-hours per shift",
}


@cache
def _component() -> Any:
    return st.components.v2.component(
        "holdpoint_threshold_figures",
        html='<div class="figures"></div>',
        css=(HERE / "threshold_figures.css").read_text(encoding="utf-8"),
        js=(HERE / "threshold_figures.js").read_text(encoding="utf-8"),
    )


def figures(drawn: Mapping[str, Any], key: str) -> None:
    """Show what `distributions` or `over_thresholds` made."""
    _component()(key=key, data=drawn, width="stretch", height="content")


def distributions(found: Past, low: float, high: float, marks: Mapping[str, float]) -> dict[str, Any]:
    """Scores as shares of each kind, so that rare defects show; the band as grounds and lines."""
    edges = np.linspace(0, 1, BINS + 1)
    scored = ~np.isnan(found.scores)
    kinds = (("all parts", scored, EVERY), ("known to be good", scored & found.known & ~found.defective, GOOD),
             ("known to be defective", scored & found.known & found.defective, DEFECTIVE))  # fmt: skip
    drawn = []
    for name, rows, colour in kinds:
        counts, _ = np.histogram(found.scores[rows], edges)
        shares = _numbers(counts / max(1, int(counts.sum())))
        drawn.append({"name": name, "counts": counts.tolist(), "shares": shares, "colour": colour,
                      "faint": colour == EVERY})  # fmt: skip
    notes = [{"name": name, "at": round(at, DIGITS)} for name, at in marks.items()]
    return {"kinds": drawn, "low": low, "high": high, "marks": notes, "band": f"{low:.4f} {high:.4f}"}


def over_thresholds(curves: Mapping[str, Curve], low: float, high: float) -> dict[str, Any]:
    """Six small figures; the line in each is the edge that it depends on, and its words are of that edge."""
    drawn = [
        {
            "title": TITLES[name], "n": curve.n, "share": name in PERCENT, "name": curve.edge,
            "edge": high if curve.edge == "fail above" else low, "x": _numbers(curve.thresholds),
            "value": _numbers(curve.value), "low": _numbers(curve.low), "high": _numbers(curve.high),
        }
        for name, curve in curves.items()
    ]  # fmt: skip
    return {"curves": drawn, "band": f"{low:.4f} {high:.4f}"}


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    """As JSON takes them; what is no number is nothing."""
    return [None if value != value else value for value in np.round(values, DIGITS).tolist()]
