"""Decisions written where their evidence lies: in the transaction that reads policy, pause and pictures."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.decision import Decided, PartEvidence, PartPicture, SiteRules, decide_strictly, supersede
from core.decide.novel import beyond
from core.decide.policy import Policy, chosen
from core.decide.score_map import ScoreMap, read_map
from core.decide.urgency import rank
from core.errors import BadInput
from core.plant import PartState, PartType, why_stopped
from core.records import Decision, ImageState, Outcome, Prediction, Region, TaskKind, Verdict
from data.store.desk.gold_draw import drawn_gold
from data.store.desk.labelling import standing_rows
from data.store.engine.database import Database
from data.store.line.part_types import part_types_by_id
from data.store.line.print_checking import prints_checked
from data.store.rows import chunks, decision_of, insert_many, quality_of, region_of
from data.store.rules.in_force import policies_in_force
from data.store.science.novel import all_compared, note_novel
from data.store.trail.audit import entry, record
from data.tables import IS_OPEN, decisions, images, lines, outbox, parts, predictions, regions, tasks

_PICTURE = sa.select(
    images.c.id,
    images.c.part_id,
    images.c.state,
    images.c.state_note,
    images.c.view,
    images.c.quality,
    images.c.same_as,
    images.c.error,
    predictions.c.id.label("prediction_id"),
    predictions.c.model,
    predictions.c.score,
    predictions.c.class_scores,
    predictions.c.novelty,
).outerjoin(predictions, predictions.c.image_id == images.c.id)


def decide_parts(
    database: Database,
    connection: Connection,
    site: Any,
    part_ids: Collection[int],
    by: str,
    now: datetime,
    timed_out: bool = False,
    complete_only: bool = False,
) -> list[Decision]:
    """Decide parts of one site and write decision, task, outbox event and audit event of each.

    Args:
        database: whose chance picks the audited parts.
        connection: of the transaction, with the site's row locked.
        site: a row of `sites`.
        part_ids: of that site.
        by: who acts.
        now: aware UTC.
        timed_out: the clock closes them, not their last picture.
        complete_only: leave parts that still wait for views undecided.
    """
    in_force = policies_in_force(connection, site.id, site.name)
    types = part_types_by_id(connection, site.id)
    rows = _locked_parts(connection, part_ids)
    kinds = {row.id: types[row.part_type_id].name if row.part_type_id in types else None for row in rows}
    found = evidence(connection, rows, types, timed_out, _reports(in_force), reading_of(site)[0])
    found = all_compared(connection, site, found, kinds)
    found = prints_checked(connection, site, found, kinds, now)
    ready = [
        row for row in rows
        if row.state == PartState.DECIDED or not complete_only or _nothing_waits(row, found[row.id], now)
    ]  # fmt: skip
    if not ready:
        return []
    ids = [row.id for row in ready]
    before = last_decisions(connection, ids)
    released = _released(connection, before)
    rules = _rules(connection, site, ready, types, in_force, now, found)
    new: list[tuple[dict[str, Any], Decided, float | None]] = []
    novel: dict[int, float] = {}
    for row in ready:
        decided, used = decide_strictly(found[row.id], rules[row.id])
        policy = used.policy
        previous = before.get(row.id)
        if previous is not None and row.id not in released:
            decided = supersede(previous.outcome, decided)
        share = 0.0 if policy is None else policy.audit_share(decided.outcome, decided.score)
        novelty = max((one.prediction.novelty or 0.0 for one in found[row.id].pictures if one.prediction), default=None)
        far = beyond((one.prediction for one in found[row.id].pictures), policy)
        if far is not None and decided.outcome is Outcome.HOLD:
            novel[row.id] = far
        values = {
            "part_id": row.id,
            "number": 1 if previous is None else previous.number + 1,
            "outcome": str(decided.outcome),
            "reasons": [[reason.code, reason.text] for reason in decided.reasons],
            "route": str(decided.route),
            "score": decided.score,
            "class_scores": dict(decided.class_scores),
            "leaning": None if decided.leaning is None else str(decided.leaning),
            "policy": None if policy is None else policy.number,
            "model": _model(found[row.id]),
            "audit_share": share,
            "audited": share > 0 and database.draw() < share,
            "decided_at": now,
        }
        new.append((values, decided, novelty))
    numbers = insert_many(connection, decisions, [values for values, _, _ in new])
    written = [(number, *rest) for number, rest in zip(numbers, new, strict=True)]
    for some in chunks(ids):
        connection.execute(
            sa.update(parts).where(parts.c.id.in_(some)).values(state=str(PartState.DECIDED), due_at=None)
        )
    opened = _open_tasks(connection, site.id, written, now)
    held = {values["part_id"]: number for number, values, _, _ in written if values["part_id"] in novel}
    note_novel(connection, site, {one: (held[one], novel[one], kinds[one]) for one in held}, now)
    for gold in drawn_gold(database, connection, site, opened):
        values = task_values(site.id, gold.part_id, TaskKind.GOLD, gold.decision_id, gold.risk, gold.novelty, now)
        connection.execute(sa.insert(tasks).values(values))
    connection.execute(sa.insert(outbox), [_event(site, number, values, now) for number, values, _, _ in written])
    record(connection, (_trace(site, values, before.get(values["part_id"]), by, now) for _, values, _, _ in written))
    return [
        Decision(
            number, values["part_id"], values["number"], decided.outcome, decided.reasons, decided.route, decided.score,
            decided.class_scores, values["policy"], values["model"], now,
        )
        for number, values, decided, _ in written
    ]  # fmt: skip


def _rules(
    connection: Connection, site: Any, rows: Iterable[Any], types: dict[int, PartType], in_force: Sequence[Policy],
    now: datetime, found: Mapping[int, PartEvidence],
) -> dict[int, list[SiteRules]]:  # fmt: skip
    """What is in force for each part, by its id; several where its pictures come from several lines.

    A calibration is that of the model in use: what another one has said, such as the one before a promotion, is none.
    """
    stopped = why_stopped(site.paused, site.calibrated_until, now)
    _, sound = reading_of(site)
    local = now.astimezone(ZoneInfo(site.timezone))
    of_lines = lines_of(connection, [row.id for row in rows]) if any(one.line for one in in_force) else {}
    made: dict[tuple[int | None, bool], SiteRules] = {}
    rules = {}
    for row in rows:
        said = {one.prediction.model for one in found[row.id].pictures if one.prediction is not None}
        calibrated = bool(site.calibrated) and sound and (site.model is None or said <= {site.model})
        kind = types[row.part_type_id].name if row.part_type_id in types else None
        mine: dict[int | None, SiteRules] = {}
        for line in of_lines.get(row.id, (None,)):
            policy = chosen(in_force, line, kind)
            number = None if policy is None else policy.number
            if (number, calibrated) not in made:
                staffed = policy is None or policy.attendance is None or policy.attendance.at_desk(local)
                made[number, calibrated] = SiteRules(policy, calibrated, stopped, staffed)
            mine[number] = made[number, calibrated]
        rules[row.id] = list(mine.values())
    return rules


def lines_of(connection: Connection, part_ids: Iterable[int]) -> dict[int, list[str | None]]:
    """The lines that each part's pictures come from; None among them where a picture does not say."""
    found: dict[int, list[str | None]] = defaultdict(list)
    for some in chunks(part_ids):
        query = (
            sa.select(images.c.part_id, lines.c.name)
            .outerjoin(lines, lines.c.id == images.c.line_id)
            .where(images.c.part_id.in_(some))
            .group_by(images.c.part_id, lines.c.name)
            .order_by(images.c.part_id, lines.c.name)
        )
        for row in connection.execute(query):
            found[row.part_id].append(row.name)
    return found


