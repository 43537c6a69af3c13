"""A plant of some hundred parts with everything analytics count, written straight into the tables of either database.

The rows are the same on SQLite and PostgreSQL, so the answers have to be.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.kpis.baseline import Baseline
from core.kpis.escapes import Escape
from core.records import Severity
from core.roles import Role
from core.taxonomy import DefectClass, Taxonomy
from data import tables as t
from data.store import Store
from data.store.line.deciding import task_values

START = datetime(2026, 1, 5, 6, tzinfo=UTC)  # a Monday
DAYS = 100
NOW = START + timedelta(days=DAYS)
PASSWORD = "seven green tractors hum"
CLASSES = Taxonomy(
    "test",
    "1",
    (
        DefectClass("SCRATCH", severities=tuple(Severity), parent="SURFACE"),
        DefectClass("PIT", aliases=("hole",), severities=tuple(Severity), parent="SURFACE"),
        DefectClass("BURR", severities=tuple(Severity)),
    ),
)
NAMES = ("SCRATCH", "PIT", "BURR")
PLACES = (("Lyon", "A", "cam 1"), ("Lyon", "A", "cam 2"), ("Lyon", "B", "cam 3"), ("Oslo", "A", "cam 1"))


def fill(store: Store, parts: int = 400, seed: int = 5) -> None:
    """Two sites in two time zones, three lines, a policy each, parts over 100 days and what became of them."""
    store.sites.add("Lyon", CLASSES, "Europe/Paris", now=START)
    store.sites.add("Oslo", CLASSES, "Asia/Kolkata", now=START)  # half an hour off the others' hours
    for name, role, sites in (
        ("Ines", Role.INSPECTOR, ("Lyon",)), ("Tomas", Role.INSPECTOR, None), ("Vera", Role.VIEWER, ("Oslo",)),
        ("Quentin", Role.QA_LEAD, None),
    ):  # fmt: skip
        store.people.add(name, PASSWORD, role, sites, now=START)
    with store.database.transaction() as connection:
        _rows(connection, parts, np.random.default_rng(seed))
        if not store.database.is_sqlite:  # ids were given by hand
            for table in (t.lines, t.cameras, t.part_types, t.parts, t.images, t.predictions, t.decisions, t.tasks,
                          t.reviews, t.regions):  # fmt: skip
                last = connection.scalar(sa.select(sa.func.max(table.c.id)))
                connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {last})"))
    for site, first in (("Lyon", 20), ("Oslo", 40)):  # what customers have told
        told = [Escape((START + timedelta(days=first + 7 * k)).date(), 1 + k, f"{site}-{k}",
                       shipped_on=(START + timedelta(days=first)).date()) for k in range(5)]  # fmt: skip
        store.reported.report(site, told, "file reports.csv", NOW)
    store.reported.set_baseline("Lyon", Baseline(parts_per_shift=30), "from the shift books", now=START)


def _rows(connection: Connection, parts: int, rng: np.random.Generator) -> None:
    site_ids = {row.name: row.id for row in connection.execute(sa.select(t.sites.c.id, t.sites.c.name))}
    lines = {("Lyon", "A"): 1, ("Lyon", "B"): 2, ("Oslo", "A"): 3}
    connection.execute(
        sa.insert(t.lines), [{"id": n, "site_id": site_ids[s], "name": name} for (s, name), n in lines.items()]
    )
    cameras = {(s, c): n for n, (s, _, c) in enumerate(PLACES, start=1)}
    connection.execute(
        sa.insert(t.cameras), [{"id": n, "site_id": site_ids[s], "name": name} for (s, name), n in cameras.items()]
    )
    kinds = {"Lyon": 1, "Oslo": 2}
    connection.execute(
        sa.insert(t.part_types),
        [
            {"id": n, "site_id": site_ids[s], "name": "shaft", "scale": 1.0, "tile": 256, "stride": 128,
             "whole_picture": False, "views": [], "pictures": None, "time_out_s": 30.0, "flips": True,
             "exposures": False}
            for s, n in kinds.items()
        ],
    )  # fmt: skip
    made: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("parts", "images", "predictions", "decisions", "tasks", "reviews", "regions")
    }
    for number in range(1, parts + 1):
        _part(made, number, parts, site_ids, lines, cameras, kinds, rng)
    for name, rows in made.items():
        if rows:
            connection.execute(sa.insert(getattr(t, name)), rows)


def _part(
    made: dict[str, list[dict[str, Any]]],
    number: int,
    parts: int,
    site_ids: dict[str, int],
    lines: dict[tuple[str, str], int],
    cameras: dict[tuple[str, str], int],
    kinds: dict[str, int],
    rng: np.random.Generator,
) -> None:
    site, line, camera = PLACES[int(rng.integers(len(PLACES)))]
    at = START + timedelta(days=DAYS * number / (parts + 1), seconds=float(rng.integers(3600)))
    week = int((at - START).days // 7)
    defective = rng.random() < 0.25
    score = float(np.round(np.clip(rng.normal(0.75 if defective else 0.25, 0.2), 0.001, 0.999), 6))
    weights = (0.2, 0.2, 0.6) if (site, line) == ("Lyon", "B") else (0.5, 0.4, 0.1)
    truth = NAMES[int(rng.choice(3, p=weights))]
    said = truth if rng.random() < max(0.3, 0.9 - 0.04 * week) else "PIT"
    outcome = "PASS" if score < 0.3 else "FAIL" if score > 0.8 else "HOLD"
    share = {"PASS": 0.4, "FAIL": 0.5, "HOLD": 0.0}[outcome]
    if outcome == "PASS" and line == "B":
        share = 0.2
    audited = bool(rng.random() < share)
    scores = {name: 0.8 if name == said else 0.1 for name in NAMES}
    common = {"site_id": site_ids[site]}
    made["parts"].append(common | {
        "id": number, "name": f"P-{number}", "order_id": None, "part_type_id": kinds[site], "state": "decided",
        "first_at": at, "last_at": at, "due_at": None,
    })  # fmt: skip
    made["images"].append(common | {
        "id": number, "part_id": number, "source": f"in/{number}.png", "path": f"/plant/{number}.png",
        "sha256": f"{number:064x}", "width": 640, "height": 480, "state": "ok", "state_note": "",
        "line_id": lines[site, line], "camera_id": cameras[site, camera], "part_type_id": kinds[site],
        "arrived_at": at,
    })  # fmt: skip
    milliseconds = float(np.round(rng.lognormal(3.5, 0.5), 3))
    made["predictions"].append({
        "id": number, "image_id": number, "model": "net-1" if week < 8 else "net-2", "score": score,
        "class_scores": scores, "novelty": None, "milliseconds": milliseconds,
        "predicted_at": at + timedelta(seconds=1),
    })  # fmt: skip
    decided = at + timedelta(seconds=2)
    made["decisions"].append({
        "id": number, "part_id": number, "number": 1, "outcome": outcome,
        "reasons": [[{"PASS": "pass", "FAIL": "fail", "HOLD": "band"}[outcome], "as it was"]],
        "route": {"PASS": "ship", "FAIL": "rework", "HOLD": "hold"}[outcome], "score": score, "class_scores": scores,
        "leaning": outcome, "policy": 1 if week < 10 else 2, "model": "net-1" if week < 8 else "net-2",
        "audit_share": share, "audited": audited, "decided_at": decided,
    })  # fmt: skip
    if outcome != "HOLD" and not audited:
        return
    task = len(made["tasks"]) + 1
    kind = "triage" if outcome == "HOLD" else "audit"
    answered = rng.random() < 0.9
    row = task_values(site_ids[site], number, kind, number, score, None, decided) | {"id": task}  # type: ignore[arg-type]
    done = decided + timedelta(minutes=float(rng.integers(2, 300)))
    if answered and done < NOW:
        row |= {"state": "done", "closed_by": "Tomas", "closed_at": done, "revision": 1}
    made["tasks"].append(row)
    if not answered or done >= NOW:
        return
    seconds = float(np.round(rng.lognormal(2.2, 0.4), 1))
    verdict = "FAIL" if defective else "PASS"
    if rng.random() < 0.05:
        verdict = "UNSURE"
    first = {
        "site_id": site_ids[site], "part_id": number, "image_id": None, "task_id": task, "task_kind": kind,
        "revision": 1, "undoes": None, "verdict": verdict, "by": "Tomas" if number % 3 else "Ines", "images": [number],
        "classes": [], "sure": 4, "note": "", "reasons": [], "seconds": seconds, "source": {}, "decision_id": number,
        "outcome": outcome, "model": "net-1" if week < 8 else "net-2", "policy": 1 if week < 10 else 2, "taxonomy": 1,
        "act": None, "reviewed_at": done,
    }  # fmt: skip
    slip = rng.random() < 0.06 and verdict != "UNSURE"
    if slip:  # the wrong key first, taken back a little later
        wrong = "PASS" if verdict == "FAIL" else "FAIL"
        one = len(made["reviews"]) + 1
        made["reviews"].append(first | {"id": one, "verdict": wrong})
        made["reviews"].append(first | {"id": one + 1, "verdict": wrong, "undoes": one, "revision": 2, "images": [],
                                        "reviewed_at": done + timedelta(seconds=9)})  # fmt: skip
        first |= {"revision": 3, "reviewed_at": done + timedelta(seconds=20)}
    review = len(made["reviews"]) + 1
    made["reviews"].append(first | {"id": review})
    if verdict == "FAIL":
        name = "hole" if truth == "PIT" and number % 2 else truth
        made["regions"].append({
            "id": len(made["regions"]) + 1, "image_id": number, "prediction_id": None, "review_id": review, "x": 1.0,
            "y": 2.0, "width": 30.0, "height": 20.0, "name": name, "class_id": None if name == "hole" else name,
            "severity": None, "score": None, "mask": None, "key": "r1",
        })  # fmt: skip
