"""How far people agree who looked at the same parts without sight of each other, beyond what chance would give.

Answers are three arrays of one length: which item, which person, which category; an item may have any number of
answers, each by another person. Every figure is made of sums over items, so that a bootstrap over items is one matrix
product (Efron and Tibshirani 1993, chapter 6).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.audits.estimates import Rate
from core.errors import BadInput
from core.learn.metrics.proportions import binomial_interval
from core.pictures.boxes import array_of, match
from core.records import Region

Ints = npt.NDArray[np.int64]
Floats64 = npt.NDArray[np.float64]

RESAMPLES = 1000
SAME_REGION = 0.5  # intersection over union from which on two boxes are about the same thing


@dataclass(frozen=True)
class Answers:
    """Who said what of which item.

    Attributes:
        items, people, said: (n,) numbers from 0 on; nobody answers an item twice. In order of time.
        categories: how many there are.
    """

    items: Ints
    people: Ints
    said: Ints
    categories: int

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if not self.items.shape == self.people.shape == self.said.shape:
            raise BadInput("Items, people and answers have to be of one length.")
        if self.said.size and not 0 <= self.said.min() <= self.said.max() < self.categories:
            raise BadInput(f"An answer lies outside the {self.categories} categories.")

    @property
    def counts(self) -> Floats64:
        """(items, categories) how often each was said, of items with two answers or more."""
        if not self.items.size:
            return np.zeros((0, self.categories))
        found = np.zeros((int(self.items.max()) + 1, self.categories))
        np.add.at(found, (self.items, self.said), 1)
        kept: Floats64 = found[found.sum(axis=1) >= 2]
        return kept

    @property
    def pairs(self) -> Ints:
        """(items, 2) the first and the second answer to each item that has two or more."""
        order = np.argsort(self.items, kind="stable")
        items, said = self.items[order], self.said[order]
        if not items.size:
            return np.zeros((0, 2), np.int64)
        first = np.flatnonzero(np.r_[True, items[1:] != items[:-1]])
        first = first[(first + 1 < items.size)]
        first = first[items[first] == items[np.minimum(first + 1, items.size - 1)]]
        return np.stack([said[first], said[first + 1]], axis=1)


def cohen(answers: Answers, rng: np.random.Generator, confidence: float = 0.95) -> Rate | None:
    """Cohen's kappa of the first against the second look; None where it says nothing.

    Source: Cohen 1960, "A coefficient of agreement for nominal scales".
    """
    pairs, k = answers.pairs, answers.categories
    cells = np.zeros((len(pairs), k * k))
    cells[np.arange(len(pairs)), pairs[:, 0] * k + pairs[:, 1]] = 1

    def kappa(sums: Floats64) -> Floats64:
        table = sums.reshape(-1, k, k)
        n = table.sum(axis=(1, 2))
        seen = np.einsum("bii->b", table)
        chance = np.einsum("bi,bi->b", table.sum(axis=2), table.sum(axis=1)) / n
        return _beyond_chance(seen, chance, n)

    falls = _falls(np.bincount(pairs.ravel(), minlength=k))
    return _rated(cells, kappa, pairs[:, 0] != pairs[:, 1], rng, confidence, falls)


def fleiss(answers: Answers, rng: np.random.Generator, confidence: float = 0.95) -> Rate | None:
    """Fleiss' kappa, for whoever answered; items may have different numbers of answers.

    Source: Fleiss 1971, "Measuring nominal scale agreement among many raters".
    """
    counts = answers.counts
    each = counts.sum(axis=1)
    agreeing = (counts * (counts - 1)).sum(axis=1) / np.maximum(each * (each - 1), 1)
    features = np.column_stack([agreeing, np.ones(len(counts)), counts])

    def kappa(sums: Floats64) -> Floats64:
        shares = sums[:, 2:] / sums[:, 2:].sum(axis=1, keepdims=True)
        n = sums[:, 1]
        return _beyond_chance(sums[:, 0], (shares**2).sum(axis=1) * n, n)

    return _rated(features, kappa, agreeing < 1, rng, confidence, _falls(counts.sum(axis=0)))


def krippendorff(answers: Answers, rng: np.random.Generator, confidence: float = 0.95) -> Rate | None:
    """Krippendorff's alpha for names, with missing answers.

    Source: Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C.
    """
    counts = answers.counts
    each = counts.sum(axis=1)
    same = (counts * (counts - 1)).sum(axis=1) / np.maximum(each - 1, 1)
    features = np.column_stack([same, counts])

    def alpha(sums: Floats64) -> Floats64:
        n = sums[:, 1:].sum(axis=1)
        by_chance = (sums[:, 1:] * (sums[:, 1:] - 1)).sum(axis=1) / (n - 1)
        return _beyond_chance(sums[:, 0], by_chance, n)

    differs = (counts > 0).sum(axis=1) > 1
    return _rated(features, alpha, differs, rng, confidence, _falls(counts.sum(axis=0)))


@dataclass(frozen=True)
class RegionAgreement:
    """How far two people's boxes on the same images agree.

    Attributes:
        found: share of all boxes that have a partner.
        overlap: mean intersection over union of the pairs.
        named: share of the pairs with the same class.
    """

    found: Rate | None
    overlap: Rate | None
    named: Rate | None


def regions(
    pairs: Sequence[tuple[int, Sequence[Region], Sequence[Region]]], rng: np.random.Generator, confidence: float = 0.95
) -> RegionAgreement:
    """Agreement of boxes.

    Args:
        pairs: a part's number, and what two people drew on one of its images. Boxes are paired one to one where they
            overlap by SAME_REGION or more.
        rng: of the bootstrap, over parts.
        confidence: of the intervals.
    """
    numbers = {part: row for row, part in enumerate(dict.fromkeys(part for part, _, _ in pairs))}
    sums = np.zeros((len(numbers), 4))  # boxes, boxes with a partner, sum of overlaps, pairs of one class
    for part, one, other in pairs:
        matched = match(array_of(one), array_of(other), SAME_REGION) if one and other else ()
        same = sum(_class(one[pair.found]) == _class(other[pair.true]) for pair in matched)
        sums[numbers[part]] += (len(one) + len(other), 2 * len(matched), sum(pair.iou for pair in matched), same)

    def share(top: int, bottom: int, scale: float = 1.0) -> Rate | None:
        return _rated(
            sums[:, [top, bottom]],
            lambda total: _divided(scale * total[:, 0], total[:, 1]),
            scale * sums[:, top] < sums[:, bottom],
            rng,
            confidence,
            n=int(sums[:, bottom].sum() / scale),
        )

    return RegionAgreement(share(1, 0), share(2, 1, 2.0), share(3, 1, 2.0))


def _class(region: Region) -> str:
    return region.class_id or region.name


def _beyond_chance(seen: Floats64, chance: Floats64, n: Floats64) -> Floats64:
    """(b,) 1 for perfect agreement, 0 for that of chance; NaN where chance alone agrees always."""
    return _divided(seen - chance, n - chance)


def _divided(top: Floats64, bottom: Floats64) -> Floats64:
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=np.abs(bottom) > 1e-12)


def _rated(
    features: Floats64,
    figure: Callable[[Floats64], Floats64],
    differs: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    confidence: float,
    falls: float = 1.0,
    n: int | None = None,
) -> Rate | None:
    """A figure of summed features with its percentile interval over items; None where it is not defined.

    Where nobody disagreed, every resample agrees, too, and the interval would be a point. The lower end is then where
    the largest share of disagreeing items that is still credible would put it: `falls` is by how much the figure falls
    for each share of them.
    """
    items = len(features)
    if items < 2:
        return None
    value = float(figure(features.sum(axis=0, keepdims=True))[0])
    if not np.isfinite(value):
        return None
    drawn = rng.multinomial(items, np.full(items, 1 / items), RESAMPLES).astype(np.float64)
    found = figure(drawn @ features)
    found = found[np.isfinite(found)]
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    low, high = np.quantile(found, tails) if found.size >= RESAMPLES / 2 else (-1.0, 1.0)
    if not differs.any() and value > 0:
        worst = binomial_interval(0, items, confidence).high
        low = min(low, value - falls * worst)
    return Rate(value, float(max(low, -1.0)), float(high), items if n is None else n)


def _falls(said: npt.NDArray[np.integer]) -> float:
    """1 over what chance leaves to disagree about, from how often each category was said."""
    total = float(said.sum())
    left = 1 - float(((said / total) ** 2).sum()) if total else 0.0
    return 1 / left if left > 0 else 1.0
