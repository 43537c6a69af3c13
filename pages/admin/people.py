"""People: accounts, roles and the sites each may see."""

import streamlit as st

from app import context, office
from app.state import PeopleState, state
from app.widgets.frame import notices, title
from app.widgets.people.account import account, new_account
from app.widgets.text import count, plain

view = state(PeopleState)
store = context.store()
people = store.people.all()
locked = set(store.people.locked())
sites = [site.name for site in store.sites.all()]
title("admin/people", count(len(people), "account"))
notices(view.message, view.failed)
left, right = st.columns([3, 2], gap="medium")
with left:
    for person in people:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch", gap=None):
                st.text(person.name)
                seen = "all sites" if person.sites is None else ", ".join(person.sites) or "no site"
                st.caption(f"{person.role.spoken} · {plain(seen)}{' · demo' if person.demo else ''}")
            if person.disabled:
                st.badge("disabled", icon=":material/block:", color="gray")
            if person.name in locked:
                st.badge("has to wait", icon=":material/lock_clock:", color="orange")
            if person.name == context.me().name:
                st.badge("you", icon=":material/person:", color="blue")
            st.button("Change", key=f"people.change.{person.name}", icon=":material/edit:",
                      type="primary" if person.name == view.choice else "secondary",
                      on_click=office.choose, args=(view, person.name))  # fmt: skip
with right:
    chosen = next((person for person in people if person.name == view.choice), None)
    if chosen is None:
        new_account(view, sites)
    else:
        account(view, chosen, sites, chosen.name in locked)
