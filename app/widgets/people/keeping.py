"""How long each class of data is kept, as an administrator sets it."""

import streamlit as st

from app import office
from app.state import UpkeepState
from core.retention import LEAST_DAYS, LONGEST_DAYS, MEANING, DataClass

NAMES = {
    DataClass.ORIGINALS: "Originals",
    DataClass.PREVIEWS: "Previews",
    DataClass.AUDIT: "Audit trail",
    DataClass.READINGS: "Readings of labels",
    DataClass.NOTES: "Notes",
}


def rule_row(view: UpkeepState, kind: DataClass, days: int | None) -> None:
    """One class of data: for ever, or a number of days."""
    for_ever, key = f"upkeep.ever.{kind}", f"upkeep.days.{kind}"
    with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{NAMES[kind]}**")
            st.caption(MEANING[kind])
        ever = st.toggle("For ever", days is None, key=for_ever)
        st.number_input("Days", LEAST_DAYS[kind], LONGEST_DAYS, days or 10 * LEAST_DAYS[kind], key=key, width=150,
                        disabled=ever, label_visibility="collapsed")  # fmt: skip
        st.button("Save", key=f"upkeep.save.{kind}", on_click=office.set_rule, args=(view, kind, for_ever, key))
