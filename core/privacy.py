"""Which pictures are covered, for whom, and why one may be withheld."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.pictures.covering import Cover, Covering


class Mode(StrEnum):
    """Which pictures of a site are looked at for personal details, and covered."""

    ALWAYS = "always"
    LABELS = "labels"
    NEVER = "never"


# Most cameras look at bare parts, where a finder could only cover a defect by mistake. Names and addresses come on
# printed labels: so pictures whose print is read are covered without anybody asking for it.
USUAL = Mode.LABELS
MEANING: Mapping[Mode, str] = {
    Mode.ALWAYS: "every picture: its print is read and faces are looked for before anybody else sees it",
    Mode.LABELS: "pictures whose printed label is read",
    Mode.NEVER: "no picture",
}


@dataclass(frozen=True)
class CoveringRule:
    """What a site asks for.

    Attributes:
        number: 0 where nobody has set anything.
        region: two letters of the country whose telephone numbers stand without +; empty for the usual ones.
    """

    site: str
    mode: Mode = USUAL
    region: str = ""
    number: int = 0
    by: str = ""
    reason: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True)
class View:
    """How somebody is shown one picture.

    Attributes:
        covers: places that are filled.
        withheld: why nothing of it is shown; None where it is.
        uncovered: they see what others do not.
    """

    covers: tuple[Cover, ...] = ()
    withheld: str | None = None
    uncovered: bool = False


PLAIN = View()
NOT_YET = "nobody has looked for personal details yet"


def view(mode: Mode, was_read: bool, covering: Covering | None, may_see: bool) -> View:
    """How a picture is shown.

    Args:
        mode: of its site.
        was_read: its print was.
        covering: what was found last; None where nobody has looked.
        may_see: the person may see what is covered.
    """
    if mode is Mode.NEVER or (mode is Mode.LABELS and not was_read and covering is None):
        return PLAIN
    if covering is not None and covering.failed is None and not covering.covers:
        return PLAIN
    if may_see:
        return View(uncovered=True)
    if covering is None or covering.failed is not None:
        return View(withheld=NOT_YET if covering is None else covering.failed)
    return View(covering.covers)
