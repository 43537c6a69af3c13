"""What surrounds the editor of regions: which editor, which picture of the part, and the bar that saves."""

import streamlit as st

from app import correcting
from app.shown import Case
from app.state import CorrectState
from app.theme import VERDICTS
from app.widgets.desk.region_table import region_table
from app.widgets.desk.regions import DEFAULT, ENGINES, Engine, Sheet, Source, drafts, edit_regions
from app.widgets.desk.viewer import absolute, picture_url
from app.widgets.text import count, one_line, plain
from core.records import Image, ImageState, Verdict

KEYS = {Verdict.FAIL: "S", Verdict.REWORK: "W", Verdict.PASS: "A", Verdict.UNSURE: "D"}


def engine_choice(view: CorrectState) -> None:
    """Which editor this person works with: in the address, and remembered for the session."""
    with st.popover("Editor", icon=":material/tune:"):
        chosen = st.radio(
            "Draw with",
            list(ENGINES),
            index=list(ENGINES).index(view.engine or DEFAULT),
            format_func=lambda name: ENGINES[name].title,
            captions=[engine.caption for engine in ENGINES.values()],
            key="correct.engine",
            bind="query-params",
        )
        st.caption("Nothing is lost by changing. An outline's box comes by itself.")
    view.engine = str(chosen)


def board(view: CorrectState, case: Case, image: Image) -> None:
    """The editor; not a fragment, for a press of a button that comes with its last step would then be lost."""
    laid, engine = correcting.sheet(view, case, image), ENGINES[view.engine or DEFAULT]
    key = f"correct.{laid.item}.{view.redraws}"
    if engine.tools:
        _with_table(view, case, laid, engine, key)
        return
    edit = edit_regions(engine.name, laid, correcting.regions_now(view, laid), key=key)
    correcting.keep(view, case, laid, edit)
    if edit.entered:
        correcting.want(view, Verdict.FAIL, case.item)


def _with_table(view: CorrectState, case: Case, laid: Sheet, engine: Engine, key: str) -> None:
    """An engine without a table of its own, with its tools and ours beside it."""
    left, right = st.columns([69, 31], gap="small")
    with left:
        edit = edit_regions(engine.name, laid, correcting.regions_now(view, laid), key=key)
    with right:
        _tool_choice(view, laid, engine)
        copied = _discarded(view, laid) or _copies(laid)
        named = region_table(laid, edit.regions if copied is None else copied.regions, key=f"{key}.table")
        found = drafts.keep(laid, named, key=f"correct.{laid.item}.drafts")
    if found is not None:
        view.restored = laid.item
    correcting.keep_drawn(view, case, laid, edit, named if found is None else found)


def _tool_choice(view: CorrectState, laid: Sheet, engine: Engine) -> None:
    """The tool of an engine that has several, and the class that it draws."""
    tools = dict(engine.tools)
    first = next(iter(tools))
    chosen = st.segmented_control(
        "Tool",
        list(tools),
        default=view.tool or first,
        format_func=lambda name: tools[name],
        key="correct.tool",
        label_visibility="collapsed",
    )
    labels = {one.id: one.label for one in laid.kinds}
    class_id = st.selectbox(
        "New regions are",
        list(labels),
        index=list(labels).index(laid.new_class),
        key=f"correct.new.{laid.item}",
        format_func=lambda one: labels[one],
    )
    if (chosen or first, class_id) != (view.tool or first, laid.new_class):
        view.tool, view.next_class[laid.owner.image] = chosen or first, class_id
        st.rerun()


def _discarded(view: CorrectState, laid: Sheet) -> Source | None:
    """What the store has, where somebody throws the draft away that was restored."""
    if view.restored != laid.item:
        return None
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(":material/history: Draft restored.", width="content")
        if not st.button("Discard", key=f"correct.discard.{laid.item}"):
            return None
    view.restored = ""
    return Source("the store", "", laid.standing)


def _copies(laid: Sheet) -> Source | None:
    """Regions to start again from, where somebody asks for them."""
    with st.container(horizontal=True, gap="small"):
        for number, source in enumerate(laid.sources):
            if st.button(f"Copy from {plain(source.title)}", key=f"correct.copy.{laid.item}.{number}"):
                return source
    return None


def other_pictures(case: Case, image: Image, view: CorrectState) -> None:
    """All pictures of the part; the one in view is marked, and a click changes it."""
    if len(case.images) < 2:
        return
    with st.container(horizontal=True, key="thumbs", gap="small", vertical_alignment="center"):
        for number, one in enumerate(case.images, start=1):
            if one.state is ImageState.OK:
                st.image(absolute(picture_url(one, "thumb")), width=72, alt=f"Picture {number}")
            drawn = len(view.drafts.get(one.id, case.regions(one.id)[0]))
            there = "" if one.id == image.id else f" · {count(drawn, 'region')}"  # the editor counts its own
            st.button(
                f"{number} · {plain(one_line(one.capture.view or 'picture', 14))}{there}",
                key=f"correct.view.{one.id}",
                type="primary" if one.id == image.id else "secondary",
                disabled=one.width == 0,
                on_click=_choose,
                args=(view, one.id),
            )


def _choose(view: CorrectState, image_id: int) -> None:
    view.image = image_id


def save_buttons(view: CorrectState, case: Case) -> str:
    """Save the regions with a verdict; returns the note beside it.

    The key of a button names the item it was drawn for: a press that arrives late never reaches the next part.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="actions", gap="small"):
        for verdict, shortcut in KEYS.items():
            look = VERDICTS[verdict]
            pressed = st.button(
                f"Save as {look.word.lower()}",
                key=f"correct.{verdict}.{case.item}",
                icon=look.icon,
                shortcut=shortcut,
                type="primary" if verdict is Verdict.FAIL else "secondary",
                on_click=correcting.want,
                args=(view, verdict, case.item),
            )
            if pressed:  # a session that has only just come back knows of no callback yet
                correcting.want(view, verdict, case.item)
        return st.text_input(
            "Note",
            key=f"correct.note.{case.item}",
            placeholder="Note (may stay empty)",
            label_visibility="collapsed",
            max_chars=500,
        )
