"""Queue: one part at a time, the most urgent first; look, answer with one key, go on."""

import streamlit as st

from app import context, desk
from app.navigation import go
from app.state import CorrectState, state
from app.widgets.desk.queue_desk import queue_desk
from app.widgets.frame import help_button

sites = [site.name for site in context.store().sites.all()]
with st.container(horizontal=True, vertical_alignment="center", key="queue.head"):
    st.title("Queue", anchor=False, width="content")
    site = st.selectbox(
        "Site", ["All sites", *sites], key="queue.site", bind="query-params", width=220, label_visibility="collapsed"
    )
    st.space("stretch")
    help_button("inspector/queue")

now = context.now()
screen = desk.screen(context.store(), None if site == "All sites" else site, now)
asked = queue_desk(screen, user=context.me().name, stamp=now.timestamp(), key="queue.desk")
if asked is not None:
    state(CorrectState).image = asked["image"]
    go("inspector/correct", task=str(asked["task"]))
