"""What inspectors do with the regions of a part in hand: go on from what is known, keep drafts, save with a verdict."""

from dataclasses import replace
from datetime import timedelta

import streamlit as st

from app import context, desk, theme
from app.desk import Case
from app.shown import first_image
from app.state import CorrectState, QueueState, state, told
from app.widgets.desk.regions import Edit, Kind, Owner, Sheet, Source, drafts, keyed, wire
from app.widgets.desk.viewer import picture_url
from app.widgets.text import one_line
from core.errors import BadInput, Conflict, NotAllowed
from core.records import Image, Region, Review, Verdict

SCREEN_SIDE = 1600  # longest side of a screen copy; a larger picture is looked at closer in crops
RENEW = timedelta(seconds=60)  # how old a lease may be before a page that is in use renews it
_REMEMBERED = 20


def case_in_hand(view: CorrectState, task_id: str | None) -> Case | None:
    """The part to correct, gathered anew, and its lease renewed, only now and then.

    Every finished step of an editor asks for it; in between one look tells that it is still the same.

    Raises:
        Conflict, NotAllowed: as `desk.in_hand`.
    """
    now = context.now()
    known: Case | None = view.case
    if known is not None and known.task is not None and task_id in (None, str(known.task.id)):
        found = context.store().queue.task(known.task.id, now)
        same = (found.revision, found.fence) == (known.task.revision, known.task.fence)
        if same and found.leased_by == context.me().name and view.gathered is not None and now - view.gathered < RENEW:
            return known
    case = desk.in_hand(task_id)
    view.case, view.gathered = case, now
    return case


def case_or_why(view: CorrectState, task_id: str | None) -> tuple[Case | None, str]:
    """The part to correct, or why there is none that this person may correct now."""
    try:
        return case_in_hand(view, task_id), ""
    except (Conflict, NotAllowed) as error:
        view.case = None
        return None, str(error)


def start(view: CorrectState, case: Case) -> None:
    """Begin with what is known of this item; drafts of another one are dropped."""
    if view.item != case.item:
        view.item, view.drafts, view.redraws, view.wanted, view.failed = case.item, {}, 0, None, ""


def image_in_view(view: CorrectState, case: Case) -> Image | None:
    """The picture that is edited: the chosen one, or the one that comes first; None where the part has none."""
    pictures = [one for one in case.images if one.width > 0]
    chosen = next((one for one in pictures if one.id == view.image), None)
    if chosen is not None or not pictures:
        return chosen
    first = case.images[first_image(case)]
    return first if first in pictures else pictures[0]


def sheet(view: CorrectState, case: Case, image: Image) -> Sheet:
    """One picture of the part, laid open for this person.

    Raises:
        BadInput: the site has no classes to give.
    """
    taxonomy, task = case.site.taxonomy, case.task
    if not taxonomy.ids:
        raise BadInput(f"{case.site.name} has no defect classes yet: add some on the Taxonomy page first.")
    colours = theme.class_colours(taxonomy.ids)
    found = case.predictions.get(image.id)
    others = [one.id for one in case.images if one.id != image.id]
    taken_px = (66 if len(case.images) > 1 else 0) + (76 if view.failed else 0)  # the other pictures' row, a notice
    return Sheet(
        item=f"{case.item}.{image.id}",
        size_wh=(image.width, image.height),
        picture=picture_url(image),
        crop=f"/img/{image.id}?v={image.sha256[:12]}" if max(image.width, image.height) > SCREEN_SIDE else "",
        alt=f"Part {one_line(case.part.name, 60)}, view {one_line(image.capture.view or 'not named', 20)}",
        kinds=tuple(Kind(one.id, one.label, colours[one.id], one.severities) for one in taxonomy.classes),
        new_class=view.next_class.get(image.id) or _likeliest(case, image),
        owner=Owner(context.me().name, task.id if task else 0, task.revision if task else 0, image.id),
        standing=keyed(case.regions(image.id)[0]),
        sources=_sources(case, image),
        model=one_line(found.model, 40) if found else "model",
        unmapped=theme.UNMAPPED_COLOUR,
        elsewhere=tuple(one for one in others if one not in view.drafts),
        others=sum(len(view.drafts.get(one, case.regions(one)[0])) for one in others),
        saved=tuple(view.saved),
        room_wh=(900, 530 - taken_px),
        height=f"calc(100dvh - {196 + taken_px}px)",
        tool=view.tool,
    )


