"""What the store knows of audits and of the people who answer, as plain facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.audits.estimates import Cell, Eyes, Look
from core.errors import BadInput
from core.records import Region

MOST_SHARE = 0.5


@dataclass(frozen=True)
class Shares:
    """How a site checks its own eyes.

    Attributes:
        gold: share of the tasks that are parts with a known answer, blind among the rest.
        second: share of the answers that a second person is asked for, too, without sight of the first.
    """

    gold: float = 0.0
    second: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name, value in (("gold items", self.gold), ("second looks", self.second)):
            if not 0 <= value <= MOST_SHARE:
                raise BadInput(f"A share of {name} of {value} is outside 0 to {MOST_SHARE}.")


@dataclass(frozen=True)
class GoldItem:
    """A part whose answer is known.

    Attributes:
        part: its name.
        classes: what is wrong with it; empty for a good one.
        by: who says so; never asked themselves.
        answered, right: answers of all people together.
        retired_at: it is not asked any more and its answers do not count.
    """

    id: int
    part_id: int
    part: str
    defective: bool
    classes: tuple[str, ...]
    reason: str
    by: str
    made_at: datetime
    answered: int = 0
    right: int = 0
    retired_by: str | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True)
class AuditFacts:
    """What was decided at a site in a time, and what people said of it.

    Attributes:
        cells: every part, by outcome and stratum.
        first: the first sure answer about each part that was drawn or held.
        settled: the same parts in the same order with what all answers together say.
        leanings: for each, whether the model leaned to defective.
        waiting: drawn or held parts without a sure answer yet, by outcome.
        eyes: answers to gold items.
        days: of the time, up to now.
        pass_share: of passes that are drawn: under the policy in force, or, where lines or part types have their own,
            or by score, the one share that would tell as much. None where nothing is known of it.
    """

    cells: tuple[Cell, ...]
    first: tuple[Look, ...]
    settled: tuple[Look, ...]
    leanings: tuple[bool, ...]
    waiting: Mapping[str, int]
    eyes: Eyes
    days: float
    pass_share: float | None


@dataclass(frozen=True)
class Said:
    """One sure answer of a person about a part, where more than one person was asked or the answer is known.

    Attributes:
        known: the gold item's answer; None for any other part.
        known_classes: with it.
    """

    part_id: int
    by: str
    defective: bool
    classes: tuple[str, ...]
    regions: Mapping[int, tuple[Region, ...]] = field(default_factory=dict)
    known: bool | None = None
    known_classes: tuple[str, ...] = ()
