"""Alarms: what broke a rule, what was done about it, and the rules themselves."""

import streamlit as st

from app import acts, alarm_desk, context
from app.state import AlarmsState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.quality.alarms import alarm_card, promise, requests_to_agree, rule_form, rule_table, waiting_rules
from app.widgets.quality.follow_ups import follow_up_card
from app.widgets.text import ago, count, plain
from core.roles import Action
from core.watch.alarms import FOLLOW_UPS
from core.watch.rules import STEPS

view = state(AlarmsState)
store = context.store()
names = [site.name for site in store.sites.all()]
opened = store.alarms.find(limit=200)
title("quality/alarms", count(len(opened), "open alarm"))
notices(view.message, view.failed)
name = site_choice(names, "alarms.site")
if name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

site = store.sites.get(name)
rules = store.alarms.rules(name)
figures = store.alarms.figures(name)
left, right = st.columns([3, 2], gap="medium")
with left:
    if site.paused and not context.may(Action.POLICY):
        st.warning("Auto-PASS is paused at this site.", icon=":material/pause_circle:")
    if context.may(Action.POLICY):
        acts.pause_controls(view, site)
    requests_to_agree(view, site)
    mine = [one for one in opened if one.site == name]
    for alarm in mine:
        alarm_card(view, alarm, site)
    if not mine:
        then = "The worker looks about once a minute." if figures else "The worker has not looked at this site yet."
        nothing("No alarm is open", icon="notifications_off", then=then)
with right:
    st.subheader("Asked for", anchor=False)
    asked = store.alarms.follow_ups(name)
    for one in asked:
        follow_up_card(view, one, site)
    if not asked:
        st.caption("Nothing waits: investigations, proposals and requests of alarms come here.")
    if context.may(Action.POLICY):
        with st.popover("Ask for something", icon=":material/add:"), st.form("alarms.ask", border=False):
            kind = st.selectbox("What", FOLLOW_UPS, format_func=lambda step: STEPS[step].capitalize())
            text = st.text_input("In a sentence", max_chars=300)
            if st.form_submit_button("Ask", type="primary") and kind is not None:
                alarm_desk.ask(view, name, kind, text)
                st.rerun()
looked = f"looked {ago(figures[0]['looked_at'], context.now())}" if figures else "not looked yet"
st.subheader("Rules", anchor=False)
promise(rules)
rule_table(rules, figures)
st.caption(f"The worker {looked}. {plain(alarm_desk.who_is_told())}")
waiting_rules(view, site, rules, store.alarms.rule_history(name))
if context.may(Action.POLICY):
    with st.container(border=True):
        rule_form(view, site, rules)
with st.expander("Closed", on_change="ignore"):
    for alarm in store.alarms.find(name, closed=True, limit=10):
        alarm_card(view, alarm, site)
    for one in store.alarms.follow_ups(name, closed=True, limit=10):
        follow_up_card(view, one, site)
