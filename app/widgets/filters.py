"""Choosing labels: site, time, class, and whether a person changed them."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import streamlit as st

from app import context
from app.widgets.text import count
from core.plant import Site
from core.times import time_of

COUNTED = 20_000  # a preview stops there and says so


def label_filters(sites: Sequence[Site], *, key: str) -> dict[str, Any]:
    """Controls for the filters of an export; values are as the job takes them, JSON only."""
    one, two, three = st.columns(3)
    site = one.selectbox("Site", [site.name for site in sites], index=None, key=f"{key}.site", placeholder="All sites",
                         bind="query-params")  # fmt: skip
    ids = sorted({class_id for given in sites if site in (None, given.name) for class_id in given.taxonomy.ids})
    class_id = two.selectbox("Class", ids, index=None, key=f"{key}.class", placeholder="All classes")
    days = three.date_input("Labelled between", value=[], key=f"{key}.days", help="Both days included, in UTC.")
    only = st.toggle("Only corrected", key=f"{key}.corrected", help="The review differs from what the model had said.")
    as_of = st.text_input(
        "As of", key=f"{key}.as_of", placeholder="now, or a time such as 2026-11-20T14:00+01:00", max_chars=40
    )
    since, until = _bounds(days)
    return {
        "site": site,
        "class_id": class_id,
        "since": since,
        "until": until,
        "only_corrected": only,
        "as_of": as_of.strip() or None,
    }


def _bounds(days: Any) -> tuple[str | None, str | None]:
    chosen = list(days) if isinstance(days, tuple | list) else [days]
    if not chosen:
        return None, None
    first, last = chosen[0], chosen[-1]
    start = datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC) + timedelta(days=1)
    return start.isoformat(), end.isoformat()


def preview_counts(filters: dict[str, Any]) -> None:
    """How many labels the filters leave, and of what."""
    found: Counter[str] = Counter()
    total = corrected = 0
    for one in context.store().labels.find(
        site=filters["site"],
        since=time_of(filters["since"]),
        until=time_of(filters["until"]),
        class_id=filters["class_id"],
        only_corrected=filters["only_corrected"],
        as_of=time_of(filters["as_of"]),
    ):
        total += 1
        corrected += one.label.changed
        found.update(one.label.classes or (("unmapped",) if one.label.unmapped else ("no defect",)))
        if total >= COUNTED:
            break
    with st.container(border=True):
        more = " or more" if total >= COUNTED else ""
        st.markdown(f"**{count(total, 'label')}{more}**, {corrected:,} corrected")
        if found:
            st.bar_chart({"labels": dict(found)}, horizontal=True, height=min(300, 60 + 34 * len(found)))
        else:
            st.caption("Nothing matches: widen the filters.")
