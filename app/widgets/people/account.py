"""One account beside the list of people: everything an administrator can change about it."""

import streamlit as st

from app import context, office
from app.state import PeopleState
from app.widgets.text import one_line, plain
from core.plant import Person
from core.roles import Role


def new_account(view: PeopleState, sites: list[str]) -> None:
    """The form that makes an account."""
    company = bool(context.settings().oidc_issuer)
    with st.form("people.add", clear_on_submit=False):
        st.subheader("New account", anchor=False)
        name = st.text_input("Name", max_chars=80)
        role = st.selectbox("Role", [one.value for one in Role], format_func=lambda one: Role(one).spoken)
        chosen = st.multiselect("Sites", sites, placeholder="All sites", format_func=one_line)
        identity = ""
        if company:
            identity = st.text_input("Address at the company's sign-in", max_chars=200,
                                     help="With it no password is needed here")  # fmt: skip
        password = st.text_input("First password", type="password", max_chars=200, help="15 characters or more")
        if st.form_submit_button("Make the account", icon=":material/person_add:", type="primary"):
            office.add_person(view, name, Role(role), chosen, password, identity)
            st.rerun()


def account(view: PeopleState, person: Person, sites: list[str], locked: bool) -> None:
    """Somebody's account; one's own is only shown."""
    name = person.name
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(name), anchor=False, width="content")
            st.space("stretch")
            st.button("Close", key="people.close", icon=":material/close:", on_click=office.choose, args=(view, None))
        if name == context.me().name:
            st.info("Nobody changes their own account: ask another administrator.", icon=":material/person:")
            return
        if locked:
            st.warning("Too many wrong passwords: this name has to wait.", icon=":material/lock_clock:")
            st.button("Unlock", key=f"people.unlock.{name}", icon=":material/lock_open:", on_click=office.unlock,
                      args=(view, name))  # fmt: skip
        roles = [one.value for one in Role]
        key = f"people.role.{name}"
        st.selectbox("Role", roles, roles.index(person.role), key=key, format_func=lambda one: Role(one).spoken,
                     on_change=office.set_role, args=(view, name, key))  # fmt: skip
        key = f"people.sites.{name}"
        st.multiselect("Sites", sites, list(person.sites or ()), key=key, placeholder="All sites", format_func=one_line)
        st.button("Set sites", key=f"{key}.set", on_click=office.set_sites, args=(view, name, key))
        if context.settings().oidc_issuer or person.identity:
            key = f"people.identity.{name}"
            st.text_input("Address at the company's sign-in", person.identity or "", key=key, max_chars=200,
                          on_change=office.set_identity, args=(view, name, key))  # fmt: skip
        _closing(view, person)


def _closing(view: PeopleState, person: Person) -> None:
    name = person.name
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"people.password.{name}"
        with st.popover("New password", icon=":material/key:"):
            st.text_input("New password", key=key, type="password", max_chars=200, help="15 characters or more")
            st.button("Set the password", key=f"{key}.set", type="primary", on_click=office.reset_password,
                      args=(view, name, key))  # fmt: skip
        if not person.disabled:
            st.button("Disable", key=f"people.disable.{name}", icon=":material/block:", on_click=office.disable,
                      args=(view, name))  # fmt: skip
            return
        st.button("Enable", key=f"people.enable.{name}", icon=":material/check:", on_click=office.enable,
                  args=(view, name))  # fmt: skip
        key = f"people.leave.{name}"
        with st.popover("Replace the name", icon=":material/person_off:"):
            st.caption("For somebody who has left: the name gives way to a number, everywhere and for ever. What they "
                       "did stays on record.")  # fmt: skip
            st.text_input("Type the name", key=key, max_chars=100)
            st.button("Replace it", key=f"{key}.go", type="primary", on_click=office.leave, args=(view, name, key))
