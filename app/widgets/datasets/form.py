"""The form of a new dataset: which pictures, how they are divided, how training is balanced."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import streamlit as st

from app.jobs.science.datasets.plan import FLAGS
from core.plant import Site

_SHARES = {"70 : 15 : 15": "train=.7,val=.15,test=.15", "80 : 10 : 10": "train=.8,val=.1,test=.1",
           "60 : 20 : 20": "train=.6,val=.2,test=.2", "all for the test": "train=0,val=0,test=1"}  # fmt: skip
_KEPT = "as the import listed"
_FROM = {"people": "people", "import": "imports", "adjudicated": "adjudicated", "agreed": "agreed"}


def dataset_form(sites: Sequence[Site], models: Sequence[str], *, key: str) -> tuple[str, dict[str, Any], bool]:
    """Its fields.

    Returns:
        The name, the arguments of the job, and whether Build was pressed.
    """
    with st.form(key):
        name = st.text_input("Name", key=f"{key}.name", max_chars=100, placeholder="letters, digits, dots, dashes")
        filters = _filters(sites, key)
        st.divider()
        more = _division(key) | _training(models, key)
        pressed = st.form_submit_button("Build", type="primary", icon=":material/inventory_2:")
    return name, {"filters": filters, **more}, pressed


def _filters(sites: Sequence[Site], key: str) -> dict[str, str]:
    st.markdown("**Which labelled pictures**")
    one, two, three = st.columns(3)
    chosen = one.multiselect("Sites", [site.name for site in sites], key=f"{key}.sites", placeholder="All sites")
    kinds = two.text_input("Part types", key=f"{key}.kinds", placeholder="all, or bracket|flange", max_chars=200)
    classes = sorted({one for site in sites for one in site.taxonomy.ids})
    named = three.multiselect("Classes", classes, key=f"{key}.classes", placeholder="All, and good pictures")
    one, two, three, four = st.columns(4)
    days = one.date_input("Taken between", value=[], key=f"{key}.days", help="Both days included, in UTC.")
    sure = two.selectbox("Annotator's confidence", [3, 4, 5, 2, 1], index=None, key=f"{key}.sure",
                         placeholder="Any", format_func=lambda number: f"{number} or more",
                         help="From 1, a guess, to 5, certain. Whoever gave none is kept.")  # fmt: skip
    who = three.multiselect("Labels from", list(_FROM), format_func=lambda word: _FROM[word], key=f"{key}.from",
                            placeholder="Everybody")  # fmt: skip
    fit = four.multiselect("Quality", ["ok", *FLAGS], key=f"{key}.quality", placeholder="Any",
                           help="Ok is a picture that nothing was flagged about.")  # fmt: skip
    first, last = _days(days)
    found = {
        "site": "|".join(chosen), "part_type": kinds.strip(), "class": "|".join(named), "taken_since": first,
        "taken_until": last, "confidence": str(sure or ""), "provenance": "|".join(who), "quality": "|".join(fit),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _days(days: Any) -> tuple[str, str]:
    chosen = list(days) if isinstance(days, tuple | list) else [days]
    if not chosen:
        return "", ""
    start = datetime.combine(chosen[0], time(), UTC)
    end = datetime.combine(chosen[-1], time(), UTC) + timedelta(days=1)
    return start.isoformat(), end.isoformat()


def _division(key: str) -> dict[str, Any]:
    st.markdown("**How they are divided**")
    one, two, three, four = st.columns([2, 2, 3, 1])
    shares = one.selectbox("Train, validation, test", [_KEPT, *_SHARES], key=f"{key}.shares",
                           help="What no import listed is divided 70 : 15 : 15.")  # fmt: skip
    by = two.segmented_control("By", ["groups", "time"], default="groups", required=True, key=f"{key}.by",
                               help="By time, training is the past and the test what came after.")  # fmt: skip
    kept = three.multiselect("Kept together", ["part", "order", "near"], key=f"{key}.keep", placeholder="All of it",
                             format_func={"part": "parts", "order": "orders", "near": "look-alikes"}.__getitem__,
                             help="Pictures of one part always are; rows are never divided by themselves.")  # fmt: skip
    seed = four.number_input("Seed", 0, 2**31 - 1, 0, key=f"{key}.seed")
    return {"split": _SHARES.get(shares), "by": by, "keep": kept or None, "seed": int(seed)}


def _training(models: Sequence[str], key: str) -> dict[str, Any]:
    st.markdown("**Training alone, and what it takes**")
    one, two, three, four = st.columns(4)
    good = one.number_input("Good for each defective", 0.1, 1000.0, None, key=f"{key}.good", placeholder="all",
                            help="Further good ones are left out of training only.")  # fmt: skip
    rare = two.number_input("Each class at least", 1, 100_000, None, key=f"{key}.rare", placeholder="once each",
                            help="Pictures of rarer classes are shown up to ten times in a turn.")  # fmt: skip
    blurry = three.number_input("Blurry, at most %", 0, 100, None, key=f"{key}.blurry", placeholder="any")
    partial = four.number_input("Partial, at most %", 0, 100, None, key=f"{key}.partial", placeholder="any")
    with st.expander("Pseudo-labels: a model's own guesses", icon=":material/psychology:"):
        st.caption("Off unless you choose a model. They are for training only, count less than what people said, and a "
                   "random share goes to people as label tasks.")  # fmt: skip
        a, b, c, d = st.columns(4)
        model = a.selectbox("Model", models, index=None, key=f"{key}.pseudo", placeholder="None")
        weight = b.number_input("Weight", 0.05, 1.0, 0.5, 0.05, key=f"{key}.weight")
        sure = c.number_input("Sure from", 0.51, 0.99, 0.95, 0.01, key=f"{key}.pseudo_sure")
        audit = d.number_input("Share that people check", 0.01, 1.0, 0.1, 0.01, key=f"{key}.audit")
    balance = [f"{name}={value:g}" for name, value in (("good", good), ("rare", rare)) if value is not None]
    quota = [f"{name}={value / 100:g}" for name, value in (("blurry", blurry), ("partial", partial))
             if value is not None]  # fmt: skip
    found: dict[str, Any] = {"balance": ",".join(balance) or None, "quota": ",".join(quota) or None}
    if model:
        found |= {"pseudo": model, "pseudo_rule": f"weight={weight:g},sure={sure:g},audit={audit:g}"}
    return found
