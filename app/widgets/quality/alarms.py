"""Alarms on a page: open ones with what happened, the rules with their figures, and the form that changes one."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import alarm_desk, context
from app.state import FormState, told
from app.theme import BadgeColour
from app.widgets.quality.calibration import refit_facts
from app.widgets.text import ago, count, local, one_line, plain
from core.decide.requests import Wish
from core.plant import Site
from core.roles import Action
from core.watch.alarms import Alarm, AlarmState
from core.watch.drifting import since_of
from core.watch.rules import MEANING, STEPS, Rule, RuleKind, Step, looser, spoken_limit, stated_rate

LOOKS: Mapping[AlarmState, tuple[str, BadgeColour]] = {
    AlarmState.OPEN: (":material/notifications_active:", "red"),
    AlarmState.ACKNOWLEDGED: (":material/person_check:", "orange"),
    AlarmState.CLOSED: (":material/check_circle:", "green"),
}
UNITS = {"share": "%", "distance": "distance, 0 to 1", "/min": "a minute", "/s": "a second", "ms": "ms", "min": "min",
         "h": "hours"}  # fmt: skip


def alarm_card(view: FormState, alarm: Alarm, site: Site) -> None:
    """One alarm: what was found, what was done, and what to do about it."""
    icon, colour = LOOKS[alarm.state]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(alarm.state.value, icon=icon, color=colour)
            about = f", {plain(alarm.subject)}" if alarm.subject else ""
            st.markdown(f"**{alarm.id} · {alarm.kind}{about}**", width="content")
            if alarm.paused:
                st.badge("paused auto-PASS", icon=":material/pause_circle:", color="orange")
            st.caption(ago(alarm.raised_at, context.now()), width="content")
        st.markdown(plain(alarm.text, 400))
        began = since_of(alarm.evidence.get("more") or {})
        if began is not None:
            st.caption(f"Since about {local(began, site.timezone)}. Pictures before and after stand beside, where the "
                       "rule opens an investigation.")  # fmt: skip
        with st.container(horizontal=True):
            if alarm.state is not AlarmState.CLOSED and context.may(Action.POLICY):
                if alarm.state is AlarmState.OPEN:
                    st.button("Acknowledge", key=f"alarms.ack.{alarm.id}", icon=":material/person_check:",
                              on_click=alarm_desk.acknowledge, args=(view, alarm.id))  # fmt: skip
                key = f"alarms.why.{alarm.id}"
                with st.popover("Close", icon=":material/check:"):
                    st.text_input("What it was", key=key, max_chars=300)
                    st.button("Close the alarm", key=f"alarms.close.{alarm.id}", type="primary",
                              on_click=alarm_desk.close, args=(view, alarm.id, key))  # fmt: skip
            with st.popover("What happened", icon=":material/history:"):
                _history(alarm, site)


def _history(alarm: Alarm, site: Site) -> None:
    store = context.store()
    for event in store.alarms.history(alarm.id):
        note = f": {plain(event.note, 300)}" if event.note else ""
        st.markdown(f"{local(event.at, site.timezone)} · **{plain(event.what)}** · {plain(event.by)}{note}")
    for notice in store.alarms.told(alarm.id):
        tried = f", tried {count(notice.attempts, 'time')}" if notice.attempts else ""
        why = f": {plain(notice.error)}" if notice.error else ""
        st.caption(f":material/mail: {plain(notice.channel)} – {notice.state}{tried}{why}")


def promise(rules: Mapping[RuleKind, Rule]) -> None:
    """What the rules promise about false pauses."""
    rate = stated_rate(rules)
    pausing = [str(kind) for kind, rule in rules.items() if rule.pauses]
    if not pausing:
        st.caption("No rule pauses auto-PASS here: alarms only tell people.")
        return
    st.caption(
        f"At most **{rate:.3g}** false pauses in a quarter are to be expected at this site while every rule is kept "
        f"({', '.join(pausing)}), however often somebody looks. Intervals hold at every moment at once, 95% in all."
    )


def rule_table(rules: Mapping[RuleKind, Rule], figures: Sequence[Mapping[str, Any]]) -> None:
    """Each rule with what it sees now."""
    seen: dict[str, list[Mapping[str, Any]]] = {}
    for one in figures:
        seen.setdefault(str(one["kind"]), []).append(one)
    rows = [_row(kind, rule, one) for kind, rule in rules.items() for one in seen.get(str(kind)) or [{}]]
    evidence = st.column_config.ProgressColumn("evidence", min_value=0.0, max_value=1.0, format="percent",
                                               help="At 100% the alarm is raised.")  # fmt: skip
    st.dataframe(rows, hide_index=True, height="content", column_config={"evidence": evidence})


def _row(kind: RuleKind, rule: Rule, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rule": rule.sentence if rule.on else f"off: {rule.sentence}",
        "about": one_line(str(one.get("subject") or "the site")),
        "now": _spoken(kind, one.get("value")),
        "95% interval": _interval(kind, one),
        "of": f"{one['n']:,}" if one.get("n") else "",
        "evidence": min(1.0, float(one.get("level") or 0.0)) if rule.on else None,
        "note": one_line(str(one.get("note") or "")),
        "then": ", ".join(STEPS[step] for step in rule.steps),
    }


def _spoken(kind: RuleKind, value: Any) -> str:
    return "–" if value is None else spoken_limit(kind, float(value))


def _interval(kind: RuleKind, one: Mapping[str, Any]) -> str:
    if one.get("low") is None or one.get("high") is None:
        return ""
    return f"{spoken_limit(kind, float(one['low']))} to {spoken_limit(kind, float(one['high']))}"


def rule_form(view: FormState, site: Site, rules: Mapping[RuleKind, Rule]) -> None:
    """Change one rule; whatever is looser says so and waits for somebody else."""
    kind = st.selectbox("Rule", list(rules), key="alarms.rule", format_func=lambda one: str(one).capitalize())
    if kind is None:
        return
    rule, meaning = rules[kind], MEANING[kind]
    st.caption(meaning.definition)
    with st.form(f"alarms.rule.{kind}.{rule.number}", border=False):
        on = st.toggle("Watched", rule.on)
        one, two = st.columns(2)
        limit = one.number_input(f"Limit ({UNITS[meaning.unit]})", 0.0, None, alarm_desk.shown_limit(kind, rule.limit),
                                 format="%.4g")  # fmt: skip
        rate = rule.rate
        if meaning.tested:
            rate = two.number_input("False alarms a quarter, at most", 0.0001, 10.0, rule.rate, format="%.4g",
                                    help="What is to be expected while the rule is kept. Fewer means that a real "
                                    "change is seen later.")  # fmt: skip
        steps = st.multiselect("Then", list(Step), list(rule.steps), format_func=lambda step: STEPS[step])
        reason = st.text_input("Why", max_chars=300, placeholder="One sentence that an auditor will read")
        if st.form_submit_button("Change the rule", icon=":material/edit:", type="primary"):
            _submit(view, site.name, rule, on, limit, rate, steps, reason)
            st.rerun()


def _submit(
    view: FormState, site: str, rule: Rule, on: bool, limit: float, rate: float, steps: Sequence[Step], reason: str
) -> None:
    with told(view):
        changed = Rule(rule.kind, alarm_desk.entered_limit(rule.kind, limit), tuple(steps), rate, on)
        alarm_desk.set_rule(view, site, changed, reason, rule.number)


def waiting_rules(view: FormState, site: Site, rules: Mapping[RuleKind, Rule], history: Sequence[Rule]) -> None:
    """Looser rules that wait for a second person."""
    for rule in history:
        before = rules[rule.kind]
        if not rule.waits or before.number > rule.number:
            continue
        with st.container(border=True):
            st.markdown(
                f"**{plain(rule.by)}** would have the rule on {rule.kind} looser: {plain(looser(before, rule))}."
            )
            st.caption(plain(rule.reason, 300))
            if rule.by == context.me().name:
                st.caption("Somebody else approves it.")
            elif context.may(Action.POLICY):
                key = f"alarms.rulewhy.{rule.kind}.{rule.number}"
                with st.popover("Approve", icon=":material/check:"):
                    st.text_input("Why it may be looser", key=key, max_chars=300)
                    given = (view, site.name, rule.kind, rule.number, key)
                    st.button("Put in force", key=f"alarms.approve.{rule.kind}.{rule.number}", type="primary",
                              on_click=alarm_desk.approve_rule, args=given)  # fmt: skip


def _calibration(content: Mapping[str, Any]) -> None:
    """What a second person is asked to confirm: the matrix, what speaks against it, and how scores would be read."""
    cells = content["counts"]
    st.caption(
        f"At one half: {cells['tp']:,} of {cells['tp'] + cells['fn']:,} defective flagged, {cells['fp']:,} of "
        f"{cells['fp'] + cells['tn']:,} good ones. {plain(str(content['source']), 250)}"
    )
    for one in content["caveats"]:
        st.warning(plain(one, 300), icon=":material/warning:")
    compared = content.get("compared")
    if compared is not None:
        refit_facts(compared)
    elif content.get("score_map") is None and content.get("score_map_before") is not None:
        st.caption("The model's own scores would count again as they are.")


def requests_to_agree(view: FormState, site: Site, wish: Wish | None = None) -> None:
    """What somebody asked for and another has to agree to, such as a resume; of one kind, or all of it."""
    for one in context.store().requests.waiting(site.name, context.now()):
        if wish is not None and one.wish is not wish:
            continue
        with st.container(border=True):
            st.markdown(f"**{plain(one.by)}** asks to {one.wish}: {plain(one.reason, 300)}")
            if "hindrance" in one.content:
                st.caption(plain(f"{one.content['model']}: {one.content['hindrance']}", 400))
            if one.wish is Wish.CALIBRATION:
                _calibration(one.content)
            if one.by == context.me().name:
                st.caption("Somebody else agrees to it.")
            elif context.may(Action.POLICY):
                key = f"alarms.agree.{one.number}"
                with st.popover("Agree", icon=":material/check:"):
                    st.text_input("Why it is right", key=key, max_chars=300)
                    st.button("Agree to it", key=f"alarms.agreed.{one.number}", type="primary",
                              on_click=alarm_desk.agree, args=(view, one.number, key))  # fmt: skip
