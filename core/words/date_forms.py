"""The ways in which dates are printed, and the dates that one match of a way may stand for."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from core.words.confusions import digits, distance


class Order(StrEnum):
    """Which of day, month and year stands first on a site's labels."""

    DAY = "day first"
    MONTH = "month first"
    YEAR = "year first"


@dataclass(frozen=True)
class Form:
    """One way to print a date: its fields in order, and how usual it is."""

    fields: tuple[str, ...]
    pattern: re.Pattern[str]
    usual: float
    order: Order | None = None
    needs_word: bool = False


_DIGIT = "[0-9OQDILZSBGT|!]"
_BETWEEN = r"\s?[./\-,'\u5e74\u6708\u00b7]\s?|\s"
_EDGE = r"(?<![0-9])"
_STOP = r"(?![0-9])"
_SHAPES = {
    "d": f"({_DIGIT}{{1,2}})", "m": f"({_DIGIT}{{1,2}})", "dd": f"({_DIGIT}{{2}})", "mm": f"({_DIGIT}{{2}})",
    "yy": f"({_DIGIT}{{2}})", "yyyy": f"({_DIGIT}{{4}})", "ddd": f"({_DIGIT}{{3}})", "y": f"({_DIGIT})",
    "mon": r"([^\W_]{3,10})\.?", "-": f"(?:{_BETWEEN})", "~": f"(?:{_BETWEEN})?",
}  # fmt: skip


def _form(shape: str, usual: float, order: Order | None = None, *, needs_word: bool = False) -> Form:
    parts = shape.split()
    pattern = re.compile(_EDGE + "".join(_SHAPES[one] for one in parts) + _STOP)
    return Form(tuple(one for one in parts if one not in "-~"), pattern, usual, order, needs_word)


FORMS = (
    _form("d - m - yyyy", 0.12, Order.DAY), _form("m - d - yyyy", 0.12, Order.MONTH),
    _form("d - m - yy", 0.12, Order.DAY), _form("m - d - yy", 0.12, Order.MONTH),
    _form("yyyy - m - d", 0.2), _form("yy - m - d", 0.12, Order.YEAR),
    _form("m - yyyy", 0.1), _form("mm - yy", 0.06), _form("yyyy - mm", 0.06),
    _form("d ~ mon ~ yyyy", 0.15), _form("d ~ mon ~ yy", 0.12), _form("mon ~ d - yyyy", 0.12),
    _form("mon ~ d - yy", 0.08), _form("mon ~ yyyy", 0.12), _form("mon ~ yy", 0.1), _form("yyyy ~ mon ~ d", 0.08),
    _form("yyyy mm dd", 0.06), _form("dd mm yyyy", 0.03, Order.DAY), _form("mm dd yyyy", 0.03, Order.MONTH),
    _form("dd mm yy", 0.02, Order.DAY, needs_word=True), _form("yy mm dd", 0.02, Order.YEAR, needs_word=True),
    _form("mm dd yy", 0.02, Order.MONTH, needs_word=True),
    _form("mm - dd", 0.02, needs_word=True), _form("dd - mm", 0.02, Order.DAY, needs_word=True),
)  # fmt: skip
JULIAN = (_form("yy ddd", 0.05), _form("y ddd", 0.05))


def overlapping(form: Form, text: str) -> Iterator[re.Match[str]]:
    """Matches, which may overlap; letters alone are no digits, so half the places for digits must hold some."""
    start = 0
    while match := form.pattern.search(text, start):
        start = match.start() + 1
        read = "".join(one for name, one in zip(form.fields, match.groups(), strict=True) if name != "mon")
        if 2 * sum(one.isdigit() for one in read) >= len(read):
            yield match


def dates(
    form: Form, read: Sequence[str], months: Mapping[str, int], today: date, error: float
) -> Iterator[tuple[date, bool, float]]:
    """Dates that one form may stand for, each with the likelihood of the characters read."""
    days: list[tuple[int, float]] | None = None
    over_year = False
    by_month: list[tuple[int, float]] = [(0, 1.0)]
    years: list[tuple[int, float]] | None = None
    for name, text in zip(form.fields, read, strict=True):
        if name in ("d", "dd"):
            days = _numbers(text, range(1, 32), error)
        elif name in ("m", "mm"):
            by_month = _numbers(text, range(1, 13), error)
        elif name == "mon":
            by_month = _named(text, months, error)
        elif name == "yyyy":
            years = _numbers(text, range(today.year - 30, today.year + 41), error)
        elif name == "yy":
            years = [(2000 + year, share) for year, share in _numbers(text, range(100), error, width=2)]
        elif name == "y":
            last = range(today.year - 9, today.year + 1)  # the last digit of a year that is not to come
            years = [(year, digits(text, str(year)[-1], error)) for year in last]
        elif name == "ddd":
            days, over_year = _numbers(text, range(1, 367), error, width=3), True
    if years is None:  # no year is printed: any of the years around today
        years = [(year, 1 / 3) for year in (today.year - 1, today.year, today.year + 1)]
    for year, year_share in years:
        for month, month_share in by_month:
            for number, day_share in days or [(0, 1.0)]:
                share = year_share * month_share * day_share
                day = _day(year, month, number, over_year) if share > 1e-7 else None
                if day is not None:
                    yield day, days is not None, share


def _numbers(text: str, values: range, error: float, width: int = 0) -> list[tuple[int, float]]:
    """Numbers that may be printed where the text was read, each with its likelihood; padded to the text's length."""
    scored = ((value, digits(text, str(value).zfill(max(len(text), width)), error)) for value in values)
    return [(value, share) for value, share in scored if share > 1e-6]


def _named(text: str, months: Mapping[str, int], error: float) -> list[tuple[int, float]]:
    best: dict[int, float] = {}
    for name, month in months.items():
        if abs(len(name) - len(text)) <= 1:
            best[month] = max(best.get(month, 0.0), math.exp(-distance(text, name, error)))
    return [(month, share) for month, share in best.items() if share > 1e-4]


def _day(year: int, month: int, number: int, over_year: bool) -> date | None:
    if over_year:
        day = date(year, 1, 1) + timedelta(days=number - 1)
        return day if day.year == year else None
    if number == 0:
        following = date(year + month // 12, month % 12 + 1, 1)
        return following - timedelta(days=1)
    try:
        return date(year, month, number)
    except ValueError:  # no such day in this month
        return None
