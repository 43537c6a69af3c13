"""The queue's desk in the browser: picture, panel and answers, fed by `app.desk.screen` and by its own route."""

from functools import cache
from typing import Any

import streamlit as st

from app.widgets.desk.viewer import script
from core.decide.leaning import chips_for
from core.records import Verdict


@cache
def _component() -> Any:
    return st.components.v2.component(
        "holdpoint_desk",
        # The furniture's outline stands before the first part is there, so that nothing moves when it comes.
        html='<div class="desk-root"><div class="desk waiting-desk" aria-busy="true"><div class="status"></div>'
        '<div class="work"><div class="left"><div class="picture skeleton"></div></div><div class="side">'
        '<div class="panel skeleton"></div></div></div><div class="actions"></div></div></div>',
        css=script("viewer.css", "desk.css"),
        js=script("viewer_stage.js", "desk_outbox.js", "desk_panel.js", "desk_frame.js", "desk.js", "desk_screen.js"),
    )


def queue_desk(screen: dict[str, Any], *, user: str, stamp: float, key: str) -> dict[str, Any] | None:
    """Show the desk.

    Args:
        screen: from `app.desk.screen`.
        user: whose unsaved answers are kept and sent.
        stamp: when the screen was made; an older one than the browser has heard since changes nothing.
        key: of the widget.

    Returns:
        {"task", "image"} when somebody asks to correct the boxes of what is in hand; None otherwise.
    """
    told = _component()(
        key=key,
        data={
            "screen": screen,
            "user": user,
            "stamp": stamp,
            "chips": {str(verdict): list(chips_for(verdict)) for verdict in Verdict},
        },
        on_correct_change=_noticed,
        width="stretch",
        height="content",
    )
    asked: dict[str, Any] | None = told.correct
    return asked


def _noticed() -> None:
    """The page reads what was asked when it runs again."""
