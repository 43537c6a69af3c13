"""What audits say, drawn: three rates with intervals beside what overrides would say, and what more would show."""

import math
from typing import Any

import streamlit as st

from app.jobs.quality.audits import RATES, Measured
from app.widgets.charts import plot
from app.widgets.text import count
from core.audits.estimates import ENOUGH, Rate
from core.audits.planner import sentence
from core.records import Outcome

_SHORT = {"miss": "Miss rate", "escape": "Escape rate", "false_reject": "False-reject rate"}
_OTHER_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def percent(value: float) -> str:
    """A small share with two digits that matter: 0.18%, 3.1%, 42%."""
    shown = 100 * value
    if shown == 0:
        return "0%"
    return f"{shown:.2g}%" if shown < 10 else f"{shown:.0f}%"


def _interval(rate: Rate) -> str:
    return f"{percent(rate.low)} to {percent(rate.high)}"


def _never(found: Measured, name: str) -> str:
    """Why a rate is nought by the rules and not by luck; empty where something was decided that can be wrong."""
    outcome, did = (Outcome.FAIL, "failed") if name == "false_reject" else (Outcome.PASS, "passed")
    return "" if found.parts[outcome] else f"Nothing {did} by itself in this time, so there is nothing to get wrong."


def rate_cards(found: Measured) -> None:
    """The three rates, restated where people's own error is known."""
    chosen = found.restated or found.answered
    for column, (name, definition) in zip(st.columns(3), RATES.items(), strict=True):
        rate: Rate | None = getattr(chosen, name)
        with column.container(border=True, height="stretch"):
            never = _never(found, name)
            told = "none" if never else "not known" if rate is None else percent(rate.value)
            st.metric(_SHORT[name], told, help=f"{definition}.")
            if never:
                st.caption(never)
                continue
            if rate is None:
                st.caption("Nothing that tells has been looked at.")
                continue
            st.caption(f"95%: **{_interval(rate)}**, from {count(rate.n, 'answer')}")
            plain = getattr(found.answered, name)
            if found.restated is not None and plain is not None:
                st.caption(f"as people answered: {percent(plain.value)} ({_interval(plain)})")
    for line in chosen.missing:
        st.info(line, icon=":material/visibility_off:")
    if found.restated is None:
        st.caption(
            f"Not restated for inspectors' own error: that takes {ENOUGH} answers to defective and {ENOUGH} to good "
            f"gold items, better than chance; there are {found.eyes.defective} and {found.eyes.good}. Set a share of "
            "gold items on the Inspectors page."
        )
    else:
        st.caption(
            f"Restated for inspectors' own error: they stopped {found.eyes.seen} of {found.eyes.defective} defective "
            f"gold items and passed {found.eyes.cleared} of {found.eyes.good} good ones. It takes gold items to be as "
            "hard as what is audited."
        )


def intervals(found: Measured) -> None:
    """Each rate from audits, with its interval, and what overrides alone would say beside it."""
    import plotly.graph_objects as go

    if all(getattr(found.answered, name) is None for name in _SHORT):
        return  # overrides alone would be all there is to see
    figure = go.Figure()
    names = list(_SHORT)
    rows: list[tuple[str, Any, str, str]] = [
        ("audits, as answered", lambda name: getattr(found.answered, name), "#0072b2", "circle"),
        ("overrides alone (biased)", lambda name: found.overrides[name], "#8a949e", "x"),
    ]
    if found.restated is not None:
        rows.insert(0, ("audits, restated", lambda name: getattr(found.restated, name), "#d55e00", "diamond"))
    for place, (label, rate_of, colour, symbol) in enumerate(rows):
        beside = 0.22 * (place - (len(rows) - 1) / 2)  # side by side, so that no interval hides another
        known = [
            (at + beside, rate)
            for at, name in enumerate(names)
            if (rate := rate_of(name)) is not None and not _never(found, name)
        ]
        if not known:
            continue
        figure.add_scatter(
            x=[rate.value for _, rate in known],
            y=[at for at, _ in known],
            name=label,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [max(0.0, rate.high - rate.value) for _, rate in known],
                "arrayminus": [max(0.0, rate.value - rate.low) for _, rate in known],
                "color": colour,
                "thickness": 2,
            },
            customdata=[[rate.low, rate.high, rate.n] for _, rate in known],
            hovertemplate="%{x:.2%}, between %{customdata[0]:.2%} and %{customdata[1]:.2%}<br>"
            "n %{customdata[2]:,}<extra></extra>",
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(zeroline=False, tickformat=".1~%", rangemode="tozero", title="share, with its 95% interval")
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=list(_SHORT.values()), range=[2.6, -0.6],
                        showgrid=False, zeroline=False)  # fmt: skip
    plot(figure, key="audits.intervals", height=330)
    st.caption(
        "Overrides alone look at held parts only. What passed by itself was never overridden by anybody, so they can "
        "say nothing about it, however many there are."
    )


def looked_at(found: Measured) -> None:
    """How many parts there were, and how many were looked at."""
    rows = [
        {
            "decided": str(outcome),
            "parts": found.parts.get(outcome, 0),
            "looked at": found.looked.get(outcome, 0),
            "still waiting": found.waiting.get(outcome, 0),
        }
        for outcome in Outcome
    ]
    st.dataframe(rows, hide_index=True, height="content")
    if sum(found.waiting.values()):
        st.caption("Those that wait are taken to be like the answered ones of the same score, line and part type.")


@st.fragment
def planner(found: Measured) -> None:
    """How many clean audits a claim takes, and how long that is at one share of passes or another."""
    with st.container(horizontal=True):
        limit = st.number_input("Miss rate under (%)", 0.05, 50.0, 1.0, 0.5, key="audits.limit", width=150)
        level = st.selectbox("Sure to", (0.9, 0.95, 0.99), 1, format_func=lambda one: f"{one:.0%}", key="audits.level",
                             width=120)  # fmt: skip
        misses = int(st.number_input("Misses allowed", 0, 20, 0, key="audits.misses", width=150))
    planned = found.planned(limit / 100, level, misses)
    st.markdown(f"**{sentence(planned)}**")
    if not found.defective_per_day:
        st.caption("How many defective parts come in a day is not known yet, so there is no date.")
        return
    share = found.pass_share or 0.0
    st.caption(
        f"About {found.defective_per_day:,.1f} defective parts a day, of which {percent(share)} would have been looked "
        "at, had they passed: the share of passes audited under the policy in force; where lines, part types or scores "
        "have shares of their own, the one share that tells as much, as it was in this time."
    )
    rows = []
    for one in sorted({*_OTHER_SHARES, *([share] if share > 0 else [])}):
        days = found.planned(limit / 100, level, misses, one).days
        rows.append({
            "share of passes audited": percent(one) + (" (now)" if one == share else ""),
            "days": None if days is None else math.ceil(days),
            "looks a day": round(one * found.parts.get(Outcome.PASS, 0) / _days(found), 1),
        })  # fmt: skip
    st.dataframe(rows, hide_index=True, height="content")


def _days(found: Measured) -> float:
    return max(1.0, (found.until - found.since).total_seconds() / 86400)
