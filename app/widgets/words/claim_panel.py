"""Claims with what the evidence says of them and where to look, and what happened to a part."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app import claims, context
from app.claims import ClaimState
from app.jobs.words.claiming import Checked
from app.jobs.words.describing import RECORD, Description, why_struck
from app.state import state
from app.widgets.desk.viewer import absolute, crop_url
from app.widgets.frame import notices
from app.widgets.text import count, one_line, plain
from core.errors import HoldpointError
from core.records import Image
from core.taxonomy import Taxonomy
from core.words.claims.records import CheckedSentence, ClaimKind, Crop, Finding, Ruling

LOOKS: Mapping[Ruling, tuple[str, str]] = {
    Ruling.CONFIRMED: (":material/check_circle:", "green"),
    Ruling.CONTRADICTED: (":material/cancel:", "red"),
    Ruling.NOT_ENOUGH: (":material/help:", "gray"),
}
CROP_PX = 200
MOST_CROPS = 3


def claim_panel(found: Checked, *, images: Mapping[int, Image] | None = None) -> None:
    """Every sentence of a text, its claims, and what the evidence says of each.

    Args:
        found: from `app.claims`.
        images: that crops are of, where the caller has them already.
    """
    known = claims.images_of(found) if images is None else images
    counts = ", ".join(f"{found.count(one)} {one}" for one in Ruling if found.count(one))
    st.caption(counts or "Nothing in this text can be checked.")
    for one in found.sentences:
        _sentence(one, known, found.evidence.taxonomy)
    if not found.limits:
        st.caption("No limits for claims are set at this site: a model's word alone confirms nothing here.")


def _sentence(one: CheckedSentence, images: Mapping[int, Image], taxonomy: Taxonomy) -> None:
    with st.container(border=True):
        st.text(one_line(one.sentence.text, 400))
        if not one.findings:
            st.caption(plain(f"No claim to check: {one.sentence.nothing}.", 200))
        for finding in one.findings:
            _finding(finding, images, taxonomy)


def _finding(finding: Finding, images: Mapping[int, Image], taxonomy: Taxonomy) -> None:
    icon, colour = LOOKS[finding.ruling]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(str(finding.ruling).capitalize(), icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(f"**{plain(said(finding, taxonomy), 160)}**", width="content")
    st.caption(plain(finding.why, 400))
    _crops(finding.crops, images)


def said(finding: Finding, taxonomy: Taxonomy) -> str:
    """A claim in a few words: what, where, and whether it is denied or doubted."""
    claim = finding.claim
    known = claim.class_id is not None and claim.class_id in taxonomy.ids
    named = taxonomy.get(str(claim.class_id)).label if known else claim.phrase
    what = named if claim.kind is ClaimKind.DAMAGE else claim.value or claim.attribute
    words = ["Not: " if claim.negated else "", str(claim.kind).capitalize(), f": {what}" if what else ""]
    words.append(f", at the {claim.place.name}" if claim.place else "")
    words.append(f", on view {claim.view}" if claim.view else "")
    words.append(" (said with doubt)" if claim.hedged else "")
    return "".join(words)


def _crops(crops: Sequence[Crop], images: Mapping[int, Image]) -> None:
    shown = [one for one in crops if one.image_id in images][:MOST_CROPS]
    if not shown:
        return
    with st.container(horizontal=True, gap="small"):
        for one in shown:
            box = ",".join(str(value) for value in one.box)
            url = f"{crop_url(images[one.image_id])}&box={box}&width={2 * CROP_PX}"
            st.image(absolute(url), width=CROP_PX, alt=f"Where to look on image {one.image_id}")


def description(made: Description) -> None:
    """What happened, with what was struck out and why."""
    for sentence in made.sentences:
        st.text(one_line(sentence, 600))
    model = f"First the sentences of {made.by} that the evidence confirms, then the record's."
    st.caption("Written from the record." if made.by == RECORD else plain(model, 200))
    if made.fallback:
        st.caption(plain(f"The describer's text is not shown: {made.fallback}", 300))
    if made.struck:
        with st.expander(f"{count(len(made.struck), 'sentence')} struck out"):
            for one in made.struck:
                st.text(one_line(one.sentence.text, 400))
                st.caption(plain(why_struck(one), 300))


def what_happened(part_id: int, *, key: str) -> None:
    """What is known of a part, on demand: a description, and a box to hold a sentence against the evidence.

    Nothing is shown while this person has yet to give their own first look at the part.
    """
    view = state(ClaimState)
    try:
        claims.not_blind(context.store(), part_id)
    except HoldpointError:
        return
    subject = f"typed about part {part_id}"
    with st.expander("What happened", icon=":material/fact_check:"):
        notices(view.message, view.failed)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            typed = f"{key}.said.{part_id}"
            st.text_input("Hold a sentence against the evidence", key=typed, max_chars=500,
                          placeholder="The cover is torn at the top left.")  # fmt: skip
            st.button("Check", key=f"{key}.check.{part_id}", icon=":material/fact_check:", on_click=claims.check_typed,
                      args=(view, part_id, subject, lambda: str(st.session_state.get(typed, ""))))  # fmt: skip
            st.button("Describe", key=f"{key}.describe.{part_id}", icon=":material/notes:",
                      on_click=claims.describe_now, args=(view, part_id))  # fmt: skip
        if subject in view.checked:
            claim_panel(view.checked[subject])
        if part_id in view.described:
            description(view.described[part_id])
