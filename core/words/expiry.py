"""Dates printed on labels: every reading that the print allows, how likely each is, and what follows for the goods.

A reading is scored as likelihood times prior. The likelihood says how often the reader would give these characters if
that date were printed in that form (`confusions`); the prior says how usual the form is, which order of day and month
the site's labels have, what stands before the date ("EXP", "MFG") and that goods expire within some years of today.
What stays undecided stays so: 03/04/26 without a known order is two dates.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from core.words.confusions import ERROR, distance, folded
from core.words.date_forms import FORMS, JULIAN, Form, Order, dates, overlapping
from core.words.date_words import WORDS, Kind
from core.words.months import names_of_months
from core.words.prints import Print

NOTHING = 5e-6  # weight of "no date can be read here", against readings whose weights are likelihood times prior
BEHIND, AHEAD = 4, 12  # years before and after today that a printed date usually lies in
UNUSUAL = 1e-3  # weight of a date outside of them
CERTAIN = 0.95
LEFT_OVER = 1e-5  # weight of a reading that leaves over characters which touch it
UNSURE = 0.3  # share of characters that a reader gets wrong in a line, for each 1 that it is less than sure of the line


class Shelf(StrEnum):
    """What a label says of the goods today."""

    FINE = "fine"
    SHORT = "short-dated"
    EXPIRED = "expired"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Printing:
    """How a site's labels are printed.

    Attributes:
        order: None where both occur.
        languages: of month names, as ISO 639 codes.
        julian: whether lot codes YDDD or YYDDD (day of the year) count as the day of making.
        shelf_days: how long goods last after the day of making, where only that is printed; None: not known.
    """

    order: Order | None = None
    languages: tuple[str, ...] = ("en",)
    julian: bool = False
    shelf_days: int | None = None


@dataclass(frozen=True)
class DateReading:
    """One date that the print may mean.

    Attributes:
        day: the last day on which the goods are good; the month's last where no day is printed.
        exact: whether a day is printed.
        probability: among all readings and "no date at all".
        text: the characters that were read as this date.
    """

    day: date
    exact: bool
    kind: Kind
    probability: float
    text: str


@dataclass(frozen=True)
class Expiry:
    """All readings of a label's expiry date, likeliest first; their probabilities and `nothing` add up to 1."""

    readings: tuple[DateReading, ...]
    nothing: float

    def said(self) -> str:
        """The readings worth telling a person, such as "2026-03-04 (51%) or 2026-04-03 (49%)"."""
        worth = [one for one in self.readings if one.probability >= 0.05][:3]
        if not worth:
            return "no date could be read"
        return " or ".join(f"{_shown(one)} ({100 * min(one.probability, 0.99):.0f}%)" for one in worth)


@dataclass(frozen=True)
class ShelfVerdict:
    """What follows for the goods, and how sure that is."""

    shelf: Shelf
    probability: float
    why: str


def read_expiry(lines: Sequence[Print], printing: Printing, today: date) -> Expiry:
    """Every expiry date that a label's lines allow.

    Args:
        lines: top to bottom.
        printing: what the site's labels are like.
        today: at the site.
    """
    found = list(_readings(lines, printing, today))
    found = _less_of_parts(found)
    found = _later_of_two(found)
    if printing.shelf_days is not None and not any(one.kind is Kind.EXPIRY for one in found):
        days = timedelta(days=printing.shelf_days)
        found += [replace(one, day=one.day + days, kind=Kind.EXPIRY, exact=True, weight=0.5 * one.weight)
                  for one in found if one.kind is Kind.MADE]  # fmt: skip
    usable = [one for one in found if one.kind is not Kind.MADE]
    total = NOTHING + sum(one.weight for one in usable)
    merged: dict[date, DateReading] = {}
    for one in sorted(usable, key=lambda each: -each.weight):
        had = merged.get(one.day)
        share = one.weight / total
        merged[one.day] = (
            DateReading(one.day, one.exact, one.kind, share, one.text)
            if had is None
            else replace(had, probability=had.probability + share)
        )
    readings = sorted(merged.values(), key=lambda each: (-each.probability, each.day))
    return Expiry(tuple(one for one in readings if one.probability >= 1e-6), NOTHING / total)


def shelf(expiry: Expiry, today: date, short_days: int, certain: float = CERTAIN) -> ShelfVerdict:
    """Expired, short-dated or fine where the readings agree far enough, otherwise unreadable.

    Args:
        expiry: what the label may say.
        today: at the site.
        short_days: goods that have fewer days left are short-dated.
        certain: least probability for any answer but "unreadable".
    """
    shares = dict.fromkeys((Shelf.FINE, Shelf.SHORT, Shelf.EXPIRED), 0.0)
    for one in expiry.readings:
        left = (one.day - today).days
        shares[Shelf.EXPIRED if left < 0 else Shelf.SHORT if left < short_days else Shelf.FINE] += one.probability
    best = max(shares, key=lambda each: shares[each])
    if shares[best] >= certain:
        return ShelfVerdict(best, shares[best], f"reads {expiry.said()}")
    return ShelfVerdict(Shelf.UNREADABLE, 1 - shares[best], f"not sure enough: {expiry.said()}")


# ---- readings ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    day: date
    exact: bool
    kind: Kind
    weight: float
    text: str
    line: int
    start: int
    end: int


