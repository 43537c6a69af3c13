"""What one person asks for and another has to agree to, beside policies: auto-PASS on again, a calibration, a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.decide.score_map import ScoreMap
from core.errors import BadInput, NotAllowed

if TYPE_CHECKING:  # SciPy comes with these, and takes two seconds that a decision does not have
    from core.learn.metrics import Bin, Counts

LONGEST = timedelta(days=366)  # until a calibration is looked at again
SOON = timedelta(days=14)  # before that, the page says so
FEW = 30  # defective, or good, pictures under which a matrix shows little


class Wish(StrEnum):
    """What is asked for."""

    RESUME = "resume auto-PASS"
    CALIBRATION = "confirm the calibration"
    PROMOTION = "promote a model"


@dataclass(frozen=True)
class Request:
    """One wish of one person.

    Attributes:
        content: what it is about: the pause that is to end, the confusion matrix and its dates, or the model that is
            to decide though its gate does not let it through.
        approved_by: None while it waits.
    """

    number: int
    site: str
    wish: Wish
    by: str
    reason: str
    asked_at: datetime
    content: Mapping[str, Any] = field(default_factory=dict, hash=False)
    approved_by: str | None = None
    approval: str = ""
    approved_at: datetime | None = None


@dataclass(frozen=True)
class Matrix:
    """How a model's scores fared against what is known of the pictures.

    Attributes:
        counts: flagged is a score of one half or more.
        model: whose scores.
        source: where the figures come from, in a sentence.
        bins: mean score beside the share that was defective; empty where only counts are known.
        reading: of the scores that were counted, and that is in force once the matrix is confirmed; None takes the
            model's own as they are.
        compared: how a reading that was fitted anew fared beside the one before, as JSON; None where nothing was.
    """

    counts: "Counts"
    model: str
    source: str
    bins: "tuple[Bin, ...]" = ()
    reading: ScoreMap | None = None
    compared: Mapping[str, Any] | None = field(default=None, hash=False)


def check_agreement(request: Request, by: str, reason: str) -> None:
    """Refuse the one who asked, and an agreement without a reason.

    Raises:
        NotAllowed: by the one who asked.
        BadInput: without a reason.
    """
    if request.by == by:
        raise NotAllowed(f"{by} asked for this: somebody else has to agree.")
    if not reason.strip():
        raise BadInput("An agreement needs a reason: say in a sentence why.")


def check_schedule(until: datetime, now: datetime) -> None:
    """Refuse a date by which a calibration is looked at again that is over, or too far away to mean anything.

    Raises:
        BadInput: naming the date.
    """
    if not now < until <= now + LONGEST:
        raise BadInput(
            f"A calibration that is looked at again by {until:%d %b %Y}: give a day from tomorrow on, within a year."
        )


def caveats(counts: "Counts") -> list[str]:
    """What a confusion matrix does not show, one sentence each; empty where nothing speaks against it.

    A model that flags everything has a splendid recall: it is compared with that very rule and called what it is.
    """
    from core.learn.metrics import beats_flag_all

    found = []
    if min(counts.tp, counts.fn, counts.fp, counts.tn) < 0:
        raise BadInput("A confusion matrix counts pictures: none of its four figures is below 0.")
    defective, good = counts.tp + counts.fn, counts.fp + counts.tn
    if defective == 0 or good == 0:
        found.append(f"It has {defective:,} defective and {good:,} good pictures: it needs both to show anything.")
    elif not beats_flag_all(counts):
        found.append(
            f"This is no better than flagging everything (F2 {100 * (counts.f(2) or 0):.2f}%): the model tells nothing."
        )
    if 0 < min(defective, good) < FEW:
        fewest, kind = min((defective, "defective"), (good, "good"))
        found.append(f"Only {fewest:,} {kind} picture{'s' if fewest > 1 else ''}: too few to show much.")
    return found
