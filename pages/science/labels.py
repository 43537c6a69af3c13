"""Label quality: which labels to doubt and why, beside the model's view; one key sends one back."""

from datetime import datetime

import streamlit as st

from app import context
from app.label_quality import LabelQualityState, doubt, doubts_of, kinds, report_of, submit_look, turn_to
from app.state import state
from app.widgets.datasets.doubts import confusions, controls, side_by_side
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.jobs import follow, worker_state
from app.widgets.text import count, local, plain

view = state(LabelQualityState)
title("science/labels")
notices(view.message, view.failed)
with st.container(horizontal=True, vertical_alignment="bottom"):
    site_name = site_choice([site.name for site in context.store().sites.all()], "labels.site")
    st.button("Look again", key="labels.look", icon=":material/search:", disabled=site_name is None,
              on_click=submit_look, args=(view, site_name))  # fmt: skip
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()
if view.job is not None:
    worker_state()
    follow(view.job)
site = context.store().sites.get(site_name)
report = report_of(site)
if report is None:
    nothing("Nobody has looked through these labels yet", icon="grading", then="Press Look again above.")
    st.stop()

st.caption(f"{count(report['labels'], 'label')} looked through on {local(datetime.fromisoformat(report['made_at']))}. "
           + " ".join(plain(one, 300) for one in report["notes"]))  # fmt: skip
labels, people = st.tabs([f"Labels in doubt ({sum(report['counts'].values()):,})", "Where people differ"])
with labels:
    if not report["suspects"]:
        nothing("No label is in doubt", icon="task_alt", then="Look again after the next import or labelling batch.")
    else:
        counts = report["counts"]
        why = st.pills("Why", list(kinds(report)), key="labels.why", label_visibility="collapsed", bind="query-params",
                       format_func=lambda one: f"{one} ({counts[one]:,})")  # fmt: skip
        chosen = doubts_of(report, why)
        entry = chosen[turn_to(view, site_name, why, len(chosen))]
        found = doubt(entry)
        controls(view, entry, found, len(chosen))
        if found is None:
            st.info("This picture is no longer in the plant.", icon=":material/hide_image:")
        else:
            side_by_side(found, site)
with people:
    confusions(report)