_SEPARATORS = "./-,'日"
KNOWN_ORDER = 0.985  # share of labels that keep to a site's order where one is set
YEAR_FIRST = frozenset({"ko", "ja", "zh", "hu", "lt", "sv"})  # languages in which 26.05.04 begins with the year
SHORT_YEAR_FIRST = 0.02  # how usual that is elsewhere

_SAID = {Kind.EXPIRY: 1.0, Kind.MADE: 1.0, Kind.UNSAID: 0.25}


def _readings(lines: Sequence[Print], printing: Printing, today: date) -> Iterator[_Found]:
    texts = [folded(one.text) for one in lines]
    months = names_of_months(printing.languages)
    forms = FORMS + (JULIAN if printing.julian else ())
    for at, text in enumerate(texts):
        error = min(max(UNSURE * (1 - lines[at].sure), ERROR), 0.4)
        for form in forms:
            for match in overlapping(form, text):
                kind = _kind(texts, at, match.start(), match.end())
                if form in JULIAN:
                    kind = Kind.MADE
                elif form.needs_word and kind is not Kind.EXPIRY:
                    continue
                alone = _alone(text, match.start(), match.end())
                for day, exact, likely in dates(form, match.groups(), months, today, error):
                    weight = alone * likely * form.usual * _in_order(form, printing) * _SAID[kind] * _prior(day, today)
                    if weight > 1e-12:
                        yield _Found(day, exact, kind, weight, match.group(0), at, match.start(), match.end())


def _alone(text: str, start: int, end: int) -> float:
    """What a match is worth beside the characters that touch it: a date that leaves digits over is seldom the date."""
    before = re.split(r"[\s:]", text[:start])[-1].strip(_SEPARATORS)
    after = re.split(r"[\s:]", text[end:])[0].strip(_SEPARATORS)
    worth = 1.0
    for left in (before, after):
        if left and left not in WORDS:
            worth *= 0.3 if left.isalpha() and len(left) > 2 else LEFT_OVER
    return worth


def _in_order(form: Form, printing: Printing) -> float:
    if form.order is None:
        return 1.0
    if printing.order is not None:
        return KNOWN_ORDER if form.order is printing.order else 1 - KNOWN_ORDER
    return SHORT_YEAR_FIRST if form.order is Order.YEAR and not YEAR_FIRST & set(printing.languages) else 1.0


def _prior(day: date, today: date) -> float:
    years = (day - today).days / 365.25
    return 1.0 if -BEHIND <= years <= AHEAD else UNUSUAL


def _kind(texts: Sequence[str], at: int, start: int, end: int) -> Kind:
    """What the words next to a date say of it: before it, else right after it, else alone on the line above."""
    before = texts[at][:start]
    found = _last_word(before[max(0, len(before) - 32) :])
    if found is None:
        after = texts[at][end:].strip()
        found = next((kind for word, kind in WORDS.items() if len(word) >= 2 and after.startswith(word)), None)
    if found is None and at and not before.strip() and not any(one.isdigit() for one in texts[at - 1]):
        found = _last_word(texts[at - 1])
    return found or Kind.UNSAID


def _last_word(text: str) -> Kind | None:
    """The kind that is named last in a text; words are compared as print is read, so "EXF" is EXP."""
    words = re.findall(r"[^\W_]+", text)
    for end in range(len(words), 0, -1):
        for length in (5, 4, 3, 2, 1):
            if end < length:
                continue
            said = " ".join(words[end - length : end])
            kind = WORDS.get(said)
            if kind is None and len(said) >= 3:
                near = [
                    (distance(said, word), word) for word in WORDS if abs(len(word) - len(said)) <= 1 and len(word) > 2
                ]
                cost, word = min(near, default=(math.inf, ""))
                kind = WORDS[word] if cost <= 2.4 * len(word) else None
            if kind is not None:
                return kind
    return None


def _less_of_parts(found: Sequence[_Found]) -> list[_Found]:
    """A reading of part of the characters that a longer reading explains is worth little."""

    def inside(one: _Found, other: _Found) -> bool:
        return (one.line == other.line and other.start <= one.start and one.end <= other.end
                and other.end - other.start > one.end - one.start)  # fmt: skip

    return [
        replace(one, weight=one.weight * 0.01)
        if any(inside(one, other) and other.weight > 0.05 * one.weight for other in found)
        else one
        for one in found
    ]


def _later_of_two(found: Sequence[_Found]) -> list[_Found]:
    """Of two dates in different places that nothing is said of, the later one is the expiry date as a rule.

    A date that is said to be one makes those that nothing is said of unlikely.
    """
    said = max((one.weight for one in found if one.kind is Kind.EXPIRY), default=0.0)
    kept = []
    for one in found:
        weight = one.weight
        if one.kind is Kind.UNSAID:
            if said > 0.01 * weight:
                weight *= 0.02
            elif any(
                (other.line, other.start) != (one.line, one.start) and other.kind is Kind.UNSAID
                and (other.end <= one.start or one.end <= other.start or other.line != one.line)
                and other.day > one.day and other.weight > 0.2 * one.weight
                for other in found
            ):  # fmt: skip
                weight *= 0.05
        kept.append(replace(one, weight=weight))
    return kept


def _shown(one: DateReading) -> str:
    return one.day.isoformat() if one.exact else f"{one.day:%Y-%m}"
