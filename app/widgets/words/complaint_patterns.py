"""What stands out among orders, batches, sellers and machines, and the notices drafted from it."""

import math

import streamlit as st

from app import complaints as desk
from app import context
from app.complaints import ComplaintsState
from app.widgets.frame import nothing
from app.widgets.gallery import gallery
from app.widgets.text import ago, count, local, option, plain
from core.plant import Site
from core.roles import Action
from core.words.complaints.notices import ComplaintNotice, NoticeState
from core.words.complaints.patterns import Pattern, Tested

_LOOKS = {NoticeState.DRAFT: (":material/edit:", "orange"), NoticeState.APPROVED: (":material/check:", "green"),
          NoticeState.DECLINED: (":material/block:", "gray")}  # fmt: skip
_SENT = {"waiting": (":material/schedule_send:", "blue"), "sent": (":material/mark_email_read:", "green"),
         "given up": (":material/error:", "red")}  # fmt: skip


def patterns(view: ComplaintsState, site: Site) -> None:
    """The whole tab."""
    found = desk.patterns(site)
    if not found.patterns:
        then = f"{found.tests:,} names and mixes of the last {desk.LOOKED_BACK} days were tested together."
        nothing("Nothing stands out", icon="task_alt", then=then if found.tests else "There is nothing to compare yet.")
    for place, one in enumerate(found.patterns):
        _pattern(view, site, one, found, place)
    if found.patterns:
        st.caption(f"{found.tests:,} names and mixes were tested together, exactly and one-sided against the others of "
                   f"their kind; of what is shown at most {found.q:.0%} are expected to be chance. Intervals are not "
                   "corrected for this choice. What a complaint is about counts as corrected, or else as the model "
                   "read it.")  # fmt: skip
    if context.may(Action.COMPLAINTS):
        with st.expander("How many parts sellers and batches have had", icon=":material/upload:"):
            st.caption("Without it only what their complaints are about can be compared, not how many there are.")
            file = st.file_uploader("A CSV file with the columns about (seller or batch), name and parts", type="csv",
                                    key=f"complaints.volumes.{site.name}")  # fmt: skip
            st.button("Keep these", key=f"complaints.volumes.take.{site.name}", disabled=file is None,
                      on_click=desk.submit_volumes, args=(view, site.name, file))  # fmt: skip


def _pattern(view: ComplaintsState, site: Site, one: Pattern, looked: Tested, place: int) -> None:
    references, images = desk.behind(site, one)
    with st.container(border=True, gap="small"):
        st.markdown(f"**{plain(one.sentence, 300)}**")
        interval = ""
        if one.ratio is not None and one.within is not None and math.isfinite(one.ratio):
            interval = f"ratio {one.ratio:.1f} (95%: {one.within.low:.1f} to {one.within.high:.1f}) · "
        st.caption(f"{interval}adjusted p {one.p_adjusted:.2g} · complaints {plain(', '.join(references[:12]), 200)}")
        gallery(images, width=96, most=8)
        if context.may(Action.COMPLAINTS):
            st.button("Draft a notice", key=f"complaints.draft.{site.name}.{place}", icon=":material/edit_note:",
                      on_click=desk.draft, args=(view, site, one, looked))  # fmt: skip


def notices(view: ComplaintsState, site: Site) -> None:
    """Drafts to approve, and what became of the others."""
    found = context.store().complaint_notices.find(site.name)
    if not found:
        nothing("No notice yet", icon="mail", then="Draft one from a pattern, or confirm 'notify' of a complaint.")
        return
    for one in found:
        _notice(view, site, one)


def _notice(view: ComplaintsState, site: Site, one: ComplaintNotice) -> None:
    icon, colour = _LOOKS[one.state]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(str(one.state), icon=icon, color=colour)  # type: ignore[arg-type]
            st.markdown(f"**{plain(one.draft.title)}**", width="content")
            st.caption(f"drafted by {plain(one.drafted_by, 60)}, {ago(one.drafted_at, context.now())}", width="content")
        st.text(one.draft.body)
        gallery([int(image) for image in one.draft.evidence.get("images", ())], width=96, most=8)
        if one.state is NoticeState.DRAFT:
            _to_decide(view, one)
            return
        st.caption(f"{plain(one.decided_by, 60)}, {local(one.decided_at, site.timezone)}: {plain(one.reason)}")
        messages = context.store().complaint_notices.messages(one.id)
        with st.container(horizontal=True, vertical_alignment="center"):
            for message in messages:
                shown, tone = _SENT[message.state]
                tries = f", {count(message.attempts, 'try', 'tries')}" if message.state != "sent" else ""
                st.badge(f"{option(message.channel, 40)}: {message.state}{tries}", icon=shown, color=tone)  # type: ignore[arg-type]
            if any(message.state == "given up" for message in messages) and context.may(Action.COMPLAINTS):
                st.button("Try again", key=f"complaints.again.{one.id}", icon=":material/refresh:",
                          on_click=desk.again, args=(view, one.id))  # fmt: skip
        for message in messages:
            if message.error:
                st.caption(f"{plain(message.channel, 40)}: {plain(message.error)}")


def _to_decide(view: ComplaintsState, one: ComplaintNotice) -> None:
    key = f"complaints.notice.{one.id}"
    mine = one.drafted_by == context.me().name
    if mine:
        st.caption("You drafted it: somebody else has to approve it.")
    if not context.may(Action.COMPLAINTS):
        return
    channels = desk.channel_names()
    if not channels:
        st.caption("No channel is set up, so nobody can be told: an administrator adds one.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if context.may(Action.POLICY) and not mine and channels:
            st.multiselect("Tell", channels, channels, key=f"{key}.channels", format_func=option)
        st.text_input("Why", key=f"{key}.reason", max_chars=300, placeholder="Why it is sent, or not")
        if context.may(Action.POLICY) and not mine and channels:
            st.button("Approve and send", key=f"{key}.approve", type="primary", icon=":material/send:",
                      on_click=desk.approve, args=(view, one.id, key))  # fmt: skip
        st.button("Decline", key=f"{key}.decline", icon=":material/block:", on_click=desk.decline,
                  args=(view, one.id, key))  # fmt: skip
