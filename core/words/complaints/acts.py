"""What should be done about a complaint, by a rule that anybody can read. Nothing is done before a person confirms."""

from dataclasses import dataclass

from core.words.complaints.records import ActKind, Passed, Reading, Sight

# Words of a class id or of the defect as told; matched as parts of words.
_LABEL = ("LABEL", "EXPIRED", "PRINT", "BARCODE", "STICKER")
_PACKING = ("TORN", "BENT_BOX", "SEAL", "LEAK", "BOX", "CARTON", "PACK", "CRUSH", "DENTED BOX", "WET")
RULE = (
    "wrong size or item, or a label's fault: relabel · missing item, or the packing's fault: repack · any other damage "
    "that the pictures show: rework · expired goods, or a part that was caught and went out: notify"
)


@dataclass(frozen=True)
class Proposal:
    """One act and what it rests on."""

    kind: ActKind
    why: str


def proposals(reading: Reading, sight: Sight | None, passed: Passed | None) -> list[Proposal]:
    """What to do, the first thing first; empty where the rule knows nothing.

    Args:
        reading: with what it is about; one that nobody has confirmed yet proposes all the same.
        sight: a person's word on the pictures; None while there is none.
        passed: how the part got out; None while nobody has looked.
    """
    found: dict[ActKind, str] = {}
    words = f"{reading.class_id or ''} {reading.said('defect')}".upper()
    about = set(reading.intents)
    if about & {"wrong_size", "wrong_item"}:
        what = "size" if "wrong_size" in about else "item"
        found[ActKind.RELABEL] = f"The customer tells of a wrong {what}: its label has to say what is inside."
    if "expired" in about or any(word in words for word in _LABEL):
        found.setdefault(ActKind.RELABEL, "The label is at fault.")
    if "missing_item" in about:
        found[ActKind.REPACK] = "Something was missing: pack it whole."
    if any(word in words for word in _PACKING):
        found.setdefault(ActKind.REPACK, "The packing is at fault.")
    if "damaged" in about and not found:
        seen = "The pictures show it" if sight is Sight.VISIBLE else "Nobody has found it on the pictures yet"
        found[ActKind.REWORK] = f"The part itself is damaged. {seen}."
    if "expired" in about:
        found[ActKind.NOTIFY] = "Expired goods may lie with other customers."
    if passed is Passed.CAUGHT:
        found[ActKind.NOTIFY] = "It was caught and went out all the same: whoever ships has to know."
    return [Proposal(kind, why) for kind, why in found.items()]
