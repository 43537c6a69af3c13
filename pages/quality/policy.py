"""Policy: what is in force at a site and for whom, what waits for a second person, and how to change it."""

import streamlit as st

from app import acts, context, ruling
from app.state import PolicyState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.quality import calibration, policies
from app.widgets.quality.alarms import requests_to_agree
from app.widgets.quality.policy_form import policy_form
from app.widgets.quality.policy_scope import scope_choice, start_of

view = state(PolicyState)
title("quality/policy")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "policy.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

store = context.store()
site, whole = store.sites.get(site_name), store.policies.in_force(site_name)
in_force, history = store.policies.all_in_force(site_name), store.policies.history(site_name)
policies.standing(site, in_force)
left, right = st.columns([1, 1], gap="medium")
with left:
    with st.container(horizontal=True, vertical_alignment="center"):
        acts.pause_controls(view, site)
        acts.first_look_control(view, site, in_force)
    if policies.any_waits(site, history, in_force):
        st.subheader("Waits for a second person", anchor=False)
        requests_to_agree(view, site)
        policies.waiting(view, site, history, in_force)
    st.subheader("In force", anchor=False)
    if whole is None:
        st.warning("No policy is approved for the whole site, so nothing passes by itself there: parts go to a person.")
    for policy in in_force:
        policies.policy_card(view, site, policy, whole)
    st.subheader("History", anchor=False)
    policies.history_rows(view, site, history, in_force)
with right:
    change, pace, scores = st.tabs(["Change", "Measured pace", "Calibration"])
    with change:
        line, part_type = scope_choice(site_name)
        base, key = start_of(view, site_name, line, part_type)
        entry, reason, pressed = policy_form(base, site.taxonomy.ids, key)
    with pace:
        calibration.pace_facts(whole, store.policies.rates(site_name, now=context.now()))
    with scores:
        calibration.calibration(view, site)
if pressed is not None:
    act = ruling.tighten if pressed == "tighten" else ruling.propose
    act(view, base, entry, reason)
    st.rerun()
