"""The question: how to choose, how much it may cost, and what the batch must hold."""

from typing import Any

import streamlit as st

from app.learn import hours, models
from app.widgets.text import count
from core.errors import BadInput
from core.learn.select import STRATEGIES
from core.learn.select.budget import UNITS, Budget, Price
from core.learn.select.choosing import CONTROL, SIMILAR
from core.plant import Site

UNIT_WORDS = {"items": "pictures", "hours": "hours", "money": "money"}


def choose_form(sites: list[Site]) -> dict[str, Any] | None:
    """The controls; what was asked once the button is pressed, as the job takes it."""
    name = st.selectbox("Strategy", list(STRATEGIES), key="learn.strategy", bind="query-params",
                        format_func=lambda one: STRATEGIES[one].title)  # fmt: skip
    st.caption(STRATEGIES[name].says)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        amount = st.number_input("Budget", 0.1, 1e6, 50.0, key="learn.budget", format="%g", width=150)
        unit = st.segmented_control("in", UNITS, default=UNITS[0], key="learn.unit", required=True,
                                    label_visibility="collapsed", format_func=lambda one: UNIT_WORDS[one])  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        price = st.number_input("Price of a label", 0.0, 1e5, Price().money, key="learn.price", width=150)
        seconds = st.number_input("Seconds for a label", 1.0, 86400.0, Price().seconds, key="learn.seconds", width=150,
                                  format="%g")  # fmt: skip
    site = st.selectbox("Site", [one.name for one in sites], index=None, key="learn.site", placeholder="All sites",
                        bind="query-params")  # fmt: skip
    more: dict[str, Any] = {}
    with st.expander("Quotas, random arm, look-alikes, model", key="learn.more"):
        more = _more(sites, site, name)
    question = {
        "strategy": name, "budget": float(amount), "unit": str(unit), "site": site, "price": float(price),
        "label_seconds": float(seconds), **more,
    }  # fmt: skip
    bought = _bought(question)
    pressed = st.button(f"Choose {bought}" if bought else "Choose", type="primary", icon=":material/auto_awesome:",
                        key="learn.choose", disabled=not bought)  # fmt: skip
    return question if pressed else None


def _bought(question: dict[str, Any]) -> str:
    """What the budget buys, said before anything is asked; empty, with the reason shown, where it buys nothing."""
    try:
        budget = Budget(question["budget"], question["unit"])
        n = budget.items(Price(question["label_seconds"], question["price"]))
    except BadInput as error:
        st.warning(str(error), icon=":material/payments:")
        return ""
    time, money = hours(n * question["label_seconds"]), n * question["price"]
    st.caption(f"{count(n, 'picture')}: about {time} of one person, {money:,.2f} in money.")
    return count(n, "picture")


def _more(sites: list[Site], site: str | None, strategy: str) -> dict[str, Any]:
    """What is seldom changed."""
    known = models()
    control = st.slider("Drawn at random, to compare with", 5, 100, round(100 * CONTROL), 5, format="%d%%",
                        key="learn.control")  # fmt: skip
    alike = st.toggle("Leave out look-alikes", True, key="learn.alike")
    limit = st.slider("Two pictures count as one from a likeness of", 0.8, 1.0, SIMILAR, 0.01, key="learn.similar",
                      disabled=not alike)  # fmt: skip
    model = st.selectbox("As this model sees them", known, index=None, placeholder="The one in use", key="learn.model")
    shadow = None
    if "shadow" in STRATEGIES[strategy].needs:
        shadow = st.selectbox("Compared with", known, index=None, placeholder="Choose a second model",
                              key="learn.shadow")  # fmt: skip
    names = [f"site {one.name}" for one in sites if site in (None, one.name)]
    classes = sorted({name for one in sites if site in (None, one.name) for name in one.taxonomy.ids})
    st.caption("Quotas: at least and at most so many of a site, or of what looks most like a class.")
    rows = st.data_editor(
        [{"of": None, "at least": 0, "at most": None}], num_rows="dynamic", hide_index=True, key="learn.quotas",
        column_config={
            "of": st.column_config.SelectboxColumn(options=[*names, *(f"class {name}" for name in classes)]),
            "at least": st.column_config.NumberColumn(min_value=0, step=1),
            "at most": st.column_config.NumberColumn(min_value=0, step=1),
        },
    )  # fmt: skip
    seed = st.number_input("Seed", 0, 10**9, 0, key="learn.seed", help="The same seed gives the same batch.")
    return {
        "control": control / 100, "similar": float(limit) if alike and limit < 1 else None, "model": model,
        "shadow": shadow, "quotas": _quotas(rows), "seed": int(seed),
    }  # fmt: skip


def _quotas(rows: Any) -> list[dict[str, Any]]:
    """Rows of the table that name something."""
    found = []
    for row in rows:
        kind, _, name = str(row.get("of") or "").partition(" ")
        if name:
            most = row.get("at most")
            found.append({"kind": kind, "name": name, "least": int(row.get("at least") or 0),
                          "most": None if most is None else int(most)})  # fmt: skip
    return found
