"""A share of the queue that somebody asks for in words: a line, a camera, a class, some days."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from app import context, desk
from app.state import QueueState, state
from core.plant import ALL, Narrow
from core.words.command import Filters

ALL_SITES = "All sites"


def apply(found: Filters) -> None:
    """Narrow the queue to what a sentence names."""
    session = st.session_state
    if found.site is not None:
        session["queue.site"] = found.site
    zone = _zone(session.get("queue.site"))
    narrow = Narrow(
        found.line,
        found.camera,
        found.class_id,
        None if found.since is None else _midnight(found.since, zone),
        None if found.until is None else _midnight(found.until + timedelta(days=1), zone),
    )
    state(QueueState).narrow = narrow
    session["queue.command"] = ""


def clear() -> None:
    """All of the queue again."""
    state(QueueState).narrow = ALL


def in_force(site: str | None) -> tuple[Narrow, str]:
    """What the queue is narrowed to, and what of the wish cannot be had, in a sentence.

    Args:
        site: that is chosen; None for all.
    """
    narrow = state(QueueState).narrow
    if narrow.class_id is None or not desk.first_look_is_own(context.store(), site):
        return narrow, ""
    why = f"Not narrowed to {narrow.class_id}: the first look is your own here, and the class is what the model saw."
    return replace(narrow, class_id=None), why


def said(narrow: Narrow, site: str | None) -> list[str]:
    """One short phrase for each thing that the queue is narrowed to."""
    found = [
        f"{kind} {value}"
        for kind, value in (("line", narrow.line), ("camera", narrow.camera), ("class", narrow.class_id))
        if value is not None
    ]
    zone = _zone(site)
    if narrow.since is not None:
        found.append(f"from {narrow.since.astimezone(zone):%d %b}")
    if narrow.until is not None:
        found.append(f"to {narrow.until.astimezone(zone) - timedelta(seconds=1):%d %b}")
    return found


def _zone(site: str | None) -> ZoneInfo:
    return ZoneInfo("UTC" if site in (None, ALL_SITES) else context.store().sites.get(site).timezone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
