"""What inspectors do with a part in hand: take it, answer, take the answer back. Pages draw; this acts.

Every act carries (task, revision, fence) as they were on the screen when it was pressed. An act about anything else
than what is in hand now is dropped here, and the store would refuse it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from app import context
from app.state import CorrectState, QueueState, state, told
from app.theme import VERDICTS
from app.widgets.viewer import picture_url
from core.errors import Conflict, NotFound
from core.plant import Part, Site
from core.records import Decision, Image, ImageState, Prediction, Region, Review, Task, Verdict

LEASE_SECONDS = 300.0
_REMEMBERED = 200


@dataclass(frozen=True)
class Case:
    """Everything one screen needs about one part.

    Attributes:
        task: None while looking back at a part that is not in hand.
        predictions: by image id; an image without one is absent.
        reviews: oldest first.
    """

    part: Part
    site: Site
    images: tuple[Image, ...]
    predictions: Mapping[int, Prediction]
    decision: Decision | None
    reviews: tuple[Review, ...]
    task: Task | None = None

    @property
    def item(self) -> str:
        """Names what is on the screen; widgets that belong to it carry it in their key."""
        return (
            f"{self.part.id}.{self.task.id}.{self.task.revision}.{self.task.fence}" if self.task else f"{self.part.id}"
        )

    def regions(self, image_id: int) -> tuple[tuple[Region, ...], bool]:
        """The present regions of an image, and whether a person drew them; the model's where nobody has."""
        for review in reversed(self.reviews):
            if image_id in review.regions:
                return review.regions[image_id], True
        found = self.predictions.get(image_id)
        return (found.regions, False) if found else ((), False)


def case_of(part_id: int, task: Task | None = None) -> Case:
    """Gather one part's screen.

    Raises:
        NotFound, NotAllowed: by the store.
    """
    store = context.store()
    part = store.parts.get(part_id)
    images = tuple(store.images.of_part(part_id))
    found = store.images.predictions([image.id for image in images])
    return Case(
        part=part,
        site=store.sites.get(part.site),
        images=images,
        predictions=found,
        decision=store.parts.decision(part_id),
        reviews=tuple(store.reviews.of_part(part_id)),
        task=task,
    )


def take(site: str | None) -> Case | None:
    """The part in this person's hands, or the most urgent one that waits; None when all is done."""
    now = context.now()
    task = context.store().queue.lease(site=site, seconds=LEASE_SECONDS, now=now)
    if task is None:
        return None
    view = state(QueueState)
    view.started.setdefault(task.id, now.timestamp())
    return case_of(task.part_id, task)


def in_hand(task_id: str | None) -> Case | None:
    """The part to correct: the one that the address names, if it is in this person's hands, or whichever is.

    Raises:
        Conflict: somebody else has it now.
    """
    case = take(None)
    if case is not None and task_id and str(case.task.id if case.task else "") != task_id:
        raise Conflict("That part is not in your hands any more: go back to the queue and take the next one.")
    return case


def answer(verdict: Verdict, task_id: int, revision: int, fence: int) -> None:
    """Store a verdict on the part as it is; a second press about the same screen does nothing."""
    view = state(QueueState)
    act = (task_id, revision, fence)
    if act in view.acted:
        return
    _remember(view.acted, act)
    with told(view):
        review = Review(verdict=verdict, by=context.me().name, seconds=_seconds(view, task_id))
        context.store().reviews.add(task_id, revision, fence, review, now=context.now())
        view.done.append(task_id)
        del view.done[:-_REMEMBERED]
        view.message = _done(verdict)
    view.looking_back = None


def start_correcting(view: CorrectState, case: Case) -> None:
    """Begin with what is known of this item; drafts of another one are dropped."""
    item = case.item
    if view.item != item:
        view.item, view.drafts, view.redraws, view.failed = item, {}, 0, ""


def keep_draft(view: CorrectState, image_id: int, drawn: tuple[Region, ...], named: tuple[Region, ...]) -> None:
    """Remember the regions of one picture; where names changed, the canvas is drawn anew in their colours."""
    view.drafts[image_id] = named
    if named != drawn:
        view.redraws += 1
        st.rerun()


def correct(verdict: Verdict, case: Case, view: CorrectState, note: str) -> bool:
    """Store a verdict with the regions of every picture that was opened; true when it is stored."""
    queue, task = state(QueueState), case.task
    if task is None or (act := (task.id, task.revision, task.fence)) in queue.acted:
        return False
    with told(view):
        review = Review(
            verdict=verdict,
            by=context.me().name,
            regions=dict(view.drafts),
            note=note.strip(),
            seconds=_seconds(queue, task.id),
        )
        context.store().reviews.add(task.id, task.revision, task.fence, review, now=context.now())
        _remember(queue.acted, act)
        queue.done.append(task.id)
        queue.message = f"{_done(verdict)} Your boxes are saved."
        return True
    return False


def undo() -> None:
    """Take back this person's last answer: it stays on record, and the part is in hand again."""
    view = state(QueueState)
    with told(view):
        task = context.store().reviews.undo(_last().id, now=context.now())
        if task.id in view.done:
            view.done.remove(task.id)
        view.started[task.id] = context.now().timestamp()
        view.message = "Taken back. The part is in your hands again."
    view.looking_back = None


def look_back() -> None:
    """Show the part this person answered before; again to return to the one in hand."""
    view = state(QueueState)
    if view.looking_back is not None:
        view.looking_back = None
        return
    with told(view):
        view.looking_back = _last().part_id


def _last() -> Task:
    """What this person answered last and nobody has touched since."""
    before = context.store().queue.previous(1, now=context.now())
    if not before:
        raise NotFound("There is no answer of yours to go back to: others may have gone on with it.")
    return before[0]


def coming_next(site: str | None) -> list[str]:
    """Addresses of the pictures that the browser may fetch ahead."""
    store = context.store()
    return [
        picture_url(image)
        for task in store.queue.next(2, site=site, now=context.now())
        for image in store.images.of_part(task.part_id)[:2]
        if image.state is ImageState.OK
    ]


def let_go(task_id: int, fence: int) -> None:
    """Give a part back to the queue unanswered."""
    view = state(QueueState)
    with told(view):
        context.store().queue.release(task_id, fence)
        view.message = "Given back: somebody else can take it."


def _seconds(view: QueueState, task_id: int) -> float | None:
    started = view.started.pop(task_id, None)
    return None if started is None else round(max(0.0, context.now().timestamp() - started), 1)


def _remember(acts: list[tuple[int, int, int]], act: tuple[int, int, int]) -> None:
    acts.append(act)
    del acts[:-_REMEMBERED]


def _done(verdict: Verdict) -> str:
    if verdict is Verdict.UNSURE:
        return "Unsure: the part goes to a second look."
    return f"{VERDICTS[verdict].word} stored."
