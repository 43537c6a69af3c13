"""Export: the labels of a filter, with where each came from, in one of six formats."""

import streamlit as st

from app import acts, context
from app.state import ExportState, state
from app.widgets.filters import label_filters, preview_counts
from app.widgets.frame import notices, title
from app.widgets.jobs import follow, worker_state

FORMATS = {"coco": "COCO", "yolo": "YOLO", "voc": "Pascal VOC", "masks": "Masks", "csv": "CSV", "parquet": "Parquet"}

view = state(ExportState)
title("science/export")
notices(view.message, view.failed)
left, right = st.columns([3, 2], gap="medium")
with left:
    format_name = st.segmented_control("Format", list(FORMATS), format_func=lambda one: FORMATS[one], default="coco",
                                       required=True, key="export.format", bind="query-params")  # fmt: skip
    filters = label_filters(context.store().sites.all(), key="export")
    preview_counts(filters)
    if st.button("Export", icon=":material/download:", type="primary", key="export.go"):
        acts.submit_export(view, format_name, filters)
        st.rerun()
with right:
    st.subheader("This export", anchor=False)
    worker_state()
    if view.job is None:
        st.caption("The file appears here when the worker has written it.")
    follow(view.job)
