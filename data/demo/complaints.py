"""What the demo plant's customers tell: drawn by seed from what is truly wrong with the parts that left.

Where a part has a defect somebody complains about it more often than not; now and then somebody complains about what
no camera could see, or about nothing of the plant's. One order went out with wet cartons, so that something stands out.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from core.words.complaints.records import ComplaintKind, Sight, Told
from data.demo.plan import PlannedPart
from data.demo.plant import TOLD_BY_READING

SELLERS = ("Brightwell Goods", "Cantor & Sons", "Halden Direct", "Mirabel Store")
PARTS_OF_SELLER = {"Brightwell Goods": 240, "Cantor & Sons": 310, "Halden Direct": 180, "Mirabel Store": 270}
_OF_DEFECTIVE, _OF_GOOD, _OF_WET = 0.75, 0.12, 0.75  # chances that somebody tells
_WITH_NAME = 0.25
_ANSWERED = 0.6  # of those that can be answered
_WET_SELLER = "Halden Direct"
_SAID: Mapping[str, Sequence[str]] = {
    "SURFACE_SCRATCH": ("The {item} has a deep scratch right across it.", "There is a scratch on the {item}."),
    "SURFACE_PIT": ("The {item} arrived with pits on its surface.", "I found a pit on the {item}."),
    "BURR": ("The {item} has a burr and I cut my finger.", "The edge of the {item} has a sharp burr."),
    "CRACK": ("The {item} came cracked.", "There is a crack in the {item}."),
    "DIMENSIONAL_OOS": ("The {item} is the wrong size, it does not fit.", "We ordered 20 mm and the {item} is 21 mm."),
    "TORN_COVER": ("The box arrived torn.", "The cover of the carton is torn on one side."),
    "BENT_BOX": ("The carton was bent and crushed at a corner.", "The box came bent."),
    "BROKEN_SEAL": ("The seal of the box was broken.", "The carton came with a broken seal."),
    "LEAKAGE": ("Something has leaked, the box was wet.", "The carton was soaked and it leaks."),
    "MISSING_LABEL": ("There was no label on the parcel.", "The box came without a label."),
    "WRONG_LABEL": ("I got the wrong item, the label says something else.", "You sent the wrong item."),
    "UNREADABLE_LABEL": ("The label is smudged, nobody can read it.", "The label on the box is unreadable."),
    "EXPIRED": ("It is past its best before date.", "The goods were expired when they arrived."),
}
_OF_ANY = (
    "It came three days late.", "I would like my money back please.", "One of the two was missing from the parcel.",
    "It is the wrong size, I ordered a large one.", "The {item} stopped working after one day.",
    "When do you open on Saturdays?", "Can you recommend a good restaurant in town?",
)  # fmt: skip
_WET = ("The carton was wet and the seal was broken.", "The box arrived wet and torn.", "The parcel was soaked.")
_NAMED = (
    " My name is Hannah Brandt, please call me on +49 170 5550123.", " Regards, Olivier Marchand",
    " Write to me at t.eriksen@mail.example.",
)  # fmt: skip


@dataclass(frozen=True)
class DemoComplaint:
    """One of them.

    Attributes:
        told: as its file has it.
        sight: what a person says of the pictures; None where nobody has looked yet.
    """

    told: Told
    sight: Sight | None


def demo_complaints(
    planned: Sequence[PlannedPart], left: Collection[str], anchor: datetime, seed: int
) -> dict[str, list[DemoComplaint]]:
    """What is told, by site, in the order of parts.

    Args:
        planned: the plant's parts.
        left: names of those that were let go.
        anchor: the plant's now; nothing is told later.
        seed: of everything.
    """
    gone = [part for part in planned if not part.today and part.name in left]
    cartons = Counter(part.order for part in gone if part.line.part.name == "carton")
    wet = cartons.most_common(1)[0][0] if cartons else None
    found: dict[str, list[DemoComplaint]] = {}
    for part in gone:
        rng = np.random.default_rng([seed, part.number, 51])
        told, sight = _of_part(part, wet, anchor, rng)
        if told is not None:
            found.setdefault(part.line.site, []).append(DemoComplaint(told, sight))
    return found


def _of_part(
    part: PlannedPart, wet: str | None, anchor: datetime, rng: np.random.Generator
) -> tuple[Told | None, Sight | None]:
    flaws = sorted({flaw.class_id for shot in part.shots for flaw in shot.scene.flaws})
    soaked = part.order == wet
    chance = _OF_WET if soaked else _OF_DEFECTIVE if flaws else _OF_GOOD
    if rng.random() >= chance:
        return None, None
    said = _WET if soaked else _SAID[flaws[0]] if flaws else _OF_ANY
    text = said[int(rng.integers(len(said)))].format(item=part.line.part.name)
    if rng.random() < _WITH_NAME:
        text += _NAMED[int(rng.integers(len(_NAMED)))]
    shipped = (part.at + timedelta(days=1)).date()
    told_on = min(shipped + timedelta(days=1 + int(rng.geometric(0.22))), anchor.date())
    if told_on < shipped:
        return None, None
    kind = ComplaintKind.RETURN if rng.random() < 0.3 else ComplaintKind.COMPLAINT
    seller = _WET_SELLER if soaked else SELLERS[int(rng.integers(len(SELLERS)))]
    told = Told(
        f"{'RMA' if kind is ComplaintKind.RETURN else 'C'}-{part.line.letter}{part.number:05d}", told_on, text, kind,
        order=part.order, item=part.line.part.name, seller=seller, batch=f"B{part.at:%y%W}", shipped_on=shipped,
    )  # fmt: skip
    way = rng.random()
    if way < 0.85:  # the others name their order alone, and a person finds the part
        told = replace(told, part=part.name)
    if way >= 0.85 or rng.random() >= _ANSWERED:
        return told, None
    if flaws and flaws[0] not in TOLD_BY_READING and not soaked:
        return told, Sight.VISIBLE if rng.random() < 0.85 else Sight.CANNOT_TELL
    return told, Sight.NOT_VISIBLE
