"""Taxonomy: the classes of a site, the names nobody has mapped yet, and how both came to be."""

import streamlit as st

from app import context
from app.navigation import go
from app.state import TaxonomyState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.taxonomy.classes import class_form, class_table
from app.widgets.taxonomy.names import names_by_site, unmapped_names
from app.widgets.taxonomy.proposals import proposals_panel
from app.widgets.taxonomy.versions import versions

view = state(TaxonomyState)
title("science/taxonomy")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "taxonomy.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

site = context.store().sites.get(site_name)
unmapped = context.store().taxonomies.unmapped(site_name)
steps = {"unmapped": f"Unmapped names ({len(unmapped)})", "classes": "Classes", "names": "Names by site",
         "proposals": "New classes", "versions": "Versions"}  # fmt: skip
first = "unmapped" if unmapped or not site.taxonomy.classes else "classes"
with st.container(horizontal=True, vertical_alignment="center"):
    step = st.segmented_control("Part", list(steps), default=first, key="taxonomy.step", format_func=steps.__getitem__,
                                required=True, bind="query-params", label_visibility="collapsed")  # fmt: skip
    st.space("stretch")
    if st.button("Defect book", key="taxonomy.book", icon=":material/menu_book:"):
        go("inspector/book")
match step:
    case "unmapped":
        unmapped_names(view, site, unmapped)
    case "classes":
        class_table(site)
        class_form(view, site)
    case "names":
        names_by_site()
    case "proposals":
        proposals_panel(site_name)
    case _:
        versions(view, site)
