"""What surrounds every page: its title, its help, the person's menu, and how it says no."""

import streamlit as st

from app import context
from app.navigation import BY_PATH
from app.widgets.people.own_account import own_password
from app.widgets.text import count, one_line, plain
from core.errors import Conflict, HoldpointError, NotAllowed, NotFound
from core.plant import Person
from core.watch.alarms import SiteStatus


@st.dialog("Keys and help")
def show_help(path: str) -> None:
    """One screen of help about a page."""
    entry = BY_PATH[path]
    st.subheader(entry.title)
    st.markdown(entry.help)
    if path in ("inspector/queue", "inspector/correct"):
        st.link_button("Open the defect book", "/book", icon=":material/menu_book:")  # beside the work, in a new tab


def title(path: str, *facts: str) -> None:
    """A page's heading with its facts and its F1 help on one line.

    Args:
        path: of the page, as in the list of pages.
        facts: short, already plain.
    """
    entry = BY_PATH[path]
    with st.container(horizontal=True, vertical_alignment="center", key=f"title.{entry.url}"):
        st.title(entry.title, anchor=False, width="content")
        for fact in facts:
            st.caption(fact, width="content")
        st.space("stretch")
        help_button(path)


def help_button(path: str) -> None:
    """F1 on any page."""
    if st.button("Help", key=f"help.{path}", icon=":material/help:", shortcut="F1", help="What this page does"):
        show_help(path)


def person_menu(person: Person) -> None:
    """Who is signed in, and the way out; a plain form post, so that the cookie goes with it."""
    with st.container(key="person"), st.popover(plain(person.name), icon=":material/account_circle:"):
        st.markdown(f"**{plain(person.name)}**")
        st.caption(
            f"{person.role.spoken} · {plain(', '.join(person.sites)) if person.sites is not None else 'all sites'}"
        )
        own_password(person)
        st.html(
            '<form method="post" action="/sign-out"><button type="submit" style="font:inherit;padding:.5rem 1rem;'
            'border-radius:6px;border:1px solid currentColor;background:transparent;color:inherit;cursor:pointer">'
            "Sign out</button></form>"
        )


@st.fragment(run_every=15)
def status_bar() -> None:
    """How things stand at the person's sites, on every page: auto-PASS, open alarms, backlog."""
    try:
        found = context.site_statuses(context.me())
    except NotAllowed:  # signed out since; the page itself says so
        return
    if not found:
        return
    paused = [one for one in found if one.paused is not None]
    passing = [one for one in found if one.passing and one.paused is None]
    alarms, backlog = sum(one.alarms for one in found), sum(one.backlog for one in found)
    where = plain(found[0].site, 24) if len(found) == 1 else f"{len(found)} sites"
    if paused:
        which = "" if len(found) == 1 else f": {plain(', '.join(one.site for one in paused), 40)}"
        state = f":orange-badge[:material/pause_circle: auto-PASS paused{which}]"
    elif passing:
        which = "" if len(passing) == len(found) else f" at {len(passing)} of {len(found)}"
        state = f":green-badge[:material/play_circle: auto-PASS on{which}]"
    else:
        state = ":gray-badge[:material/block: auto-PASS off]"
    bell = f":red-badge[:material/notifications_active: {count(alarms, 'alarm')}]" if alarms else "0 alarms"
    with st.container(key="status"):
        st.markdown(f"{where} · {state} · {bell} · {backlog:,} waiting", width="content")


def auto_pass(found: SiteStatus | None) -> str:
    """Whether parts pass by themselves at a site, in one cell of a table; the bar above says the same."""
    if found is None or not (found.passing or found.paused):
        return "off"
    return f"paused: {one_line(found.paused)}" if found.paused else "on"


def signed_out() -> None:
    """Nobody is known: the only thing to do is to sign in."""
    st.title("Signed out", anchor=False)
    st.info("You are signed out, or your session has ended. Nothing you had saved is lost.", icon=":material/lock:")
    st.link_button("Sign in", "/sign-in", type="primary", icon=":material/login:")


def say_no(error: HoldpointError) -> None:
    """An error that is the user's or the plant's to mend, in its own words."""
    icon = {Conflict: ":material/sync_problem:", NotAllowed: ":material/lock:", NotFound: ":material/search_off:"}
    st.error(plain(str(error), 600), icon=icon.get(type(error), ":material/error:"))


def notices(message: str, failed: str) -> None:
    """The last act's outcome, above the work and never over the picture."""
    if failed:
        st.error(plain(failed, 600), icon=":material/error:")
    if message:
        st.success(plain(message, 600), icon=":material/check:")


def nothing(what: str, *, icon: str = "inbox", then: str = "") -> None:
    """A designed empty state: what is so, and what to do next."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"### :material/{icon}: {what}", text_alignment="center")
        if then:
            st.caption(then, text_alignment="center")
