"""What inspectors do with a part in hand: take it, answer, take the answer back. Pages and routes draw; this acts.

Every act carries (task, revision, fence) as they were on the screen when it was pressed, and an id that its browser
gave it: an act about anything else is refused by the store, and the same act sent twice is stored once.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app import context, shown
from app.private import covers_texts
from app.shown import Beside
from app.shown import Case as Case  # its home for whoever draws
from app.state import QueueState, state
from core.decide.policy import Policy, chosen
from core.errors import Conflict, HoldpointError, NotAllowed, NotFound
from core.plant import ALL, Narrow
from core.records import Image, ImageState, Review, Task, Verdict
from core.roles import Action, allowed

if TYPE_CHECKING:
    from core.plant import Site
    from data.store import Store

LEASE_SECONDS = 300.0
AHEAD = 3  # pictures the browser holds ready
AHEAD_SECONDS = 60.0  # a browser that lives asks again every 15 s
MOST_BACK = 20
_BESIDE = 40  # pictures of a camera among which the last good part is looked for


@dataclass(frozen=True)
class Answer:
    """A verdict as the browser sent it.

    Attributes:
        act: the id that the browser gave it.
        first: given before the model's word was seen, which is then to be told.
        heatmap: it was on the screen before the answer; None where there was none to see.
    """

    act: str
    task: int
    revision: int
    fence: int
    verdict: Verdict
    seconds: float | None = None
    reasons: tuple[str, ...] = ()
    note: str = ""
    first: bool = False
    heatmap: bool | None = None


@dataclass(frozen=True)
class Undo:
    """Taking back the answer that made this revision of a task."""

    act: str
    task: int
    revision: int


def case_of(part_id: int, task: Task | None = None, store: "Store | None" = None) -> Case:
    """Gather one part's screen.

    Raises:
        NotFound, NotAllowed: by the store.
    """
    store = store or context.store()
    part = store.parts.get(part_id)
    images = tuple(store.images.of_part(part_id))
    site = store.sites.get(part.site)
    in_force = store.policies.all_in_force(part.site)
    line = next((image.capture.line for image in images if image.capture.line), None)
    predictions = store.images.predictions([image.id for image in images])
    return Case(
        part=part,
        site=site,
        images=images,
        predictions=predictions,
        decision=store.parts.decision(part_id),
        reviews=tuple(store.reviews.of_part(part_id)),
        task=task,
        policy=chosen(in_force, line, part.part_type),
        blind=task is not None and _asks_first(store, site, in_force) and not store.reviews.answered(task.id),
        drawn=store.detectors.boxes([image.id for image in images]),
        printed=store.prints.check(part_id),
        private=covers_texts(store, site.name),
        heatmaps={one.model: context.measured_heatmaps(one.model, site.name) for one in predictions.values()},
    )


def _asks_first(store: "Store", site: "Site", in_force: Sequence[Policy]) -> bool:
    """Whether a site wants a person's own first look: it says so, it audits, or a second look (or the like) is open.

    All its tasks are then alike, so that nobody can tell which of them asks for what was answered before.
    """
    return site.blind or any(policy.audits for policy in in_force) or store.queue.asks_again(site.name)


def first_look_is_own(store: "Store", site: str | None) -> bool:
    """Whether a site, or any of this person's, wants each person's own first look."""
    asked = [one for one in store.sites.all() if site in (None, one.name)]
    return any(_asks_first(store, one, store.policies.all_in_force(one.name)) for one in asked)


def still_blind(store: "Store", images: Collection[Image]) -> set[int]:
    """The pictures of which a reviewer must not be told yet what the model or anybody else says.

    They are of parts that wait for an answer, at a site that wants each person's own first look, and this person has
    not given theirs. Whoever does not review is never given such a part, and sees all.

    Returns:
        Ids of the images.
    """
    if not allowed(store.people.me().role, Action.REVIEW):
        return set()
    names = {image.site for image in images}
    asking = {name for name in names if _asks_first(store, store.sites.get(name), store.policies.all_in_force(name))}
    there = [image for image in images if image.site in asking]
    due = store.queue.first_looks_due({image.part_id for image in there}) if there else set()
    return {image.id for image in there if image.part_id in due}


def beside(case: Case, store: "Store") -> Beside:
    """The last pictures of the same camera with what was said of them, and a good part to compare with."""
    if case.blind or not case.images:
        return Beside()
    image = case.images[shown.first_image(case)]
    camera = image.capture.camera
    if not camera:
        return Beside()
    found = store.images.find(site=case.site.name, camera=camera, before=image.id, limit=_BESIDE)
    there = [one for one in found if one.state is ImageState.OK and one.part_id != case.part.id]
    due = store.queue.first_looks_due({one.part_id for one in there})  # what was said of these tells why they come
    if _asks_first(store, case.site, store.policies.all_in_force(case.site.name)):
        there = [one for one in there if one.part_id not in due]
    labels = store.labels.many([one.id for one in there if one.part_id not in due])
    same = [one for one in there if one.capture.view == image.capture.view]
    good = next((one for one in same if one.id in labels and not labels[one.id].defective), None)
    return Beside([(one, labels.get(one.id)) for one in _one_a_part(there)[: shown.OTHERS]], good)


def _one_a_part(images: Iterable[Image]) -> list[Image]:
    return list({image.part_id: image for image in images}.values())


def item_of(store: "Store", part_id: int, task: Task | None, now: datetime) -> dict[str, Any]:
    """One part as the browser takes it."""
    case = case_of(part_id, task, store)
    return shown.shown(case, beside(case, store), now)


def in_hand(task_id: str | None) -> Case | None:
    """The part to correct: the one that the address names, if this person holds it, or whichever they do.

    Raises:
        Conflict: somebody else has it now.
        NotAllowed: the first answer comes before the model's boxes here.
    """
    store, now = context.store(), context.now()
    task = store.queue.lease(seconds=LEASE_SECONDS, now=now)
    if task is None:
        return None
    if task_id and str(task.id) != task_id:
        other = store.queue.task(int(task_id), now) if task_id.isdecimal() else None
        if other is None or other.leased_by != store.actor.name:
            raise Conflict("That part is not in your hands any more: go back to the queue and take the next one.")
        task = store.queue.renew(other.id, other.fence, LEASE_SECONDS, now)
    state(QueueState).started.setdefault(task.id, now.timestamp())
    case = case_of(task.part_id, task, store)
    if case.blind:
        raise NotAllowed("Here the first look is your own: answer in the queue, then correct the boxes.")
    return case


def screen(
    store: "Store",
    site: str | None,
    now: datetime,
    *,
    have: Collection[str] = (),
    showing: int | None = None,
    active: bool = True,
    narrow: Narrow = ALL,
) -> dict[str, Any]:
    """What the queue's screen needs now: the parts in this person's hands, in order, and the counts.

    Args:
        store: acting as the person.
        site: only of this one; None for all of theirs.
        now: aware UTC.
        have: "task.revision" of the parts that the browser has already; these come without their contents.
        showing: the task on the screen; where it is lost, who has it is told.
        active: somebody is at the desk: take and renew. Otherwise nothing is taken, and leases lapse.
        narrow: only these parts.

    Raises:
        NotAllowed: by a class that the model saw, where the first look is to be one's own.
    """
    if narrow.class_id is not None and first_look_is_own(store, site):
        raise NotAllowed("Here the first look is your own: the queue cannot be narrowed by what the model saw.")
    tasks: list[Task] = []
    if active:
        first = store.queue.lease(site=site, seconds=LEASE_SECONDS, now=now, narrow=narrow)
        if first is not None:
            ahead = store.queue.lease_ahead(AHEAD, site=site, seconds=AHEAD_SECONDS, now=now, narrow=narrow)
            tasks = [first, *ahead]
    counts = store.queue.counts(site, now, narrow)
    held = {task.id for task in tasks}
    return {
        "site": site or "",
        "narrow": {name: one if isinstance(one, str) else one.isoformat() for name, one in narrow.given.items()},
        "active": active,
        "tasks": [_lease(task, now) for task in tasks],
        "items": [
            item_of(store, task.part_id, task, now) for task in tasks if f"{task.id}.{task.revision}" not in have
        ],
        "lost": "" if showing is None or showing in held else _lost(store, showing, now),
        "counts": {
            "waiting": counts.waiting,
            "done": counts.done_today,
            "ahead": counts.ahead,
            "caught_up": counts.all_caught_up,
        },
    }


def _lease(task: Task, now: datetime) -> dict[str, Any]:
    left = None  # what is only ahead is renewed in time, or taken by somebody who waits; that is no hurry
    if task.leased_until is not None and not task.ahead:
        left = round((task.leased_until - now).total_seconds(), 1)
    return {"task": task.id, "revision": task.revision, "fence": task.fence, "left": left}


def _lost(store: "Store", task_id: int, now: datetime) -> str:
    """Why a part is not this person's any more; empty while it is, or while nobody else has taken it."""
    try:
        task = store.queue.task(task_id, now)
    except HoldpointError as error:
        return str(error)
    if task.leased_by in (None, store.actor.name) or task.leased_until is None or task.leased_until <= now:
        return ""
    return f"{task.leased_by} has this part now."


