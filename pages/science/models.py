"""Models: every version with what it was measured to do, what its gate says, and which one decides where."""

import streamlit as st

from app import context
from app.jobs.science.measured import evaluations
from app.state import ModelsState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.quality.alarms import requests_to_agree
from app.widgets.science.gates import answer_badge, gate_panel
from app.widgets.science.heat import heat_panel
from app.widgets.science.model_card import (
    baselines,
    by_size,
    confusion_of,
    curves,
    headline,
    measurements,
    per_class,
    provenance,
)
from app.widgets.science.serving import promotion_panel, shadow_panel
from app.widgets.text import count, local, one_line, option, plain
from core.decide.requests import Wish

view = state(ModelsState)
versions = context.store().models.all()
sites = context.store().sites.all()
title("science/models", count(len(versions), "version"))
notices(view.message, view.failed)
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
    where = site_choice([site.name for site in sites], key="models.site")
    chosen = st.radio("Version", names, key="models.version", format_func=option, bind="query-params",
                      captions=[local(version.created_at, day=True) for version in versions])  # fmt: skip
version = versions[names.index(chosen)]
site = next((site for site in sites if site.name == where), None)
gates = context.store().gates.of(version.name, where) if where is not None else []
with right:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(version.name), anchor=False, width="content")
        for one in sites:
            if one.model == version.name:
                st.badge(f"in use at {plain(one.name)}", icon=":material/factory:", color="green")
        if gates:
            answer_badge(gates[0].answer)
    if site is not None:
        requests_to_agree(view, site, Wish.PROMOTION)
    measured, classes, gate, shadow, promotion, heat, card = st.tabs(
        ["Measured", "Classes", "Gate", "Shadow", "In use", "Heatmaps", "Card"], key="models.tab"
    )
    folder = context.model_folder(version.name)
    found = measurements(version, evaluations(folder, context.settings()) if folder else [])
    with measured:
        on = st.selectbox("Measured on", list(found), key=f"models.on.{version.name}", format_func=one_line,
                          placeholder="Nothing yet: run holdpoint evaluate")  # fmt: skip
        metrics = found[on] if on else {}
        headline(metrics)
        baselines(metrics)
        by_size(metrics)
        curves(version.card)
    with classes:
        per_class(metrics)
        confusion_of(metrics)
    with gate:
        if site is not None:
            gate_panel(view, version, site.name, gates)
    with shadow:
        if site is not None:
            shadow_panel(view, version, site)
    with promotion:
        if site is not None:
            promotion_panel(view, version, site)
    with heat:
        if site is not None:
            heat_panel(view, version, site.name)
    with card:
        provenance(version)
        st.json(dict(version.card), expanded=False)
