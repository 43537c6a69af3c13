"""Sites: a plant's time zone, what its pictures must say, its cameras and lines."""

from zoneinfo import available_timezones

import streamlit as st

from app import context, office
from app.state import SitesState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.text import count, local, one_line, plain

view = state(SitesState)
store = context.store()
sites = {site.name: site for site in store.sites.all()}
zones = sorted(available_timezones())
title("admin/sites", count(len(sites), "site"))
notices(view.message, view.failed)
with st.container(horizontal=True, vertical_alignment="bottom"):
    chosen = site_choice(list(sites), "sites.site")
    with st.popover("New site", icon=":material/add_business:"), st.form("sites.add", border=False):
        name = st.text_input("Name", max_chars=100)
        zone = st.selectbox("Time zone", zones, zones.index("UTC"))
        taxonomy = st.selectbox("Classes to start from", ["machined", "fulfilment"], index=None, placeholder="None")
        ids = st.toggle("Quarantine pictures that do not name their part")
        if st.form_submit_button("Make the site", icon=":material/add:", type="primary"):
            office.add_site(view, name, zone, taxonomy, ids)
            st.rerun()
if chosen is None:
    nothing("No site yet", icon="domain", then="Make one above, or let an import make the site that it names.")
    st.stop()

site = sites[chosen]
left, right = st.columns([2, 3], gap="medium")
with left:
    st.subheader("Settings", anchor=False)
    key = f"sites.zone.{site.name}"
    offered = zones if site.timezone in zones else [site.timezone, *zones]
    st.selectbox("Time zone", offered, offered.index(site.timezone), key=key, on_change=office.set_timezone,
                 args=(view, site.name, key))  # fmt: skip
    key = f"sites.ids.{site.name}"
    st.toggle("Quarantine pictures that do not name their part", site.requires_ids, key=key,
              on_change=office.require_ids, args=(view, site.name, key))  # fmt: skip
    st.caption(f"Model: {plain(site.model or 'none')} · classes: {plain(site.taxonomy.name)} "
               f"{site.taxonomy_number} · it is {local(context.now(), site.timezone, day=False)} there")  # fmt: skip
with right:
    st.subheader("Cameras and lines", anchor=False)
    found = store.sites.names(site.name)
    if found:
        rows = [
            {
                "kind": one.kind,
                "name": one_line(one.name),
                "pictures": one.images,
                "last picture": local(one.last_at, site.timezone) if one.last_at else "none yet",
            }
            for one in found
        ]
        st.dataframe(rows, hide_index=True, height="content")
    else:
        st.caption("None yet: a camera or line appears with its first picture, or is announced here.")
    for kind in ("camera", "line"):
        names = [one.name for one in found if one.kind == kind]
        key = f"sites.rename.{site.name}.{kind}"
        if names and st.container(horizontal=True).toggle(f"Rename a {kind}", key=f"{key}.show"):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                st.selectbox("Which", names, key=f"{key}.old", format_func=one_line)
                st.text_input("New name", key=f"{key}.new", max_chars=100,
                              help="Its pictures go with it. Tell whoever sends them: the old name would make a "
                              f"new {kind}.")  # fmt: skip
                st.button("Rename", key=f"{key}.go", icon=":material/edit:", on_click=office.rename,
                          args=(view, site.name, kind, key))  # fmt: skip
    with st.form("sites.name", clear_on_submit=True), st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox("Announce", ["camera", "line"], width=140)
        new = st.text_input("Name", max_chars=100)
        if st.form_submit_button("Add", icon=":material/add:"):
            office.add_name(view, site.name, kind, new)
            st.rerun()
