"""What the page of notes asks for and what its buttons do."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app import context
from app.jobs.words.notes import import_notes
from app.state import FormState, told
from core.errors import BadInput
from core.words.labelling.registry import LabelRules, with_entry
from core.words.labelling.written import read
from data.store.words.notes_rows import KeptRules, NoteSeen

MOST_UPLOAD = 4 << 20  # bytes; more is the command line's
PAGE = 30  # notes shown at once


@dataclass
class NotesState(FormState):
    """Page of notes."""


def take_file(view: NotesState, site: str, name: str, data: Callable[[], bytes], cleared: bool) -> None:
    """Read an uploaded file in memory, store what may be stored, and let the worker label it."""
    with told(view):
        held = data()
        if len(held) > MOST_UPLOAD:
            raise BadInput(f"{name} is larger than {MOST_UPLOAD >> 20} MB: use `holdpoint notes import` for it.")
        done = import_notes(context.store(), name, held, site, cleared=cleared, now=context.now())
        view.message = (
            f"{done['new']:,} new notes of {done['read']:,} rows; {done['known']:,} known, {done['uncleared']:,} not "
            f"cleared and not kept, {sum(done['refused'].values()):,} not usable. "
        )
        if done["new"]:
            _submit(view, site, fresh=False)


def relabel(view: NotesState, site: str, fresh: bool = False) -> None:
    """Let the worker label everything by the rules as they are now."""
    with told(view):
        _submit(view, site, fresh)


def _submit(view: NotesState, site: str, fresh: bool) -> None:
    view.job = context.store().jobs.submit("notes", {"site": site, "fresh": fresh}, now=context.now())
    view.message += "The worker labels the notes now: leave this page if you like."


def say(view: NotesState, note_id: int, begins: int, ends: int, label: str) -> None:
    """A person's label for a stretch."""
    with told(view):
        context.store().notes.override(note_id, begins, ends, label, now=context.now())
        view.message = "Kept. A later word on the same stretch beats this one."


def say_chosen(view: NotesState, note_id: int, begins: int, ends: int, key: str) -> None:
    """The label chosen in a list."""
    label = st.session_state.get(key)
    if label is not None:
        say(view, note_id, begins, ends, label)


def check(view: NotesState, note: NoteSeen, lines: str | None, key: str) -> None:
    """All true labels of a note: as they are, or as they were typed.

    Args:
        view: of the page.
        note: as it was shown.
        lines: None takes the labels as they are.
        key: of the field that was typed into.
    """
    with told(view):
        truth = note.voted.spans if lines is None else read(note.text, str(st.session_state.get(key, lines)))
        context.store().notes.check(note.id, truth, now=context.now())
        view.message = "Kept."


def add_entry(view: NotesState, site: str, word: str, key: str) -> None:
    """Put an emerging name on a list of the site, and label everything anew."""
    with told(view):
        label = st.session_state.get(key)
        if label is None:
            raise BadInput("Choose what the word is first.")
        kept = context.store().notes.rules(site)
        _set(view, site, kept, with_entry(kept.rules, label, word), f"'{word}' has come up in notes: {label}")


def set_rules(view: NotesState, site: str, kept: KeptRules, made: LabelRules, why: str) -> None:
    """Change how votes are joined, and label everything anew."""
    with told(view):
        if made == kept.rules:
            raise BadInput("Nothing was changed.")
        _set(view, site, kept, made, str(st.session_state.get(why, "")))


def _set(view: NotesState, site: str, kept: KeptRules, made: LabelRules, reason: str) -> None:
    store = context.store()
    number = store.notes.set_rules(site, made, reason, seen=kept.number, now=context.now()).number
    view.message = f"Rules {number} are in force. "
    _submit(view, site, fresh=False)
