"""Audit trail: who did what, when and why, and whether anybody has meddled with it."""

from datetime import datetime, time

import streamlit as st

from app import context, office
from app.state import AuditState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.people.trail import findings, trail_table
from app.widgets.text import count, local, one_line, zone

PAGE = 100

view = state(AuditState)
store = context.store()
head = store.seals.head()
waiting, _ = store.seals.waiting()
sites = {site.name: site.timezone for site in store.sites.all()}
title(
    "admin/audit", f"{count(head.number, 'event')} sealed, the last {local(head.at)}" if head else "nothing sealed yet"
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    by = st.text_input("By", key="audit.by", max_chars=100, placeholder="Anybody", width=180)
    act = st.selectbox("Act", store.audit.actions(), index=None, key="audit.act", placeholder="Any", width=220,
                       format_func=one_line)  # fmt: skip
    subject = st.text_input("About", key="audit.subject", max_chars=120, placeholder="part 12", width=180)
    site = st.selectbox("Site", list(sites), index=None, key="audit.site", placeholder="All", width=160,
                        format_func=one_line)  # fmt: skip
    day = st.date_input("Since", None, key="audit.since", width=150)
    st.space("stretch")
    st.button("Verify", icon=":material/verified_user:", type="primary", on_click=office.verify, args=(view,),
              help="Look at every event and every seal")  # fmt: skip
notices(view.message, view.failed)
findings(view)
if waiting > PAGE:
    st.warning(f"{waiting:,} events wait for their seal: is the worker running?", icon=":material/hourglass_top:")

here = zone(sites.get(site or "", "UTC"))
since = datetime.combine(day, time(), here) if day else None
asked = (by.strip() or None, act, subject.strip() or None, site, since)
if asked != view.asked:  # another question starts at its newest answer
    view.asked, view.before = asked, None
events = store.audit.recent(PAGE, site, asked[2], view.before, by=asked[0], action=act, since=since)
if events:
    trail_table(events, sites.get(site or "", "UTC"))
else:
    nothing("No such event", icon="search_off", then="Widen the filters above.")
with st.container(horizontal=True):
    if view.before is not None:
        st.button("Newest", icon=":material/first_page:", on_click=office.older, args=(view, None))
    if len(events) == PAGE:
        st.button("Older", icon=":material/chevron_right:", on_click=office.older, args=(view, events[-1].id))
