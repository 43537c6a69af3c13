"""The Privacy section of the Upkeep page: what is covered, what is encrypted, who saw originals."""

from collections.abc import Sequence

import streamlit as st

from app import context
from app.jobs.upkeep.vault import standing
from app.privacy import look_now, set_mode
from app.state import FormState
from app.widgets.text import ago, one_line, plain
from core.plant import AuditEvent
from core.privacy import MEANING, Mode

LOOKS = 8


def privacy_section(view: FormState) -> None:
    """All of it, for an administrator."""
    store = context.store()
    found = store.privacy.status()
    st.subheader("Privacy", anchor=False)
    st.caption("Names, addresses, telephone numbers, e-mail addresses and faces are filled in pictures, and replaced "
               "in notes and readings, for every role but admin and QA lead. A picture that could not be looked at "
               "is withheld whole.")  # fmt: skip
    if found:
        st.dataframe(
            [
                {"site": one.rule.site, "covers": MEANING[one.rule.mode], "looked at": one.looked,
                 "with covers": one.covered, "failed": one.failed, "waiting": one.waiting}
                for one in found
            ],
            hide_index=True, height="content",
        )  # fmt: skip
    waiting = sum(one.waiting + one.failed for one in found)
    with st.container(horizontal=True):
        st.button("Look now", icon=":material/visibility_lock:", on_click=look_now, args=(view,), disabled=not waiting,
                  help="The worker does it by itself within a minute; this tries failed ones again, too")  # fmt: skip
        with st.popover("Change", icon=":material/tune:", disabled=not found):
            _change(view, {one.rule.site: (one.rule.mode, one.rule.number) for one in found})
    _encryption()
    _looks(store.audit.recent(LOOKS, action="original seen"))


def _change(view: FormState, rules: dict[str, tuple[Mode, int]]) -> None:
    site = st.selectbox("Site", list(rules), key="privacy.site")
    mode, number = rules[site]
    mode_key, reason_key = f"privacy.mode.{site}.{number}", f"privacy.reason.{site}"
    st.radio("Cover", [str(one) for one in Mode], list(Mode).index(mode), key=mode_key,
             format_func=lambda one: MEANING[Mode(one)])  # fmt: skip
    st.text_input("Why", key=reason_key, placeholder="an auditor reads it")
    st.button("Save", key="privacy.save", type="primary", on_click=set_mode,
              args=(view, site, mode_key, reason_key, number))  # fmt: skip


def _encryption() -> None:
    kept = standing(context.store(), context.settings())
    if kept["key"] is None:
        st.caption("Nothing is encrypted at rest: `holdpoint privacy key FILE` makes a key outside the plant's folder.")
        return
    st.caption(
        f"Encrypted with key {kept['key']}: {kept['sealed_with_it']} of {kept['ours']} pictures in Holdpoint's own "
        f"folder, and notes ({kept['notes_left']} still wait). {kept['by_reference']:,} pictures lie where their "
        "cameras put them and are not touched."
    )


def _looks(events: Sequence[AuditEvent]) -> None:
    if not events:
        st.caption("Nobody has seen an uncovered original yet.")
        return
    st.caption("Uncovered originals were last seen by")
    for one in events:
        st.text(f"{one_line(one.by, 40)} · {plain(one.subject, 40)} · {ago(one.at, context.now())}")
