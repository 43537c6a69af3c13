"""Inspectors: how far people agree who look at the same parts, and what is worth a lesson."""

import streamlit as st

from app import auditing, context
from app.state import EyesState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.quality.eyes import (
    agreement_table,
    gold_form,
    gold_rows,
    known_answers,
    lessons,
    one_person,
    region_figures,
    shares_form,
)

view = state(EyesState)
title("quality/inspectors")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "inspectors.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

site = context.store().sites.get(site_name)
found = auditing.instruments(site_name)
agree, train, gold = st.tabs(["Agreement", "Training", "Gold items and second looks"])
with agree:
    if found.agreement[0].parts == 0:
        then = "Set a share of second looks on the last tab: a second person answers without sight of the first."
        nothing("No part has two answers yet", icon="group", then=then)
    else:
        agreement_table(site, found.agreement)
        st.subheader("Boxes", anchor=False)
        region_figures(found.regions)
with train:
    known_answers(found)
    st.subheader("What everybody mixes up", anchor=False)
    lessons(found.mix_ups, "Nothing is mixed up in more than 5% of the answers, as far as they can tell.")
    st.subheader("One person", anchor=False)
    one_person(found)
with gold:
    left, right = st.columns([2, 3], gap="medium")
    with left:
        shares_form(view, site_name, context.store().gold.shares(site_name))
        gold_form(view, site)
    with right:
        items = context.store().gold.items(site_name)
        if not items:
            nothing("No gold item yet", icon="verified", then="Vouch for the answer about a part at the left.")
        gold_rows(view, site, items)
