"""Rows of complaints as plain facts, and what is written for them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from core.roles import Action, allowed
from core.words.complaints.notices import ComplaintNotice, Draft, Message, NoticeState
from core.words.complaints.records import (
    Act,
    ActKind,
    ActState,
    Complaint,
    ComplaintKind,
    ComplaintState,
    Field,
    Passage,
    Passed,
    Reading,
    Sight,
    Told,
)
from data.store.base import Rights
from data.tables import complaint_sights, complaints, sites

COMPLAINT = (
    sa.select(
        complaints,
        sites.c.name.label("site"),
        *(complaint_sights.c[name].label(f"sight_{name}") for name in (
            "sight", "passed", "passed_by", "passed_at", "model", "policy", "decision_id", "delay_days", "by", "note",
        )),
    )
    .join(sites, sites.c.id == complaints.c.site_id)
    .outerjoin(complaint_sights, complaint_sights.c.id == complaints.c.sight_id)
)  # fmt: skip
ESCAPE = (complaint_sights.c.sight == str(Sight.VISIBLE)) & complaint_sights.c.passed.in_(
    (str(Passed.MODEL), str(Passed.INSPECTOR))
)


def complaint_of(row: Any, rights: Rights) -> Complaint:
    """A row of COMPLAINT; whose answer let a part go is told to whoever sets policies, and to that person alone."""
    told = Told(
        row.reference, row.told_on, row.text, ComplaintKind(row.kind), row.order_name, row.item, row.part_name,
        row.tracking, row.seller, row.batch, row.shipped_on,
    )  # fmt: skip
    passage = None
    if row.sight_passed is not None:
        named = rights.role is None or allowed(rights.role, Action.POLICY) or row.sight_passed_by == rights.actor.name
        passage = Passage(
            Passed(row.sight_passed), row.sight_model, row.sight_policy, row.sight_passed_by if named else "",
            row.sight_passed_at, row.sight_decision_id,
        )  # fmt: skip
    return Complaint(
        id=row.id,
        site=row.site,
        told=told,
        covered=dict(row.covered),
        reading=reading_of(row.reading),
        state=ComplaintState(row.state),
        part_id=row.part_id,
        linked_how=row.linked_how,
        link_why=row.link_why,
        candidates=tuple(row.candidates),
        source=row.source,
        by=row.by,
        entered_at=row.entered_at,
        sight=None if row.sight_sight is None else Sight(row.sight_sight),
        passage=passage,
        delay_days=row.sight_delay_days,
        answered_by=row.sight_by or "",
        note=row.sight_note or "",
    )


def told_values(told: Told) -> dict[str, Any]:
    """The columns of what was told."""
    return {
        "reference": told.reference, "kind": str(told.kind), "told_on": told.told_on, "shipped_on": told.shipped_on,
        "text": told.text, "order_name": told.order, "item": told.item, "part_name": told.part,
        "tracking": told.tracking, "seller": told.seller, "batch": told.batch,
    }  # fmt: skip


def reading_document(reading: Reading) -> dict[str, Any]:
    """What was understood, as JSON."""
    return {
        "intents": list(reading.intents), "sure": reading.sure, "class": reading.class_id, "model": reading.model,
        "confirm": reading.confirm, "out_of_scope": reading.out_of_scope,
        "fields": {name: [one.value, one.sure, one.by] for name, one in reading.fields.items()},
    }  # fmt: skip


def reading_of(document: Mapping[str, Any]) -> Reading:
    """The opposite."""
    return Reading(
        tuple(document.get("intents", ())),
        document.get("sure"),
        {name: Field(value, sure, by) for name, (value, sure, by) in document.get("fields", {}).items()},
        document.get("class"),
        document.get("model", ""),
        document.get("confirm", True),
        document.get("out_of_scope", False),
    )


def act_of(row: Any) -> Act:
    """A row of complaint_acts."""
    return Act(row.id, row.complaint_id, ActKind(row.kind), ActState(row.state), row.why, row.by, row.note,
               row.decided_at)  # fmt: skip


def notice_of(row: Any) -> ComplaintNotice:
    """A row of complaint_notices with its site's name."""
    return ComplaintNotice(
        row.id, row.site, Draft(row.about, row.name, row.title, row.body, row.evidence), NoticeState(row.state),
        row.drafted_by, row.drafted_at, row.decided_by, row.decided_at, row.reason,
    )  # fmt: skip


def message_of(row: Any) -> Message:
    """A row of complaint_messages with the title and text of its notice."""
    return Message(row.id, row.notice_id, row.channel, row.state, row.title, row.body, row.attempts, row.error,
                   row.created_at, row.next_at, row.sent_at)  # fmt: skip


def delay_of(shipped_on: date | None, told_on: date, left_at: datetime | None) -> int | None:
    """Days from leaving to telling; None where nobody knows when it left, or it left after it was told of."""
    left = shipped_on or (None if left_at is None else left_at.date())
    return None if left is None or left > told_on else (told_on - left).days
