"""Policy: the thresholds in force at a site; propose new ones, and let somebody else approve them."""

import streamlit as st

from app import acts, context
from app.state import PolicyState, state
from app.widgets.charts import score_band
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.text import local, plain, share

view = state(PolicyState)
title("quality/policy")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "policy.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

site = context.store().sites.get(site_name)
policy = context.store().policies.in_force(site_name)
history = context.store().policies.history(site_name)
left, right = st.columns([3, 2], gap="medium")
with left:
    st.subheader("In force", anchor=False)
    if policy is None:
        st.warning("No policy is approved, so nothing passes by itself: every part goes to a person.")
    else:
        score_band((policy.band[0] + policy.band[1]) / 2, policy.band, key="policy.band")
        st.markdown(f"Passes below **{share(policy.pass_below)}**, fails above **{share(policy.fail_above)}**. "
                    f"Policy {policy.number}, proposed by {plain(policy.proposed_by)}, approved by "
                    f"{plain(policy.approved_by or '')}.")  # fmt: skip
    if not site.calibrated:
        st.info("The model is not calibrated at this site, so nothing passes by itself.", icon=":material/straighten:")
    acts.pause_controls(view, site)
    acts.first_look_control(view, site, policy)
    st.subheader("History", anchor=False)
    if not history:
        st.caption("Nothing has been proposed yet.")
    for one in history:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            st.badge("approved" if one.approved else "waits", color="green" if one.approved else "orange",
                     icon=":material/check_circle:" if one.approved else ":material/hourglass_empty:")  # fmt: skip
            with st.container(width="stretch", gap=None):
                st.markdown(
                    f"**{one.number}** · pass below {share(one.pass_below)} · fail above {share(one.fail_above)}"
                )
                st.caption(f"{plain(one.proposed_by)}, {local(one.proposed_at, site.timezone)}: {plain(one.reason)}")
            if not one.approved:
                acts.approve_controls(view, site, one)
with right, st.form("policy.propose"):
    st.subheader("Propose", anchor=False)
    below, above = st.slider("Hold between", 0.0, 1.0, (0.2, 0.8), 0.01, format="%.2f")
    audit = st.number_input("Share of passes that a person looks at all the same", 0.0, 1.0, 0.02, 0.01)
    reason = st.text_input("Why", max_chars=300, placeholder="One sentence that an auditor will read")
    if st.form_submit_button("Propose", icon=":material/send:", type="primary"):
        acts.propose(view, site_name, below, above, audit, reason)
        st.rerun()
