"""Datasets: frozen lists of labelled pictures, each with what proves that it does not leak."""

import streamlit as st

from app import context
from app.datasets import DatasetsState, opened, submit_build
from app.state import state
from app.widgets.datasets import views as dataset_views
from app.widgets.datasets.form import dataset_form
from app.widgets.frame import nothing, notices, title
from app.widgets.jobs import follow, worker_state
from app.widgets.text import count, local, plain

view = state(DatasetsState)
versions = context.store().datasets.names()
title("science/datasets", count(len(versions), "dataset"))
notices(view.message, view.failed)
sites = context.store().sites.all()
here, new = st.tabs(["Datasets", "Build a new one"], default="Datasets" if versions else "Build a new one")
with new:
    name, arguments, pressed = dataset_form(sites, [one.name for one in context.store().models.all()],
                                            key="datasets.build")  # fmt: skip
    if pressed:
        submit_build(view, name, arguments)
        st.rerun()
    if view.job is not None:
        worker_state()
        follow(view.job)
with here:
    if not versions:
        nothing(
            "No dataset yet", icon="inventory_2", then="Import and review labelled pictures, then build one beside."
        )
        st.stop()
    left, right = st.columns([1, 4], gap="medium")
    names = [version.name for version in versions]
    with left:
        chosen = st.radio("Dataset", names, key="datasets.chosen", format_func=plain, bind="query-params",
                          captions=[f"{local(one.created_at)}, {plain(one.by)}" for one in versions])  # fmt: skip
    with right:
        version = versions[names.index(chosen)]
        found = opened(version)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(version.name), anchor=False, width="content")
            if "result" in found.head.get("certificate", {}):
                dataset_views.result_badge(found.head["certificate"]["result"])
            st.caption(f"{count(found.whole.pictures, 'picture')} of {count(found.whole.parts, 'part')} · "
                       f"{version.sha256[:12]}", width="content")  # fmt: skip
        proof, table, risks, other, asked = st.tabs(["Certificate", "Composition", "Overview", "Compare", "Settings"])
        key = f"datasets.{version.name}"
        with proof:
            dataset_views.certificate(found, key=key)
        with table:
            dataset_views.composition(found)
        with risks:
            dataset_views.overview(found, [site.name for site in sites], key=key)
        with other:
            dataset_views.comparison(version.name, [one for one in names if one != version.name], key=key)
        with asked:
            dataset_views.settings(found)