def answer(store: "Store", given: Answer, now: datetime) -> int:
    """Store a verdict on the part as it is; the same act again changes nothing.

    Returns:
        The review's id.

    Raises:
        Conflict, NotAllowed, BadInput: by the store; nothing is changed.
    """
    source: dict[str, bool] = {"first_look": True} if given.first and _looks_first(store, given.task, now) else {}
    if given.heatmap is not None:
        source["heatmap"] = given.heatmap
    review = Review(
        verdict=given.verdict,
        by=store.actor.name,
        seconds=given.seconds,
        reasons=given.reasons,
        note=given.note.strip(),
        source=source,
    )
    return store.reviews.add(given.task, given.revision, given.fence, review, act=given.act, now=now)


def _looks_first(store: "Store", task_id: int, now: datetime) -> bool:
    """Whether this person has not been told yet what the model says of a task's part."""
    task = store.queue.task(task_id, now)
    return case_of(task.part_id, task, store).blind


def take_back(store: "Store", given: Undo, now: datetime) -> Task:
    """Take back this person's answer; asked again after a lost reply, it finds the task in hand and changes nothing.

    Raises:
        Conflict: somebody has gone on with the part since.
    """
    task = store.queue.task(given.task, now)
    mine = task.leased_by == store.actor.name and task.leased_until is not None and task.leased_until > now
    if task.revision == given.revision + 1 and mine:
        return task
    if task.revision != given.revision:
        raise Conflict("This answer has been taken back or changed already.")
    return store.reviews.undo(given.task, now=now, seconds=LEASE_SECONDS)


def back(store: "Store", skip: int, now: datetime) -> dict[str, Any]:
    """The part this person answered before, `skip` further back, as they may see it now.

    Raises:
        NotFound: they have not answered so many.
    """
    before = store.queue.previous(skip + 1, now=now)
    if len(before) <= skip:
        raise NotFound("There is no answer of yours further back: others may have gone on with it.")
    task = before[skip]
    item = item_of(store, task.part_id, None, now)
    last = next((one for one in reversed(store.reviews.of_part(task.part_id)) if one.by == store.actor.name), None)
    return item | {
        "task": task.id,
        "revision": task.revision,
        "verdict": None if last is None else str(last.verdict),
    }
