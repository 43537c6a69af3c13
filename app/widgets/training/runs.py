"""Runs on the Training page: each with its steps, where it is, why it stopped, and the way on."""

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

from app import context, training
from app.theme import BadgeColour
from app.training import TrainingState
from app.widgets.frame import nothing
from app.widgets.jobs import job_row, worker_state
from app.widgets.text import ago, local, plain
from core.learn.pipeline import Cause, Run, RunState, Step, StepState
from core.roles import Action

STEPS: Mapping[StepState, tuple[str, BadgeColour]] = {
    StepState.WAITING: (":material/hourglass_empty:", "gray"),
    StepState.RUNNING: (":material/sync:", "blue"),
    StepState.DONE: (":material/check_circle:", "green"),
    StepState.FAILED: (":material/error:", "red"),
    StepState.NOT_RUN: (":material/remove_circle_outline:", "gray"),
    StepState.CANCELLED: (":material/block:", "orange"),
}
RUNS: Mapping[RunState, tuple[str, BadgeColour]] = {
    RunState.WAITING: (":material/hourglass_empty:", "gray"),
    RunState.RUNNING: (":material/sync:", "blue"),
    RunState.DONE: (":material/check_circle:", "green"),
    RunState.FAILED: (":material/error:", "red"),
    RunState.CANCELLED: (":material/block:", "orange"),
}


def runs_panel(view: TrainingState, site: str, zone: str) -> None:
    """The newest runs; kept fresh while one is on its way."""
    found = training.runs(site)
    if not found:
        nothing("No run yet", icon="model_training",
                then="Configure a pipeline under Schedule and run it now, or let its schedule begin it.")  # fmt: skip
        return
    busy = any(not one.state.over for one in found)
    if busy:
        worker_state()
        _fresh(view, site, zone)
    else:
        _shown(view, found, zone)


@st.fragment(run_every=2)
def _fresh(view: TrainingState, site: str, zone: str) -> None:
    found = training.runs(site)
    if all(one.state.over for one in found):  # before anything is drawn, or the page would show each of them twice
        st.rerun()
    _shown(view, found, zone)


def _shown(view: TrainingState, found: list[Run], zone: str) -> None:
    now = context.now()
    for one in found:
        run_card(view, one, zone, now)


def run_card(view: TrainingState, run: Run, zone: str, now: datetime) -> None:
    """One run."""
    icon, colour = RUNS[run.state]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(run.pipeline)}** run {run.id}", width="content")
            st.badge(str(run.state), icon=icon, color=colour)
            st.caption(f"{_began(run, zone)} · configuration {run.number} · {plain(run.by)}, "
                       f"{ago(run.created_at, now)}", width="content")  # fmt: skip
            st.space("stretch")
            if run.state in (RunState.FAILED, RunState.CANCELLED) and context.may(Action.TRAIN):
                st.button("Go on", icon=":material/play_arrow:", key=f"training.resume.{run.id}",
                          on_click=training.resume, args=(view, run.id))  # fmt: skip
        if run.said:
            st.caption(plain(run.said, 300))
        with st.container(horizontal=True, gap="small"):
            for step in run.steps:
                sign, tint = STEPS[step.state]
                st.badge(_word(step), icon=sign, color=tint)
        for step in run.steps:
            if step.state is StepState.FAILED:
                st.error(f"**{step.name}** failed: {plain(step.reason, 600)}", icon=":material/error:")
            elif step.state is StepState.NOT_RUN and not run.state.over:
                st.caption(f"{step.name}: {plain(step.reason, 300)}")
        if not run.state.over:
            job_row(context.store().jobs.get(run.job))
        if any(step.result or step.reason for step in run.steps):
            with st.expander("What each step found"):
                st.dataframe([_row(step) for step in run.steps], hide_index=True, height="content")


def _began(run: Run, zone: str) -> str:
    if run.cause is Cause.HAND or run.due_at is None:
        return "started by hand"
    missed = f", also for {run.missed} missed" if run.missed else ""
    return f"{run.cause} of {local(run.due_at, zone)}{missed}"


def _word(step: Step) -> str:
    took = "" if step.seconds is None or step.state is not StepState.DONE else f" {_spoken(step.seconds)}"
    again = f", try {step.tries}" if step.tries > 1 else ""
    return f"{step.name}: {step.state}{took}{again}"


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _row(step: Step) -> dict[str, str]:
    found = dict(step.result or {})
    said = "; ".join(f"{name.replace('_', ' ')}: {_value(value)}" for name, value in found.items())
    return {"step": str(step.name), "state": str(step.state), "found": said or step.reason or "–"}


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return str(value)
