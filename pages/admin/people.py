"""People: accounts, roles and the sites each may see."""

import streamlit as st

from app import acts, context
from app.state import PeopleState, state
from app.widgets.frame import notices, title
from app.widgets.text import count, plain
from core.roles import Role

view = state(PeopleState)
people = context.store().people.all()
title("admin/people", count(len(people), "account"))
notices(view.message, view.failed)
left, right = st.columns([3, 2], gap="medium")
with left:
    for person in people:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch", gap=None):
                st.text(person.name)
                sites = "all sites" if person.sites is None else ", ".join(person.sites) or "no site"
                st.caption(f"{person.role.spoken} · {plain(sites)}{' · demo' if person.demo else ''}")
            if person.disabled:
                st.badge("disabled", icon=":material/block:", color="gray")
                st.button("Enable", key=f"people.enable.{person.name}", on_click=acts.enable, args=(view, person.name))
            elif person.name == context.me().name:
                st.badge("you", icon=":material/person:", color="blue")
            else:
                st.button("Disable", key=f"people.disable.{person.name}", icon=":material/block:",
                          on_click=acts.disable, args=(view, person.name))  # fmt: skip
with right, st.form("people.add", clear_on_submit=False):
    st.subheader("New account", anchor=False)
    name = st.text_input("Name", max_chars=80)
    role = st.selectbox("Role", [one.value for one in Role], format_func=lambda one: Role(one).spoken)
    chosen = st.multiselect("Sites", [site.name for site in context.store().sites.all()], placeholder="All sites")
    password = st.text_input("First password", type="password", max_chars=200, help="15 characters or more")
    if st.form_submit_button("Make the account", icon=":material/person_add:", type="primary"):
        acts.add_person(view, name, Role(role), chosen, password)
        st.rerun()
