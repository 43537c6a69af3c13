"""Correct: redraw what the model saw on the part in hand, name it, and answer."""

import streamlit as st

from app import correcting
from app.navigation import go
from app.state import CorrectState, state
from app.widgets.desk import correction
from app.widgets.frame import help_button, nothing, notices
from app.widgets.text import plain

view = state(CorrectState)
case, why = correcting.case_or_why(view, st.query_params.get("task"))
image = None if case is None else correcting.image_in_view(view, case)
with st.container(horizontal=True, vertical_alignment="center", key="correct.head"):
    st.title("Correct", anchor=False, width="content")
    if case is not None:
        drew = "" if image is None else case.whose_boxes(image.id)
        facts = [f"part {plain(case.part.name, 60)}", plain(case.site.name), f"boxes {plain(drew, 90)}" if drew else ""]
        st.caption(" · ".join(one for one in facts if one), width="content")
    st.space("stretch")
    correction.engine_choice(view)
    if st.button("Back to the queue", key="correct.back", icon=":material/arrow_back:", shortcut="B"):
        go("inspector/queue")
    help_button("inspector/correct")
notices("", view.failed or why)
if case is None or case.task is None or image is None:
    nothing("Nothing to correct", icon="task_alt", then="No picture is in your hands: take a part from the queue.")
    st.stop()

correcting.start(view, case)
correction.board(view, case, image)
correction.other_pictures(case, image, view)
with st.bottom:
    note = correction.save_buttons(view, case)
saved = correcting.save_wanted(view, case, note)
if saved:
    go("inspector/queue")
elif saved is False:
    st.rerun()
