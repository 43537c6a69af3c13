"""Which characters a reader of print mistakes for one another, and the distance between texts that follows from it.

A distance is a cost in nats: minus the logarithm of how much less likely the read character is than a correct one,
summed over the cheapest way from the printed text to the read one (Wagner & Fischer 1974, with a cost for each pair of
characters as in Kernighan, Church & Gale 1990).
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

ERROR = 0.01  # share of characters that a reader gets wrong on a fair label
LIKE = 0.7  # share of those that are one of the usual confusions
ALPHABET = 60.0  # characters that the rest is spread over
GAP = -math.log(0.002)  # a character lost or invented
SPACE = -math.log(0.3)  # a space lost or invented: words run together
ONE_CONFUSION = 7.0  # nats that one usual confusion costs at most, and any other character more

_GROUPS = ("0OQDC", "1IL|!", "17", "2Z", "38", "4A", "5S", "56", "6G", "7T", "7Z", "8B", "80", "9G", "UV", "VY", "MN",
           "EF", "PR", "CG", "KX", "RN", "IJ", "HN", ".,", "-_", "/|")  # fmt: skip
_LIKE: dict[str, frozenset[str]] = {}
for _group in _GROUPS:
    for _one in _group:
        _LIKE[_one] = _LIKE.get(_one, frozenset()) | (set(_group) - {_one})


def likely(read: str, printed: str, error: float = ERROR) -> float:
    """How likely one character is read, given the one that is printed; both in capitals.

    Args:
        read: one character.
        printed: one character.
        error: share of characters read wrongly, in (0, 1).
    """
    if read == printed:
        return 1 - error
    like = _LIKE.get(printed, frozenset())
    rest = (1 - LIKE) * error / ALPHABET
    return rest + LIKE * error / len(like) if read in like else rest


def digits(read: str, value: str, error: float = ERROR) -> float:
    """How likely a run of characters is read where those digits are printed; 0 where the lengths differ."""
    if len(read) != len(value):
        return 0.0
    return math.prod(likely(one, other, error) for one, other in zip(read, value, strict=True))


@lru_cache(maxsize=65_536)  # a catalogue's titles are compared again with each label
def folded(text: str) -> str:
    """A text as it is compared: in capitals, without accents, vowel points and marks of direction, spaces single.

    Digits of other scripts become 0 to 9; ligatures and presentation forms (Arabic ones too) their plain letters.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    kept = []
    for one in plain:
        kind = unicodedata.category(one)
        marks = kind in ("Mn", "Cf", "Cc") and not one.isspace()
        if marks or one == "\u0640":  # the last stretches Arabic words
            continue
        kept.append(str(unicodedata.digit(one)) if kind == "Nd" else one)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).upper().split())


def as_drawn(text: str) -> str:
    """The text in the order in which its letters stand from left to right, for readers that give it so."""
    from bidi.algorithm import get_display  # only texts from right to left pay for it

    return str(get_display(text))


def goes_left(text: str) -> bool:
    """Whether a text has letters that are written from right to left."""
    return any(unicodedata.bidirectional(one) in ("R", "AL") for one in text)


def distance(read: str, printed: str, error: float = ERROR) -> float:
    """Cost of reading one text where the other is printed, in nats; 0 where they are equal once folded.

    A text from right to left is compared in both orders, since some readers give the one and some the other.
    """
    first, second = folded(read), folded(printed)
    cost = _aligned(first, second, error)
    if goes_left(second) and cost > 0:
        cost = min(cost, _aligned(first, folded(as_drawn(second)), error))
    return cost


@lru_cache(maxsize=65536)
def _aligned(read: str, printed: str, error: float) -> float:
    right = math.log(1 - error)
    above = [0.0]
    for one in read:
        above.append(above[-1] + _gap(one))
    for letter in printed:
        row = [above[0] + _gap(letter)]
        for at, one in enumerate(read):
            same = 0.0 if one == letter else right - math.log(likely(one, letter, error))
            row.append(min(above[at] + same, above[at + 1] + _gap(letter), row[at] + _gap(one)))
        above = row
    return above[-1]


def _gap(one: str) -> float:
    return SPACE if one == " " else GAP


class Same(StrEnum):
    """How a printed word and the read one compare."""

    SAME = "same"
    LIKE = "looks alike"
    OTHER = "different"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True)
class WordDiff:
    """One place where two texts are laid side by side; a side is empty where the other has a word more."""

    how: Same
    read: str
    expected: str


def word_diff(read: str, expected: str, alike: float = ONE_CONFUSION) -> list[WordDiff]:
    """Two texts word by word.

    Args:
        read: off the label.
        expected: of the catalogue.
        alike: highest cost, in nats for four letters, that still counts as misread and not as another word.
    """
    ours, theirs = folded(read).split(), folded(expected).split()
    costs = [[_word_cost(one, other) for other in theirs] for one in ours]
    steps = _steps(ours, theirs, costs)
    found = []
    for row, column in steps:
        if row is None:
            found.append(WordDiff(Same.MISSING, "", theirs[column or 0]))
        elif column is None:
            found.append(WordDiff(Same.EXTRA, ours[row], ""))
        else:
            one, other = ours[row], theirs[column]
            near = _aligned(one, other, ERROR) <= alike * max(len(other), 4) / 4
            found.append(WordDiff(Same.SAME if one == other else Same.LIKE if near else Same.OTHER, one, other))
    return found


def _word_cost(one: str, other: str) -> float:
    return _aligned(one, other, ERROR) / max(len(one), len(other))


def _steps(
    ours: Sequence[str], theirs: Sequence[str], costs: Sequence[Sequence[float]], alone: float = 3.0
) -> list[tuple[int | None, int | None]]:
    """The cheapest pairing of two rows of words in order; `alone` is what a word without a partner costs."""
    best = [[at * alone for at in range(len(theirs) + 1)]]
    for row in range(len(ours)):
        line = [best[row][0] + alone]
        for column in range(len(theirs)):
            pair = best[row][column] + costs[row][column]
            line.append(min(pair, best[row][column + 1] + alone, line[column] + alone))
        best.append(line)
    found: list[tuple[int | None, int | None]] = []
    row, column = len(ours), len(theirs)
    while row or column:
        if row and column and math.isclose(best[row][column], best[row - 1][column - 1] + costs[row - 1][column - 1]):
            row, column = row - 1, column - 1
            found.append((row, column))
        elif row and math.isclose(best[row][column], best[row - 1][column] + alone):
            row -= 1
            found.append((row, None))
        else:
            column -= 1
            found.append((None, column))
    return found[::-1]
