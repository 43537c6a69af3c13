"""The job that the Learn page waits for."""

import streamlit as st

from app import context, learn
from app.learn import LearnState
from app.widgets.jobs import job_row, worker_state
from core.plant import JobState


def waiting(view: LearnState) -> None:
    """Nothing while no job runs; else how far it is, and the page anew when it is done."""
    if view.job is not None:
        worker_state()
        _follow(view)


@st.fragment(run_every=1.5)
def _follow(view: LearnState) -> None:
    if view.job is None:
        return
    job = context.store().jobs.get(view.job)
    job_row(job)
    if learn.arrived(view, job):
        st.rerun()
    if job.state is JobState.DONE:
        view.job = None
        st.rerun()
