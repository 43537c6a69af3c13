"""What people said of one part, as it stands in the store, and the first two of them side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.learn.datasets.agreement import TwoLooks
from core.records import NO_DEFECT
from core.taxonomy import DEFECTIVE

_IMPORT = "import:"


@dataclass(frozen=True, slots=True)
class Opinion:
    """One standing review of a part, without its boxes.

    Attributes:
        review: its id.
        by: a person, "import:<source>", or "import:<source>/<annotator>".
        defective: None for unsure.
        names: classes and unmapped names, drawn or not.
        sure: 1 to 5; None where nobody said.
        image: the one it is about; None for the whole part.
    """

    review: int
    by: str
    defective: bool | None
    names: frozenset[str]
    sure: int | None = None
    image: int | None = None

    @property
    def somebody(self) -> bool:
        """Whether one person stands behind it, and not a file without a name."""
        return not self.by.startswith(_IMPORT) or "/" in self.by


def two_looks(
    opinions: Sequence[Opinion], paths: Sequence[str], meant: Callable[[str], str | None] = lambda name: name
) -> TwoLooks | None:
    """The first answers of the first two people about the same thing; None where fewer than two were sure.

    A person's first answer counts, since a later one may follow what the other said.

    Args:
        opinions: of one part, oldest first.
        paths: of its pictures.
        meant: the class that a name means now; None keeps the name.
    """
    first: dict[str, Opinion] = {}
    for one in opinions:
        if one.somebody and one.defective is not None:
            first.setdefault(one.by, one)
    chosen = list(first.values())[:2]
    if len(chosen) < 2 or chosen[0].image != chosen[1].image:
        return None
    one, other = chosen
    return TwoLooks(tuple(paths), _kinds(one, meant), _kinds(other, meant), (one.by, other.by))


def _kinds(one: Opinion, meant: Callable[[str], str | None]) -> frozenset[str]:
    if not one.defective:
        return frozenset({NO_DEFECT})
    return frozenset((meant(name) or name) for name in one.names) or frozenset({DEFECTIVE})
