"""A note with its labels in colour and by word, and one stretch for a person to answer."""

from collections.abc import Sequence

import streamlit as st

from app.notes import NotesState, check, say, say_chosen
from app.widgets.text import local, plain, share
from core.words.labelling.registry import LABELS
from core.words.labelling.written import written
from core.words.text import OUTSIDE, Span
from core.words.votes import Came, Labelled, Waiting
from data.store.words.notes_rows import NoteSeen

COLOURS = {
    "defect": "red", "product": "blue", "brand": "violet", "size": "gray", "quantity": "gray", "verdict": "orange",
    "line": "green", "location": "green", "schedule": "yellow", "employee": "violet", "time": "blue",
}  # fmt: skip
WHY = {
    Came.TIE: "a tie: as much speaks for one as for the other",
    Came.UNSURE: "unsure: less than the limit speaks for it",
    Came.AMBIGUOUS: "AMBIGUOUS: a person's name or a thing's",
}
NAMES = ("employee", "brand", "product")


def marked(text: str, spans: Sequence[Span], waiting: Sequence[Waiting] = ()) -> str:
    """Markdown of a note: labelled stretches in colour with their label, waiting ones with a question mark."""
    parts, at = [], 0
    marks = [(one.start, one.end, COLOURS.get(one.label, "gray"), one.label) for one in spans]
    marks += [(one.start, one.end, "orange", f"{one.came.value}?") for one in waiting]
    for start, end, colour, word in sorted(marks):
        if start < at:
            continue
        parts.append(_bare(text[at:start]))
        parts.append(f":{colour}-background[{_bare(text[start:end])}] :{colour}[:small[{plain(word)}]]")
        at = end
    return "".join([*parts, _bare(text[at:])])


def _bare(text: str) -> str:
    """Text that no Markdown is read in; its outer spaces stay."""
    inner = plain(text, 5000)
    return (" " if text[:1].isspace() else "") + inner + (" " if text[-1:].isspace() and inner else "")


def note_line(note: NoteSeen, zone: str) -> None:
    """One note of a list."""
    counts: Labelled = note.counts
    with st.container(border=True, gap="small"):
        st.markdown(marked(note.text, counts.spans, counts.waiting))
        facts = [f"note {note.id}"]
        if note.said_at is not None:
            facts.append(local(note.said_at, zone))
        if note.aside is not None:
            facts.append(f"set aside: {plain(note.aside)}")
        if note.overrides:
            facts.append(f"{len(note.overrides)} by hand, last by {plain(note.overrides[-1].by, 40)}")
        if counts.given:
            facts.append(f"least sure {share(min(one.share for one in counts.given))}")
        st.caption(" · ".join(facts))


def question(view: NotesState, note: NoteSeen, may_answer: bool) -> None:
    """The first stretch of a note that waits: one key for each label."""
    stretch = note.counts.waiting[0]
    st.markdown("### " + marked(note.text, note.counts.spans, [stretch]))
    st.caption(f"“{plain(note.text[stretch.start : stretch.end])}” is {WHY[stretch.came]}.")
    if not may_answer:
        st.caption("Inspectors, QA leads and data scientists answer.")
        return
    likely = NAMES if stretch.came is Came.AMBIGUOUS else stretch.candidates
    at = (note.id, stretch.start, stretch.end)
    key = ".".join(str(one) for one in ("notes.say", *at))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for number, label in enumerate(likely[:8], 1):
            st.button(label.capitalize(), key=f"{key}.{label}", shortcut=str(number), type="primary",
                      on_click=say, args=(view, *at, label))  # fmt: skip
        st.button("None of them", key=f"{key}.none", shortcut="0", on_click=say, args=(view, *at, OUTSIDE))
        others = [label for label in LABELS if label not in likely]
        st.selectbox("Another label", others, None, key=f"{key}.other", placeholder="Another label", width=220,
                     label_visibility="collapsed", on_change=say_chosen, args=(view, *at, f"{key}.other"))  # fmt: skip


def hand_check(view: NotesState, note: NoteSeen) -> None:
    """One note that chance has drawn, with the labels of the vote: right, or as they should be."""
    key = f"notes.check.{note.id}"
    lines = written(note.text, note.voted.spans)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown("### " + marked(note.text, note.voted.spans))
        st.caption("Is every label right, to the word, and is none missing?")
        st.button("All right", key=f"{key}.right", icon=":material/check:", shortcut="A", type="primary",
                  on_click=check, args=(view, note, None, ""))  # fmt: skip
    with right:
        st.text_area("Otherwise, the labels as they should be: one a line", lines, key=f"{key}.lines", height=150,
                     help=f"label: words. The labels are {', '.join(LABELS)}.")  # fmt: skip
        st.button("Keep these labels", key=f"{key}.fix", icon=":material/edit:",
                  on_click=check, args=(view, note, lines, f"{key}.lines"))  # fmt: skip