def _likeliest(case: Case, image: Image) -> str:
    """The class that the model gives the picture most; the first one where it says nothing."""
    found = case.predictions.get(image.id)
    scores = found.class_scores if found else {}
    return max(case.site.taxonomy.ids, key=lambda one: scores.get(one, 0.0))


def _sources(case: Case, image: Image) -> tuple[Source, ...]:
    """What the detector and the model drew, and what the last review has."""
    sources = []
    boxes = case.drawn.get(image.id)
    if boxes is not None and not boxes.error:
        sources.append(Source("the detector", one_line(boxes.detector, 40), keyed(boxes.regions)))
    found = case.predictions.get(image.id)
    if found is not None:
        sources.append(Source("the model", one_line(found.model, 40), keyed(found.regions)))
    last = next((one for one in reversed(case.reviews) if image.id in one.regions), None)
    if last is not None:
        sources.append(Source("the last review", one_line(last.by, 40), keyed(last.regions[image.id])))
    return tuple(sources)


def regions_now(view: CorrectState, laid: Sheet) -> tuple[Region, ...]:
    """The regions of one picture as edited, or else as the store has them."""
    return view.drafts.get(laid.owner.image, laid.standing)


def keep(view: CorrectState, case: Case, laid: Sheet, edit: Edit) -> None:
    """Remember the regions of a picture, and those of others that the browser had kept."""
    view.drafts[laid.owner.image] = edit.regions
    there = {one.id: one for one in case.images if one.id != laid.owner.image}
    for image_id, rows in edit.others.items():
        if image_id not in there:
            continue
        if rows is None:
            view.drafts.pop(image_id, None)
        elif image_id not in view.drafts:
            other = sheet(view, case, there[image_id])
            view.drafts[image_id] = wire.read(rows, other, other.known)


def keep_drawn(view: CorrectState, case: Case, laid: Sheet, edit: Edit, named: tuple[Region, ...]) -> None:
    """The same for an engine that has its table beside it: where that says otherwise, the engine starts anew."""
    keep(view, case, laid, replace(edit, regions=named))
    if edit.again or named != edit.regions:
        view.redraws += 1
        st.rerun()


def want(view: CorrectState, verdict: Verdict, item: str) -> None:
    """Note that somebody wants an item saved: a run of the page that is cut short leaves it to the next one."""
    view.wanted = (verdict, item)


def save_wanted(view: CorrectState, case: Case, note: str) -> bool | None:
    """Store the verdict that is wanted, with the regions of every picture that was opened.

    Returns:
        True when it is stored, False when it was refused, None where nothing is wanted.
    """
    wanted, view.wanted = view.wanted, None
    if wanted is None or wanted[1] != case.item or case.task is None:
        return None
    task, now = case.task, context.now()
    with told(view):
        review = Review(
            verdict=wanted[0],
            by=context.me().name,
            regions=dict(view.drafts),
            note=note.strip(),
            seconds=_seconds(task.id),
        )
        context.store().reviews.add(
            task.id, task.revision, task.fence, review, now=now, act=f"correct-{case.item}".replace(".", "-")
        )
        state(QueueState).started.pop(task.id, None)
        view.saved.append((task.id, task.revision))
        del view.saved[:-_REMEMBERED]
        view.case = None
        return True
    return False


def _seconds(task_id: int) -> float | None:
    """How long the part has been in hand."""
    started = state(QueueState).started.get(task_id)
    return None if started is None else round(max(0.0, context.now().timestamp() - started), 1)


def forget_saved_drafts() -> None:
    """Drop what the browser kept of parts that are saved: once their save is acknowledged it is nothing but old."""
    view = state(CorrectState)
    if view.saved:
        drafts.forget(context.me().name, view.saved)
