"""Is it good enough: each target beside what was measured, and OEE of each line."""

from collections import defaultdict
from datetime import timedelta

import numpy as np

from app.kpis.charts import Chart, Counted, Seen
from app.kpis.groups import label
from app.kpis.rates import by_group, degenerate, strata_of
from core.kpis.acceptance import TARGETS, Measured, Oee, median_of, quantile_ranks, standing
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
)  # fmt: skip