def reading_of(site: Any) -> tuple[ScoreMap | None, bool]:
    """How the site reads scores now, and whether that can be understood; where it cannot, nothing is calibrated."""
    try:
        return read_map(site.score_map, site.model), True
    except BadInput:
        return None, False


def _reports(in_force: Iterable[Policy]) -> bool:
    """Whether a decision has to say which regions there are."""
    return any(rule.report_above is not None for one in in_force for rule in one.classes.values())


def evidence(
    connection: Connection,
    rows: Iterable[Any],
    types: dict[int, PartType],
    timed_out: bool,
    boxes: bool = False,
    reading: ScoreMap | None = None,
) -> dict[int, PartEvidence]:
    """Everything the parts are decided on, by part id.

    Args:
        connection: of the transaction.
        rows: of `parts`.
        types: part types by their number.
        timed_out: the clock closes the parts.
        boxes: read the models' regions, too.
        reading: of scores at the site; None takes them as they are.
    """
    wanted = {row.id: row for row in rows}
    pictures: dict[int, dict[int, PartPicture]] = defaultdict(dict)
    for some in chunks(wanted):
        query = _PICTURE.where(images.c.part_id.in_(some)).order_by(images.c.id, predictions.c.id)
        read = connection.execute(query).all()
        drawn = _drawn(
            connection, [row.prediction_id for row in read if row.prediction_id is not None] if boxes else []
        )
        for row in read:  # the newest prediction of an image comes last and stays
            pictures[row.part_id][row.id] = _picture(row, drawn.get(row.prediction_id, ()), reading)
    found = {}
    for part_id, row in wanted.items():
        kind = types.get(row.part_type_id) if row.part_type_id is not None else None
        expected, exposures = (None, False) if kind is None else (kind.expected_views, kind.exposures)
        found[part_id] = PartEvidence(tuple(pictures[part_id].values()), expected, timed_out, exposures)
    return found


