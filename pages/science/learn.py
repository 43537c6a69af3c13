"""Learn: what is worth a label next, chosen beside a random arm, sent into the queue, and what it was worth."""

import streamlit as st

from app import context, learn
from app.learn import LearnState
from app.state import state
from app.widgets.frame import nothing, notices, title
from app.widgets.learn.batch import batch_choice, figures, heading, outcome, pictures
from app.widgets.learn.compare import compare_form, compared
from app.widgets.learn.form import choose_form
from app.widgets.learn.wait import waiting

view = state(LearnState)
title("science/learn")
notices(view.message, view.failed)
sites = context.store().sites.all()
if not sites:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

step = st.segmented_control("Step", ["Choose", "Compare"], default="Choose", key="learn.step", required=True,
                            bind="query-params", label_visibility="collapsed")  # fmt: skip
left, right = st.columns([1, 3], gap="medium")
if step == "Compare":
    with left:
        compare_form(view, [learn.LABELS_SO_FAR, *learn.datasets()])
    with right:
        compared(learn.comparisons(), view.why_not)
    st.stop()

with left:
    question = choose_form(sites)
    if question is not None:
        learn.choose(view, question)
        st.rerun()
    waiting(view)
with right:
    batch = batch_choice(view, learn.batches())
    if batch is None:
        nothing("No batch yet", icon="fact_check",
                then="Choose one on the left: nobody is asked before you have seen it and sent it.")  # fmt: skip
        st.stop()
    chosen = learn.items(batch)
    heading(view, batch, context.now())
    outcome(batch, chosen)
    figures(batch, chosen)
    pictures(view, chosen)
