"""Queue: one part at a time, the most urgent first; look, answer with one key, go on."""

import streamlit as st

from app import context, desk, narrowing
from app.navigation import go
from app.state import CorrectState, state
from app.widgets.desk.queue_desk import queue_desk
from app.widgets.frame import help_button
from app.widgets.text import plain
from app.widgets.words.command_bar import command, meaning

sites = [site.name for site in context.store().sites.all()]
# One block, however much is said in it: the desk below keeps its place on the page, and with it what it has in hand.
with st.container(key="queue.top"):
    with st.container(horizontal=True, vertical_alignment="center", key="queue.head"):
        st.title("Queue", anchor=False, width="content")
        chosen = st.selectbox(
            "Site", [narrowing.ALL_SITES, *sites], key="queue.site", bind="query-params", width=220,
            label_visibility="collapsed",
        )  # fmt: skip
        with st.container(width=340, key="queue.words"):
            words = command("queue", "scratches on line B since Monday")
        st.space("stretch")
        help_button("inspector/queue")

    meaning("queue", words, narrowing.apply)
    site = None if chosen == narrowing.ALL_SITES else chosen
    narrow, why = narrowing.in_force(site)
    if narrow.given or why:
        with st.container(horizontal=True, vertical_alignment="center", key="queue.narrowed"):
            for one in narrowing.said(narrow, site):
                st.badge(plain(one, 60), icon=":material/filter_alt:", color="blue")
            st.caption(why)
            st.space("stretch")
            st.button("Show all parts", key="queue.clear", icon=":material/filter_alt_off:", on_click=narrowing.clear)

now = context.now()
screen = desk.screen(context.store(), site, now, narrow=narrow)
asked = queue_desk(screen, user=context.me().name, stamp=now.timestamp(), key="queue.desk")
if asked is not None:
    state(CorrectState).image = asked["image"]
    go("inspector/correct", task=str(asked["task"]))
