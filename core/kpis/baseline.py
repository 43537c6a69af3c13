"""How it was before, as people state it, and what the difference is worth."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from core.errors import BadInput

MOST = 1e9  # of any figure


@dataclass(frozen=True)
class Baseline:
    """Figures of the time before; all of them are assumptions until somebody replaces them.

    Attributes:
        parts_per_shift, seconds_per_part: of inspection by hand.
        detection, false_rejects, agreement: shares.
        escapes_per_year: that customers found or would have.
        cost_of_escape, cost_of_scrap: for one part, in money.
        shift_hours: staffed hours of a shift.
        shifts_per_week: worked in a week.
    """

    parts_per_shift: float = 200.0
    seconds_per_part: float = 45.0
    detection: float = 0.85
    false_rejects: float = 0.08
    agreement: float = 0.82
    escapes_per_year: float = 340.0
    cost_of_escape: float = 400.0
    cost_of_scrap: float = 12.0
    shift_hours: float = 8.0
    shifts_per_week: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("detection", "false_rejects", "agreement"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"A baseline's {name.replace('_', ' ')} is a share from 0 to 1.")
        for one in fields(self):
            if not 0 <= getattr(self, one.name) <= MOST:  # false for what is no number, too
                raise BadInput(f"A baseline's {one.name.replace('_', ' ')} has to be from 0 to {MOST:,.0f}.")

    @property
    def parts_per_week(self) -> float:
        """That were looked at."""
        return self.parts_per_shift * self.shifts_per_week

    @property
    def hours_per_week(self) -> float:
        """Of looking at them."""
        return self.looked_at_hours * self.shifts_per_week

    @property
    def scrapped_good_per_week(self) -> float:
        """In money: of the parts that were looked at, the share that was rejected wrongly; nearly all are good."""
        return self.parts_per_week * self.false_rejects * self.cost_of_scrap

    @property
    def looked_at_hours(self) -> float:
        """Of a shift, what these parts and seconds add up to."""
        return self.parts_per_shift * self.seconds_per_part / 3600

    @property
    def contradiction(self) -> str:
        """What in these figures does not fit together; empty where all does."""
        share = self.looked_at_hours / self.shift_hours if self.shift_hours else 0.0
        if share > 1:
            return (
                f"{self.parts_per_shift:.0f} parts of {self.seconds_per_part:.0f} s take {self.looked_at_hours:.1f} h, "
                f"more than the shift's {self.shift_hours:.1f} h."
            )
        if 0 < share < 0.6:
            return (
                f"{self.parts_per_shift:.0f} parts of {self.seconds_per_part:.0f} s are {self.looked_at_hours:.1f} h "
                f"of a shift of {self.shift_hours:.1f} h: either the time or the number is not all of the work."
            )
        return ""


@dataclass(frozen=True)
class Kept:
    """A baseline as somebody set it at a site.

    Attributes:
        number: counts the site's baselines.
        reason: where the figures come from.
    """

    number: int
    baseline: Baseline
    by: str
    reason: str
    at: datetime


def baseline_of(document: Mapping[str, Any]) -> Baseline:
    """A baseline that was kept; what it does not name, because it is older, has its usual value."""
    names = {one.name for one in fields(Baseline)}
    return Baseline(**{name: float(value) for name, value in document.items() if name in names})
