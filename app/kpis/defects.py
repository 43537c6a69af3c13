"""Which defects are found on which line, what stands out there, and where to look first."""

from collections import defaultdict

from app.kpis.charts import Chart, Counted, Seen
from app.kpis.groups import label
from core.kpis.standing_out import hint, standing_out


def _count(seen: Seen) -> Counted:
    parts = {row["line_id"]: row["parts"] for row in seen.ask("line_parts")}
    sites = {row["line_id"]: row["site_id"] for row in seen.ask("line_parts")}
    counts: dict[tuple[int, str], int] = defaultdict(int)
    members: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in seen.ask("defects"):
        name = row["class"]
        if seen.asked.by == "parent":
            name = seen.places.classes.get((row["site_id"], name), name)
        if row["line_id"] in parts and seen.asked.class_id in (None, name):
            counts[row["line_id"], name] += row["parts"]
            members[row["line_id"], name].add(row["class"])
    rows, hints = [], []
    for one in standing_out(counts, parts, sites):
        line = label("line", str(one.line), seen.places)
        rows.append({
            "line": line, "line_id": one.line, "classes": sorted(members[one.line, one.class_id]),
            "class": one.class_id, "parts": one.count, "share": one.share, "low": one.within.low,
            "high": one.within.high, "n": one.parts, "elsewhere": one.elsewhere, "p_adjusted": one.p_adjusted,
            "stands_out": one.stands_out, "hint": hint(one.class_id) if one.stands_out else "",
        })  # fmt: skip
        if one.stands_out:
            hints.append(f"{one.class_id} rate high on line {line}: {hint(one.class_id)}")
    return Counted(rows, {"hints": hints})


CHARTS = (
    Chart(
        "defects", "Defects by line", ("defects", "line_parts"), _count,
        ("line", "class", "parts", "share", "low", "high", "n", "elsewhere", "p_adjusted", "stands_out", "hint"),
        ("week",), ("class", "parent"),
    ),
)  # fmt: skip
