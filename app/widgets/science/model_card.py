"""A model's card on a page: headline figures with their intervals, baselines beside them, classes and confusion."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.widgets.charts import confusion, plot
from app.widgets.text import plain, share
from core.plant import ModelVersion


def measurements(version: ModelVersion, evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Everything that was measured of a version, by the pictures it was measured on: evaluations first, newest first.

    Args:
        version: whose card holds what training measured on its validation pictures.
        evaluations: as `evaluate` wrote them.
    """
    found = {_pictures(one["split"], one["dataset"]): one for one in evaluations}
    dataset = version.card.get("dataset")
    name = str(dataset.get("name") or "") if isinstance(dataset, Mapping) else ""
    metrics = version.card.get("metrics")
    if not isinstance(metrics, Mapping) or metrics.get("images") is None:
        return found
    examination = metrics.get("examination")
    if isinstance(examination, Mapping):
        found.setdefault(f"{_pictures('test', name)}, when the model was made", examination)
    return {**found, f"{_pictures(metrics.get('measured_on') or 'val', name)}, while it was trained": metrics}


def _pictures(split: object, dataset: object) -> str:
    """Which pictures something was measured on, in words: the name of a data set may be the model's own."""
    words = {"train": "training pictures", "val": "validation pictures", "test": "test pictures"}
    return f"{words.get(str(split), f'{split} pictures')} of the data set {dataset}"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _cell(value: object) -> str:
    """A share in two decimals, a number of pictures as it is, a dash where there is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return share(_number(value))


def _interval(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return f"95%: {share(_number(value[0]))} to {share(_number(value[1]))}"
    return ""


# In the order of importance; how many comes after how good.
_BASELINE_COLUMNS = {
    "recall": "recall",
    "false_reject_rate": "false rejects",
    "precision": "precision",
    "f1": "F1",
    "f2": "F2",
    "tp": "defects stopped",
    "fn": "defects missed",
    "fp": "good ones stopped",
    "tn": "good ones passed",
}
_CHECKED = {
    "log_loss": "validation log loss",
    "auroc": "validation AUROC by picture",
    "dense_precision": "validation precision of the map",
    "pointed": "validation pointing",
}


def headline(metrics: Mapping[str, Any]) -> None:
    """Recall at a stated false-reject rate first; accuracy never."""
    columns = st.columns(4)
    shown = (
        ("Recall at 5% false rejects", "recall_at_5_percent_frr", "recall_at_5_percent_frr_interval"),
        ("AUROC by picture", "auroc", "auroc_interval"),
        ("AUROC by part", "part_auroc", "part_auroc_interval"),
        ("Pointing game", "pointing_game", "pointing_game_interval"),
    )
    for column, (label, name, interval) in zip(columns, shown, strict=True):
        with column.container(border=True):
            st.metric(label, share(_number(metrics.get(name))))
            measured = name in metrics and interval in metrics and metrics[name] is not None
            absent = "too few groups to say how sure" if measured else "no interval"
            st.caption(_interval(metrics.get(interval)) or absent)
    images, defective = metrics.get("images"), metrics.get("defective")
    if _number(images) is not None:
        parts = f" of {metrics['parts']:,} parts ({metrics['defective_parts']} defective)" if "parts" in metrics else ""
        rule = f" {metrics['part_rule']}" if metrics.get("part_rule") else ""
        st.caption(plain(f"Measured on {images:,} pictures ({defective} defective){parts}.{rule}", 600))
    if metrics.get("caution"):
        st.warning(plain(str(metrics["caution"])))


def baselines(metrics: Mapping[str, Any]) -> None:
    """The model beside flagging everything and passing everything."""
    rows = []
    for name, label in (
        ("at_threshold", "this model"),
        ("flag_all", "flag everything"),
        ("pass_all", "pass everything"),
    ):
        found = metrics.get(name)
        if isinstance(found, Mapping):
            rows.append({"rule": label, **{word: _cell(found.get(key)) for key, word in _BASELINE_COLUMNS.items()}})
    if rows:
        st.markdown("**Beside the rules that need no model**")
        st.dataframe(rows, hide_index=True, height="content")
    else:
        st.caption("No evaluation is stored with this version: run holdpoint evaluate.")


def by_size(metrics: Mapping[str, Any]) -> None:
    """Recall of drawn regions by their size, with how many there were."""
    found = metrics.get("recall_by_size")
    if not isinstance(found, Mapping):
        return
    st.markdown("**Recall by size of defect**")
    rows = [
        {
            "size": one["size"],
            "regions": one["n"],
            "parts": one["parts"],
            "stopped": share(one["stopped_recall"]),
            "found": share(one["recall"]),
            "95%": _interval(one["interval"]).removeprefix("95%: "),
        }
        for one in [*found["bins"], found["all"]]
    ]
    st.dataframe(rows, hide_index=True, height="content")
    st.caption(plain(str(found["definition"]), 800))


def per_class(metrics: Mapping[str, Any]) -> None:
    """Precision, recall and F1 of each class, with how many there were."""
    found = metrics.get("per_class")
    if not isinstance(found, Mapping) or not found:
        st.caption("No figures by class are stored with this version.")
        return
    rows = [{"class": str(name), **values} for name, values in found.items() if isinstance(values, Mapping)]
    number = st.column_config.NumberColumn(format="%.3f")
    shares = {key for row in rows for key in row} - {"class", "n", "tp", "fp", "fn"}
    st.dataframe(rows, hide_index=True, height="content",
                 column_config=dict.fromkeys(shares, number))  # fmt: skip


def confusion_of(metrics: Mapping[str, Any]) -> None:
    """The confusion matrix of the likeliest class."""
    found = metrics.get("confusion")
    if isinstance(found, Mapping) and found.get("names"):
        confusion(found["matrix"], [str(name) for name in found["names"]], key="models.confusion")


def curves(card: Mapping[str, Any]) -> None:
    """Loss and validation figures of each epoch, where training kept them."""
    import plotly.graph_objects as go

    training = card.get("training")
    history = training.get("history") if isinstance(training, Mapping) else None
    if not isinstance(history, list) or not history or not isinstance(history[0], Mapping):
        return
    epochs = [row.get("number", at) for at, row in enumerate(history, 1)]
    checked = [row.get("validation") or {} for row in history]
    figure = go.Figure([go.Scatter(x=epochs, y=[row.get("loss") for row in history], name="training loss")])
    for name, label in _CHECKED.items():
        values = [_number(one.get(name)) for one in checked]
        if any(value is not None for value in values):
            figure.add_scatter(x=epochs, y=values, name=label, yaxis="y" if name == "log_loss" else "y2")
    figure.update_layout(
        yaxis={"title": "loss", "rangemode": "tozero"},
        yaxis2={
            "title": "share",
            "overlaying": "y",
            "side": "right",
            "range": [0, 1.02],
            "showgrid": False,
            "tickmode": "array",
            "tickvals": [0, 0.5, 1],
        },
    )
    figure.update_xaxes(title="epoch")
    st.markdown("**Training**")
    plot(figure, key="models.curves", height=280)
    best = training.get("best_epoch") if isinstance(training, Mapping) else None
    if best is not None:
        st.caption(f"Kept: epoch {best} of {len(history)}.")


def provenance(version: ModelVersion) -> None:
    """Where the version came from."""
    card = version.card
    dataset = card.get("dataset")
    lines = {
        "architecture": card.get("arch"),
        "started from": card.get("weights"),
        "data set": dataset.get("name") if isinstance(dataset, Mapping) else None,
        "data set hash": dataset.get("hash") if isinstance(dataset, Mapping) else None,
        "weights hash": version.sha256,
        "made by": version.by,
    }
    st.markdown("\n".join(f"- {name}: {plain(str(value), 90)}" for name, value in lines.items() if value))
