"""Bringing complaints in, and choosing which of them to look at."""

from typing import TYPE_CHECKING

import streamlit as st

from app import complaints as desk
from app import context
from app.complaints import ComplaintsState
from app.widgets.frame import nothing
from app.widgets.jobs import follow, worker_state
from app.widgets.text import one_line
from core.plant import JobState
from core.words.complaints.reading import COLUMNS

if TYPE_CHECKING:
    from data.store.words.complaints import Which

_SHOWN = 50  # rows that are told


def bring_in(view: ComplaintsState, site: str) -> None:
    """A file, and what it has to look like."""
    with st.popover("Import", icon=":material/upload:"):
        st.caption(f"A CSV file with a head. It has to name id and told_on, and may name "
                   f"{', '.join(one for one in COLUMNS if one not in ('id', 'told_on'))}. Days are written 2026-03-01. "
                   "What customers wrote is covered before it is kept; other columns are not read. Importing twice "
                   "changes nothing.")  # fmt: skip
        file = st.file_uploader("Complaints and returns", type="csv", key=f"complaints.file.{site}")
        st.button("Import", key="complaints.take", type="primary", disabled=file is None,
                  on_click=desk.submit_file, args=(view, site, file))  # fmt: skip


def progress(view: ComplaintsState) -> None:
    """How far the last file is, and the rows of it that were not taken."""
    if view.job is None:
        return
    job = context.store().jobs.get(view.job)
    if job.state in (JobState.WAITING, JobState.RUNNING):
        worker_state()
    follow(view.job)
    bad = desk.bad_rows(job)
    if bad:
        with st.expander(f"{len(bad):,} rows were not taken", icon=":material/warning:"):
            st.dataframe([{"line": one["line"], "why": one_line(str(one["why"]), 300)} for one in bad[:_SHOWN]],
                         hide_index=True)  # fmt: skip


def which_list(site: str) -> "Which":
    """One of the lists, each with how many it holds."""
    counts = context.store().complaints.counts(site)
    names = list(counts)
    chosen = st.pills("Which", names, default=names[0], key="complaints.which", label_visibility="collapsed",
                      format_func=lambda one: f"{one} ({counts[one]:,})")  # fmt: skip
    return chosen if chosen is not None else names[0]


def empty(which: "Which") -> None:
    """What to do where a list is empty."""
    then = {
        "to answer": "Import a file, or look under another list: what has no part yet stands under 'without a part'.",
        "to confirm": "Every field that was understood is confirmed.",
        "without a part": "Every complaint has its part.",
        "escapes": "An escape is a part that was let go although its pictures show the defect.",
    }
    nothing("Nothing here", icon="task_alt", then=then.get(str(which), "Import a file to begin with."))
