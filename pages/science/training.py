"""Training: pipelines with their schedule and runs, experiments side by side, curves, and what augmentation does."""

import streamlit as st

from app import context, training
from app.state import state
from app.training import TrainingState
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.text import count, plain
from app.widgets.training.curves import curves_panel
from app.widgets.training.experiments import experiments_panel
from app.widgets.training.ladder import ladder_panel
from app.widgets.training.preview import preview_panel
from app.widgets.training.runs import runs_panel
from app.widgets.training.schedule import pipeline_choice, schedule_form

view = state(TrainingState)
sites = context.store().sites.all()
title("science/training")
notices(view.message, view.failed)
if not sites:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

where = site_choice([site.name for site in sites], key="training.site")
site = next(one for one in sites if one.name == where)
found = training.pipelines(site.name)
datasets = [one.name for one in context.store().datasets.names()]
runs, plan, table, curves, look, rungs = st.tabs(
    ["Runs", "Schedule", "Experiments", "Curves", "Augmentation", "Ladder"], key="training.tab"
)
with runs:
    if found:
        st.caption(f"{count(len(found), 'pipeline')} at {plain(site.name)}")
    runs_panel(view, site.name, site.timezone)
with plan:
    left, right = st.columns([1, 3], gap="medium")
    with left:
        chosen = pipeline_choice(found)
    with right:
        schedule_form(view, site, chosen, datasets)
with table:
    experiments_panel(site.model)
with curves:
    curves_panel()
with look:
    preview_panel(view, site.name, found, datasets)
with rungs:
    ladder_panel(site.name)
