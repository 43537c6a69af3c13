"""Notes: labels by vote, what waits for a person, the functions, checks by hand, versions, emerging names."""

import streamlit as st

from app import context
from app.jobs.words.notes import accuracy, emerging_names
from app.notes import MOST_UPLOAD, PAGE, NotesState, take_file
from app.state import state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.jobs import follow_and_redraw, worker_state
from app.widgets.text import count, one_line
from app.widgets.words import note_tables, note_text
from core.roles import Action

VIEWS = ("Waiting", "Notes", "Functions", "Check by hand", "Versions", "New names", "Files")

view = state(NotesState)
title("words/notes")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "notes.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

store = context.store()
site = store.sites.get(site_name)
counts = store.notes.counts(site_name)
chosen = st.segmented_control("View", VIEWS, default=VIEWS[0] if counts["notes"] else VIEWS[-1], required=True,
                              key="notes.view", bind="query-params", label_visibility="collapsed")  # fmt: skip
st.caption(
    f"{count(counts['notes'], 'note')}, {counts['labelled']:,} labelled, {counts['waiting']:,} waiting for a person"
)
note_tables.aside(counts["aside"])
if view.job is not None:
    worker_state()
    follow_and_redraw(view.job)
shown = store.notes.shown(site_name)
empty = "No note yet"
how = "Bring in a file under Files, or with `holdpoint notes import`; only cleared text is kept."

if chosen == "Files":
    if context.may(Action.IMPORT):
        file = st.file_uploader("Notes as .jsonl or .csv with the columns text, cleared and, where known, at and id; "
                                "or .txt, one a line", type=["jsonl", "csv", "txt", "log"],
                                max_upload_size=MOST_UPLOAD >> 20, key=f"notes.file.{site_name}")  # fmt: skip
        cleared = st.checkbox("The whole file is cleared; rows that say they are not stay out all the same",
                              key=f"notes.cleared.{site_name}")  # fmt: skip
        if file is not None:
            given = (view, site_name, file.name, file.getvalue, cleared)
            st.button(f"Take {one_line(file.name, 40)}", key=f"notes.take.{site_name}", icon=":material/upload:",
                      type="primary", on_click=take_file, args=given)  # fmt: skip
    read = store.notes.imports(site_name)
    if read:
        note_tables.imports(read, site.timezone)
    else:
        nothing("No file was read yet", icon="upload_file", then="Text without clearance is counted and never kept.")
elif shown is None:
    nothing(empty, icon="sticky_note_2", then=how)
elif chosen == "Waiting":
    waiting = store.notes.find(site_name, waiting=True, limit=1)
    if waiting:
        note_text.question(view, waiting[0], context.may(Action.REVIEW))
    else:
        nothing("Nothing waits", icon="task_alt", then="Check some notes by hand: that tells how good the labels are.")
elif chosen == "Notes":
    for note in store.notes.find(site_name, limit=PAGE):
        note_text.note_line(note, site.timezone)
elif chosen == "Functions":
    note_tables.functions(shown)
    names = [name for name, *_ in shown.document["functions"]]
    note_tables.rules_form(view, site_name, store.notes.rules(site_name), names, context.may(Action.TAXONOMY))
elif chosen == "Check by hand":
    note_tables.accuracy(accuracy(store, site_name))
    drawn = store.notes.to_check(site_name) if context.may(Action.REVIEW) else []
    if drawn:
        note_text.hand_check(view, drawn[0])
    else:
        nothing("No note to check", icon="task_alt", then="Inspectors, QA leads and data scientists check them.")
elif chosen == "Versions":
    may_change = context.may(Action.TAXONOMY)
    note_tables.versions(view, site_name, store.notes.versions(site_name), site.timezone, may_change)
else:
    note_tables.emerging(view, site_name, emerging_names(store, site_name), context.may(Action.TAXONOMY))
