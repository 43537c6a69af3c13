"""The experiments table: models on the same pictures, each figure with its interval, against the one in use."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import training
from app.jobs.science.pipelines.experiments import Experiment
from app.widgets.frame import nothing
from app.widgets.text import count, one_line, plain, share

MEASURES = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1"}


def experiments_panel(production: str | None) -> None:
    """Choose the pictures, see every model on them, and one model's classes."""
    places = training.measured()
    if not places:
        nothing("Nothing measured yet", icon="science",
                then="Run a pipeline, or holdpoint evaluate --model NAME --dataset NAME.")  # fmt: skip
        return
    chosen = st.selectbox("Measured on", places, key="training.measured", width=320,
                          format_func=lambda one: one_line(f"{one[0]}, {one[1]} pictures"))  # fmt: skip
    rows = training.table(*chosen, production)
    if not rows:
        nothing("No model of this plant was measured there", icon="science", then="Choose other pictures above.")
        return
    st.dataframe([_row(one) for one in rows], hide_index=True, height="content")
    parts = rows[0].figures["parts"]
    st.caption(
        f"{count(parts, 'part')}; every figure with its 95% interval (Clopper and Pearson). Against the one in use: "
        "share of parts that are right, the difference with Tango's interval and McNemar's exact p. Accuracy is no "
        "headline: where defects are rare it is high for every model."
    )
    if production is None:
        st.caption("No model is in use at this site: there is nothing to compare with.")
    for one in rows:
        if one.caution:
            st.warning(f"{plain(one.model)}: {plain(one.caution, 300)}", icon=":material/info:")
    names = [one.model for one in rows]
    model = st.selectbox("By class of", names, key="training.classes", format_func=one_line, width=320)
    _classes(rows[names.index(model)])


def _row(one: Experiment) -> dict[str, str]:
    name = f"{one.model} (in use)" if one.in_use else one.model
    origin = f"{one.architecture}, from {one.adapted_from}" if one.adapted_from else one.architecture
    found = {"model": one_line(name), "architecture": one_line(origin)}
    found |= {word: spoken(one.figures[key]) for key, word in MEASURES.items()}
    size = "–" if one.size_bytes is None else f"{one.size_bytes / 1e6:.1f} MB"
    return {**found, "P99": _milliseconds(one.figures["p99"]), "size": size, "against the one in use": _against(one)}


def spoken(figure: Mapping[str, Any]) -> str:
    """A share with its interval, such as .93 (.88–.96)."""
    if figure["value"] is None:
        return "–"
    low, high = figure["interval"]
    return f"{share(figure['value'])} ({share(low)}–{share(high)})"


def _milliseconds(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    low, high = figure["interval"]
    above = f"–{high:.0f}" if high is not None else ", open above"
    return f"{figure['value']:.0f} ms ({low:.0f}{above})"


def _against(one: Experiment) -> str:
    if one.in_use:
        return "this is it"
    if one.against is None:
        return "not measured on the same pictures"
    test = one.against
    between = test.interval()
    if test.difference is None or between is None:
        return "–"
    ends = f"{100 * between.low:+.1f} to {100 * between.high:+.1f}"
    return f"{100 * test.difference:+.1f} points ({ends}), p = {test.p_value:.2g}, n = {test.n:,}"


def _classes(one: Experiment) -> None:
    found: Mapping[str, Mapping[str, Any]] = one.figures["per_class"]
    if not found:
        st.caption("No class stands on these pictures.")
        return
    rows: Sequence[Mapping[str, str]] = [
        {"class": one_line(name), "pictures": f"{figures['n']:,}",
         **{word: spoken(figures[key]) for key, word in MEASURES.items() if key in figures}}
        for name, figures in found.items()
    ]  # fmt: skip
    st.dataframe(rows, hide_index=True, height="content")
