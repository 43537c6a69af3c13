"""People as instruments, drawn: how far they agree, what is worth a lesson, and the parts whose answer is known."""

from collections.abc import Sequence

import streamlit as st

from app import auditing, context
from app.auditing import Instruments
from app.state import FormState
from app.widgets.quality.audits import percent
from app.widgets.text import count, local, one_line, plain
from core.audits.agreement import RegionAgreement
from core.audits.estimates import Rate
from core.audits.facts import GoldItem, Shares
from core.audits.people import OVERALL, Agreement, MixUp, sentence
from core.learn.metrics.proportions import proportion_interval
from core.plant import Site


def _figure(rate: Rate | None) -> str:
    return "–" if rate is None else f"{rate.value:.2f} ({rate.low:.2f} to {rate.high:.2f})"


def _share(rate: Rate | None) -> str:
    return "–" if rate is None else f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)})"


def agreement_table(site: Site, found: Sequence[Agreement]) -> None:
    """Each question with three figures of agreement; 0 is what chance gives, 1 is always."""
    labels = {one.id: one.label for one in site.taxonomy.classes}
    rows = [
        {
            "question": one.question
            if one.question == OVERALL
            else one_line(labels.get(one.question, one.question), 60),
            "parts": one.parts,
            "named by either": one.named,
            "Cohen's kappa": _figure(one.cohen),
            "Fleiss' kappa": _figure(one.fleiss),
            "Krippendorff's alpha": _figure(one.alpha),
        }
        for one in found
    ]
    st.dataframe(rows, hide_index=True, height="content")
    st.caption(
        f"Of parts that two people answered in the last {auditing.LOOKED_BACK} days without sight of each other; in "
        "brackets 95%, by resampling parts. 0 is what chance alone would give, 1 is agreement every time; a dash where "
        "everybody says the same of every part."
    )


def region_figures(found: RegionAgreement) -> None:
    """How far boxes agree."""
    shown = (
        ("Boxes with a partner", _share(found.found), "Of all boxes that two people drew on the same picture."),
        ("Overlap of partners", _figure(found.overlap), "Intersection over union, mean of the pairs from 0.5 on."),
        ("Same class", _share(found.named), "Of the pairs."),
    )
    for column, (label, value, help_) in zip(st.columns(3), shown, strict=True):
        with column.container(border=True, height="stretch"):
            st.caption(label, help=help_)
            st.markdown(f"**{value}**")


def known_answers(found: Instruments) -> None:
    """How answers of all together match those that are known."""
    eyes = found.eyes
    for column, (label, hits, trials) in zip(
        st.columns(2),
        (
            ("Defective gold items stopped", eyes.seen, eyes.defective),
            ("Good gold items passed", eyes.cleared, eyes.good),
        ),
        strict=True,
    ):
        bounds = proportion_interval(hits, trials)
        with column.container(border=True, height="stretch"):
            st.metric(label, "not known" if bounds is None else f"{hits / trials:.0%}")
            st.caption("no answer yet" if bounds is None else
                       f"95%: {percent(bounds.low)} to {percent(bounds.high)}, {hits} of {trials}")  # fmt: skip


def lessons(found: Sequence[MixUp], none: str) -> None:
    """What is worth showing to people side by side."""
    if not found:
        st.caption(none)
    for one in found[:8]:
        st.markdown(f":material/school: {plain(sentence(one), 300)}")


@st.fragment
def one_person(found: Instruments) -> None:
    """One person's own picture beside everybody's; nobody is chosen until somebody is, and nobody is ranked."""
    name = st.selectbox("Plan a lesson with", found.people, index=None, key="inspectors.person", format_func=one_line,
                        placeholder="Choose a person", width=280)  # fmt: skip
    if name is None:
        return
    mine = auditing.own_picture(found, name)
    if mine is None:
        st.caption("Nothing that tells has been answered.")
        return
    stops, passes = mine.everybody
    st.markdown(
        f"Stops {_share(mine.sees)} of defective parts and passes {_share(mine.clears)} of good ones; everybody: "
        f"{percent(stops)} and {percent(passes)}."
    )
    st.caption(
        f"From {count(mine.answers, 'answer')}. While these are few, the figures are drawn towards everybody's; truth "
        "is taken from gold items and, elsewhere, from all answers together (Dawid and Skene)."
    )
    lessons(mine.mix_ups, "Nothing is mixed up more often than by the others, as far as these answers can tell.")


def shares_form(view: FormState, site: str, shares: Shares) -> None:
    """How often known parts and second people are asked."""
    with st.form("inspectors.shares", border=True):
        with st.container(horizontal=True):
            gold = st.number_input("Gold items (% of tasks)", 0.0, 50.0, 100 * shares.gold, 1.0, width=190)
            second = st.number_input("Second looks (% of answers)", 0.0, 50.0, 100 * shares.second, 1.0, width=190)
        reason = st.text_input("Why", max_chars=300, placeholder="One sentence that an auditor will read")
        st.caption("While either is above 0, everybody answers before they see what the model or anybody else says.")
        if st.form_submit_button("Set", icon=":material/check:", type="primary"):
            auditing.set_shares(view, site, gold, second, reason)
            st.rerun()


def gold_form(view: FormState, site: Site) -> None:
    """Vouch for the answer about a part: one that two people have settled, or any other by its name."""
    settled = context.store().gold.candidates(site.name)
    names = [name for _, name, _, _ in settled]
    said = {name: ("defective" if bad else "good", people) for _, name, bad, people in settled}
    with st.form("inspectors.gold", border=True):
        part = st.selectbox(
            "Part", names, index=None, accept_new_options=True, placeholder="Choose one, or type a part's name",
            format_func=lambda one: one_line(f"{one}: {said[one][0]}, said {', '.join(said[one][1])}", 90)
            if one in said else one_line(one, 60),
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            answer = st.segmented_control("Known answer", ("defective", "good"), default="defective")
            labels = {one.id: one.label for one in site.taxonomy.classes}
            classes = st.multiselect("With", list(labels), format_func=lambda one: one_line(labels[one], 40))
        reason = st.text_input("How it is known", max_chars=300, placeholder="Cut open in the laboratory, measured, …")
        if st.form_submit_button("Make a gold item", icon=":material/verified:", type="primary"):
            auditing.add_gold(view, site.name, part or "", answer != "good", classes, reason)
            st.rerun()
    if not settled:
        st.caption("No part has been settled by two people yet; any part that is not in the queue can be named.")


def gold_rows(view: FormState, site: Site, items: Sequence[GoldItem]) -> None:
    """The parts whose answer is known, with how all together answered."""
    for item in items[:40]:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.badge("defective" if item.defective else "good", color="red" if item.defective else "green",
                     icon=":material/cancel:" if item.defective else ":material/check_circle:")  # fmt: skip
            with st.container(width="stretch", gap=None):
                st.markdown(f"**{plain(item.part)}** {plain(', '.join(item.classes))}")
                st.caption(f"{plain(item.by)}, {local(item.made_at, site.timezone)}: {plain(item.reason)}")
            st.caption(f"right {item.right} of {item.answered}" if item.answered else "not asked yet", width="content")
            key = f"inspectors.retire.{item.id}"
            with st.popover("Retire", icon=":material/do_not_disturb_on:"):
                st.text_input("Why", key=key, max_chars=300)
                st.button("Ask it no more", key=f"{key}.do", on_click=auditing.retire_gold, args=(view, item.id, key))
    if len(items) > 40:
        st.caption(f"And {len(items) - 40} more.")
