"""Proposed classes on a page: novel parts that look alike, with their pictures; a person names them or says no."""

from dataclasses import dataclass

import streamlit as st

from app import context
from app.state import FormState, state, told
from app.widgets.frame import nothing, notices
from app.widgets.gallery import gallery
from app.widgets.text import count, local, one_line, plain
from core.learn.novelty.records import Proposal, ProposalState
from core.roles import Action

SHOWN = 8
KEY = "proposals"


@dataclass
class ProposalsState(FormState):
    """Class proposals."""


def proposals_panel(site_name: str) -> None:
    """What is proposed at a site and how it stands with novel parts; says so where nothing is."""
    view = state(ProposalsState)
    notices(view.message, view.failed)
    store = context.store()
    found = store.proposals.all(site_name)
    waiting = [one for one in found if one.state is ProposalState.OPEN]
    _standing(view, site_name)
    zone = store.sites.get(site_name).timezone
    for one in waiting:
        with st.container(border=True):
            _proposal(view, one, zone)
    answered = [one for one in found if one.state is not ProposalState.OPEN]
    if answered:
        with st.expander(f"{count(len(answered), 'proposal')} answered"):
            st.dataframe([_line(one, zone) for one in answered], hide_index=True, height="content")


def _standing(view: ProposalsState, site: str) -> None:
    """How many parts were novel, and the way to look for classes among them."""
    novel = context.store().proposals.novel(site)
    ready = [one for one in novel if one.defective and not one.classes]
    if not novel:
        nothing(
            "No part has been held as novel here",
            icon="lightbulb",
            then="`holdpoint novelty fit` makes a memory of good parts; parts that resemble nothing in it are held, "
            "and those that look alike are proposed as a class.",
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{count(len(novel), 'part')} held as novel · {len(ready)} of them found defective and in no class")
        st.space("stretch")
        if context.may(Action.DATASET):
            st.button(
                "Look for classes",
                icon=":material/hub:",
                key=f"{KEY}.look.{site}",
                disabled=not ready,
                on_click=_look,
                args=(view, site),
                help="The worker compares the novel parts that people found defective and could not name",
            )


def _proposal(view: ProposalsState, one: Proposal, zone: str) -> None:
    gallery(one.image_ids, width=120, most=SHOWN)
    st.caption(
        f"{count(len(one.part_ids), 'part')} that look alike and unlike others (silhouette {one.apart:.2f}), as "
        f"{plain(one.model)} sees them · {plain(one.by)}, {local(one.made_at, zone)}"
    )
    if not context.may(Action.TAXONOMY):
        return
    key = f"{KEY}.{one.id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Id of the new class", key=f"{key}.id", max_chars=60, placeholder="DENT")
        st.text_input("Name", key=f"{key}.label", max_chars=120, placeholder="Dent")
        st.text_input("Why", key=f"{key}.why", max_chars=300, placeholder="What sets it apart, or what it is instead")
        st.button("Make it a class", icon=":material/add_circle:", type="primary", key=f"{key}.accept",
                  on_click=_accept, args=(view, one.id, key))  # fmt: skip
        st.button("Decline", icon=":material/close:", key=f"{key}.decline", on_click=_decline,
                  args=(view, one.id, key))  # fmt: skip


def _typed(key: str) -> str:
    """What a field holds at this moment."""
    return str(st.session_state.get(key, ""))


def _accept(view: ProposalsState, number: int, key: str) -> None:
    with told(view):
        made = context.store().proposals.accept(
            number, _typed(f"{key}.id"), _typed(f"{key}.label"), _typed(f"{key}.why"), now=context.now()
        )
        view.message = (
            f"{made.class_id} is a class now; its parts are asked about once more, so that they get its name."
        )


def _decline(view: ProposalsState, number: int, key: str) -> None:
    with told(view):
        context.store().proposals.decline(number, _typed(f"{key}.why"), now=context.now())
        view.message = "Declined: these parts are not proposed again."


def _look(view: ProposalsState, site: str) -> None:
    with told(view):
        context.store().jobs.submit("proposals", {"site": site}, now=context.now())
        view.message = "The worker compares them now: what it finds appears here."


def _line(one: Proposal, zone: str) -> dict[str, str]:
    return {
        "when": local(one.answered_at, zone),
        "answer": str(one.state),
        "class": one.class_id or "–",
        "parts": str(len(one.part_ids)),
        "by": one_line(one.answered_by or ""),
        "why": one_line(one.answer),
    }
