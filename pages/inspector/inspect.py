"""Inspect: drop pictures and see what the model says of them; nothing is stored unless it is sent to the queue."""

import streamlit as st

from app import bench, context
from app.state import InspectState, state
from app.widgets.desk import inspected
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.words.claim_panel import what_happened

view = state(InspectState)
title("inspector/inspect", "scored beside the page; nothing is stored unless you send it to the queue")
left, right = st.columns([69, 31], gap="small")
with right:
    choices = st.columns(2, gap="small")
    with choices[0]:
        site_name = site_choice([site.name for site in context.store().sites.all()], "inspect.site")
    with choices[1]:
        model = bench.model_choice(site_name, key="inspect.model")
if site_name is None or model is None:
    with left:
        nothing("No model to score with", icon="model_training",
                then="Train one, or make the demo plant: it brings its own.")  # fmt: skip
    st.stop()

bench.warm_up(view, model)
begun = inspected.begun(view, site_name)
with right if begun else left:
    uploads, filed = inspected.pictures(view, site_name, begun)
with left, st.spinner("Scoring…", show_time=True):
    bench.score(view, uploads, filed, model, site_name)
with left:
    notices(view.message, view.failed)
    inspected.refusals(view)
    above = st.container(horizontal=True, vertical_alignment="center")
    with above:
        result = inspected.chosen_result(view)
if result is None:
    if begun:
        with left:
            nothing("None of these can be scored", icon="broken_image",
                    then="Add other pictures at the right, or take these away there.")  # fmt: skip
    st.stop()
with above:
    layers = inspected.layer_choice(result)
with right:
    decided, policy = bench.decide(result, site_name, *inspected.part_of(view, result, site_name))
    inspected.verdict(result, decided, policy)
    inspected.send_button(view, result, site_name)
    inspected.scores(result, decided, policy)
with left:
    inspected.show(result, layers, key="inspect.viewer")
    inspected.result_tabs(result, decided, policy)
    filed_image = bench.filed_as(view, result)
    if filed_image is not None:
        what_happened(filed_image.part_id, key="inspect.claims")
