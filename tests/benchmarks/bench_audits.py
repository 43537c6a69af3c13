"""Audit intervals over 2,000 simulated months, with and without inspectors' own error, beside overrides alone.

Half of the months have one audited share of passes by line, the other half unequal ones that also differ by score.
Coverage is how often the 95% interval holds the truth of its month. The oracle knows how far its estimates will lie
from the truth over all months: its width is twice the distance that 95% of them stay within. A third plant, with one
or two escapes among a month's audits, is reported beside them: there an exact interval has to be wider. So few events
leave few values that an estimate can take, so the oracle's width jumps between them, and the ratio has an interval of
its own: from drawing the simulated months anew.
`python -m tests.benchmarks audits`; MONTHS=200 makes it shorter.
"""

import os
import sys
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from core.audits.estimates import estimate, override_only
from core.learn.metrics.proportions import proportion_interval
from tests.core.audits.months import Plant, month

RATES = ("miss", "escape", "false_reject")
USUAL = Plant("usual")
UNEQUAL = Plant("unequal", shares=((0.03, 0.10), (0.20, 0.10)), near=3.0)
RARE = Plant("rare", parts=12_000)
ERRING = {"sees": 0.93, "clears": 0.99}


def main() -> dict[str, Any]:
    """Coverage and width of each rate."""
    months = int(os.environ.get("MONTHS", "2000"))
    found: dict[str, Any] = {"months": months}
    for label, erring in (("perfect eyes", {}), ("inspectors err", ERRING)):
        parts = [_measured(replace(plant, **erring), months // 2) for plant in (USUAL, UNEQUAL)]
        found[label] = {name: _together([part[name] for part in parts]) for name in RATES}
        rare = _measured(replace(RARE, **erring), months // 2)
        found[f"{label}, one or two escapes a month"] = {name: _together([rare[name]]) for name in RATES}
    return found


def _measured(plant: Plant, months: int) -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng([20_261_121, months, int(1000 * plant.sees), *plant.name.encode()])
    rows, naive = defaultdict(list), defaultdict(list)
    for _ in range(months):
        made = month(plant, rng)
        estimates = estimate(made.cells, made.looks, rng, eyes=made.eyes, draws=2000)
        overrides = override_only(made.looks, made.leanings)
        for name in RATES:
            rate, truth = getattr(estimates, name), made.truth[name]
            rows[name].append((rate.value, rate.low, rate.high, truth))
            bounds = proportion_interval(*overrides[name])
            hits, trials = overrides[name]
            naive[name].append((hits / trials, bounds.low <= truth <= bounds.high))
    found = {name: _summary(np.array(rows[name]), np.array(naive[name])) for name in RATES}
    shown = {name: {key: value for key, value in one.items() if key != "ratios"} for name, one in found.items()}
    print(f"  {plant.name}, sees {plant.sees:g}: {months} months, {shown}", file=sys.stderr)
    return found


def _summary(rows: np.ndarray, naive: np.ndarray) -> dict[str, Any]:
    value, low, high, truth = rows.T
    return {
        "months": len(rows),
        "covered": int(((low <= truth) & (truth <= high)).sum()),
        "width": float((high - low).mean()),
        "oracle_width": float(2 * np.quantile(np.abs(value - truth), 0.95)),
        "truth": float(truth.mean()),
        "estimate": float(value.mean()),
        "override_only": float(naive[:, 0].mean()),
        "override_only_covered": int(naive[:, 1].sum()),
        "ratios": _ratios(rows),
    }


def _ratios(rows: np.ndarray, draws: int = 1000) -> np.ndarray:
    """(draws,) width over the oracle's, of months drawn anew from those simulated."""
    value, low, high, truth = rows.T
    chosen = np.random.default_rng(1).integers(0, len(rows), (draws, len(rows)))
    oracle: np.ndarray = 2 * np.quantile(np.abs(value - truth)[chosen], 0.95, axis=1)
    return (high - low)[chosen].mean(axis=1) / oracle


def _together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    months = sum(part["months"] for part in parts)
    mean = {name: sum(part[name] * part["months"] for part in parts) / months
            for name in ("width", "oracle_width", "truth", "estimate", "override_only")}  # fmt: skip
    return {
        "coverage": round(sum(part["covered"] for part in parts) / months, 4),
        "width_over_oracle": round(mean["width"] / mean["oracle_width"], 3),
        "override_only_coverage": round(sum(part["override_only_covered"] for part in parts) / months, 4),
        "mean": {name: round(value, 5) for name, value in mean.items()},
        "each_plant": [
            {"coverage": round(part["covered"] / part["months"], 4),
             "width_over_oracle": round(part["width"] / part["oracle_width"], 3),
             "width_over_oracle_interval": np.quantile(part["ratios"], [0.025, 0.975]).round(3).tolist()}
            for part in parts
        ],
    }  # fmt: skip
