"""A part on the screen: its pictures, why it is here, what the model thinks of its classes, and its facts."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app import context, theme
from app.desk import Case
from app.state import QueueState
from app.widgets.charts import class_bars, score_band
from app.widgets.text import local, plain, share
from app.widgets.viewer import absolute, drawn, map_layers, picture_url, viewer
from core.decide.policy import Policy
from core.decide.urgency import RULE, explain
from core.errors import BadInput
from core.records import Image, ImageState, Outcome, TaskKind

# The other kinds must not be told apart before an answer is stored.
KIND_WORDS: Mapping[TaskKind, str] = {
    TaskKind.SECOND_LOOK: "second look",
    TaskKind.LABEL: "asked for by hand",
}


def chosen_image(case: Case, chosen: int | None) -> Image | None:
    """The picture in view: the chosen one, or else the one with the highest score."""
    for image in case.images:
        if image.id == chosen:
            return image
    return max(case.images, key=lambda image: _score(case, image), default=None)


def _score(case: Case, image: Image) -> float:
    found = case.predictions.get(image.id)
    return -1.0 if found is None else found.score


def show_picture(
    case: Case, image: Image, view: QueueState, *, key: str, height: str, prefetch: Sequence[str] = ()
) -> None:
    """The viewer with the overlays that are switched on."""
    prediction = case.predictions.get(image.id)
    regions, by_person = case.regions(image.id)
    colours = theme.class_colours(one.id for one in case.site.taxonomy.classes)
    if image.state is not ImageState.OK and image.width == 0:
        with st.container(border=True, height=420, horizontal_alignment="center", vertical_alignment="center"):
            st.markdown("### :material/broken_image: No picture to show", text_alignment="center")
            st.caption(plain(f"{image.state}: {image.state_note}", 400), text_alignment="center")
        return
    viewer(
        item=f"{case.item}.{image.id}",
        url=picture_url(image),
        full_url=picture_url(image, "full") if max(image.width, image.height) > 1600 else "",
        size_wh=(image.width, image.height),
        alt=f"Part {case.part.name}, view {image.capture.view or 'not named'}",
        layers=map_layers(
            image,
            prediction.model,
            heatmap=view.heatmap if prediction.heatmap is not None else None,
            where=view.where if prediction.where is not None else None,
        )
        if prediction
        else (),
        regions=[drawn(region, colours, person=by_person) for region in regions] if view.regions else (),
        key=key,
        height=height,
        prefetch=prefetch,
        lease=_lease(case),
    )


def _lease(case: Case) -> tuple[float, float] | None:
    now = context.now()
    if case.task is None or case.task.leased_until is None:
        return None
    return (case.task.leased_until - now).total_seconds(), now.timestamp()


def thumbnails(case: Case, image: Image, view: QueueState) -> None:
    """All pictures of the part; the one in view is marked, and a click changes it."""
    if len(case.images) < 2:
        return
    with st.container(horizontal=True, key="thumbs", gap="small", vertical_alignment="center"):
        for number, one in enumerate(case.images, start=1):
            if one.state is ImageState.OK:
                st.image(absolute(picture_url(one, "thumb")), width=84, alt=f"Picture {number}")
            st.button(
                f"{number} · {plain(one.capture.view or 'picture', 14)} {_short(case, one)}",
                key=f"queue.view.{one.id}",
                type="primary" if one.id == image.id else "secondary",
                on_click=_choose,
                args=(view, case.part.id, one.id),
            )


def _short(case: Case, image: Image) -> str:
    found = case.predictions.get(image.id)
    if found is not None:
        return share(found.score)
    return "not scored" if image.state is ImageState.OK else "unreadable" if image.width == 0 else str(image.state)


def _choose(view: QueueState, part_id: int, image_id: int) -> None:
    view.image = (part_id, image_id)


def why(case: Case, policy: Policy | None) -> None:
    """The decision in words: its outcome, its reasons, and where the score lies."""
    decision = case.decision
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if decision is not None:
            theme.badge(theme.OUTCOMES[decision.outcome])
        if case.task is not None and case.task.kind in KIND_WORDS:
            st.caption(KIND_WORDS[case.task.kind], width="content")
    if decision is None:
        st.caption("No decision yet: the part still waits for pictures.")
        return
    st.markdown("**Held because**" if decision.outcome is Outcome.HOLD else "**Because**")
    for reason in decision.reasons:
        st.markdown(f":material/chevron_right: {plain(reason.text, 300)}")
    score_band(decision.score, policy.band if policy else None, key="queue.band")
    if decision.class_scores:
        class_bars(decision.class_scores)


def facts(case: Case, image: Image) -> None:
    """What is known of the picture in view, one line each."""
    capture = image.capture
    site = case.site
    quality = ", ".join(image.quality.flags) if image.quality and image.quality.flags else "ok"
    prediction = case.predictions.get(image.id)
    lines = {
        "part": case.part.name,
        "order": " · ".join(one for one in (capture.order, capture.machine, capture.part_type) if one),
        "camera": " · ".join(dict.fromkeys(part for part in (capture.line, capture.camera, capture.stage) if part)),
        "taken": local(capture.taken_at or image.arrived_at, site.timezone),
        "picture": " · ".join(one for one in (f"{image.width} × {image.height} px", _exposure(image)) if one),
        "quality": quality,
        "decided by": " · ".join(
            part
            for part in (
                f"model {case.decision.model}" if case.decision and case.decision.model else "",
                f"policy {case.decision.policy}" if case.decision and case.decision.policy else "",
            )
            if part
        ),
        "scored": ""
        if prediction is None
        else f"in {prediction.milliseconds:.0f} ms by {prediction.back_end}".removesuffix(" by "),
    }
    rows = [f"| {name} | {plain(value, 80)} |" for name, value in lines.items() if value]
    st.markdown("\n".join(["| | |", "|---|---|", *rows]))
    if image.state is not ImageState.OK:
        st.warning(plain(f"{image.state}: {image.state_note}", 300), icon=":material/report:")
    if image.same_as is not None:
        st.warning(f"Same picture as image {image.same_as}: a camera may be frozen.", icon=":material/content_copy:")


def _exposure(image: Image) -> str:
    exposure = image.capture.exposure
    return " · ".join(
        part
        for part in (
            f"ISO {exposure.iso:.0f}" if exposure.iso else "",
            f"f/{exposure.aperture:g}" if exposure.aperture else "",
            f"{exposure.shutter_s * 1000:.3g} ms" if exposure.shutter_s else "",
        )
        if part
    )


def earlier_answers(case: Case) -> None:
    """What people have said of this part before."""
    for review in case.reviews[-3:]:
        when = local(review.reviewed_at, case.site.timezone)
        st.caption(f"{plain(review.by)}: {theme.VERDICTS[review.verdict].word}, {when} {plain(review.note)}")


def policy_of(case: Case) -> Policy | None:
    """What is in force at the part's site."""
    return context.store().policies.in_force(case.site.name)


