"""Import: labelled pictures from a zip or from the inbox, read by the worker."""

import streamlit as st

from app import acts, context
from app.state import ImportState, state
from app.widgets.frame import notices, title
from app.widgets.jobs import follow, worker_state
from core.roles import Action

FORMATS = {
    "auto": "Find out by itself",
    "coco": "COCO",
    "yolo": "YOLO",
    "voc": "Pascal VOC",
    "masks": "Masks",
    "severstal": "Severstal CSV",
    "folder": "A folder per class",
    "csv": "CSV (index.csv)",
}

view = state(ImportState)
may_add = context.may(Action.PEOPLE)
title("science/import")
notices(view.message, view.failed)
left, right = st.columns([3, 2], gap="medium")
with left, st.form("import.form"):
    upload = st.file_uploader("A zip of the folder", type=["zip"], key="import.zip")
    folder = st.selectbox(
        "Or a folder of the inbox", acts.inbox_folders(), index=None, key="import.folder",
        placeholder="No folder chosen", help="An administrator puts folders into `inbox` below HOLDPOINT_HOME.",
    )  # fmt: skip
    one, two = st.columns(2)
    site = one.selectbox("Site", [site.name for site in context.store().sites.all()], key="import.site",
                         index=None, accept_new_options=may_add,
                         placeholder="Choose, or type a new one" if may_add else "Choose")  # fmt: skip
    format_name = two.selectbox("Format", list(FORMATS), format_func=lambda one: FORMATS[one], key="import.format")
    own = st.checkbox("Take the site's classes from this import", key="import.own",
                      help="For a new site: the dataset's own ids become the taxonomy.")  # fmt: skip
    empty = st.checkbox("A picture without a box is good", key="import.empty",
                        help="Otherwise it is unlabelled: not annotated is not the same as no defect.")  # fmt: skip
    dry = st.checkbox("Dry run: read everything, change nothing", key="import.dry")
    if st.form_submit_button("Import", icon=":material/upload:", type="primary"):
        acts.submit_import(view, site=site or "", upload=upload, folder=folder, format_name=format_name, own=own,
                           empty_is_good=empty, dry_run=dry)  # fmt: skip
        st.rerun()
with right:
    st.subheader("This import", anchor=False)
    worker_state()
    if view.job is None:
        st.caption("Its report appears here: read, new, known, quarantined by reason, labels by class, unmatched.")
    follow(view.job)
