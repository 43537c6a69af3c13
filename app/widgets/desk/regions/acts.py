"""What a browser tells once.

It is told as a state and not as a trigger: a run of the page that is cut short by the next one loses its triggers, and
a save or a draft must not be lost with them. A browser that comes back after the server was started again tells its
old states once more, so an act counts only in the session that it was meant for.
"""

import secrets
from typing import Any

import streamlit as st

from app.widgets.desk.regions.contract import Payload

_SESSION = "regions.session"


def session() -> str:
    """Names this session to the browser."""
    return str(st.session_state.setdefault(_SESSION, secrets.token_hex(8)))


def news(name: str, item: str, told: Any) -> Payload | None:
    """What was told, the first time that it is seen, if it is about this item and meant for this session.

    Args:
        name: of the act.
        item: that is open.
        told: {"item", "session", "stamp", …}, the stamp being new for every act.
    """
    if not isinstance(told, dict) or told.get("item") != item or told.get("session") != session():
        return None
    if not told.get("stamp") or taken(name) == told["stamp"]:
        return None
    st.session_state[f"regions.taken.{name}"] = told["stamp"]
    return told


def taken(name: str) -> str:
    """The stamp of what was seen last; empty before."""
    return str(st.session_state.get(f"regions.taken.{name}", ""))
