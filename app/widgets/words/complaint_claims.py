"""What a complaint claims of its part, held against the evidence when somebody asks."""

import streamlit as st

from app import claims
from app.claims import ClaimState
from app.complaints import Shown
from app.state import state
from app.widgets.frame import notices
from app.widgets.words.claim_panel import claim_panel


def claims_of(found: Shown) -> None:
    """The claims of one complaint; nothing before a person has given their own answer about its pictures."""
    one = found.complaint
    if one.sight is None or found.blind or not one.told.text:
        return
    view = state(ClaimState)
    st.button("Hold its claims against the evidence", key=f"complaints.claims.{one.id}", icon=":material/fact_check:",
              on_click=claims.check_complaint, args=(view, one.id))  # fmt: skip
    subject = f"complaint {one.id}"
    if view.failed:
        notices("", view.failed)
    if subject in view.checked:
        claim_panel(view.checked[subject])