def complete(found: PartEvidence) -> bool:
    """Whether the part has every picture it waits for."""
    expected = found.expected_views
    if expected is None:
        return True
    if isinstance(expected, int):
        return len(found.pictures) >= expected
    return set(expected) <= {picture.view for picture in found.pictures}


def _nothing_waits(row: Any, found: PartEvidence, now: datetime) -> bool:
    """Where views are expected, they are there; else the time for more pictures, if there is one, is over."""
    return complete(found) and (found.expected_views is not None or row.due_at is None or row.due_at <= now)


def last_decisions(connection: Connection, part_ids: Iterable[int]) -> dict[int, Decision]:
    """The decision in force of each part that has one."""
    found: dict[int, Decision] = {}
    for some in chunks(part_ids):
        query = (
            sa.select(decisions).where(decisions.c.part_id.in_(some)).order_by(decisions.c.part_id, decisions.c.number)
        )
        found.update((row.part_id, decision_of(row)) for row in connection.execute(query))
    return found


def _locked_parts(connection: Connection, part_ids: Collection[int]) -> list[Any]:
    rows: list[Any] = []
    for some in chunks(sorted(set(part_ids))):
        query = sa.select(parts).where(parts.c.id.in_(some)).order_by(parts.c.id).with_for_update()
        rows.extend(connection.execute(query))
    return rows


def _drawn(connection: Connection, prediction_ids: Iterable[int]) -> dict[int, tuple[Region, ...]]:
    found: dict[int, list[Region]] = defaultdict(list)
    for some in chunks(prediction_ids):
        query = sa.select(regions).where(regions.c.prediction_id.in_(some)).order_by(regions.c.id)
        for row in connection.execute(query):
            found[row.prediction_id].append(region_of(row))
    return {number: tuple(boxes) for number, boxes in found.items()}


def _picture(row: Any, drawn: tuple[Region, ...], reading: ScoreMap | None) -> PartPicture:
    prediction = None
    if row.prediction_id is not None:
        prediction = Prediction(row.model, row.score, row.class_scores, drawn, novelty=row.novelty)
        if reading is not None and row.score is not None:
            prediction = reading.applied(prediction)
    return PartPicture(
        row.id,
        ImageState(row.state),
        row.state_note,
        row.view,
        quality_of(row.quality),
        prediction,
        row.same_as,
        row.error,
    )


