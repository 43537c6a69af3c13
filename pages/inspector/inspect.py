"""Inspect: drop pictures and see what the model says of them; nothing is stored unless it is sent to the queue."""

import streamlit as st

from app import bench, context
from app.state import InspectState, state
from app.widgets import inspected
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice

view = state(InspectState)
title("inspector/inspect", "scored beside the page, nothing is stored")
left, right = st.columns([69, 31], gap="small")
with right:
    site_name = site_choice([site.name for site in context.store().sites.all()], "inspect.site")
    model = bench.model_choice(site_name, key="inspect.model")
    uploads = st.file_uploader("Pictures", type=bench.TYPES, accept_multiple_files=True, key="inspect.files",
                               max_upload_size=context.settings().upload_bytes >> 20)  # fmt: skip
    filed = inspected.demo_choice(site_name, key="inspect.demo")
if site_name is None or model is None:
    with left:
        nothing("No model to score with", icon="model_training",
                then="Train one, or make the demo plant: it brings its own.")  # fmt: skip
    st.stop()

bench.warm_up(view, model)
with left, st.spinner("Scoring…", show_time=True):
    bench.score(view, uploads, filed, model, site_name)
with left:
    notices(view.message, "\n".join((view.failed, *view.refused.values())).strip())
    result = inspected.chosen_result(view)
if result is None:
    with left:
        nothing("Drop one or many pictures", icon="add_photo_alternate",
                then="JPEG, PNG, TIFF, BMP or WebP. Or pick one that the plant has filed.")  # fmt: skip
    st.stop()
with left:
    inspected.show(result, view, key="inspect.viewer")
    decided = bench.decide(result, site_name)
    inspected.result_tabs(result, decided, site_name)
with right:
    inspected.verdict(result, decided)
    inspected.send_button(view, result, site_name)
