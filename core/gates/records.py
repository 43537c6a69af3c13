"""What a gate says, as it is kept and shown; how it is worked out stands elsewhere, for that needs SciPy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.gates.limits import Limits


class Answer(StrEnum):
    """What a gate says."""

    PASS = "pass"
    FAIL = "fail"
    UNSURE = "not enough evidence"


@dataclass(frozen=True)
class Criterion:
    """A question with its answer.

    Attributes:
        more_needed: further examples of `unit` after which the same value would pass; None where it passes, where it
            is beyond the limit itself, and where no number would do.
    """

    name: str
    limit: float
    at_least: bool
    value: float | None
    low: float
    high: float
    n: int
    unit: str
    answer: Answer
    more_needed: int | None = None
    decides: bool = True
    note: str = ""

    @property
    def sentence(self) -> str:
        """The answer in words."""
        side = "at least" if self.at_least else "at most"
        found = "nothing was measured" if self.value is None else f"{self.value:.4g} of {self.n:,} {self.unit}"
        text = f"{self.name}: {found}, bounds {self.low:.4g} to {self.high:.4g}, {side} {self.limit:.4g} asked for"
        if self.answer is Answer.UNSURE and self.more_needed is not None:
            return f"{text}: not enough evidence, about {self.more_needed:,} more {self.unit} needed"
        return f"{text}: {self.answer}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "limit": self.limit,
            "at_least": self.at_least,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "unit": self.unit,
            "answer": str(self.answer),
            "more_needed": self.more_needed,
            "decides": self.decides,
            "note": self.note,
        }


@dataclass(frozen=True)
class Verdict:
    """What a gate says of a model.

    Attributes:
        criteria: those that decide first.
        level: at which each deciding one was answered; its bounds hold all together.
    """

    criteria: tuple[Criterion, ...]
    level: float

    @property
    def answer(self) -> Answer:
        """Pass where every deciding criterion passes, fail where one fails; no criterion is no evidence."""
        deciding = {one.answer for one in self.deciding}
        if Answer.FAIL in deciding:
            return Answer.FAIL
        return Answer.PASS if deciding == {Answer.PASS} else Answer.UNSURE

    @property
    def deciding(self) -> list[Criterion]:
        return [one for one in self.criteria if one.decides]

    @property
    def sentence(self) -> str:
        """What stands in the way, the worst first."""
        failed = [one for one in self.deciding if one.answer is Answer.FAIL]
        unsure = [one for one in self.deciding if one.answer is Answer.UNSURE]
        if not self.deciding:
            return "Nothing was measured."
        if not failed and not unsure:
            return f"All {len(self.deciding)} criteria are shown to be kept."
        said = []
        if failed:
            said.append(f"broken: {_listed(failed)}")
        if unsure:
            said.append(f"not enough evidence: {_listed(unsure)}")
        return f"{'; '.join(said)}."


@dataclass(frozen=True)
class GateResult:
    """A gate as it was kept.

    Attributes:
        sha256: of the weights that were measured.
        against: the model that was in use at the site then.
        joint: of the limits.
        document: everything else: criteria, pictures, cautions.
    """

    id: int
    model: str
    sha256: str
    site: str
    dataset: str
    split: str
    against: str | None
    answer: Answer
    document: Mapping[str, Any] = field(hash=False)
    by: str = ""
    made_at: datetime | None = None

    @property
    def limits(self) -> Limits:
        return Limits.from_json(self.document["limits"])


def _listed(criteria: Sequence[Criterion], most: int = 4) -> str:
    names = [one.name for one in criteria[:most]]
    more = len(criteria) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
