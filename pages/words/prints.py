"""Printed labels: what is asked of them, the catalogue, what was read, and how often that is right."""

import streamlit as st

from app import context
from app.printing import PrintsState
from app.private import covers_texts
from app.state import state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.text import option
from app.widgets.words import print_readings, print_rules
from core.roles import Action

view = state(PrintsState)
title("words/prints")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "prints.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

store = context.store()
site = store.sites.get(site_name)
rules, catalogue, readings, checked = st.tabs(["What is asked", "Catalogue", "Readings", "Accuracy"])
with rules:
    types = {one.name: one for one in store.part_types.all(site_name)}
    if not types:
        nothing("No part type yet", icon="category", then="Labels are checked by part type: make one, then come back.")
    else:
        kept = {one.part_type: one for one in store.prints.rules(site_name)}
        name = st.selectbox("Part type", list(types), key=f"prints.{site_name}.type", format_func=option)
        print_rules.rules_form(view, site_name, name, kept.get(name), types[name].views)
with catalogue:
    items = store.prints.catalogue(site_name)
    if not items:
        nothing("No catalogue yet", icon="inventory_2", then="With one, the wrong label on a part is found.")
    print_rules.catalogue(view, site_name, items, context.may(Action.IMPORT))
with readings:
    found = store.prints.recent(site_name)
    if not found:
        nothing(
            "Nothing was read yet", icon="document_scanner", then="Say what is asked of a part type's labels first."
        )
    else:
        print_readings.recent(found, site.timezone, covers_texts(store, site_name))
with checked:
    print_readings.accuracy(store.prints.accuracy(site_name), print_rules.LANGUAGES)
    if context.may(Action.REVIEW):
        waiting = store.prints.unchecked(site_name)
        print_readings.one_by_one(view, site_name, waiting[0] if waiting else None, print_rules.LANGUAGES)
