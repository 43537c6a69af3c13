"""What each way of looking finds: recall by size of defect, as it was measured on labelled pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from app import context
from app.jobs.science.measured import comparisons
from app.state import PartTypesState, told
from app.widgets.charts import plot
from app.widgets.datasets.choice import dataset_choice
from app.widgets.jobs import follow_and_redraw, worker_state
from app.widgets.text import count, local, one_line, plain, share
from core.pictures.tiling import Look

SPLITS = ("test", "val", "train")


def findings(view: PartTypesState, looks: Mapping[str, Look], model: str, folder: Path, *, key: str) -> None:
    """The comparison that was made of these choices, and the way to make one."""
    made = comparisons(folder, context.settings())
    if not made:
        st.info(
            f"Nothing is measured yet of how {plain(model)} finds defects with these choices. Choose labelled "
            "pictures and start the comparison: the worker scores them once for each choice.",
            icon=":material/straighten:",
        )
    _start(view, looks, model, key=key)
    if made:
        labels = [one_line(f"{one['dataset']}, {one['split']}") for one in made]
        at = st.selectbox("Measured on", range(len(made)), key=f"{key}.which", format_func=lambda i: labels[i])
        _shown(made[at], looks, key=f"{key}.{at}")


def _start(view: PartTypesState, looks: Mapping[str, Look], model: str, *, key: str) -> None:
    """Choose pictures, leave the work to the worker, and see how far it is."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = dataset_choice(SPLITS, key=key)
        if chosen is None:
            return
        dataset, split = chosen
        st.button("Compare the choices", key=f"{key}.compare", icon=":material/compare:", disabled=split is None,
                  on_click=_submit, args=(view, looks, model, dataset, split))  # fmt: skip
    if view.job is not None:
        worker_state()
        follow_and_redraw(view.job)


def _submit(view: PartTypesState, looks: Mapping[str, Look], model: str, dataset: str, split: str) -> None:
    with told(view):
        chosen = [asdict(one) for one in dict.fromkeys(looks.values())]
        arguments = {"model": model, "dataset": dataset, "split": split, "looks": chosen}
        view.job = context.store().jobs.submit("looks", arguments, now=context.now())
        view.message = "The worker compares them now: leave this page if you like."


def _shown(document: Mapping[str, Any], looks: Mapping[str, Look], *, key: str) -> None:
    """Table and plot of the choices that were compared, and how they were measured."""
    names = {tuple(sorted(asdict(look).items())): name for name, look in looks.items()}
    by_name = {names.get(tuple(sorted(row["look"].items()))): row for row in document["looks"]}
    chosen = [(name, by_name[name]) for name in looks if name in by_name]
    if not chosen:
        st.caption("Other choices were compared on these pictures, none of those above: start the comparison again.")
        return
    st.dataframe([_row(name, row) for name, row in chosen], hide_index=True, height="content")
    missing = len(looks) - len(chosen)
    width, height = document["picture_wh"]
    counted = document["counted"]
    measured_at = local(datetime.fromisoformat(document["compared_at"]))
    st.caption(
        f"{count(counted['images'], 'picture')} of {count(counted['parts'], 'part')}, {counted['with_regions']} with "
        f"drawn regions; time per picture of {width} × {height} px, measured {measured_at} by "
        f"{plain(str(chosen[0][1]['back_end']))}. A cell says found of drawn, with the 95% interval."
        + (f" {count(missing, 'choice')} not compared yet." if missing else "")
    )
    if document.get("caution"):
        st.warning(plain(str(document["caution"])))
    drawn = [(name, row["recall_by_size"]["bins"]) for name, row in chosen if row["recall_by_size"]]
    if drawn:
        _plot(drawn, key=f"{key}.plot")
        st.caption(plain(str(document["definition"]), 800))
    else:
        st.caption("Recall by size needs drawn regions and good pictures in the same part of the data set.")


def _row(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    found = row["recall_by_size"]
    cells = {one["size"]: _cell(one) for one in (found["all"], *found["bins"])} if found else {}
    return {
        "choice": name,
        "ms per picture": round(row["milliseconds"], 1),
        "AUROC": _between(row["auroc"], row["auroc_interval"]),
        **cells,
        "false rejects": f"{found['false_reject_rate']:.1%} of {found['good']}" if found else "–",
    }


def _cell(one: Mapping[str, Any]) -> str:
    return f"{one['found']}/{one['n']} ({share(one['interval'][0])}–{share(one['interval'][1])})" if one["n"] else "–"


def _between(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return "–"
    return share(value) + (f" ({share(interval[0])}–{share(interval[1])})" if interval else "")


def _plot(drawn: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], *, key: str) -> None:
    """Recall over size, a line for each choice; whiskers are the 95% intervals, a size without a region is a gap."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, bins in drawn:
        spread = [(one["recall"], *one["interval"]) if one["n"] else (0.0, 0.0, 0.0) for one in bins]
        figure.add_scatter(
            x=[one["size"] for one in bins],
            y=[one["recall"] for one in bins],
            name=name,
            mode="lines+markers",
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [high - recall for recall, _, high in spread],
                "arrayminus": [recall - low for recall, low, _ in spread],
                "thickness": 1,
            },
        )
    sizes = [one["size"] for one in drawn[0][1]]
    figure.update_xaxes(title="size of the drawn defect", categoryorder="array", categoryarray=sizes,
                        range=[-0.5, len(sizes) - 0.5])  # fmt: skip
    figure.update_yaxes(title="found", range=[-0.03, 1.03])
    figure.update_layout(scattermode="group")
    plot(figure, key=key, height=340)
