"""From people's answers to agreement and training needs: about the task and its classes, never a ranking of people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.audits.agreement import Answers, Floats64, RegionAgreement, cohen, fleiss, krippendorff, regions
from core.audits.confusion import Confusions, confusions
from core.audits.estimates import Rate
from core.audits.facts import Said
from core.learn.metrics.proportions import binomial_interval

OVERALL = "good or defective"
GOOD, UNNAMED = "good", "no class named"
WORTH = 0.05  # a mix-up is worth a lesson where its rate is credibly above this
LEAST = 3.0  # answers that a mix-up rests on


@dataclass(frozen=True)
class Agreement:
    """How far the first two people who looked at a part agree on one question.

    Attributes:
        question: OVERALL, or a class that either is named or is not.
        parts: answered by two people or more.
        named: of them, those where one of the two at least said defective, or named the class.
    """

    question: str
    parts: int
    named: int
    cohen: Rate | None
    fleiss: Rate | None
    alpha: Rate | None


@dataclass(frozen=True)
class MixUp:
    """What is called something else.

    Attributes:
        was, said: names of categories.
        rate: share of the answers about `was`, with its interval; n answers about it.
        others: the same of everybody, where it is one person's.
    """

    was: str
    said: str
    rate: Rate
    others: float | None = None


@dataclass(frozen=True)
class Eye:
    """One person's own picture, for planning their training.

    Attributes:
        sees, clears: share of defective parts that they stop, and of good parts that they pass; shrunk towards
            everybody's while their answers are few.
        everybody: the same two of all people together.
        mix_ups: what they take for something else more often than the others, credibly.
    """

    name: str
    answers: int
    sees: Rate
    clears: Rate
    everybody: tuple[float, float]
    mix_ups: tuple[MixUp, ...]


def agreement(said: Sequence[Said], rng: np.random.Generator) -> list[Agreement]:
    """On good or defective first, then on each class that anybody named, by name.

    A third answer is asked for only where two differ, so it is left out: it would make agreement look worse than it is.
    """
    pairs = _pairs(said)
    classes = sorted({name for pair in pairs for one in pair for name in one.classes})
    found = [_on(OVERALL, pairs, [[one.defective for one in pair] for pair in pairs], rng)]
    return found + [
        _on(name, pairs, [[name in one.classes for one in pair] for pair in pairs], rng) for name in classes
    ]


def region_agreement(said: Sequence[Said], rng: np.random.Generator) -> RegionAgreement:
    """How far the boxes of two people agree who both called a part defective and drew on its pictures."""
    boxes = [
        (pair[0].part_id, pair[0].regions.get(image, ()), pair[1].regions.get(image, ()))
        for pair in _pairs(said)
        if all(one.defective and one.regions for one in pair)
        for image in sorted({*pair[0].regions, *pair[1].regions})
    ]
    return regions(boxes, rng)


def mix_ups(said: Sequence[Said]) -> list[MixUp]:
    """What everybody together takes for something else, the most frequent first."""
    if not said:
        return []
    names, found, _ = _by_class(said)
    counts = found.counts.sum(axis=0)
    return _worth_a_lesson(names, counts, counts)


def person(said: Sequence[Said], name: str) -> Eye | None:
    """One person's own picture; None where they have answered nothing of what tells."""
    if not any(one.by == name for one in said):
        return None
    people = sorted({one.by for one in said})
    answers, known = _answers(said, people, [int(one.defective) for one in said],
                              [None if one.known is None else int(one.known) for one in said], 2)  # fmt: skip
    two = confusions(answers, known)
    me = people.index(name)

    def rate(category: int) -> Rate:
        low, high = two.interval(me, category, category)
        return Rate(float(two.rates[me, category, category]), low, high, round(float(two.counts[me, category].sum())))

    names, found, everyone = _by_class(said)
    at = everyone.index(name)
    others = found.counts.sum(axis=0) - found.counts[at]
    mine = [one for one in _worth_a_lesson(names, found.counts[at], others) if one.rate.low > (one.others or 0)]
    everybody = (float(two.common[1, 1]), float(two.common[0, 0]))
    return Eye(name, sum(one.by == name for one in said), rate(1), rate(0), everybody, tuple(mine))


