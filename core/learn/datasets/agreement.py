"""How far two people say the same of one part: over all, for each class, and for classes that are easily confused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from core.learn import metrics
from core.learn.datasets.checks import Check, Detail, Result, judged, spoken
from core.records import NO_DEFECT


@dataclass(frozen=True)
class Limits:
    """What two people have to agree on.

    Attributes:
        overall: of all parts that two people answered, the share of which both said the same.
        classes: by class, the specific agreement that is asked for.
        pairs: by two class ids, sorted: of the parts that both called one of the two, the share called the same.
    """

    overall: float = 0.90
    classes: Mapping[str, float] = field(default_factory=lambda: {"CRACK": 0.95})
    pairs: Mapping[tuple[str, str], float] = field(default_factory=lambda: {("SURFACE_PIT", "SURFACE_SCRATCH"): 0.80})


@dataclass(frozen=True, slots=True)
class TwoLooks:
    """What the first two people said of one part, neither of them correcting the other.

    Attributes:
        paths: of the part's pictures.
        one, other: class ids; NO_DEFECT alone for a good part.
        by: their names, in the same order.
    """

    paths: tuple[str, ...]
    one: frozenset[str]
    other: frozenset[str]
    by: tuple[str, str] = ("", "")


def label_agreement(looks: Sequence[TwoLooks], limits: Limits | None = None) -> Check:
    """Whether labels are repeatable enough to learn from.

    Source: specific agreement, Cicchetti and Feinstein 1990: twice the parts of which both named the class, divided by
        how often it was named. Intervals are exact, and together hold with 95%.
    """
    name, limits = "label agreement", limits or Limits()
    if not looks:
        return Check(name, Result.ABSENT, "No part of the dataset has been answered by two people.")
    counts = [("all", limits.overall, *_same(looks))]
    counts += [(one, limit, *_named(looks, one)) for one, limit in sorted(limits.classes.items())]
    counts += [(f"{a} – {b}", limit, *_between(looks, a, b)) for (a, b), limit in sorted(limits.pairs.items())]
    asked = [(told, limit, hits, n, specific) for told, limit, hits, n, specific in counts if n]
    confidence = 1 - 0.05 / len(asked)
    details = [_detail(told, limit, hits, n, specific, confidence) for told, limit, hits, n, specific in asked]
    first = details[0]
    wrong = [one.name for one in details if one.result is Result.FAIL]
    unsure = [one.name for one in details if one.result is Result.UNSURE]
    differing = [path for look in looks if look.one != look.other for path in look.paths]
    if wrong:
        result, told = Result.FAIL, f"too little for {spoken(wrong)}: settle what those classes mean, then relabel."
    elif unsure:
        result, told = Result.UNSURE, f"not shown yet for {spoken(unsure)}: ask for more second answers."
    else:
        result, told = Result.PASS, "enough everywhere."
    marginal = [one.name for one in details if one.marginal]
    told += f" Marginal: {spoken(marginal)}." if marginal else ""
    sentence = f"Two people said the same of {first.value:.0%} of {first.n:,} parts; {told}"
    check = Check(name, result, sentence, first.value, first.interval, first.limit, first.n, details=tuple(details))
    return check.naming(differing) if result is not Result.PASS else check


@dataclass(frozen=True)
class Confusion:
    """Two classes that two people gave to the same part, and how often.

    Attributes:
        people: who said the first and who the second, with how often.
        paths: of the pictures.
    """

    classes: tuple[str, str]
    n: int
    people: Mapping[tuple[str, str], int]
    paths: tuple[str, ...]


def confusions(looks: Sequence[TwoLooks]) -> list[Confusion]:
    """Which classes people mix up, the most frequent first; good against defective counts, too."""
    found: dict[tuple[str, str], tuple[dict[tuple[str, str], int], list[str]]] = {}
    for look in looks:
        for a in sorted(look.one - look.other):
            for b in sorted(look.other - look.one):
                people, paths = found.setdefault((min(a, b), max(a, b)), ({}, []))
                who = look.by if a <= b else (look.by[1], look.by[0])
                people[who] = people.get(who, 0) + 1
                paths.extend(look.paths)
    made = [Confusion(key, sum(people.values()), people, tuple(paths)) for key, (people, paths) in found.items()]
    return sorted(made, key=lambda one: (-one.n, one.classes))


def classes_in(looks: Sequence[TwoLooks]) -> list[tuple[str, str]]:
    """Every two classes that were named, for a table of agreement."""
    named = sorted({name for look in looks for name in look.one | look.other} - {NO_DEFECT})
    return list(combinations(named, 2))


def _same(looks: Sequence[TwoLooks]) -> tuple[int, int, bool]:
    return sum(look.one == look.other for look in looks), len(looks), False


def _named(looks: Sequence[TwoLooks], name: str) -> tuple[int, int, bool]:
    either = [look for look in looks if name in look.one or name in look.other]
    return sum(name in look.one and name in look.other for look in either), len(either), True


def _between(looks: Sequence[TwoLooks], a: str, b: str) -> tuple[int, int, bool]:
    both = {a, b}
    asked = [look for look in looks if look.one & both and look.other & both]
    return sum(look.one & both == look.other & both for look in asked), len(asked), False


def _detail(told: str, limit: float, hits: int, n: int, specific: bool, confidence: float) -> Detail:
    bounds = metrics.proportion_interval(hits, n, confidence)
    low, high = (0.0, 1.0) if bounds is None else bounds
    value = hits / n
    if specific:  # of those that either named to how often it was named: grows with it, so bounds carry over
        value, low, high = (2 * share / (1 + share) for share in (value, low, high))
    result, marginal = judged(low, high, limit, value=value)
    return Detail(told, result, value, (low, high), limit, n, marginal)
