"""Whether a model's heatmaps earn their place: where they point by class, and what seeing them goes with."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from app import context, registry
from app.state import ModelsState
from app.widgets.charts import plot
from app.widgets.text import count, local, one_line, plain, share
from core.learn.heat_effect import effect
from core.plant import ModelVersion
from core.roles import Action


def heat_panel(view: ModelsState, version: ModelVersion, site: str) -> None:
    """Pointing and energy by class, and the answers of people with and without the heatmap."""
    found = context.measured_heatmaps(version.name, site)
    if found is None:
        st.caption(
            f"Nobody has measured yet whether the heatmaps of {plain(version.name)} point at the defects that people "
            f"have boxed at {plain(site)}. Until then the desk treats all classes alike."
        )
    else:
        _measured(found)
    if context.may(Action.TRAIN):
        st.button("Measure on the boxes that people keep", key=f"models.heat.{version.name}.{site}",
                  icon=":material/my_location:", on_click=registry.submit_heatmaps,
                  args=(view, version.name, site))  # fmt: skip
    _effect(effect(context.store().explained.answers(site, version.name)))


def _measured(found: Mapping[str, Any]) -> None:
    rows = [
        {
            "class": one_line(str(one["class"])),
            "at the desk": "shown as usual" if one["shown"] else "hidden until asked for",
            "points right": share(one["pointing"]),
            "bounds": f"{share(one['low'])} to {share(one['high'])}",
            "energy inside": share(one["energy"]),
            "boxes cover": share(one["covered"]),
            "pictures": one["n"],
            "more needed": "" if one["more_needed"] is None or one["shown"] else f"{one['more_needed']:,}",
        }
        for one in found["classes"]
    ]
    st.dataframe(rows, hide_index=True, height="content")
    st.caption(
        f"On {count(found['pictures'], 'picture')} with boxes that people drew, corrected or accepted, measured "
        f"{local(datetime.fromisoformat(found['measured_at']))}. A class is shown as usual where its map is shown to "
        f"point at the defect in {found['limit']:.0%} of its pictures or more; all bounds hold together with 95% "
        "confidence. Energy inside: the share of the map's heat on the boxes, beside what an even map would have."
    )
    alike = found.get("alike")
    if alike is None:
        st.caption("The check against chance was not made: none of the pictures could be read.")
    else:
        kept = "follow" if found["follows_the_weights"] else "do not follow"
        st.caption(
            f"The maps {kept} the net's weights: with the head's replaced by chance they stay alike by "
            f"{share(alike['head'])}, with all of them by {share(alike['everything'])} (mean rank correlation)."
        )


def _effect(found: Mapping[str, Any]) -> None:
    groups = [one for one in found["groups"] if one["n"]]
    st.markdown("**Answers with and without the heatmap**")
    if not groups:
        st.caption("No answer says yet whether the heatmap was on the screen: the desk notes it with every new one.")
        return
    import plotly.graph_objects as go

    names = ["heatmap seen" if one["heatmap"] else "not seen" for one in groups]
    shares = [one["share"] for one in groups]
    figure = go.Figure(
        go.Bar(
            x=shares, y=names, orientation="h", name="agree with the model",
            error_x={
                "type": "data",
                "array": [one["interval"][1] - one["share"] for one in groups],
                "arrayminus": [one["share"] - one["interval"][0] for one in groups],
            },
        )
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1], tickformat=".0%", title="answers that agree with what the model leaned to")
    plot(figure, key="models.heat.effect", height=200)
    rows = [
        {
            "heatmap": name,
            "answers": one["n"],
            "agree": f"{share(one['share'])} ({share(one['interval'][0])} to {share(one['interval'][1])})",
            "turned to defective": one["to_defective"],
            "turned to good": one["to_good"],
            "median seconds": "–" if one["seconds"] is None else f"{one['seconds']:.1f}",
        }
        for name, one in zip(names, groups, strict=True)
    ]
    st.dataframe(rows, hide_index=True, height="content")
    st.caption(found["caution"])
