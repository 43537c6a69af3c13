"""A person's word on a complaint's pictures, and what follows from it in the same transaction."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.labels import IMPORT
from core.records import Outcome, TaskKind, Verdict
from core.words.complaints.passing import Answered, Decided, passage
from core.words.complaints.records import Passage, Passed, Sight
from data.store.desk.labelling import standing_rows
from data.store.desk.queue import open_task
from data.store.line.parts import part_row
from data.store.rules.reported import standing_reports
from data.store.trail.audit import entry, record
from data.store.words.complaint_rows import ESCAPE, delay_of
from data.tables import IS_OPEN, complaint_sights, complaints, decisions, escape_reports, tasks

# What somebody answered for the line's sake; a label for training comes after the fact, and gold tells of the person.
FOR_THE_LINE = (TaskKind.TRIAGE, TaskKind.AUDIT, TaskKind.SECOND_LOOK)
SOURCE = "complaint"


def passage_of(connection: Connection, part_id: int, row: Any) -> Passage:
    """How a complaint's part got out, from what is on record."""
    left = row.shipped_on or row.told_on
    query = sa.select(decisions).where(decisions.c.part_id == part_id).order_by(decisions.c.number)
    decided = [
        Decided(one.id, Outcome(one.outcome), one.decided_at, one.model, one.policy)
        for one in connection.execute(query)
    ]
    answered = [
        Answered(Verdict(one.verdict), one.by, one.reviewed_at)
        for one in standing_rows(connection, [part_id])
        if one.task_kind in FOR_THE_LINE and not one.by.startswith(IMPORT)
    ]
    return passage(decided, answered, left)


def keep_sight(connection: Connection, row: Any, sight: Sight | None, note: str, by: str, now: datetime) -> int | None:
    """Write the word down; None takes back what an earlier one led to, because it was about another part.

    Args:
        connection: of the transaction, in which the site's reports and tasks are nobody else's.
        row: of the complaint.
        sight: the word.
        note: kept with it.
        by: who says so.
        now: aware UTC.

    Returns:
        The number of the new row.
    """
    found = Passage(Passed.UNKNOWN) if sight is None else passage_of(connection, row.part_id, row)
    escape = sight is Sight.VISIBLE and found.how in (Passed.MODEL, Passed.INSPECTOR)
    part = part_row(connection, row.part_id)
    if not escape:
        _take_back(connection, row, part, by, now)
    if sight is None:
        return None
    delay = delay_of(row.shipped_on, row.told_on, found.at)
    report_id = _report(connection, row, part, by, now) if escape else None
    task_id = _label(connection, row, part, by, now) if sight is Sight.VISIBLE else None
    values = {
        "complaint_id": row.id, "part_id": row.part_id, "sight": str(sight), "passed": str(found.how),
        "passed_by": found.inspector, "passed_at": found.at, "model": found.model, "policy": found.policy,
        "decision_id": found.decision_id, "delay_days": delay, "report_id": report_id, "task_id": task_id,
        "note": note, "by": by, "said_at": now,
    }  # fmt: skip
    number = connection.execute(sa.insert(complaint_sights).values(values).returning(complaint_sights.c.id))
    record(connection, entry(
        now, by, "complaint answered", f"complaint {row.id}", site_id=row.site_id,
        old=None if row.sight_sight is None else {"sight": row.sight_sight},
        new={"sight": str(sight), "passed": str(found.how), "part": row.part_id, "delay_days": delay,
             "escape": escape, "report": report_id, "task": task_id},
        reason=note, model=found.model, policy=found.policy,
    ))  # fmt: skip
    return int(number.scalar_one())


def _label(connection: Connection, row: Any, part: Any, by: str, now: datetime) -> int:
    """The part's open task to be labelled; one is enough."""
    there = connection.scalar(
        sa.select(tasks.c.id).where(tasks.c.part_id == part.id, tasks.c.kind == str(TaskKind.LABEL), IS_OPEN).limit(1)
    )
    if there is not None:
        return int(there)
    task_id = open_task(connection, part, TaskKind.LABEL, now)
    record(connection, entry(now, by, "sent to labelling", f"part {part.id}", site_id=row.site_id,
                             new={"task": task_id}, reason=f"complaint {row.reference}: it was visible"))  # fmt: skip
    return task_id


def _report(connection: Connection, row: Any, part: Any, by: str, now: datetime) -> int | None:
    """The escape report; a part that is reported already escaped once only."""
    mine = standing_reports().where(escape_reports.c.site_id == row.site_id)
    own = f"{SOURCE} {row.reference}"
    there = connection.execute(
        mine.where(sa.or_(escape_reports.c.reference == own, escape_reports.c.part == part.name)).limit(1)
    ).one_or_none()
    if there is not None:
        return int(there.id) if there.reference == own else None
    values = {
        "site_id": row.site_id, "reported_on": row.told_on, "shipped_on": row.shipped_on, "parts": 1,
        "reference": own, "customer": "", "part": part.name, "class_id": row.reading.get("class"), "note": "",
        "source": SOURCE, "takes_back": None, "by": by, "entered_at": now,
    }  # fmt: skip
    made = connection.execute(sa.insert(escape_reports).values(values).returning(escape_reports.c.id))
    number = int(made.scalar_one())
    record(connection, entry(now, by, "escape reported", f"report {number}", site_id=row.site_id,
                             new={"reported_on": row.told_on.isoformat(), "parts": 1, "reference": own,
                                  "source": SOURCE}))  # fmt: skip
    return number


def _take_back(connection: Connection, row: Any, part: Any, by: str, now: datetime) -> None:
    """The part's report, unless another complaint about the same part stands for it."""
    other = connection.scalar(
        sa.select(complaints.c.id)
        .join(complaint_sights, complaint_sights.c.id == complaints.c.sight_id)
        .where(complaints.c.part_id == part.id, complaints.c.id != row.id, ESCAPE)
        .limit(1)
    )
    mine = standing_reports().where(escape_reports.c.site_id == row.site_id, escape_reports.c.source == SOURCE)
    report = connection.execute(mine.where(escape_reports.c.part == part.name).limit(1)).one_or_none()
    if other is not None or report is None:
        return
    why = f"complaint {row.reference} was answered otherwise"
    values = {
        "site_id": report.site_id, "reported_on": report.reported_on, "shipped_on": report.shipped_on,
        "parts": report.parts, "source": "taken back", "note": why, "takes_back": report.id, "by": by,
        "entered_at": now, "customer": "", "part": "",
    }  # fmt: skip
    connection.execute(sa.insert(escape_reports).values(values))
    record(connection, entry(now, by, "escape report taken back", f"report {report.id}", site_id=report.site_id,
                             old={"parts": report.parts}, reason=why))  # fmt: skip
