"""How much goes through, how fast, how sure the model is, what is held and waits, and what people do in an hour."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any

from app.kpis.charts import Chart, Counted, Row, Seen
from app.kpis.groups import label
from core.learn.metrics.proportions import proportion_interval

_PLACES = ("site", "line", "camera", "part type", "model")
_MINUTES = {"hour": 60, "day": 24 * 60, "week": 7 * 24 * 60}


def _throughput(seen: Seen) -> Counted:
    cells: dict[tuple[Any, str, str | None], dict[str, int]] = defaultdict(dict)
    for row in seen.ask("throughput"):
        group = label(seen.asked.by, row["key"], seen.places)
        cells[row["bucket"], group, row["key"]][row["outcome"]] = row["parts"]
    rows = []
    for (bucket, group, key), found in sorted(cells.items(), key=lambda one: (one[0][0], one[0][1])):
        parts, held = sum(found.values()), found.get("HOLD", 0)
        within = proportion_interval(held, parts)
        rows.append({
            "bucket": bucket, "group": group, "key": key,
            "parts": parts, "passed": found.get("PASS", 0), "held": held,
            "failed": found.get("FAIL", 0), "per_minute": parts / _minutes(seen, bucket), "hold_rate": held / parts,
            "low": None if within is None else within.low, "high": None if within is None else within.high, "n": parts,
        })  # fmt: skip
    return Counted(rows)


def _minutes(seen: Seen, bucket: Any) -> float:
    """Of a bucket, as much as was asked for and is over."""
    start = started(bucket)
    end = min(start + timedelta(minutes=_MINUTES[seen.asked.grain]), seen.asked.until)
    return max(1.0, (end - max(start, seen.asked.since)).total_seconds() / 60)


def _named(seen: Seen, name: str) -> list[Row]:
    rows = [{"group": label(seen.asked.by, row["key"], seen.places), **row} for row in seen.ask(name)]
    return sorted(rows, key=lambda row: (row["bucket"], row["group"]))


def _latency(seen: Seen) -> Counted:
    if seen.asked.grain == "hour":
        return Counted(_rounded(_named(seen, "latency_hours"), 3), notes=("Hours are exact.",))
    return Counted(_rounded(_named(seen, "latency"), 3))


def _confidence(seen: Seen) -> Counted:
    return Counted(_rounded(seen.ask("confidence"), 9))


def _held(seen: Seen) -> Counted:
    waits = {(row["bucket"], row["group"]): row for row in _named(seen, "held")}
    rows = []
    for row in _throughput(seen).rows:
        wait = waits.get((row["bucket"], row["group"]), {})
        rows.append({
            "bucket": row["bucket"], "group": row["group"], "key": row["key"], "hold_rate": row["hold_rate"],
            "low": row["low"], "high": row["high"], "held": row["held"], "n": row["n"],
            "answered": wait.get("answered", 0), "wait_p50": wait.get("wait_p50"), "wait_p95": wait.get("wait_p95"),
        })  # fmt: skip
    return Counted(_rounded(rows, 4))


def _backlog(seen: Seen) -> Counted:
    """Counted back from what waits now, so that the last figure is what the queue says."""
    wanted = seen.asked.site_ids(seen.places)
    waiting = [
        one for one in seen.facts.waiting() if one.kind == "triage" and (wanted is None or one.site_id in wanted)
    ]
    at_one_place = any(value is not None for value in (seen.asked.line, seen.asked.camera, seen.asked.part_type))
    flows: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for row in seen.ask("opened"):
        flows[row["bucket"]][0] = row["opened"]
    for row in seen.ask("closed"):
        flows[row["bucket"]][1] = row["closed"]
    left = sum(one.open for one in waiting)
    rows: list[Row] = []
    for bucket in sorted(flows, reverse=True):
        opened, closed = flows[bucket]
        if started(bucket) < seen.asked.until:
            rows.append({"bucket": bucket, "opened": opened, "answered": closed, "waiting": left})
        left -= opened - closed
    if at_one_place:  # the queue counts by site only
        rows = [{**row, "waiting": None} for row in rows]
    oldest = min((one.oldest for one in waiting if one.oldest is not None), default=None)
    hours = None if oldest is None else round((seen.now - oldest).total_seconds() / 3600, 2)
    return Counted(rows[::-1], {"waiting_now": sum(one.open for one in waiting), "oldest_hours": hours})


def started(bucket: date | datetime) -> datetime:
    """When a bucket began, on the sites' own clocks."""
    return bucket if isinstance(bucket, datetime) else datetime.combine(bucket, time())


def _labour(seen: Seen) -> Counted:
    seconds = {(row["bucket"], row["group"]): row for row in _named(seen, "decision_seconds")}
    rows = []
    for row in _named(seen, "labour"):
        time = seconds.get((row["bucket"], row["group"]), {})
        hours = row["milliseconds"] / 3_600_000
        rows.append({
            "bucket": row["bucket"], "group": row["group"], "key": row["key"], "items": row["items"],
            "per_hour": row["timed"] / hours if hours > 0 else None, "seconds_p50": time.get("p50"),
            "seconds_p95": time.get("p95"), "n": row["timed"],
        })  # fmt: skip
    return Counted(_rounded(rows, 4))


def _rounded(rows: list[Row], digits: int) -> list[Row]:
    return [
        {name: round(value, digits) if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    ]


CHARTS = (
    Chart(
        "throughput", "Parts decided", ("throughput",), _throughput,
        ("bucket", "group", "parts", "per_minute", "passed", "held", "failed"), ("day", "hour", "week"),
        (*_PLACES, "policy"),
    ),
    Chart(
        "latency", "Time for a picture", ("latency", "latency_hours"), _latency,
        ("bucket", "group", "p50", "p95", "p99", "n"), ("day", "hour", "week"), _PLACES,
    ),
    Chart(
        "confidence", "How sure the model is", ("confidence",), _confidence,
        ("bucket", "confidence", "pictures", "share", "mean", "n"), ("day", "week"),
    ),
    Chart(
        "held", "Held, and how long", ("held", "throughput"), _held,
        ("bucket", "group", "hold_rate", "low", "high", "held", "n", "answered", "wait_p50", "wait_p95"),
        ("day", "hour", "week"), (*_PLACES, "policy"),
    ),
    Chart(
        "backlog", "What waits", ("opened", "closed"), _backlog, ("bucket", "opened", "answered", "waiting"),
        ("day", "hour", "week"),
    ),
    Chart(
        "labour", "Inspectors' time", ("labour", "decision_seconds"), _labour,
        ("bucket", "group", "items", "per_hour", "seconds_p50", "seconds_p95", "n"), ("day", "week"),
        (*_PLACES, "policy"),
    ),
)  # fmt: skip