def _released(connection: Connection, before: dict[int, Decision]) -> set[int]:
    """Parts whose decision in force a person has since answered with PASS, so that a looser one may follow."""
    last: dict[int, Any] = {}
    for row in standing_rows(connection, before):
        if (
            row.task_id is not None
            and row.task_kind != TaskKind.GOLD
            and row.reviewed_at >= before[row.part_id].decided_at
        ):
            last[row.part_id] = row
    return {part_id for part_id, row in last.items() if row.verdict == Verdict.PASS}


def _model(found: PartEvidence) -> str | None:
    models = sorted({picture.prediction.model for picture in found.pictures if picture.prediction is not None})
    return ", ".join(models) or None


def _open_tasks(
    connection: Connection,
    site_id: int,
    written: Iterable[tuple[int, dict[str, Any], Decided, float | None]],
    now: datetime,
) -> int:
    """A held or audited part gets a task, or its open task learns of the new decision; how many are new."""
    wanted = {values["part_id"]: (number, values, decided, novelty) for number, values, decided, novelty in written}
    open_tasks: dict[int, dict[str, Any]] = defaultdict(dict)
    for some in chunks(wanted):
        query = sa.select(tasks).where(tasks.c.part_id.in_(some), IS_OPEN).with_for_update()
        for row in connection.execute(query):
            open_tasks[row.part_id][row.kind] = row
    fresh = []
    for part_id, (number, values, decided, novelty) in wanted.items():
        mine = open_tasks[part_id]
        for row in mine.values():
            change = {
                "decision_id": number,
                "risk": decided.score,
                "novelty": novelty,
                "rank": rank(decided.score, novelty, row.created_at),
            }
            connection.execute(sa.update(tasks).where(tasks.c.id == row.id).values(change))
        kind = None
        if decided.outcome is Outcome.HOLD:
            kind = TaskKind.TRIAGE
        elif values["audited"]:
            kind = TaskKind.AUDIT
        if kind is not None and kind not in mine and TaskKind.SECOND_LOOK not in mine:
            fresh.append(task_values(site_id, part_id, kind, number, decided.score, novelty, now))
    if fresh:
        connection.execute(sa.insert(tasks), fresh)
    return len(fresh)


def task_values(
    site_id: int, part_id: int, kind: TaskKind, decision_id: int | None, risk: float | None, novelty: float | None,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """A new row of `tasks`, in nobody's hands."""
    return {
        "site_id": site_id,
        "part_id": part_id,
        "kind": str(kind),
        "state": "open",
        "decision_id": decision_id,
        "risk": risk,
        "novelty": novelty,
        "rank": rank(risk, novelty, now),
        "revision": 0,
        "fence": 0,
        "leased_by": None,
        "leased_until": None,
        "leased_at": None,
        "ahead": False,
        "created_at": now,
        "closed_by": None,
        "closed_at": None,
    }


def _event(site: Any, number: int, values: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "topic": "route",
        "site_id": site.id,
        "part_id": values["part_id"],
        "payload": {
            "decision": number,
            "number": values["number"],
            "outcome": values["outcome"],
            "route": values["route"],
            "policy": values["policy"],
        },
        "created_at": now,
        "sent_at": None,
    }


def _trace(site: Any, values: dict[str, Any], before: Decision | None, by: str, now: datetime) -> dict[str, Any]:
    return entry(
        now,
        by,
        "decided",
        f"part {values['part_id']}",
        site_id=site.id,
        old=None if before is None else {"number": before.number, "outcome": str(before.outcome)},
        new={"number": values["number"], "outcome": values["outcome"], "score": values["score"]},
        reason="; ".join(text for _, text in values["reasons"]),
        model=values["model"],
        policy=values["policy"],
    )
