"""Misses, escapes, false rejects, precision, recall, F1 and F2, from audits and answers, with intervals and n."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.kpis.charts import Chart, Counted, Row, Seen
from app.kpis.groups import label
from core.kpis.rates import MEASURES, OUTCOMES, Stratum, against_flag_all, measures

_FIELDS = ("decided", "n", "weight", "weight2", "defective")
_BY_CLASS = ("class", "parent")
_NO_AUDITS = "Nothing that passed by itself was audited there, so misses and escapes are not known, only bounded."

# By bucket, group and its key: outcome: field: value.
Cells = dict[tuple[Any, str, str | None], dict[str, dict[str, float]]]


def _count(seen: Seen) -> Counted:
    cells = _by_class(seen) if seen.asked.by in _BY_CLASS else by_group(seen)
    rows = estimated(cells)
    notes = [] if seen.asked.by in _BY_CLASS else degenerate(cells)
    silent = any(one["PASS"]["decided"] and not one["PASS"]["n"] for one in cells.values())
    return Counted(rows, notes=[*notes, _NO_AUDITS] if silent else notes)


def degenerate(cells: Cells) -> list[str]:
    """What has to be said where stopping every part would do as well."""
    if not cells:
        return []
    found = against_flag_all(strata_of(cells, sorted(cells)))
    if found is None or found[0] > found[1]:
        return []
    return [
        f"This is no better than stopping every part: F2 is {found[0]:.2%}, and would be {found[1]:.2%} with "
        "everything stopped. A high recall proves nothing by itself."
    ]


def estimated(cells: Cells) -> list[Row]:
    """Every measure of every cell, in long form: a row each."""
    keys = sorted(cells, key=lambda one: (one[0], one[1]))
    if not keys:
        return []
    found = measures(strata_of(cells, keys))
    return [
        {
            "bucket": bucket,
            "group": group,
            "key": key,
            "measure": name,
            "value": _number(found[name].value[place]),
            "low": _number(found[name].low[place]),
            "high": _number(found[name].high[place]),
            "n": int(found[name].n[place]),
        }
        for place, (bucket, group, key) in enumerate(keys)
        for name in MEASURES
    ]


def strata_of(cells: Cells, keys: Sequence[tuple[Any, str, str | None]]) -> dict[str, Stratum]:
    """Cells in the order of their keys, as arrays."""
    return {
        outcome: Stratum(*(np.array([cells[key][outcome][name] for key in keys]) for name in _FIELDS))
        for outcome in OUTCOMES
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 9)


def _empty() -> dict[str, dict[str, float]]:
    return {outcome: dict.fromkeys(_FIELDS, 0.0) for outcome in OUTCOMES}


def by_group(seen: Seen, grain: str | None = None, whole: bool = False) -> Cells:
    """What was decided and what is known of it.

    Args:
        seen: what to count from.
        grain: another one than was asked for, for all groups together.
        whole: the whole time as one.
    """
    cells: Cells = defaultdict(_empty)
    by = seen.asked.by if grain is None and not whole else None
    more = {"grain": grain or seen.asked.grain, "by": by}
    for row in (*seen.ask("rates_decided", **more), *seen.ask("rates", **more)):
        group = label(by, row["key"], seen.places)
        cell = cells["all" if whole else row["bucket"], group, row["key"]][row["outcome"]]
        for name in _FIELDS:
            cell[name] += float(row.get(name) or 0)
    return cells


def _by_class(seen: Seen) -> Cells:
    """Each class against all others; what passed is one stratum, whichever class it might have been."""
    decided, truths = seen.ask("rates_classes_decided"), seen.ask("rates_classes")
    classes = {_named(seen, row["site_id"], row[name]) for row in truths for name in ("class", "model_class")}
    classes |= {_named(seen, row["site_id"], row["model_class"]) for row in decided}
    if seen.asked.class_id is not None:
        classes &= {seen.asked.class_id}
    cells: Cells = defaultdict(_empty)
    for name in sorted(one for one in classes if one is not None):
        _add(seen, cells, name, decided, truths)
    return cells


def _add(
    seen: Seen, cells: Cells, name: str, decided: Iterable[Mapping[str, Any]], truths: Iterable[Mapping[str, Any]]
) -> None:
    for row in decided:
        if row["outcome"] == "PASS" or _named(seen, row["site_id"], row["model_class"]) == name:
            cells[row["bucket"], name, name][row["outcome"]]["decided"] += row["decided"]
    for row in truths:
        passed = row["outcome"] == "PASS"
        if not passed and _named(seen, row["site_id"], row["model_class"]) != name:
            continue
        cell = cells[row["bucket"], name, name][row["outcome"]]
        cell["n"] += row["n"]
        cell["weight"] += row["weight"]
        cell["weight2"] += row["weight2"]
        if row["defective"] and (not passed or _named(seen, row["site_id"], row["class"]) == name):
            cell["defective"] += row["weight"]


def _named(seen: Seen, site_id: int, class_id: str | None) -> str | None:
    if class_id is None or seen.asked.by != "parent":
        return class_id
    return seen.places.classes.get((site_id, class_id), class_id)


CHARTS = (
    Chart(
        "rates", "Misses, escapes, false rejects", ("rates", "rates_decided", "rates_classes", "rates_classes_decided"),
        _count, ("bucket", "group", "measure", "value", "low", "high", "n"), ("week", "day", "hour"),
        ("site", "line", "camera", "part type", "class", "parent", "model", "policy"),
    ),
)  # fmt: skip
