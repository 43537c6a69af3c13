"""What a batch may cost: in items, in hours of people, or in money."""

import math
from dataclasses import dataclass
from typing import Literal

from core.errors import BadInput

Unit = Literal["items", "hours", "money"]
UNITS: tuple[Unit, ...] = ("items", "hours", "money")
MOST_ITEMS = 100_000


@dataclass(frozen=True)
class Price:
    """What one label costs.

    Attributes:
        seconds: of one person.
        money: in the plant's own currency.
    """

    seconds: float = 30.0
    money: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what no label costs."""
        if not (0 < self.seconds <= 86_400 and 0 <= self.money < 1e6):
            raise BadInput(f"A label of {self.seconds:g} s at {self.money:g}: give seconds above 0 and a price of 0 "
                           "or more.")  # fmt: skip


@dataclass(frozen=True)
class Budget:
    """How much may be spent on one batch."""

    amount: float
    unit: Unit = "items"

    def items(self, price: Price) -> int:
        """How many labels that buys; never more than it.

        Raises:
            BadInput: not even one, or more than anybody asks at once.
        """
        each = {"items": 1.0, "hours": price.seconds / 3600, "money": price.money}[self.unit]
        if not math.isfinite(self.amount) or self.amount <= 0:
            raise BadInput(f"A budget of {self.amount:g} {self.unit} buys nothing: give more than 0.")
        if each == 0:
            raise BadInput("A label that costs nothing can have no budget in money: give the budget in items.")
        n = math.floor(self.amount / each * (1 + 1e-12))
        if n < 1:
            raise BadInput(f"{self.amount:g} {self.unit} do not buy one label: give at least {each:g}.")
        if n > MOST_ITEMS:
            raise BadInput(f"{n:,} labels in one batch: ask for at most {MOST_ITEMS:,}.")
        return n


def parse(text: str) -> Budget:
    """Read "50", "50 items", "2h", "2 hours" or "120 money".

    Raises:
        BadInput: anything else.
    """
    words = {"": "items", "items": "items", "h": "hours", "hours": "hours", "money": "money"}
    cleaned = text.strip().lower()
    number = cleaned.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = words.get(cleaned[len(number) :].strip())
    try:
        amount = float(number)
    except ValueError:
        unit = None
        amount = 0.0
    if unit is None:
        raise BadInput(f"Budget {text!r} is not understood: write 50, 2h or 120 money.")
    return Budget(amount, unit)  # type: ignore[arg-type]
