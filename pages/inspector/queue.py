"""Queue: one part at a time, the most urgent first; look, answer with one key, go on."""

import streamlit as st

from app import context, desk
from app.navigation import go
from app.state import QueueState, state
from app.widgets import part
from app.widgets.frame import help_button, nothing, notices
from app.widgets.text import count
from app.widgets.verdict_buttons import layer_buttons, verdict_buttons

view = state(QueueState)
sites = [site.name for site in context.store().sites.all()]
with st.container(horizontal=True, vertical_alignment="center", key="queue.head"):
    st.title("Queue", anchor=False, width="content")
    site = st.selectbox(
        "Site", ["All sites", *sites], key="queue.site", bind="query-params", width=190, label_visibility="collapsed"
    )
    only = None if site == "All sites" else site
    counts = context.store().queue.counts(only)
    st.caption(
        f"{count(counts.waiting, 'part')} waiting · {counts.done_today:,} answered by you today", width="content"
    )
    st.space("stretch")
    if view.message:
        st.caption(f":material/check: {view.message}", width="content")
    st.button("Back" if view.looking_back else "Previous", key="queue.previous", icon=":material/history:",
              shortcut="P", on_click=desk.look_back)  # fmt: skip
    st.button("Undo", key="queue.undo", icon=":material/undo:", shortcut="Z", on_click=desk.undo)
    help_button("inspector/queue")

notices("", view.failed)
case = desk.case_of(view.looking_back) if view.looking_back else desk.take(only)
if case is None:
    nothing(
        "All caught up",
        icon="task_alt",
        then="No part waits for you here. New ones appear by themselves; choose another site, or inspect a picture.",
    )
    part.wait_for_more()
    st.stop()

image = part.chosen_image(case, view.image[1] if view.image and view.image[0] == case.part.id else None)
left, right = st.columns([69, 31], gap="small")
with left:
    if image is None:
        nothing("This part has no picture", icon="image_not_supported", then="Scan it again, or decide by eye.")
    else:
        part.show_picture(case, image, view, key="queue.viewer", height=part.viewer_height(case),
                          prefetch=desk.coming_next(only))  # fmt: skip
        part.thumbnails(case, image, view)
# The bar comes with the picture and before the rest: a key pressed for what is seen must never meet the bar of the
# part before, which would drop it.
prediction = case.predictions.get(image.id) if image else None
with st.bottom, st.container(horizontal=True, vertical_alignment="center", key="actions", gap="small"):
    if case.task is None:
        st.info("You are looking back. Press P to return to the part in your hands, or Z to take your answer back.")
    else:
        verdict_buttons(case.task)
        if st.button("Correct boxes", key=f"queue.correct.{case.item}", icon=":material/draw:", shortcut="B"):
            go("inspector/correct", task=str(case.task.id))
    layer_buttons(
        view,
        heatmap=prediction is not None and prediction.heatmap is not None,
        where=prediction is not None and prediction.where is not None,
    )
with right, st.container(height=part.PANEL_HEIGHT, border=False, key="panel"):
    part.why(case, part.policy_of(case))
    if image is not None:
        part.facts(case, image)
    part.urgency(case)
    part.earlier_answers(case)
