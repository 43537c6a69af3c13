"""Is it good enough: each target beside what was measured; OEE of each line; before and after a change."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from app.kpis.charts import Chart, Counted, Row, Seen
from app.kpis.groups import label
from app.kpis.rates import by_group, degenerate, strata_of
from core.kpis.acceptance import TARGETS, Measured, Oee, median_of, quantile_ranks, standing
from core.kpis.interrupted import EACH_SIDE, interrupted
from core.kpis.rates import accuracy, measures
from core.learn.metrics.proportions import proportion_interval


def _acceptance(seen: Seen) -> Counted:
    cells = by_group(seen, whole=True)
    found: dict[str, Measured] = {}
    if cells:
        strata = strata_of(cells, list(cells))
        rates = measures(strata) | {"accuracy": accuracy(strata)}
        found = {
            name: Measured(_number(one.value[0]), _number(one.low[0]), _number(one.high[0]), int(one.n[0]))
            for name, one in rates.items()
        }
    found["latency p99"] = _latency(seen)
    found["throughput"] = _throughput(seen)
    (counted,) = seen.ask("acceptance")
    within = proportion_interval(counted["scored"], counted["parts"])
    if within is not None:
        share = counted["scored"] / counted["parts"]
        found["availability"] = Measured(share, within.low, within.high, counted["parts"])
    rows = []
    for target in TARGETS:
        one = found.get(target.name, Measured(None, None, None, 0))
        rows.append({
            "target": target.name, "wanted": f"{target.side} {target.spoken}", "measured": one.value,
            "low": one.low, "high": one.high, "n": one.n, "standing": str(standing(target, one)),
            "until": seen.asked.until - timedelta(days=1), "definition": target.definition,
        })  # fmt: skip
    stated = found.get("false reject rate")
    notes = degenerate(cells)
    if stated is not None and stated.value is not None:
        notes.append(f"Recall is stated at a false reject rate of {stated.value:.2%}.")
    return Counted(rows, notes=notes)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _latency(seen: Seen) -> Measured:
    (counted,) = seen.ask("pictures")
    if not counted["n"]:
        return Measured(None, None, None, 0)
    _, low, high = quantile_ranks(counted["n"], 0.99)
    (row,) = seen.ask("latency_ranks", low=low / counted["n"], high=high / counted["n"])
    return Measured(row["p99"], row["low"], row["high"], row["n"])


def _throughput(seen: Seen) -> Measured:
    """Of the slowest line."""
    hours: dict[int, list[float]] = defaultdict(list)
    for row in seen.ask("line_hours"):
        hours[row["line_id"]].append(row["parts"] / 60)
    lines = [median_of(found) for found in hours.values()]
    return min(lines, key=lambda one: one.value or 0.0, default=Measured(None, None, None, 0))


def _oee(seen: Seen) -> Counted:
    rows, ideal, hours = [], seen.asked.ideal_per_minute, seen.asked.planned_hours
    for row in seen.ask("oee"):
        planned = row["planned_minutes"] if hours is None else hours * 60 * row["days"]
        one = Oee(label("line", str(row["line_id"]), seen.places), row["parts"], row["good"], planned,
                  row["running_minutes"], ideal)  # fmt: skip
        rows.append({
            "line": one.line, "oee": one.oee, "availability": one.availability, "performance": one.performance,
            "quality": one.quality, "parts": one.parts, "good": one.good, "running_minutes": one.running_minutes,
            "planned_minutes": one.planned_minutes, "ideal_per_minute": one.ideal_per_minute, "days": row["days"],
        })  # fmt: skip
    notes = [f"The ideal rate of {ideal:g} parts a minute is an assumption, not a measurement."]
    if hours is None:
        notes.append("Planned time is from the first to the last part of each day: stops before and after do not show.")
    return Counted(rows, notes=notes if rows else ())


def _before_after(seen: Seen) -> Counted:
    """Each figure before and after, with what the change did beyond the line that the weeks before carry on."""
    baseline, asked = seen.asked.baseline, seen.asked
    change = asked.change or asked.since + (asked.until - asked.since) / 2
    weeks = seen.ask("before_after")
    answers = {_day(row["bucket"]): row for row in seen.ask("labour", grain="week", by=None)}
    place = next((n for n, row in enumerate(weeks) if row["bucket"] >= change), len(weeks))
    rates = _rates_of(seen)
    series: Mapping[str, tuple[list[float | None], float | None]] = {
        "parts a day": ([row["parts"] / row["days"] for row in weeks], baseline.parts_per_shift),
        "escape rate": ([rates.get((row["bucket"], "escape rate")) for row in weeks], None),
        "detection rate": ([rates.get((row["bucket"], "recall")) for row in weeks], baseline.detection),
        "false reject rate": ([rates.get((row["bucket"], "false reject rate")) for row in weeks],
                              baseline.false_rejects),
        "inspector seconds a part": ([_seconds(answers.get(_day(row["bucket"])), row) for row in weeks],
                                     baseline.seconds_per_part),
        "estimated escapes a year": ([_a_year(rates.get((row["bucket"], "escapes")), row) for row in weeks],
                                     baseline.escapes_per_year),
        "scrap in money a week": ([row["failed"] * baseline.cost_of_scrap for row in weeks], None),
    }  # fmt: skip
    rows = [_compared(name, values, typed, place) for name, (values, typed) in series.items()]
    notes = [text for text in (baseline.contradiction,) if text]
    notes.append("The baseline's figures were typed, not measured.")
    if min(place, len(weeks) - place) < EACH_SIDE:
        notes.append(f"With fewer than {EACH_SIDE} weeks on each side of the change no effect can be told.")
    return Counted(rows, {"baseline": asdict(baseline), "change": change.date()}, notes)


def _compared(name: str, values: Sequence[float | None], typed: float | None, place: int) -> Row:
    after = [one for one in values[place:] if one is not None]
    found = interrupted(values, place)
    return {
        "figure": name,
        "baseline": typed,
        "before": _mean([one for one in values[:place] if one is not None]),
        "after": _mean(after),
        "effect": None if found is None else found.average,
        "low": None if found is None else found.low,
        "high": None if found is None else found.high,
        "p": None if found is None else found.p,
        "weeks": len(after),
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _day(moment: Any) -> Any:
    return moment.date() if isinstance(moment, datetime) else moment


def _seconds(answers: Row | None, week: Row) -> float | None:
    return None if answers is None or not week["parts"] else answers["milliseconds"] / 1000 / week["parts"]


def _a_year(escapes: float | None, week: Row) -> float | None:
    return None if escapes is None or not week["days"] else escapes / week["days"] * 365


def _rates_of(seen: Seen) -> dict[tuple[Any, str], float | None]:
    """Weekly measures, and how many parts are estimated to have escaped."""
    cells = by_group(seen, grain="week")
    if not cells:
        return {}
    keys = sorted(cells)
    strata = strata_of(cells, keys)
    found = measures(strata)
    rates: dict[tuple[Any, str], float | None] = {}
    for place, (bucket, _, _) in enumerate(keys):
        for name in ("recall", "false reject rate", "escape rate"):
            rates[bucket, name] = _number(found[name].value[place])
        share = _number(found["escape rate"].value[place])
        rates[bucket, "escapes"] = None if share is None else share * float(strata["PASS"].decided[place])
    return rates


CHARTS = (
    Chart(
        "acceptance", "Targets", ("acceptance", "rates", "rates_decided", "latency_ranks", "line_hours"), _acceptance,
        ("target", "wanted", "measured", "low", "high", "n", "standing", "until", "definition"), ("week",),
    ),
    Chart(
        "oee", "OEE by line", ("oee",), _oee,
        ("line", "oee", "availability", "performance", "quality", "parts", "good", "running_minutes",
         "planned_minutes", "ideal_per_minute", "days"), ("week",),
    ),
    Chart(
        "before-after", "Before and after", ("before_after", "rates", "rates_decided", "labour"), _before_after,
        ("figure", "baseline", "before", "after", "effect", "low", "high", "p", "weeks"), ("week",),
    ),
)  # fmt: skip
