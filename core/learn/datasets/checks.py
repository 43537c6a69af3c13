"""What a certificate says: one check after the other, each with one of four answers and the pictures that offend."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

MOST_IMAGES = 20  # named in a check; all of them are counted


class Result(StrEnum):
    """The answer of one check; only FAIL stops a training."""

    PASS = "pass"
    FAIL = "fail"
    UNSURE = "not enough evidence"
    ABSENT = "not applicable"


@dataclass(frozen=True)
class Detail:
    """One figure among several of a check.

    Attributes:
        marginal: the limit lies inside the interval, or within two points of the figure.
    """

    name: str
    result: Result
    value: float | None
    interval: tuple[float, float] | None
    limit: float | None
    n: int
    marginal: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "result": str(self.result),
            "value": self.value,
            "interval": None if self.interval is None else list(self.interval),
            "limit": self.limit,
            "n": self.n,
            "marginal": self.marginal,
        }


@dataclass(frozen=True)
class Check:
    """One question asked of a dataset.

    Attributes:
        name: stable, for counting; words as people read them.
        sentence: what was found, and what to do where that is not well.
        value, interval, limit: of the figure that decides; None where the answer is a plain count.
        n: how many things the answer rests on.
        images: paths of the first offending pictures.
        offending: how many there are.
    """

    name: str
    result: Result
    sentence: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    limit: float | None = None
    n: int = 0
    images: tuple[str, ...] = ()
    offending: int = 0
    details: tuple[Detail, ...] = field(default=())

    def naming(self, paths: Iterable[str]) -> "Check":
        """The same with its offending pictures."""
        found = sorted(set(paths))
        return replace(self, images=tuple(found[:MOST_IMAGES]), offending=len(found))

    def to_json(self) -> dict[str, Any]:
        """Plain values; what a check has nothing to say about is left out."""
        document: dict[str, Any] = {"name": self.name, "result": str(self.result), "sentence": self.sentence}
        if self.value is not None:
            document["value"] = self.value
        if self.interval is not None:
            document["interval"] = list(self.interval)
        if self.limit is not None:
            document["limit"] = self.limit
        if self.n:
            document["n"] = self.n
        if self.offending:
            document["offending"] = self.offending
            document["images"] = list(self.images)
        if self.details:
            document["details"] = [one.to_json() for one in self.details]
        return document


def overall(checks: Iterable[Check]) -> Result:
    """The certificate's answer: a failure outweighs missing evidence, and that outweighs a pass."""
    found = {check.result for check in checks}
    for result in (Result.FAIL, Result.UNSURE, Result.PASS):
        if result in found:
            return result
    return Result.ABSENT


def failed(certificate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The failed checks of a certificate as a manifest holds it; none in one of the first format."""
    return [check for check in certificate.get("checks", ()) if check.get("result") == Result.FAIL]


def judged(
    low: float, high: float, limit: float, *, value: float, higher_is_better: bool = True
) -> tuple[Result, bool]:
    """The answer of an interval beside a limit, and whether it is marginal."""
    marginal = low < limit < high or abs(value - limit) <= 0.02
    good, bad = (low >= limit, high < limit) if higher_is_better else (high <= limit, low > limit)
    return (Result.PASS if good else Result.FAIL if bad else Result.UNSURE), marginal


def spoken(names: Sequence[str], most: int = 3) -> str:
    """A few names and how many more."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
