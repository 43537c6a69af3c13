"""The form in which a policy is changed: one tab for each kind of rule, all of them sent together."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ruling import FAIL_ROUTES, NOBODY_WORDS, Entry
from app.widgets.text import one_line
from core.decide.attendance import Attendance, hours_in_words
from core.decide.audit_steps import steps_in_words
from core.decide.policy import ClassRule, Costs, Nobody, Policy
from core.pictures.quality import QualityLimits
from core.records import Severity


def _share(where: DeltaGenerator, label: str, value: float, key: str, help: str | None = None) -> float:
    return where.number_input(label, 0.0, 1.0, float(value), 0.01, "%.4f", key=key, help=help)


def policy_form(base: Policy, classes: Sequence[str], key: str) -> tuple[Entry, str, str | None]:
    """Draw the form.

    Args:
        base: whose rules stand in it at first.
        classes: ids of the site's taxonomy.
        key: of this form; another one starts anew.

    Returns:
        what stands in it, the reason, and which button was pressed: "propose", "tighten" or none.
    """
    with st.form(key, border=True):
        thresholds, by_class, pictures, costs, desk = st.tabs(
            ["Thresholds", "Classes", "Pictures, audits", "Costs", "People"]
        )
        with thresholds:
            rules = _thresholds(base, key)
        with by_class:
            rows = _classes(base, classes, key)
        with pictures:
            more, quality = _pictures(base, key)
            steps = _steps(base, key)
        with costs:
            amounts, hour = _costs(base.costs or Costs(), key)
        with desk:
            nobody, hours, people = _desk(base, key)
        reason = st.text_input(
            "Why", max_chars=300, placeholder="One sentence that an auditor will read", key=f"{key}.why"
        )
        pressed = None
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.form_submit_button("Propose", icon=":material/send:", type="primary", key=f"{key}.propose"):
                pressed = "propose"
            if st.form_submit_button("Tighten now", icon=":material/compress:", key=f"{key}.tighten",
                                     help="In force at once, without a second person; refused where any possible part "
                                     "would be decided less strictly."):  # fmt: skip
                pressed = "tighten"
    entry = Entry({**rules, **more, "when_nobody": nobody}, rows, amounts, hour, hours, people, quality, steps)
    return entry, reason, pressed


def _thresholds(base: Policy, key: str) -> dict[str, Any]:
    one, other = st.columns(2)
    below = _share(one, "Pass below", base.pass_below, f"{key}.below", "A score under it passes; 0 passes nothing.")
    above = _share(other, "Fail above", base.fail_above, f"{key}.above",
                   "A score over it fails; 1 fails nothing. What lies between is held.")  # fmt: skip
    sure = one.number_input("Minimum confidence", value=base.minimum_confidence, key=f"{key}.sure", placeholder="off",
                            min_value=0.01, max_value=1.0, step=0.05, format="%.2f",
                            help="A part that would fail goes to a person where its likeliest class has a smaller "
                            "share, given that it is defective. Off by default; it lets nothing pass.")  # fmt: skip
    route = other.selectbox("Failed parts go to", FAIL_ROUTES, FAIL_ROUTES.index(base.fail_route), key=f"{key}.route")
    return {"pass_below": below, "fail_above": above, "minimum_confidence": sure, "fail_route": route}


def _classes(base: Policy, classes: Sequence[str], key: str) -> list[dict[str, Any]]:
    st.caption("A part's risk of a class is its score times the class's share. Limits here only ever make it stricter.")
    names = list(dict.fromkeys([*classes, *sorted(base.classes)]))
    rows = [
        {"class": name, "pass below": rule.pass_below, "fail above": rule.fail_above, "report above": rule.report_above}
        for name in names
        for rule in [base.classes.get(name, ClassRule())]
    ]
    if not rows:
        st.caption("The site has no classes yet.")
        return []
    limit = {
        name: st.column_config.NumberColumn(name, min_value=0.0, max_value=1.0, step=0.01, format="%.2f")
        for name in ("pass below", "fail above", "report above")
    }
    shown = st.data_editor(
        rows, hide_index=True, key=f"{key}.classes", disabled=["class"],
        column_config={"class": st.column_config.TextColumn("class"), **limit},
    )  # fmt: skip
    return [dict(row) for row in shown]


def _pictures(base: Policy, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    one, other = st.columns(2)
    rules: dict[str, Any] = {
        "audit_pass": _share(one, "Share of passes that a person looks at", base.audit_pass, f"{key}.audit_pass",
                             "Drawn by chance: only so can misses be counted."),
        "audit_fail": _share(other, "Share of fails that a person looks at", base.audit_fail, f"{key}.audit_fail"),
        "novelty_limit": one.number_input("Novelty limit", value=base.novelty_limit, min_value=0.01, step=0.1,
                                          placeholder="the model's own", key=f"{key}.novelty"),
    }  # fmt: skip
    limits = base.quality_limits or QualityLimits()
    own = st.checkbox("Own limits for sharpness and light", base.quality_limits is not None, key=f"{key}.own",
                      help="Without them, the flags measured on arrival count.")  # fmt: skip
    one, other = st.columns(2)
    figures: dict[str, Any] = {
        "sharpness": one.number_input("Blurry under", value=limits.sharpness, min_value=0.0, key=f"{key}.sharp"),
        "contrast": _share(other, "No variance under", limits.contrast, f"{key}.contrast"),
        "dark": _share(one, "Dark over this share", limits.dark, f"{key}.dark"),
        "bright": _share(other, "Over-exposed over this share", limits.bright, f"{key}.bright"),
        "partial": limits.partial,
    }
    return rules, figures if own else {}


def _steps(base: Policy, key: str) -> str:
    return st.text_input(
        "Audited otherwise, by score", steps_in_words(base.audit_steps), max_chars=400, key=f"{key}.steps",
        placeholder="nowhere; or such as pass .10-.30: 25%, fail .70-.80: 50%",
        help="Near the band parts are more often wrong, so looking there oftener tells more for the same work. Each "
        "part's own share is written down with its decision, and the estimates use it.",
    )  # fmt: skip


def _costs(costs: Costs, key: str) -> tuple[list[dict[str, Any]], float | None]:
    st.caption("In the plant's own money. They decide nothing; they show what a threshold costs.")
    rows = [
        {
            "severity": str(severity),
            "a miss": costs.miss.get(severity),
            "a false reject": costs.false_reject.get(severity),
        }
        for severity in Severity
    ]
    amount = {name: st.column_config.NumberColumn(name, min_value=0.0, format="localized", default=None)
              for name in ("a miss", "a false reject")}  # fmt: skip
    shown = st.data_editor(rows, hide_index=True, key=f"{key}.costs", disabled=["severity"], column_config=amount)
    hour = st.number_input("An inspector's hour", value=costs.inspector_hour, min_value=0.0, placeholder="not known",
                           key=f"{key}.hour")  # fmt: skip
    return [dict(row) for row in shown], hour


def _desk(base: Policy, key: str) -> tuple[Nobody, str, dict[str, float | None]]:
    typed = base.attendance or Attendance()
    hours = st.text_input("Staffed hours", hours_in_words(typed.hours), key=f"{key}.hours", max_chars=200,
                          placeholder="always; or such as Mon-Fri 06:00-22:00, Sat 06:00-12:00")  # fmt: skip
    nobody = st.selectbox("With nobody at the desk, held parts", list(Nobody), list(Nobody).index(base.when_nobody),
                          format_func=lambda one: NOBODY_WORDS[one], key=f"{key}.nobody") or Nobody.HOLD  # fmt: skip
    st.caption("Typed figures are assumptions: what the store has measured counts from 20 answers on.")
    one, other = st.columns(2)
    return nobody, one_line(hours), {
        "inspectors": one.number_input("Inspectors at a time", value=float(typed.inspectors), min_value=0.1, step=1.0,
                                       key=f"{key}.inspectors"),
        "shift_h": other.number_input("Hours of a shift", value=typed.shift_h, min_value=0.5, max_value=24.0, step=0.5,
                                      key=f"{key}.shift"),
        "seconds_per_part": one.number_input("Seconds a part", value=typed.seconds_per_part, min_value=0.1,
                                             placeholder="as measured", key=f"{key}.seconds"),
        "parts_per_shift": other.number_input("Parts a shift for each", value=typed.parts_per_shift, min_value=1.0,
                                              placeholder="as measured", key=f"{key}.parts"),
    }  # fmt: skip
