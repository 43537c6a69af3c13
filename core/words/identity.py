"""Whether the printed label belongs to the item that should be there.

The read text is compared with the catalogue entry that is expected and with all others: how likely each entry is,
given what was read, with "none of these" among the answers. Attributes such as size or colour are compared value
against value, because "TWIN" on a king-size differs from the right title in one short word only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.words.confusions import ONE_CONFUSION, WordDiff, distance, folded, word_diff

LETTER = 2.5  # nats of evidence in a letter that is read as printed: how unlikely it would stand there by chance
LOST = 2.3  # nats against an entry for each word of its title that is not read: one word in ten is lost
COOL = 0.5  # readings of one label err together: evidence counts half (a temperature of two)


@dataclass(frozen=True)
class Entry:
    """One item of the catalogue, as its label should read.

    Attributes:
        attributes: such as {"size": "king", "colour": "blue"}.
        language: ISO 639 code of the label's text.
    """

    sku: str
    title: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"


@dataclass(frozen=True)
class CatalogueItem:
    """One item and the part type whose labels it names; empty where it names none."""

    entry: Entry
    part_type: str = ""


def expected_of(items: Sequence[CatalogueItem], part_type: str | None) -> tuple[list[Entry], str | None]:
    """The catalogue, and the SKU of the one item that parts of a type are; None where the type has none or several."""
    mine = [one.entry.sku for one in items if part_type and one.part_type == part_type]
    return [one.entry for one in items], mine[0] if len(mine) == 1 else None


@dataclass(frozen=True)
class Candidate:
    """One entry that the label may be of."""

    entry: Entry
    probability: float
    evidence: float


@dataclass(frozen=True)
class Contradiction:
    """An attribute whose printed value is another one than expected."""

    attribute: str
    read: str
    expected: str


@dataclass(frozen=True)
class Identity:
    """What a label's text says of the item.

    Attributes:
        candidates: likeliest first, at most as many as asked for.
        none: probability that the text belongs to no entry.
        margin: probability of the expected entry less that of the likeliest other answer; None without an expected one.
        contradictions: attribute values that were read and are not the expected ones.
        diff: expected words against read ones.
    """

    candidates: tuple[Candidate, ...]
    none: float
    margin: float | None
    contradictions: tuple[Contradiction, ...]
    diff: tuple[WordDiff, ...]

    def reason(self, least: float) -> str | None:
        """Why the part must be held; None where the label is the expected one.

        Args:
            least: margin below which nobody may be sure.
        """
        if self.contradictions:
            first = self.contradictions[0]
            return f"the label says {first.attribute} {first.read}, expected is {first.expected}"
        if self.margin is None:
            return None
        if self.margin >= least:
            return None
        other = "no item of the catalogue" if self.none > 0.5 or not self.candidates else self.candidates[0].entry.title
        if self.margin < 0:
            return f"the label reads like {other}"
        return f"the label cannot be told from others (margin {self.margin:.2f}, at least {least:.2f})"


def identify(
    text: str, catalogue: Sequence[Entry], expected: str | None = None, *, most: int = 5, near: int = 50
) -> Identity:
    """Compare what was read with a catalogue.

    Args:
        text: all that was read off the label, lines joined by spaces.
        catalogue: entries of the site; SKUs are unique.
        expected: SKU of the item that should be there.
        most: candidates to return.
        near: entries, the nearest by a quick comparison, to compare letter by letter; the expected one always is.
    """
    from rapidfuzz import fuzz, process

    read = folded(text)
    by_sku = {one.sku: one for one in catalogue}
    titles = {one.sku: folded(f"{one.title} {one.sku}") for one in catalogue}
    quick = (
        [sku for _, _, sku in process.extract(read, titles, scorer=fuzz.token_set_ratio, limit=near)] if read else []
    )
    if expected in by_sku and expected not in quick:
        quick.append(expected)
    scored = {sku: evidence(read, by_sku[sku]) for sku in quick}
    weights = {sku: math.exp(COOL * min(nats, 700.0)) for sku, nats in scored.items()}
    total = sum(weights.values()) + 1.0  # no entry at all has evidence 0
    ranked = sorted(quick, key=lambda sku: (-weights[sku], sku))
    candidates = tuple(Candidate(by_sku[sku], weights[sku] / total, scored[sku]) for sku in ranked[:most])
    none = 1.0 / total
    if expected is None or expected not in by_sku:
        return Identity(candidates, none, None, (), ())
    others = max([none, *(weights[sku] / total for sku in quick if sku != expected)])
    return Identity(
        candidates,
        none,
        weights[expected] / total - others,
        contradictions(read, by_sku[expected], catalogue),
        tuple(word_diff(read, by_sku[expected].title)),
    )


def evidence(read: str, entry: Entry) -> float:
    """Logarithm of how much likelier the text is where this entry is printed than where none of the catalogue is.

    Each word of the title counts at its best place in the text, and a SKU where the text has it. Words of the text that
    are in no title (addresses, ingredients, dates) count nothing: labels say more than titles.
    """
    words = folded(read).split()
    total = 0.0
    for word in folded(entry.title).split():
        cost = min((distance(one, word) for one in _windows(words, word)), default=math.inf)
        total += max(LETTER * len(word) - cost, -LOST)
    sku = folded(entry.sku)
    return total + max(LETTER * len(sku) - min((distance(one, sku) for one in words), default=math.inf), 0.0)


def contradictions(text: str, expected: Entry, catalogue: Sequence[Entry]) -> tuple[Contradiction, ...]:
    """Attributes of which another value than the expected one is printed.

    A value contradicts where it is read at least as surely as one confusion allows, the expected value is not read
    anywhere, and no other part of the expected title holds it.
    """
    words = folded(text).split()
    title = folded(expected.title).split()
    found = []
    for name, value in sorted(expected.attributes.items()):
        right = folded(value)
        if right and _seen(words, right) <= _sure(right):
            continue
        values = {folded(one.attributes[name]): one.attributes[name] for one in catalogue if name in one.attributes}
        others = [
            (_seen(words, other), shown)
            for other, shown in values.items()
            if other and other != right and not set(other.split()) <= set(title)
        ]
        cost, shown = min(others, default=(math.inf, ""))
        if cost <= _sure(folded(shown)):
            found.append(Contradiction(name, shown, value))
    return tuple(found)


def _sure(value: str) -> float:
    """Highest cost at which a value still counts as read: one usual confusion, none for values of up to two letters."""
    return 0.0 if len(value) <= 2 else ONE_CONFUSION


def _seen(words: Sequence[str], value: str) -> float:
    return min((distance(one, value) for one in _windows(words, value)), default=math.inf)


def _windows(words: Sequence[str], value: str) -> list[str]:
    """Runs of as many words as the value has, and single words where it may have been read as one."""
    length = len(value.split())
    runs = [" ".join(words[at : at + length]) for at in range(len(words) - length + 1)]
    wide = max(len(value) // 2, 1)
    return [one for one in (*runs, *words) if abs(len(one) - len(value)) <= wide]
