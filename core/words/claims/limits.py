"""From which strength on a model's word confirms a claim, and below which it contradicts one.

Both are set on constructed claims, true and false ones, made from labelled parts that the model has not learnt from. A
strength counts once the exact upper bound of its error, at the confidence asked for, is at most the rate set. Strengths
are tried from the strictest on, in an order fixed beforehand, and the first that fails ends it, so that trying many
needs no correction (fixed-sequence testing: Maurer, Hothorn & Lehmacher 1995; Angelopoulos et al. 2021, "Learn then
Test"). One part counts once, however many claims were made of it: it fails when any of them does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.decide.bounds import clean_needed, exact_intervals, upper_bound
from core.errors import BadInput
from core.words.claims.promised import CONFIDENCE, RATE

ANY = ""  # stands for damage of any class
# Evenly spaced in logits: .999 to .001. Fixed, so that no label has chosen it.
GRID = tuple(float(1 / (1 + np.exp(-one))) for one in np.linspace(6.9, -6.9, 93))


@dataclass(frozen=True)
class Constructed:
    """A claim of which is known whether it is true, and how strongly the model speaks for it.

    Attributes:
        unit: what counts once; claims about one part share it.
        class_id: ANY for damage of any class.
        placed: the claim says where.
    """

    unit: str
    class_id: str
    placed: bool
    true: bool
    support: float


@dataclass(frozen=True)
class Limit:
    """What is in force for one class, with or without a place.

    Attributes:
        confirm: strength from which a claim is confirmed; None while none is shown to be safe.
        absent: strength below which it is contradicted; likewise.
        false_parts: parts of which false claims were made.
        false_confirmed: of these, with a false claim that `confirm` would have confirmed.
        false_bound: exact upper bound of that rate.
        true_parts: parts of which true claims were made.
        true_contradicted: of these, with a true claim that `absent` would have contradicted.
        true_bound: exact upper bound of that rate.
        found: share of the parts with true claims of which one is confirmed.
    """

    class_id: str
    placed: bool
    confirm: float | None
    absent: float | None
    false_parts: int
    false_confirmed: int
    false_bound: float
    true_parts: int
    true_contradicted: int
    true_bound: float
    found: float

    def said(self, rate: float) -> str:
        """What it is in a sentence, with what is missing where nothing is in force."""
        about = f"{self.class_id or 'any damage'}{', with a place' if self.placed else ''}"
        if self.confirm is None:
            short = max(0, clean_needed(rate, 1 - CONFIDENCE) - self.false_parts)
            why = f"about {short} more parts without it are needed" if short else "too many false claims would pass"
            return f"{about}: nothing confirms from the model alone ({why})"
        return (f"{about}: confirmed from {self.confirm:.3f} on; {self.false_confirmed} of {self.false_parts} parts "
                f"with false claims passed (at most {self.false_bound:.1%}); finds {self.found:.0%}")  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """All that is in force of one model at one site.

    Attributes:
        model: whose words count; another model's do not.
        rate: of false confirmations, at most; and of false contradictions.
    """

    model: str
    rate: float = RATE
    confidence: float = CONFIDENCE
    all: tuple[Limit, ...] = ()

    def of(self, class_id: str | None, placed: bool) -> Limit | None:
        """The limit of a class; None where it has none."""
        wanted = class_id or ANY
        return next((one for one in self.all if (one.class_id, one.placed) == (wanted, placed)), None)


def calibrate(claims: Iterable[Constructed], model: str, rate: float = RATE, confidence: float = CONFIDENCE) -> Limits:
    """Set the limits of a model.

    Args:
        claims: constructed, about parts that the model has not learnt from.
        model: its name.
        rate: of false confirmations, and of false contradictions, at most.
        confidence: with which that holds for each class, with and without places, by itself.

    Raises:
        BadInput: for a rate or confidence that is none.
    """
    if not 0 < rate < 0.5 or not 0.5 < confidence < 1:
        raise BadInput(f"A rate of {rate} at confidence {confidence}: give a rate below .5 and .5 to 1 for the other.")
    by_key: dict[tuple[str, bool], list[Constructed]] = {}
    for one in claims:
        by_key.setdefault((one.class_id, one.placed), []).append(one)
    made = tuple(_limit(*key, by_key[key], rate, 1 - confidence) for key in sorted(by_key))
    return Limits(model, rate, confidence, made)


def _limit(class_id: str, placed: bool, claims: Sequence[Constructed], rate: float, delta: float) -> Limit:
    false = _by_unit((one for one in claims if not one.true), max)
    true = _by_unit((one for one in claims if one.true), min)
    best = _by_unit((one for one in claims if one.true), max)
    confirm = _loosest(GRID, lambda at: int((false >= at).sum()), len(false), rate, delta)
    absent = _loosest(GRID[::-1], lambda at: int((true < at).sum()), len(true), rate, delta)
    if confirm is not None and absent is not None:
        absent = min(absent, confirm)
    passed = int((false >= confirm).sum()) if confirm is not None else 0
    missed = int((true < absent).sum()) if absent is not None else 0
    found = float((best >= confirm).mean()) if confirm is not None and len(best) else 0.0
    return Limit(
        class_id, placed, confirm, absent, len(false), passed, upper_bound(passed, len(false), delta),
        len(true), missed, upper_bound(missed, len(true), delta), found,
    )  # fmt: skip


def _by_unit(claims: Iterable[Constructed], choose: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    units: dict[str, list[float]] = {}
    for one in claims:
        units.setdefault(one.unit, []).append(one.support)
    return np.array([choose(units[unit]) for unit in sorted(units)], np.float64)


def _loosest(order: Sequence[float], wrong: Any, n: int, rate: float, delta: float) -> float | None:
    """The last strength of the order before the first whose bound is above the rate."""
    found = None
    for at in order:
        if upper_bound(wrong(at), n, delta) > rate:
            return found
        found = at
    return found


@dataclass(frozen=True)
class Measured:
    """What limits did on claims that had no part in setting them.

    Attributes:
        false_claims, false_confirmed: one by one.
        false_parts, parts_confirmed: parts with a false claim, and with a false claim confirmed.
        interval: exact 95% interval of the false confirmations by part; `by_claim` by claim.
        true_claims, true_confirmed, true_contradicted: one by one.
    """

    false_claims: int
    false_confirmed: int
    false_parts: int
    parts_confirmed: int
    interval: tuple[float, float]
    by_claim: tuple[float, float]
    true_claims: int
    true_confirmed: int
    true_contradicted: int


def measure(claims: Sequence[Constructed], limits: Limits) -> Measured:
    """Rule on held-out constructed claims by the model's word alone."""
    false = true = confirmed = contradicted = wrong = 0
    parts: dict[str, bool] = {}
    for one in claims:
        limit = limits.of(one.class_id, one.placed)
        yes = limit is not None and limit.confirm is not None and one.support >= limit.confirm
        no = limit is not None and limit.absent is not None and one.support < limit.absent
        if one.true:
            true, confirmed, contradicted = true + 1, confirmed + yes, contradicted + no
        else:
            false, wrong = false + 1, wrong + yes
            parts[one.unit] = parts.get(one.unit, False) or yes
    bad = sum(parts.values())
    low, high = exact_intervals([bad, wrong], [len(parts), false])
    return Measured(false, wrong, len(parts), bad, (float(low[0]), float(high[0])),
                    (float(low[1]), float(high[1])), true, confirmed, contradicted)  # fmt: skip


def limits_document(limits: Limits) -> dict[str, Any]:
    """Limits as JSON."""
    return {"model": limits.model, "rate": limits.rate, "confidence": limits.confidence,
            "all": [asdict(one) for one in limits.all]}  # fmt: skip


def limits_of(document: Mapping[str, Any]) -> Limits:
    """Limits from JSON.

    Raises:
        BadInput: naming what is wrong.
    """
    try:
        made = tuple(Limit(**one) for one in document["all"])
        return Limits(str(document["model"]), float(document["rate"]), float(document["confidence"]), made)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"These limits for claims cannot be read: {error}.") from error
