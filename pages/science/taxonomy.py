"""Taxonomy: the classes of a site, the names nobody has mapped yet, and how both came to be."""

import json

import streamlit as st

from app import acts, context
from app.state import TaxonomyState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import gallery, site_choice
from app.widgets.text import count, local, plain

view = state(TaxonomyState)
title("science/taxonomy")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "taxonomy.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

site = context.store().sites.get(site_name)
unmapped = context.store().taxonomies.unmapped(site_name)
tabs = [f"Unmapped names ({len(unmapped)})", "Classes", "Versions and exchange"]
waiting, classes, history = st.tabs(tabs, default=tabs[0] if unmapped or not site.taxonomy.classes else tabs[1])

with waiting:
    if not unmapped:
        nothing(
            "Every name is mapped", icon="task_alt", then="Names from the next import that are unknown appear here."
        )
    for name in unmapped:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            gallery(name.images, width=84, most=3)
            with st.container(width="content"):
                st.text(name.name)
                st.caption(count(name.count, "image"))
            st.space("stretch")
            for class_id in name.nearest:
                st.button(
                    plain(site.taxonomy.get(class_id).label),
                    key=f"taxonomy.map.{site_name}.{name.name}.{class_id}",
                    icon=":material/arrow_forward:",
                    on_click=acts.map_name,
                    args=(view, site_name, name.name, class_id),
                )
            with st.popover("Other", icon=":material/more_horiz:"):
                chosen = st.selectbox("Class", site.taxonomy.ids, key=f"taxonomy.other.{site_name}.{name.name}")
                st.button(
                    "Map to this class",
                    key=f"taxonomy.mapother.{site_name}.{name.name}",
                    on_click=acts.map_name,
                    args=(view, site_name, name.name, chosen),
                    disabled=chosen is None,
                )

with classes:
    if not site.taxonomy.classes:
        nothing("No classes yet", icon="account_tree", then="Import a taxonomy in the next tab, or take a shipped one.")
    else:
        st.caption(f"{plain(site.taxonomy.name)} {plain(site.taxonomy.version)}, version {site.taxonomy_number} here")
        st.dataframe(
            [
                {
                    "id": one.id,
                    "label": one.label,
                    "aliases": ", ".join(one.aliases),
                    "severities": ", ".join(one.severities),
                    "parent": one.parent or "",
                    "description": one.description,
                }
                for one in site.taxonomy.classes
            ],
            hide_index=True,
            height="content",
        )

with history:
    left, right = st.columns(2)
    with left:
        st.subheader("Versions", anchor=False)
        st.dataframe(
            [
                {"version": one.number, "by": one.by, "when": local(one.created_at, site.timezone), "note": one.note}
                for one in context.store().taxonomies.versions(site_name)
            ],
            hide_index=True,
            height="content",
        )
    with right:
        st.subheader("Exchange", anchor=False)
        st.download_button(
            "Export as JSON",
            json.dumps(site.taxonomy.to_json(), indent=2, ensure_ascii=False),
            file_name=f"taxonomy-{site.taxonomy_number}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        with st.form("taxonomy.import", clear_on_submit=True):
            upload = st.file_uploader("A taxonomy as JSON", type=["json"], max_upload_size=2)
            note = st.text_input("Why", max_chars=300, placeholder="What changed, and why")
            if st.form_submit_button("Put in force as a new version", icon=":material/upload:"):
                acts.append_taxonomy(view, site_name, upload, note)
                st.rerun()
