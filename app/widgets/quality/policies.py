"""What is in force at a site, what waits for a second person, and what was before, in words."""

from collections.abc import Sequence

import streamlit as st

from app import context, ruling
from app.state import FormState
from app.widgets.charts import hold_band
from app.widgets.text import local, plain, share
from core.decide.policy import Kind, Policy, chosen
from core.decide.requests import SOON
from core.decide.tighter import differences, looser_anywhere, set_rules
from core.decide.wording import amount
from core.plant import Site

AT_ONCE, SHOWN = 5, 30


def standing(site: Site, in_force: Sequence[Policy]) -> None:
    """Whether anything passes by itself at the site now, and if not why."""
    now = context.now()
    stopped = site.stopped(now)
    with st.container(horizontal=True, vertical_alignment="center"):
        if not in_force:
            st.badge("No approved policy: nothing passes by itself", icon=":material/block:", color="orange")
        if not site.calibrated:
            st.badge("Not calibrated: nothing passes by itself", icon=":material/straighten:", color="orange")
        if stopped is not None and site.paused is None:  # a pause says so beside its button
            st.badge(f"Auto-PASS rests: {plain(stopped, 90)}", icon=":material/pause_circle:", color="orange")
        if in_force and site.calibrated and stopped is None:
            st.badge("Auto-PASS is on", icon=":material/check_circle:", color="green")
        due = site.calibrated_until
        if site.calibrated and due is None:
            st.badge(
                "Nobody has set when the calibration is looked at again", icon=":material/event_busy:", color="gray"
            )
        elif due is not None and now < due < now + SOON:
            st.badge(f"Look at the calibration by {due:%d %b %Y}", icon=":material/event:", color="orange")


def policy_card(view: FormState, site: Site, policy: Policy, whole: Policy | None) -> None:
    """One policy in force: its band, what else it sets or, beside the one for the whole site, changes; who and why."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**For {plain(policy.scope)}** · policy {policy.number}", width="stretch")
            if _scope(policy) != (None, None) and not policy.ends:
                why = f"policy.endwhy.{site.name}.{policy.number}"
                with st.popover("End it", icon=":material/merge:"):
                    st.text_input("Why the wider policy may decide here again", key=why, max_chars=300)
                    st.button("Propose its end", key=f"policy.end.{site.name}.{policy.number}",
                              on_click=ruling.end_scope, args=(view, policy, why))  # fmt: skip
        if policy.ends:
            st.caption("It has ended: the wider policy decides here.")
        else:
            hold_band(policy.band)
            st.markdown(f"Passes below **{amount(policy.pass_below)}**, fails above **{amount(policy.fail_above)}**.")
            if whole is None or whole == policy:
                said = [f"{word.capitalize()}: {plain(figure, 300)}" for word, figure in set_rules(policy)]
            else:
                said = ["Otherwise than for the whole site:", *(plain(one, 300) for one in differences(policy, whole))]
            st.caption("  \n".join(said))
        _names(policy, site)


def _names(policy: Policy, site: Site) -> None:
    said = [f"Proposed by {plain(policy.proposed_by)}, {local(policy.proposed_at, site.timezone)}: "
            f"{plain(policy.reason, 300)}"]  # fmt: skip
    if policy.kind is Kind.TIGHTENING:
        said.append("In force without a second person: it only tightens.")
    elif policy.approved_by is not None:
        said.append(f"Approved by {plain(policy.approved_by)}, {local(policy.approved_at, site.timezone)}: "
                    f"{plain(policy.approval, 300)}")  # fmt: skip
    if policy.optimum is not None:
        best = policy.optimum
        apart = f" Chosen otherwise: {plain(best.why, 300)}" if best.why else ""
        said.append(f"The figures alone would have chosen {amount(best.pass_below)} to {amount(best.fail_above)} "
                    f"({plain(best.basis, 200)}).{apart}")  # fmt: skip
    st.caption("  \n".join(said))


def any_waits(site: Site, history: Sequence[Policy], in_force: Sequence[Policy]) -> bool:
    """Whether a proposal or a request needs a second person."""
    return bool(_open(history, in_force) or context.store().requests.waiting(site.name, context.now()))


def _open(history: Sequence[Policy], in_force: Sequence[Policy]) -> list[Policy]:
    """Proposals that no newer policy of the same scope has overtaken, newest first."""
    newest = {_scope(one): one.number for one in in_force}
    return [one for one in history if not one.approved and one.number > newest.get(_scope(one), 0)]


def waiting(view: FormState, site: Site, history: Sequence[Policy], in_force: Sequence[Policy]) -> None:
    """Proposals that somebody else may still approve, with what they change and what of it is looser."""
    for policy in _open(history, in_force):
        with st.container(border=True):
            what = f"goes back to policy {policy.rolls_back_to}" if policy.rolls_back_to else "is proposed"
            what = "ends the policy" if policy.ends else what
            st.markdown(f"**Policy {policy.number}** {what} for {plain(policy.scope)}")
            now = chosen(in_force, policy.line, policy.part_type)
            st.markdown("; ".join(plain(one, 200) for one in differences(policy, now)) or "Changes no rule.")
            loose = looser_anywhere(in_force, policy)
            st.caption(f"Looser: {plain('; '.join(loose), 300)}." if loose else "Nothing in it is looser.")
            _names(policy, site)
            approve_controls(view, site, policy)


def approve_controls(view: FormState, site: Site, policy: Policy) -> None:
    """A reason and a button; a person's own proposal says who else is needed."""
    if policy.proposed_by == context.me().name:
        st.caption("Somebody else approves it.", width="content")
        return
    why = f"policy.why.{site.name}.{policy.number}"
    with st.popover("Approve", icon=":material/check:"):
        st.text_input("Why these thresholds are right", key=why, max_chars=300)
        key = f"policy.approve.{site.name}.{policy.number}"
        st.button("Put in force", key=key, type="primary", on_click=ruling.approve,
                  args=(view, site.name, policy.number, why))  # fmt: skip


