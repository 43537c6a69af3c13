"""Models: every version with what it was measured to do, beside the rules that need no model."""

import streamlit as st

from app import context
from app.jobs.measured import evaluations
from app.widgets.frame import nothing, title
from app.widgets.model_card import (
    baselines,
    by_size,
    confusion_of,
    curves,
    headline,
    measurements,
    per_class,
    provenance,
)
from app.widgets.text import count, local, one_line, plain

versions = context.store().models.all()
sites = context.store().sites.all()
title("science/models", count(len(versions), "version"))
if not versions:
    nothing(
        "No model yet",
        icon="model_training",
        then="Import labelled pictures, then train: holdpoint dataset build, holdpoint train. The demo brings one.",
    )
    st.stop()

names = [version.name for version in versions]
left, right = st.columns([1, 3], gap="medium")
with left:
    chosen = st.radio("Version", names, key="models.version", format_func=plain, bind="query-params",
                      captions=[local(version.created_at, day=True) for version in versions])  # fmt: skip
version = versions[names.index(chosen)]
with right:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(version.name), anchor=False, width="content")
        for site in sites:
            if site.model == version.name:
                st.badge(f"in use at {plain(site.name)}", icon=":material/factory:", color="green")
    folder = context.model_folder(version.name)
    found = measurements(version, evaluations(folder, context.settings()) if folder else [])
    on = st.selectbox("Measured on", list(found), key=f"models.on.{version.name}", format_func=one_line,
                      placeholder="Nothing yet: run holdpoint evaluate")  # fmt: skip
    metrics = found[on] if on else {}
    headline(metrics)
    measured, classes, card = st.tabs(["Measured", "Classes", "Card"])
    with measured:
        baselines(metrics)
        by_size(metrics)
        curves(version.card)
    with classes:
        per_class(metrics)
        confusion_of(metrics)
    with card:
        provenance(version)
        st.json(dict(version.card), expanded=False)
