"""Before and after a change, beside what the site was like when it began; and what customers have reported."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.kpis.charts import Chart, Counted, Row, Seen
from app.kpis.groups import label
from app.kpis.rates import Cells, by_group, strata_of
from core.kpis.baseline import Baseline
from core.kpis.interrupted import EACH_SIDE, interrupted
from core.kpis.rates import Estimate, measures
from core.learn.metrics.proportions import proportion_interval

WEEK = timedelta(days=7)
LEAST_DAYS = 4  # of a week within the time, under which it says too little about a week
YEAR_DAYS = 365.25
_ALL = ("all", "all", None)
Weekly = list[float | None]
Within = tuple[float | None, float | None, float | None]
_UNKNOWN: Within = (None, None, None)


@dataclass(frozen=True)
class _Figure:
    """One figure of the comparison.

    Attributes:
        unit: "share", "a week", "s" or "money"; money is a week's or a year's, as the name says.
        typed: of the baseline; None where it has none.
        weekly: one for each week; None where it is not known.
        side: the value before (False) or after (True) the change, with its interval.
    """

    name: str
    unit: str
    typed: float | None
    weekly: Weekly
    side: Callable[[bool], Within]


def _before_after(seen: Seen) -> Counted:
    """Each figure before and after, with what the change did beyond the line that the weeks before carry on."""
    asked, baseline = seen.asked, Baseline() if seen.kept is None else seen.kept.baseline
    change = asked.change or asked.since + (asked.until - asked.since) / 2
    weeks = _Weeks(seen, change)
    figures = _figures(seen, weeks, baseline if asked.site is not None else None)
    rows, series = [], {}
    for one in figures:
        found = interrupted(one.weekly, weeks.place)
        before, after = one.side(False), one.side(True)
        rows.append({
            "figure": one.name, "unit": one.unit, "baseline": one.typed,
            "before": before[0], "before_low": before[1], "before_high": before[2],
            "after": after[0], "after_low": after[1], "after_high": after[2],
            "effect": None if found is None else found.average,
            "low": None if found is None else found.low, "high": None if found is None else found.high,
            "p": None if found is None else found.p,
            "weeks_before": sum(value is not None for value in one.weekly[: weeks.place]),
            "weeks_after": sum(value is not None for value in one.weekly[weeks.place :]),
        })  # fmt: skip
        series[one.name] = {"weeks": weeks.starts, "values": one.weekly, **({} if found is None else {
            "places": found.places, "fitted": found.fitted, "carried": found.carried,
            "carried_low": found.carried_low, "carried_high": found.carried_high})}  # fmt: skip
    kept = seen.kept
    more = {
        "baseline": None if asked.site is None else asdict(baseline),
        "baseline_set": None if kept is None else {"number": kept.number, "by": kept.by, "at": kept.at,
                                                   "reason": kept.reason},
        "change": change.date(), "series": series,
    }  # fmt: skip
    return Counted(rows, more, _notes(seen, baseline, weeks))


def _notes(seen: Seen, baseline: Baseline, weeks: "_Weeks") -> list[str]:
    notes = []
    if seen.asked.site is None:
        notes.append("Each site has a baseline of its own: choose a site to compare with it.")
    else:
        if seen.kept is None:
            notes.append("Nobody has set a baseline at this site: the figures of the time before are assumptions.")
        if baseline.contradiction:
            notes.append(baseline.contradiction)
    if min(weeks.place, len(weeks.starts) - weeks.place) < EACH_SIDE:
        notes.append(f"With fewer than {EACH_SIDE} weeks on each side of the change no effect can be told.")
    return notes


class _Weeks:
    """The weeks of the time that was asked for, with what was counted in each."""

    def __init__(self, seen: Seen, change: datetime) -> None:
        asked = seen.asked
        first = asked.since.replace(hour=0, minute=0, second=0, microsecond=0)
        first -= timedelta(days=first.weekday())
        n = -(-(asked.until - first) // WEEK)
        self.starts: list[date] = [(first + place * WEEK).date() for place in range(n)]
        self.days = [
            (min(asked.until, first + (place + 1) * WEEK) - max(asked.since, first + place * WEEK)) / timedelta(days=1)
            for place in range(n)
        ]
        self.place = next((n for n, start in enumerate(self.starts) if start >= change.date()), n)
        self.parts = self._read(seen.ask("before_after"))
        self.answers = self._read(seen.ask("labour", grain="week", by=None))
        self.second = self._read(seen.ask("agreement"))
        self.cells: Cells = by_group(seen, grain="week")

    def _read(self, rows: Sequence[Row]) -> dict[date, Row]:
        return {_day(row["bucket"]): row for row in rows}

    def each(self, value: Callable[[date, float], float | None]) -> Weekly:
        """A value for every week that is long enough, from its start and its days."""
        return [
            value(start, days) if days >= LEAST_DAYS else None
            for start, days in zip(self.starts, self.days, strict=True)
        ]

    def on(self, after: bool) -> tuple[list[date], float]:
        """The weeks of one side from the first to the last in which a part was decided, and how many days they have."""
        first, last = min(self.parts, default=None), max(self.parts, default=None)
        mine = [
            (start, days)
            for place, (start, days) in enumerate(zip(self.starts, self.days, strict=True))
            if (place >= self.place) == after and first is not None and last is not None and first <= start <= last
        ]
        return [start for start, _ in mine], sum(days for _, days in mine)

    def whole(self, after: bool) -> Cells:
        """What was decided and is known on one side, as one."""
        starts, _ = self.on(after)
        sums: Cells = {}
        for (bucket, _, _), cell in self.cells.items():
            if _day(bucket) not in starts:
                continue
            mine = sums.setdefault(_ALL, {outcome: dict.fromkeys(found, 0.0) for outcome, found in cell.items()})
            for outcome, found in cell.items():
                for name, value in found.items():
                    mine[outcome][name] += value
        return sums


def _figures(seen: Seen, weeks: _Weeks, typed: Baseline | None) -> list[_Figure]:
    given = typed or Baseline()
    cost_scrap, cost_escape = given.cost_of_scrap, given.cost_of_escape
    by_week = {_day(bucket): {(bucket, group, key): cell} for (bucket, group, key), cell in weeks.cells.items()}
    rates = {start: measures(strata_of(cells, list(cells))) for start, cells in by_week.items()}

    def rate(name: str) -> Callable[[date, float], float | None]:
        return lambda start, _: _value(rates[start][name]) if start in rates else None

    def side_rate(name: str) -> Callable[[bool], Within]:
        def found(after: bool) -> Within:
            cells = weeks.whole(after)
            return _within(measures(strata_of(cells, list(cells)))[name]) if cells else _UNKNOWN

        return found

    def a_week(name: str, factor: float) -> tuple[Weekly, Callable[[bool], Within]]:
        def one(start: date, days: float) -> float | None:
            return weeks.parts[start][name] * factor * 7 / days if start in weeks.parts else None

        def side(after: bool) -> Within:
            starts, days = weeks.on(after)
            there = [weeks.parts[start][name] for start in starts if start in weeks.parts]
            return (sum(there) * factor * 7 / days, None, None) if there else _UNKNOWN

        return weeks.each(one), side

    def escapes(factor: float) -> tuple[Weekly, Callable[[bool], Within]]:
        def one(start: date, days: float) -> float | None:
            share = _value(rates[start]["escape rate"]) if start in rates else None
            return None if share is None else share * _passed(by_week[start]) * factor * YEAR_DAYS / days

        def side(after: bool) -> Within:
            cells, (_, days) = weeks.whole(after), weeks.on(after)
            if not cells:
                return _UNKNOWN
            value, low, high = _within(measures(strata_of(cells, list(cells)))["escape rate"])
            times = _passed(cells) * factor * YEAR_DAYS / days
            return tuple(None if share is None else share * times for share in (value, low, high))  # type: ignore[return-value]

        return weeks.each(one), side

    def share_of(rows: dict[date, Row], top: str, bottom: str) -> tuple[Weekly, Callable[[bool], Within]]:
        def side(after: bool) -> Within:
            mine = [rows[start] for start in weeks.on(after)[0] if start in rows]
            hits, trials = sum(row[top] for row in mine), sum(row[bottom] for row in mine)
            bounds = proportion_interval(hits, trials)
            return _UNKNOWN if bounds is None else (hits / trials, bounds.low, bounds.high)

        return weeks.each(lambda start, _: rows[start][top] / rows[start][bottom] if start in rows else None), side

    def hours(start: date, days: float) -> float | None:
        row = weeks.answers.get(start)
        return None if row is None else row["milliseconds"] / 3.6e6 * 7 / days

    def side_hours(after: bool) -> Within:
        starts, days = weeks.on(after)
        there = [weeks.answers[start]["milliseconds"] for start in starts if start in weeks.answers]
        return (sum(there) / 3.6e6 * 7 / days, None, None) if there else _UNKNOWN

    def seconds(start: date, _: float) -> float | None:
        row, parts = weeks.answers.get(start), weeks.parts.get(start)
        return None if row is None or parts is None else row["milliseconds"] / 1000 / parts["parts"]

    def side_seconds(after: bool) -> Within:
        starts, _ = weeks.on(after)
        spent = sum(weeks.answers[start]["milliseconds"] for start in starts if start in weeks.answers)
        parts = sum(weeks.parts[start]["parts"] for start in starts if start in weeks.parts)
        return (spent / 1000 / parts, None, None) if parts and spent else _UNKNOWN

    def of(name: str) -> float | None:
        return None if typed is None else float(getattr(typed, name))

    yearly = None if typed is None else typed.escapes_per_year * typed.cost_of_escape
    return [
        _Figure("parts a week", "parts", of("parts_per_week"), *a_week("parts", 1.0)),
        _Figure("detection rate", "share", of("detection"), weeks.each(rate("recall")), side_rate("recall")),
        _Figure("false reject rate", "share", of("false_rejects"), weeks.each(rate("false reject rate")),
                side_rate("false reject rate")),
        _Figure("escape rate", "share", None, weeks.each(rate("escape rate")), side_rate("escape rate")),
        _Figure("agreement of two inspectors", "share", of("agreement"), *share_of(weeks.second, "agree", "pairs")),
        _Figure("inspector hours a week", "h", of("hours_per_week"), weeks.each(hours), side_hours),
        _Figure("inspector seconds a part", "s", of("seconds_per_part"), weeks.each(seconds), side_seconds),
        _Figure("estimated escapes a year", "parts", of("escapes_per_year"), *escapes(1.0)),
        _Figure("estimated escapes in money a year", "money", yearly, *escapes(cost_escape)),
        _Figure("failed parts in money a week", "money", None, *a_week("failed", cost_scrap)),
        _Figure("good parts failed, in money a week", "money", of("scrapped_good_per_week"),
                *_good_failed(weeks, by_week, cost_scrap)),
    ]  # fmt: skip


def _good_failed(
    weeks: _Weeks, by_week: dict[date, Cells], cost: float
) -> tuple[Weekly, Callable[[bool], Within]]:  # fmt: skip
    """What good parts cost that failed by themselves, by the audited ones among them."""

    def money(cells: Cells, days: float) -> float | None:
        fails = [cell["FAIL"] for cell in cells.values()]
        decided, weight = (sum(one[name] for one in fails) for name in ("decided", "weight"))
        if not decided:
            return 0.0
        if not weight:
            return None
        return decided * (1 - sum(one["defective"] for one in fails) / weight) * cost * 7 / days

    def side(after: bool) -> Within:
        cells = weeks.whole(after)
        return (money(cells, weeks.on(after)[1]), None, None) if cells else _UNKNOWN

    return weeks.each(lambda start, days: money(by_week[start], days) if start in by_week else None), side


def _passed(cells: Cells) -> float:
    return sum(cell["PASS"]["decided"] for cell in cells.values())


def _value(found: Estimate) -> float | None:
    value = float(found.value[0])
    return None if value != value else value


def _within(found: Estimate) -> Within:
    if not found.n[0]:
        return _UNKNOWN
    return _value(found), float(found.low[0]), float(found.high[0])


def _day(moment: Any) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _reported(seen: Seen) -> Counted:
    rows = [{**row, "group": label(seen.asked.by, row["key"], seen.places)} for row in seen.ask("reported_escapes")]
    days = (seen.asked.until - seen.asked.since).days
    parts = sum(row["parts"] for row in rows)
    notes = [
        f"Customers have reported {parts:,} parts in {days:,} days, which is at least {parts * YEAR_DAYS / days:,.0f} "
        "a year: a lower bound, and a late one."
    ] if rows else []  # fmt: skip
    return Counted(rows, notes=notes)


CHARTS = (
    Chart(
        "before-after", "Before and after", ("before_after", "rates", "rates_decided", "labour", "agreement"),
        _before_after,
        ("figure", "unit", "baseline", "before", "before_low", "before_high", "after", "after_low", "after_high",
         "effect", "low", "high", "p", "weeks_before", "weeks_after"), ("week",), compares=True,
    ),
    Chart(
        "reported-escapes", "Escapes that customers reported", ("reported_escapes",), _reported,
        ("bucket", "group", "parts", "reports", "days_late"), ("week",), ("site",),
    ),
)  # fmt: skip
