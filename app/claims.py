"""What pages ask about claims: check a text or a complaint, describe a part. Before a blind look nothing is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app import context, desk
from app.jobs.words.claiming import Checked, check_claims
from app.jobs.words.describing import Description, describe_part
from app.state import FormState, told
from core.errors import NotAllowed, NotFound
from core.records import Image
from core.roles import Action

if TYPE_CHECKING:
    from data.store import Store

MOST_TEXT = 2000  # characters that a page takes


@dataclass
class ClaimState(FormState):
    """What was checked and described on a page, by what it is about.

    Attributes:
        checked: the last check of each subject.
        described: the last description of each part.
    """

    checked: dict[str, Checked] = field(default_factory=dict)
    described: dict[int, Description] = field(default_factory=dict)


def claims_of_complaint(store: "Store", complaint_id: int, *, keep: bool = False) -> Checked | None:
    """What a complaint claims of its part, held against the evidence; None while no part is known.

    Args:
        store: acting as the person who asks.
        complaint_id: of the complaint; its text is data.
        keep: write down what was found; takes more than the right to look.

    Raises:
        NotAllowed: the person has yet to give their own first look at this part.
        NotFound: there is no such complaint.
    """
    complaint = store.complaints.get(complaint_id)
    if complaint.part_id is None:
        return None
    return checked(store, complaint.part_id, complaint.told.text, f"complaint {complaint_id}", keep=keep)


def checked(store: "Store", part_id: int, text: str, subject: str, *, keep: bool = True) -> Checked:
    """Hold a text against the evidence about a part.

    Raises:
        NotAllowed: the person has yet to give their own first look at this part.
    """
    not_blind(store, part_id)
    now, current = context.now(), context.settings()
    return check_claims(store, current, part_id, text[:MOST_TEXT], subject, now=now, keep=keep)


def described(store: "Store", part_id: int, *, keep: bool = True) -> Description:
    """What happened to a part.

    Raises:
        NotAllowed: the person has yet to give their own first look at this part.
    """
    not_blind(store, part_id)
    return describe_part(store, context.settings(), part_id, now=context.now(), keep=keep)


def not_blind(store: "Store", part_id: int) -> None:
    """Refuse to tell what a person has to judge by eye first.

    Raises:
        NotAllowed: saying so.
    """
    if store.actor.system:  # a process of the plant answers nothing by eye
        return
    images = store.images.of_part(part_id)
    if desk.still_blind(store, images):
        raise NotAllowed("Here the first look is your own: answer in the queue, then see what is known of this part.")


def check_typed(view: ClaimState, part_id: int, subject: str, text: Callable[[], str]) -> None:
    """Check what somebody typed about a part; the record is written where they may do more than look."""
    with told(view):
        given = text().strip()
        if not given:
            raise NotFound("There is nothing to check: type what is said of the part.")
        view.checked[subject] = checked(context.store(), part_id, given, subject, keep=context.may(Action.SCORE))


def check_complaint(view: ClaimState, complaint_id: int) -> None:
    """Check the claims of a complaint and write down what was found."""
    with told(view):
        found = claims_of_complaint(context.store(), complaint_id, keep=context.may(Action.SCORE))
        if found is None:
            raise NotFound("No part is known for this complaint: link it to one first.")
        view.checked[f"complaint {complaint_id}"] = found


def describe_now(view: ClaimState, part_id: int) -> None:
    """Describe a part on demand."""
    with told(view):
        view.described[part_id] = described(context.store(), part_id, keep=context.may(Action.SCORE))


def images_of(found: Checked) -> dict[int, Image]:
    """The images that its crops are of."""
    wanted = {crop.image_id for one in found.findings for crop in one.crops}
    return context.store().images.many(wanted)