PANEL_HEIGHT = 582
TABLE_HEIGHT = 468


def class_choice(case: Case, image: Image) -> str:
    """Which class a new box starts with: the likeliest one until another is chosen."""
    taxonomy = case.site.taxonomy
    if not taxonomy.ids:
        raise BadInput(f"{case.site.name} has no defect classes yet: add some on the Taxonomy page first.")
    found = case.predictions.get(image.id)
    scores = found.class_scores if found else {}
    likeliest = max(taxonomy.ids, key=lambda one: scores.get(one, 0.0))
    return str(
        st.selectbox(
            "New boxes are",
            taxonomy.ids,
            index=taxonomy.ids.index(likeliest),
            format_func=lambda one: taxonomy.get(one).label,
            key=f"correct.new.{case.item}",
        )
    )


def viewer_height(case: Case) -> str:
    """As much of the window as the bars leave; less where thumbnails need their row."""
    return "calc(100dvh - 254px)" if len(case.images) > 1 else "calc(100dvh - 190px)"


def urgency(case: Case) -> None:
    """Why this part comes before the others, by the rule in core."""
    if case.task is None:
        return
    novelty = max((one.novelty for one in case.predictions.values() if one.novelty is not None), default=None)
    waited = (context.now() - case.task.created_at).total_seconds()
    score = case.decision.score if case.decision else None
    with st.popover("Why this one now?", icon=":material/low_priority:", type="tertiary"):
        st.text(explain(score, waited, novelty))
        st.caption(RULE)


@st.fragment(run_every=20)
def wait_for_more() -> None:
    """Look again now and then while the queue is empty."""
    if context.store().queue.counts(None).waiting:
        st.rerun()
