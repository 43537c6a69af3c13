"""One's own account, in the menu on every page: today its password."""

import streamlit as st

from app import office
from app.state import AccountState, state
from app.widgets.text import plain
from core.plant import Person

OLD, NEW, AGAIN = "own.password.old", "own.password.new", "own.password.again"


def own_password(person: Person) -> None:
    """Change it; not for whoever needs none: the demo's people, and those of the company's sign-in alone."""
    if person.demo or not person.password:
        return
    view = state(AccountState)
    with st.expander("Change password", icon=":material/key:", expanded=bool(view.failed)):
        with st.form("own.password", border=False, clear_on_submit=True):
            st.text_input("Old password", key=OLD, type="password", max_chars=256)
            st.text_input("New password", key=NEW, type="password", max_chars=256, help="15 characters or more")
            st.text_input("New password once more", key=AGAIN, type="password", max_chars=256)
            st.caption("It ends your sessions everywhere, this one too: sign in again with the new one.")
            st.form_submit_button("Change it", type="primary", on_click=office.change_own_password,
                                  args=(view, person.name, OLD, NEW, AGAIN))  # fmt: skip
        if view.failed:
            st.error(plain(view.failed, 600), icon=":material/error:")
