"""Which notes are worth labelling: those that say something of what the plant knows; the others are set aside."""

import re

from core.words.labelling.registry import TELLING, Prepared
from core.words.text import OUTSIDE
from core.words.votes import Ballot, label_of

MOST_CHARACTERS = 4000
_MACHINE = re.compile(
    r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*\s+(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE)\b|traceback|exception"
    r"|\bat 0x[0-9a-f]+|^\s*[\[{<].*[\]}>]\s*$|\b(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE)\b\s*[:\]|-]"
    r"|(?:\b[0-9a-f]{8,}\b.*){2,}",
    re.IGNORECASE | re.DOTALL,
)
EMPTY = "no words"
MACHINE = "written by a machine"
LONG = "too long"
NOTHING = "no known pattern"


def unfit(text: str) -> str | None:
    """Why a text is set aside before anybody votes on it; None where it is not."""
    if len(text) > MOST_CHARACTERS:
        return LONG
    letters = sum(character.isalpha() for character in text)
    if letters < 2:
        return EMPTY
    if _MACHINE.search(text) or letters < 0.4 * len(text.replace(" ", "")):
        return MACHINE
    return None


def set_aside(text: Prepared, one: Ballot) -> str | None:
    """Why a text is not labelled; None where somebody found a defect, product, place, shift or verdict in it."""
    why = unfit(text.text)
    if why is not None:
        return why
    said = {label_of(tag) for tags in one.votes.values() for tag in tags} - {OUTSIDE}
    return None if said & TELLING else NOTHING
