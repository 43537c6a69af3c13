"""From a bar to its pictures: the parts that were counted in one row of a chart, as far as this person may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.kpis.charts import Answer, Row
from app.kpis.flow import started
from core.roles import Action, allowed

if TYPE_CHECKING:
    from data.analytics.read import Reader
    from data.store import Store

MOST = 24
_LENGTH = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
# Which decisions a measure is about, as (outcome, defective).
_MEASURES: Mapping[str, tuple[str, bool]] = {
    "escape rate": ("PASS", True),
    "miss rate": ("PASS", True),
    "recall": ("PASS", True),
    "false reject rate": ("FAIL", False),
    "precision": ("stopped", False),
    "f1": ("stopped", False),
    "f2": ("stopped", False),
}


@dataclass(frozen=True)
class Drilled:
    """One picture behind a number.

    Attributes:
        part_id: None for a picture whose part is not asked for.
        said: what the model said and, where somebody has looked, what they said.
    """

    image_id: int
    part_id: int | None
    site: str
    at: datetime
    said: str


@dataclass(frozen=True)
class Behind:
    """What lies behind a row.

    Attributes:
        hidden: parts left out because this person is to look at them first without knowing more.
        sql: the query.
    """

    pictures: Sequence[Drilled]
    hidden: int
    sql: str


def behind(reader: "Reader", store: "Store", answer: Answer, row: Row, most: int = MOST) -> Behind:
    """The pictures of one row, the newest first."""
    from data.sql import query

    name, more = _query(answer, row)
    places = store.facts.places()
    blank = dict.fromkeys(("key", "outcome", "audited", "defective", "found", "classes", "confidence"))
    start, end = _time(answer, row)
    values = {**answer.values, **blank, **more, "from": start, "to": end, "most": most}
    if answer.asked.by in ("class", "parent") and answer.chart.name != "defects":
        values["classes"] = _members(places.classes, str(row["group"]), answer.asked.by)
    elif "key" in row:
        values["key"] = row["key"]
    with reader.asking(store.facts, answer.asked.site_ids(places)) as question:
        found = question.ask(name, values)
    hidden = _to_look_at_first(store, found)
    shown = [
        Drilled(one["image_id"], one["part_id"], places.sites[one["site_id"]][0], one["local_at"], _said(one))
        for one in found
        if one["image_id"] is not None and one["part_id"] not in hidden
    ]
    return Behind(shown, len(hidden), query(name).text)


def _query(answer: Answer, row: Row) -> tuple[str, dict[str, Any]]:
    name = answer.chart.name
    if name == "overrides":
        return "drill_overrides", {"model_said": row["model_said"], "inspector_said": row["inspector_said"]}
    if name in ("latency", "confidence"):
        return "drill_pictures", {"confidence": row.get("confidence")}
    if name == "rates":
        outcome, defective = _MEASURES[row["measure"]]
        return "drill_decided", {"outcome": outcome, "defective": defective, "audited": True}
    if name == "defects":
        return "drill_decided", {"found": True, "line": row["line_id"], "classes": row["classes"]}
    return "drill_decided", {"outcome": "HOLD" if name in ("held", "backlog") else None}


def _time(answer: Answer, row: Row) -> tuple[datetime, datetime]:
    """Of the row's own bucket, within what was asked for."""
    bucket = row.get("bucket", row.get("week"))
    if bucket is None:
        return answer.asked.since, answer.asked.until
    start = started(bucket)
    end = start + _LENGTH[answer.asked.grain]
    return max(start, answer.asked.since), min(end, answer.asked.until)


def _members(classes: Mapping[tuple[int, str], str], group: str, by: str) -> list[str]:
    if by == "class":
        return [group]
    return sorted({class_id for (_, class_id), top in classes.items() if top == group} | {group})


def _said(row: Mapping[str, Any]) -> str:
    model, inspector = row["model_said"], row["inspector_said"]
    score = "" if row["score"] is None else f"score {row['score']:.2f}"
    words = [f"model: {model}" if model else "", f"inspector: {inspector}" if inspector else "", score]
    return " · ".join(word for word in words if word)


def _to_look_at_first(store: "Store", rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Parts that wait for an answer that this person has to give, or may give, before knowing what the model said."""
    if store.actor.system or not allowed(store.people.me().role, Action.REVIEW):
        return set()
    asks = {
        site.name: site.blind or any(policy.audits for policy in store.policies.all_in_force(site.name))
        for site in store.sites.all()
    }
    names = {number: name for number, (name, _, _) in store.facts.places().sites.items()}
    there = {row["part_id"] for row in rows if row["part_id"] is not None and asks[names[row["site_id"]]]}
    return store.queue.first_looks_due(there) if there else set()
