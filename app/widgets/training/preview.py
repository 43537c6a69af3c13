"""What augmentation makes of a picture, seen before a training spends a night on it."""

import streamlit as st

from app import training
from app.jobs.science.pipelines.preview import Drawn, Preview
from app.training import TrainingState
from app.widgets.frame import nothing
from app.widgets.text import count, one_line, plain, share
from core.learn.pipeline import Pipeline

ACROSS = 3


def preview_panel(view: TrainingState, site: str, pipelines: list[Pipeline], datasets: list[str]) -> None:
    """Choose pictures and a configuration; the picture beside windows of it, with the boxes that moved along."""
    if not datasets:
        nothing("No dataset yet", icon="inventory_2", then="Build one: augmentation is measured on its pictures.")
        return
    left, right = st.columns([1, 3], gap="medium")
    with left:
        dataset = st.selectbox("Pictures of", datasets, key="training.preview.dataset", format_func=one_line)
        found = training.kinds(dataset, site)
        if not found:
            st.caption(f"This dataset has no training picture of {plain(site)}.")
            return
        kind = st.selectbox("Part type", list(found), key="training.preview.kind",
                            format_func=lambda one: one_line(one) if one else "without a part type")  # fmt: skip
        named = {one.name: one for one in pipelines}
        chosen = st.selectbox("As", [training.NEW, *named], key="training.preview.as",
                              format_func=lambda one: one_line(one) if one else "training does by itself")  # fmt: skip
        items = found[kind]
        drawn = [number for number, one in enumerate(items) if one.get("regions")] or list(range(len(items)))
        place = st.number_input("Picture", 1, len(drawn), 1, key="training.preview.picture",
                                help="Those with drawn defects first.")  # fmt: skip
        seed = st.number_input("Seed", 0, 10**6, 0, key="training.preview.seed")
        asked = (dataset, kind, f"{chosen}.{named[chosen].number if chosen else 0}", drawn[int(place) - 1], int(seed))
        st.button("Show", type="primary", icon=":material/visibility:", key="training.preview.show",
                  on_click=training.show_preview, args=(view, asked, named.get(chosen), site, items))  # fmt: skip
    with right:
        if view.previewed is None:
            nothing("Nothing shown yet", icon="auto_fix_high",
                    then="Press Show: the worker is not asked, it takes a few seconds.")  # fmt: skip
            return
        stands_for, made = view.previewed
        if stands_for != asked:
            st.caption(":material/history: This is of an earlier choice: press Show.")
        _shown(made, bool(chosen))


def _shown(made: Preview, measured: bool) -> None:
    if measured:
        for op, why in made.off:
            st.markdown(f":material/block: **{op}** is off: {plain(why, 300)}")
        if not made.off:
            st.markdown(":material/check: Nothing had to be switched off.")
        st.caption(f"Measured on {count(made.regions, 'drawn region')} that can be seen.")
    columns = st.columns(ACROSS)
    with columns[0]:
        st.image(made.original.png, caption=f"As it is, {count(made.original.boxes, 'region')}", width="stretch")
    for number, one in enumerate(made.samples, 1):
        with columns[number % ACROSS]:
            st.image(one.png, caption=_caption(number, one), width="stretch")


def _caption(number: int, one: Drawn) -> str:
    if not one.boxes:
        return f"Window {number}: no region in sight"
    left = "" if one.least >= 0.999 else f", {share(one.least)} of the most cut one"
    return f"Window {number}: {count(one.boxes, 'region')}{left}"
