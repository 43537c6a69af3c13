"""Long work on a page: how far it is, how to end it, and whether anybody works at all."""

import streamlit as st

from app import context
from app.state import FormState, state, told
from app.theme import BadgeColour
from app.widgets.text import ago, plain
from core.plant import Job, JobState

LOOKS: dict[JobState, tuple[str, BadgeColour]] = {
    JobState.WAITING: (":material/hourglass_empty:", "gray"),
    JobState.RUNNING: (":material/sync:", "blue"),
    JobState.DONE: (":material/check_circle:", "green"),
    JobState.FAILED: (":material/error:", "red"),
    JobState.CANCELLED: (":material/block:", "orange"),
}


def worker_state() -> None:
    """One line: a worker is there, or jobs wait and how to start one."""
    if context.store().jobs.alive(context.now()):
        st.caption(":material/engineering: The worker is running.")
    else:
        st.warning(
            "No worker is running, so jobs wait. `holdpoint run` starts one with this page; beside one that runs: "
            "`holdpoint work`.",
            icon=":material/engineering:",
        )


def job_row(job: Job) -> None:
    """One job: what, how far, and the way to end it."""
    icon, colour = LOOKS[job.state]
    with st.container(border=True, gap="small"), st.container(horizontal=True, vertical_alignment="center"):
        st.badge(job.state.value, icon=icon, color=colour)
        st.markdown(f"**{plain(job.kind)}** {job.id}", width="content")
        st.caption(f"{plain(job.by)}, {ago(job.submitted_at, context.now())}", width="content")
        st.space("stretch")
        if job.state is JobState.RUNNING:
            st.progress(min(1.0, job.done / job.total) if job.total else 0.0, text=plain(job.message, 80), width=320)
        elif job.error:
            st.caption(f":red[{plain(job.error, 160)}]", width="content")
        elif job.message:
            st.caption(plain(job.message, 120), width="content")
        if job.state in (JobState.WAITING, JobState.RUNNING):
            st.button("Cancel", key=f"job.cancel.{job.id}", icon=":material/close:", disabled=job.cancel,
                      on_click=_cancel, args=(job.id,))  # fmt: skip


def _cancel(job_id: int) -> None:
    with told(state(FormState)):
        context.store().jobs.cancel(job_id)


@st.fragment(run_every=2)
def follow(job_id: int | None) -> None:
    """The job that this page submitted, until it ends."""
    if job_id is None:
        return
    job = context.store().jobs.get(job_id)
    job_row(job)
    if job.state is JobState.DONE:
        report(job)


@st.fragment(run_every=2)
def follow_and_redraw(job_id: int) -> None:
    """How far a job is; once it is done the page is drawn again, with what the job found."""
    job = context.store().jobs.get(job_id)
    job_row(job)
    redrawn = f"job.redrawn.{job_id}"
    if job.state is JobState.DONE and redrawn not in st.session_state:
        st.session_state[redrawn] = True
        st.rerun()


def report(job: Job) -> None:
    """What a finished job says, as a small table of its numbers."""
    if not isinstance(job.result, dict):
        return
    rows = []
    for name, value in job.result.items():
        if isinstance(value, dict):
            rows += [{"what": f"{name}: {inner}", "value": str(found)} for inner, found in value.items()]
        elif not isinstance(value, list):
            rows.append({"what": name, "value": str(value)})
    st.dataframe(rows, hide_index=True, height="content")
    if job.kind == "export" and job.result.get("destination"):
        st.link_button("Download", f"/export/{job.id}", icon=":material/download:", type="primary")


@st.fragment(run_every=3)
def recent_jobs(most: int = 6) -> None:
    """The newest jobs, kept fresh while the page is open."""
    jobs = context.store().jobs.recent(limit=most)
    if not jobs:
        st.caption("No job has run yet.")
    for job in jobs:
        job_row(job)
