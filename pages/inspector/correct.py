"""Correct: redraw what the model saw on the part in hand, name it, and answer."""

import streamlit as st

from app import desk, theme
from app.navigation import go
from app.state import CorrectState, QueueState, state
from app.widgets import canvas, part
from app.widgets.frame import help_button, nothing, notices
from app.widgets.region_table import region_table
from app.widgets.text import plain
from app.widgets.verdict_buttons import save_buttons
from app.widgets.viewer import absolute, picture_url

view, queue = state(CorrectState), state(QueueState)
case = desk.in_hand(st.query_params.get("task"))
with st.container(horizontal=True, vertical_alignment="center", key="correct.head"):
    st.title("Correct", anchor=False, width="content")
    if case is not None:
        st.caption(f"part {plain(case.part.name, 60)} · {plain(case.site.name)}", width="content")
    st.space("stretch")
    if st.button("Back to the queue", key="correct.back", icon=":material/arrow_back:", shortcut="B"):
        go("inspector/queue")
    help_button("inspector/correct")
notices("", view.failed)
if case is None or case.task is None or not case.images:
    nothing("Nothing to correct", icon="task_alt", then="No part is in your hands: take one from the queue.")
    st.stop()

desk.start_correcting(view, case)
image = part.chosen_image(case, queue.image[1] if queue.image and queue.image[0] == case.part.id else view.image)
if image is None:
    st.stop()
colours = theme.class_colours(case.site.taxonomy.ids)
left, right = st.columns([69, 31], gap="small")
with right:
    new_class = part.class_choice(case, image)
    st.caption("Drag on the picture to add a box. :material/edit: at its top right: move, resize, delete.")
with left:
    regions = canvas.edit_regions(
        view.drafts.get(image.id, canvas.keyed(case.regions(image.id)[0])),
        background=absolute(picture_url(image)),
        frame=canvas.frame_for((image.width, image.height), canvas.room(len(case.images))),
        colours=colours,
        new_like=canvas.new_region(new_class),
        key=f"correct.{case.item}.{image.id}.{view.redraws}",
    )
    part.thumbnails(case, image, queue)
with right, st.container(height=part.TABLE_HEIGHT, border=False, key="table"):
    if not regions:
        st.caption("No region: drag on the picture to draw one, or answer without.")
    named = region_table(regions, case.site.taxonomy, colours, key=f"correct.{case.item}.{image.id}")
desk.keep_draft(view, image.id, regions, named)
with st.bottom, st.container(horizontal=True, vertical_alignment="center", key="actions", gap="small"):
    verdict = save_buttons(case.task)
    note = st.text_input("Note", key=f"correct.note.{case.item}", placeholder="Note (may stay empty)",
                         label_visibility="collapsed", max_chars=500)  # fmt: skip
if verdict:
    if desk.correct(verdict, case, view, note):
        go("inspector/queue")
    st.rerun()
