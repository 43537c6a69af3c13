"""The audit trail as a table, and what a look at its seals found."""

import json
from typing import Any

import streamlit as st

from app.state import AuditState
from app.widgets.text import local, one_line, plain
from core.plant import AuditEvent


def trail_table(events: list[AuditEvent], zone: str) -> None:
    """Events as rows; everything in them is text from outside, which a table's cells never read as anything else."""
    rows = [
        {
            "event": one.id,
            "when": local(one.at, zone),
            "by": one_line(one.by),
            "act": one_line(one.action),
            "about": one_line(one.subject),
            "site": one_line(one.site or "–"),
            "from": _short(one.old),
            "to": _short(one.new),
            "reason": one_line(one.reason),
            "seal": f"{one.seal:,}" if one.seal else "waits",
        }
        for one in events
    ]
    st.dataframe(rows, hide_index=True, height=470, column_config={
        "event": st.column_config.NumberColumn(width=70, format="%d"),
        "when": st.column_config.TextColumn(width=170),
        "seal": st.column_config.TextColumn(width=70),
    })  # fmt: skip


def findings(view: AuditState) -> None:
    """What `verify` found, event by event."""
    found = view.verified
    if found is None:
        return
    for one in found.problems[:50]:
        st.error(plain(one.told, 400), icon=":material/gpp_bad:")
    if len(found.problems) > 50:
        st.caption(f"And {len(found.problems) - 50:,} more: holdpoint audit verify lists them all.")
    if found.deleted:
        st.caption(f"{found.deleted:,} old events were deleted as retention says; their seals are there.")


def _short(value: Any) -> str:
    return "–" if value is None else one_line(json.dumps(_rounded(value), ensure_ascii=False, default=str), 120)


def _rounded(value: Any) -> Any:
    """For reading only: what was recorded keeps every digit."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