def history_rows(view: FormState, site: Site, history: Sequence[Policy], in_force: Sequence[Policy]) -> None:
    """Every policy, newest first: what it changed, who, why, and the way back to it."""
    if not history:
        st.caption("Nothing has been proposed yet.")
    numbers = {one.number for one in in_force}
    for place, policy in enumerate(history[:AT_ONCE]):
        _history_row(view, site, policy, _before(policy, history[place + 1 :]), in_force, numbers)
    older = history[AT_ONCE:SHOWN]
    if older:
        with st.expander(f"{len(older)} before those"):
            for place, policy in enumerate(older, start=AT_ONCE):
                _history_row(view, site, policy, _before(policy, history[place + 1 :]), in_force, numbers)
    if len(history) > SHOWN:
        st.caption(f"{len(history) - SHOWN:,} older ones: see the audit trail.")


def _history_row(
    view: FormState, site: Site, policy: Policy, before: Policy | None, in_force: Sequence[Policy], numbers: set[int]
) -> None:
    with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
        _state(policy, in_force, numbers)
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{policy.number}** · {plain(policy.scope)} · {share(policy.pass_below)} to "
                        f"{share(policy.fail_above)}")  # fmt: skip
            changed = "; ".join(plain(one, 160) for one in differences(policy, before)) if before else "the first one"
            st.caption(f"{'taken back: the wider policy decides' if policy.ends else changed or 'the same rules'}")
            _names(policy, site)
        if policy.approved and policy.number not in numbers:
            why = f"policy.backwhy.{site.name}.{policy.number}"
            with st.popover("Go back", icon=":material/undo:"):
                st.text_input("Why these rules again", key=why, max_chars=300)
                st.button("Propose to go back", key=f"policy.back.{site.name}.{policy.number}",
                          on_click=ruling.rollback, args=(view, site.name, policy.number, why))  # fmt: skip


def _state(policy: Policy, in_force: Sequence[Policy], numbers: set[int]) -> None:
    if policy.number in numbers:
        st.badge("in force", color="green", icon=":material/check_circle:")
    elif policy.approved:
        st.badge("replaced", color="gray", icon=":material/history:")
    elif (now := _same_scope(in_force, policy)) is not None and now.number > policy.number:
        st.badge("overtaken", color="gray", icon=":material/block:")
    else:
        st.badge("waits", color="orange", icon=":material/hourglass_empty:")


def _before(policy: Policy, older: Sequence[Policy]) -> Policy | None:
    """What decided the same parts before, as far as numbers tell: of the same scope, or else a wider one."""
    scopes = dict.fromkeys([_scope(policy), (None, policy.part_type), (policy.line, None), (None, None)])
    return next((one for scope in scopes for one in older if one.approved and _scope(one) == scope), None)


def _scope(policy: Policy) -> tuple[str | None, str | None]:
    return policy.line, policy.part_type


def _same_scope(in_force: Sequence[Policy], policy: Policy) -> Policy | None:
    return next((one for one in in_force if _scope(one) == _scope(policy)), None)
