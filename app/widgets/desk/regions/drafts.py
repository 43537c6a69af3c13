"""Unsaved regions in the browser, for what has no script of its own there: the other engine, and what was saved."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import streamlit as st

from app.widgets.desk.regions import wire
from app.widgets.desk.regions.acts import news, session, taken
from app.widgets.desk.regions.contract import Sheet
from app.widgets.desk.regions.own import joined, show
from core.records import Region


@cache
def _component() -> Any:
    return st.components.v2.component(
        "holdpoint_drafts", html='<div class="keeper"></div>', js=joined(("drafts.js", "keeper.js")),
        css=joined(("keeper.css",)),
    )  # fmt: skip


def keep(sheet: Sheet, regions: Sequence[Region], key: str) -> tuple[Region, ...] | None:
    """Keep the regions in the browser as they are now; a draft that was found there, once, or None.

    Args:
        sheet: of the picture.
        regions: on it now.
        key: must name the item.
    """
    data = {name: value for name, value in show(sheet, regions).items() if name in _KEPT}
    result = _component()(
        key=key,
        data={**data, "session": session(), "taken": taken("found")},
        on_found_change=lambda: None,
        height="content",
    )
    found = news("found", sheet.item, result.get("found"))
    return None if found is None else wire.read(found.get("regions"), sheet, (*regions, *sheet.known))


_KEPT = ("item", "regions", "standing", "base", "owner", "saved")


def forget(user: str, saved: Sequence[tuple[int, int]]) -> None:
    """Let this browser drop the drafts of what this person has saved; draws nothing."""
    if saved:
        with st.container(key="forget"):
            _component()(
                key="drafts.forget", data={"saved": [list(one) for one in saved], "user": user}, height="content"
            )
