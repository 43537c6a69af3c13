"""The ladder on one page: whole-image classifier, tile classifier, detector and masks on the same pictures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from app import context
from app.jobs.science.detectors.ladder import RUNGS, ladders
from app.ladder import LadderState, measure
from app.state import state
from app.widgets.charts import plot
from app.widgets.frame import nothing, notices
from app.widgets.jobs import follow
from app.widgets.text import count, local, one_line, plain, share
from core.roles import Action

MEASURES = {
    "auroc": "AUROC by picture",
    "pointing": "points at the defect",
    "recall": "boxes found",
    "precision": "boxes right",
    "f1": "F of boxes",
    "pixel_f1": "F of pixels",
}
SPLITS = ("test", "val")


def ladder_panel(site_name: str) -> None:
    """Every rung that was measured, each set of pictures by itself, and a form that measures more.

    Args:
        site_name: whose detector in force is named; the measures are of data sets, whatever their site.
    """
    _in_force(site_name)
    found = ladders(context.settings())
    offers = _offers() if context.may(Action.TRAIN) else None
    if not found:
        then = {
            None: "A data scientist can measure models on the same pictures, rung by rung.",
            False: "A comparison needs a data set with drawn boxes, and a model: build and train them first.",
            True: "Choose a data set and models below. Each is measured on the same pictures: as a whole image, by "
            "tiles, by its boxes and by its masks, as far as it has them.",
        }
        nothing("Nothing has been compared yet", icon="stairs", then=then[None if offers is None else all(offers)])
    else:
        names = [f"{one['dataset']}, {one['split']} part" for one in found]
        chosen = st.selectbox(
            "Measured on", range(len(found)), format_func=lambda i: plain(names[i]), key=f"ladder.{site_name}.on"
        )
        _measured(found[chosen or 0], f"ladder.{site_name}")
    if offers is not None and all(offers):
        _form(site_name, *offers)


def _offers() -> tuple[list[str], list[str]]:
    """Data sets, and models and detectors, that can be chosen."""
    store = context.store()
    datasets = [one.name for one in store.datasets.names()]
    return datasets, [one.name for one in store.models.all()] + [one.name for one in store.detectors.all()]


def _in_force(site_name: str) -> None:
    drawing = context.store().detectors.in_force(site_name)
    if drawing is None:
        st.caption(f"No detector draws at {plain(site_name)}: the boxes of the heatmap are shown there.")
        return
    st.caption(
        f"{plain(drawing.name)} draws the boxes at {plain(site_name)}. It decides nothing: that is the model's part."
    )


def _measured(document: Mapping[str, Any], key: str) -> None:
    """One set of pictures: the figures of each rung with their bounds, and the chart."""
    rungs: Sequence[Mapping[str, Any]] = document["rungs"]
    rows = [
        {
            "rung": one["rung"],
            "model": one_line(str(one["model"]), 40),
            **{words: _spread(one, name) for name, words in MEASURES.items()},
            "F, class right": _spread(one, "f1_named"),
            "ms a picture": "–" if one["milliseconds"] is None else f"{one['milliseconds']:.0f}",
            "minutes to train": "–" if one["cpu_minutes"] is None else f"{one['cpu_minutes']:.1f}",
        }
        for one in rungs
    ]
    st.dataframe(rows, hide_index=True, height="content")
    _chart(rungs, key)
    absent = [rung for rung in RUNGS if rung not in {one["rung"] for one in rungs}]
    more = f" Not measured here: {', '.join(absent)}." if absent else ""
    drawn = next((one["drawn"] for one in rungs), 0)
    pictures = count(document["counted"]["images"], "picture")
    st.caption(
        f"On {pictures} with {count(drawn, 'drawn box', 'drawn boxes')}, measured "
        f"{local(datetime.fromisoformat(document['measured_at']))}. In brackets what 95 of 100 such sets of parts "
        f"would give. A box counts as found from an overlap of {document['iou']:.0%} on, whatever its class, except in "
        f"the column that says so. Pixels count on pictures whose defects all have outlines, as the mean of pictures: "
        f"where a map is hot, all of a detector's boxes, or, on the rung of masks, its outlines. A classifier's "
        f"minutes are the clock's, a detector's the processor's.{more}"
    )


def _chart(rungs: Sequence[Mapping[str, Any]], key: str) -> None:
    import plotly.graph_objects as go

    figure = go.Figure()
    for one in rungs:
        known = [name for name in MEASURES if one.get(name) is not None]
        bounds = [one[f"{name}_interval"] or (one[name], one[name]) for name in known]
        figure.add_trace(
            go.Bar(
                x=[MEASURES[name] for name in known],
                y=[one[name] for name in known],
                name=f"{one['rung']}: {one_line(str(one['model']), 24)}",
                error_y={
                    "type": "data",
                    "array": [b[1] - one[name] for name, b in zip(known, bounds, strict=True)],
                    "arrayminus": [one[name] - b[0] for name, b in zip(known, bounds, strict=True)],
                },
            )
        )
    figure.update_layout(barmode="group")
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    plot(figure, key=f"{key}.chart", height=360)


def _form(site_name: str, datasets: Sequence[str], models: Sequence[str]) -> None:
    """Ask the worker to measure models on a data set."""
    view, key = state(LadderState), f"ladder.{site_name}"
    notices(view.message, view.failed)
    with st.form(key=f"{key}.form"):
        left, middle, right = st.columns([3, 1, 4], vertical_alignment="bottom")
        left.selectbox("Data set", datasets, key=f"{key}.dataset")
        middle.selectbox("Part", SPLITS, key=f"{key}.split")
        right.multiselect("Models and detectors", models, key=f"{key}.models")
        st.form_submit_button(
            "Measure on the same pictures", icon=":material/stairs:", on_click=measure, args=(view, key)
        )
    follow(view.job)


def _spread(one: Mapping[str, Any], name: str) -> str:
    value, bounds = one.get(name), one.get(f"{name}_interval")  # pixels came later than the other figures
    if value is None:
        return "–"
    return share(value) + (f" ({share(bounds[0])} to {share(bounds[1])})" if bounds else "")