def sentence(found: MixUp) -> str:
    """As a person would say it."""
    what = "passed as good" if found.said == GOOD else f"called {found.said}"
    was = "A good part" if found.was == GOOD else found.was
    share = f"{found.rate.value:.0%} of {found.rate.n} answers ({found.rate.low:.0%} to {found.rate.high:.0%})"
    beside = "" if found.others is None else f"; others: {found.others:.0%}"
    return f"{was} is {what} in {share}{beside}."


def _pairs(said: Sequence[Said]) -> list[tuple[Said, Said]]:
    """The first two people's last answers about each part whose answer was not known before."""
    by_part: dict[int, dict[str, Said]] = {}
    for one in said:
        if one.known is None:
            by_part.setdefault(one.part_id, {})[one.by] = one
    pairs = (list(people.values())[:2] for people in by_part.values())
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]


def _on(
    question: str, pairs: Sequence[tuple[Said, Said]], said: Sequence[Sequence[bool]], rng: np.random.Generator
) -> Agreement:
    names = sorted({one.by for pair in pairs for one in pair})
    rows = [
        (item, names.index(pair[place].by), int(said[item][place]))
        for item, pair in enumerate(pairs)
        for place in range(2)
    ]
    items, people, categories = np.array(rows, np.int64).reshape(-1, 3).T
    answers = Answers(items, people, categories, 2)
    figures = (figure(answers, rng) for figure in (cohen, fleiss, krippendorff))
    return Agreement(question, len(pairs), sum(any(both) for both in said), *figures)


def _category(defective: bool, classes: Sequence[str]) -> str:
    """A part with several defects goes by the first that was named."""
    if not defective:
        return GOOD
    return classes[0] if classes else UNNAMED


def _by_class(said: Sequence[Said]) -> tuple[list[str], Confusions, list[str]]:
    """Names of the categories, everybody's confusion among them, and the people in its order."""
    spoken = [_category(one.defective, one.classes) for one in said]
    true = [None if one.known is None else _category(one.known, one.known_classes) for one in said]
    names = sorted({*spoken, *(one for one in true if one is not None)}, key=lambda name: (name != GOOD, name))
    number = {name: at for at, name in enumerate(names)}
    people = sorted({one.by for one in said})
    answers, known = _answers(said, people, [number[one] for one in spoken],
                              [None if one is None else number[one] for one in true], len(names))  # fmt: skip
    return names, confusions(answers, known), people


def _answers(
    said: Sequence[Said], people: Sequence[str], spoken: Sequence[int], true: Sequence[int | None], categories: int
) -> tuple[Answers, dict[int, int]]:
    """Numbered from 0 on; a part is another item where its answer is known."""
    items: dict[tuple[int, bool], int] = {}
    rows, known = {}, {}
    for one, category, truth in zip(said, spoken, true, strict=True):
        item = items.setdefault((one.part_id, truth is not None), len(items))
        rows[item, people.index(one.by)] = category  # the last word counts
        if truth is not None:
            known[item] = truth
    numbers, who, what = np.array([(*place, category) for place, category in rows.items()], np.int64).T
    return Answers(numbers, who, what, categories), known


def _worth_a_lesson(names: Sequence[str], counts: Floats64, others: Floats64) -> list[MixUp]:
    own = counts is others
    found = []
    for was, said in zip(*np.nonzero(counts >= LEAST), strict=True):
        if was == said:
            continue
        n, hits = float(counts[was].sum()), float(counts[was, said])
        low, high = binomial_interval(hits, n)
        if low > WORTH:
            rest = float(others[was].sum())
            beside = None if own or rest <= 0 else float(others[was, said]) / rest
            found.append((hits, MixUp(names[was], names[said], Rate(hits / n, low, high, round(n)), beside)))
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]
