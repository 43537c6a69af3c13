"""Complaints and returns: kept once, linked, gone through by people, and what is done about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.roles import Action
from core.words.complaints.acts import proposals
from core.words.complaints.fields import corrected
from core.words.complaints.linking import Candidate as Candidate
from core.words.complaints.linking import in_time
from core.words.complaints.notices import about_complaint
from core.words.complaints.records import Act, ActKind, ActState, Complaint, ComplaintState, Reading, Sight, Told
from data.store.base import Rights, SubStore, site_row
from data.store.line.parts import part_row
from data.store.rows import chunks, insert_many
from data.store.rules.in_force import taxonomy_in_force
from data.store.trail.audit import entry, record
from data.store.words.complaint_links import links_of
from data.store.words.complaint_notices import draft_notice
from data.store.words.complaint_rows import (
    COMPLAINT,
    ESCAPE,
    act_of,
    complaint_of,
    reading_document,
    told_values,
)
from data.store.words.complaint_sights import keep_sight
from data.tables import complaint_acts, complaint_sights, complaints, images, outbox, parts

MOST_AT_ONCE = 2000
ACT_TOPIC = "corrective act"


class Which(StrEnum):
    """Which complaints are asked for."""

    TO_ANSWER = "to answer"
    TO_CONFIRM = "to confirm"
    NO_PART = "without a part"
    ESCAPES = "escapes"
    ANSWERED = "answered"
    ASIDE = "set aside"
    ALL = "all"


_WHICH: Mapping[Which, list[sa.ColumnElement[bool]]] = {
    Which.TO_ANSWER: [complaints.c.state == "open", complaints.c.part_id.is_not(None)],
    Which.TO_CONFIRM: [complaints.c.state != "set aside", complaints.c.confirm],
    Which.NO_PART: [complaints.c.state == "open", complaints.c.part_id.is_(None)],
    Which.ESCAPES: [ESCAPE],
    Which.ANSWERED: [complaints.c.state == "answered"],
    Which.ASIDE: [complaints.c.state == "set aside"],
    Which.ALL: [],
}


@dataclass(frozen=True)
class Understood:
    """A complaint ready to be kept: its text is covered, and this is what was understood of it.

    Attributes:
        covered: how many stretches of each kind were covered.
    """

    told: Told
    covered: Mapping[str, int]
    reading: Reading


@dataclass(frozen=True)
class Kept:
    """What became of complaints that were given.

    Attributes:
        new: their numbers.
        known: references that the site had already; nothing was written for them.
        linked: of the new ones, those whose part was found; `aside`: those that say nothing complaints are about.
    """

    new: tuple[int, ...]
    known: tuple[str, ...]
    linked: int
    aside: int


class Complaints(SubStore):
    """What was told is never changed; what people say of it is."""

    def known(self, site: str, references: Sequence[str]) -> set[str]:
        """Which of these references the site has already."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return _known(connection, row.id, references)

    def keep(self, site: str, understood: Sequence[Understood], source: str, now: datetime | None = None) -> Kept:
        """Keep complaints; one whose reference the site has is known and not written again.

        Args:
            site: that made the parts.
            understood: 2,000 at most; texts are covered already.
            source: how they came, such as "file returns.csv".
            now: aware UTC.

        Raises:
            BadInput: too many at once, or one told on a day that is still to come.
        """
        if len(understood) > MOST_AT_ONCE:
            raise BadInput(f"{len(understood):,} complaints at once: give {MOST_AT_ONCE:,} at most.")
        when = self.now(now)
        with self.writing(Action.COMPLAINTS) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.COMPLAINTS, row.id)
            self.database.one_at_a_time(connection, "complaints", row.id)
            zone = ZoneInfo(row.timezone)
            today = when.astimezone(zone).date()
            late = next((one.told for one in understood if one.told.told_on > today), None)
            if late is not None:
                raise BadInput(f"Complaint {late.reference} is of {late.told_on}, which is still to come at {site}.")
            there = _known(connection, row.id, [one.told.reference for one in understood])
            fresh: dict[str, Understood] = {}
            known = []
            for one in understood:
                if one.told.reference in there or one.told.reference in fresh:
                    known.append(one.told.reference)
                else:
                    fresh[one.told.reference] = one
            links = links_of(connection, row.id, [one.told for one in fresh.values()], zone)
            rows = [
                {
                    **told_values(one.told), "site_id": row.id, "covered": dict(one.covered), "source": source,
                    "by": self.actor.name, "entered_at": when, "reading": reading_document(one.reading),
                    "confirm": one.reading.confirm,
                    "state": str(ComplaintState.ASIDE if one.reading.out_of_scope else ComplaintState.OPEN),
                    "part_id": found.part_id, "linked_how": found.how, "link_why": found.why,
                    "candidates": list(found.candidates), "sight_id": None,
                }
                for one, found in zip(fresh.values(), links, strict=True)
            ]  # fmt: skip
            numbers = insert_many(connection, complaints, rows)
            acts = [
                _proposed(number, proposal.kind, proposal.why, when)
                for number, one in zip(numbers, fresh.values(), strict=True) if not one.reading.out_of_scope
                for proposal in proposals(one.reading, None, None)
            ]  # fmt: skip
            if acts:
                connection.execute(sa.insert(complaint_acts), acts)
            record(connection, (
                entry(when, self.actor.name, "complaint kept", f"complaint {number}", site_id=row.id,
                      new={"reference": values["reference"], "part": values["part_id"], "state": values["state"],
                           "covered": values["covered"], "source": source}, reason=values["link_why"])
                for number, values in zip(numbers, rows, strict=True)
            ))  # fmt: skip
            return Kept(
                tuple(numbers), tuple(known), sum(one.part_id is not None for one in links),
                sum(one.reading.out_of_scope for one in fresh.values()),
            )  # fmt: skip

    def get(self, number: int) -> Complaint:
        """One complaint.

        Raises:
            NotFound: there is none of that number.
        """
        with self.seeing() as (connection, rights):
            row = complaint_row(connection, number)
            rights.need(Action.SEE, row.site_id)
            return complaint_of(row, rights)

    def find(self, site: str, which: Which = Which.ALL, limit: int = 200, reference: str = "") -> list[Complaint]:
        """Complaints, the one told last first; with a reference, that one alone."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = COMPLAINT.where(complaints.c.site_id == row.id, *_WHICH[which])
            if reference:
                query = query.where(complaints.c.reference == reference)
            query = query.order_by(complaints.c.told_on.desc(), complaints.c.id.desc()).limit(limit)
            return [complaint_of(one, rights) for one in connection.execute(query)]

    def counts(self, site: str) -> dict[Which, int]:
        """How many there are of each."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            each = [
                sa.func.count(sa.case((sa.and_(sa.true(), *conditions), 1))).label(which.name)
                for which, conditions in _WHICH.items()
            ]
            query = (
                sa.select(*each).select_from(complaints)
                .outerjoin(complaint_sights, complaint_sights.c.id == complaints.c.sight_id)
                .where(complaints.c.site_id == row.id)
            )  # fmt: skip
            found = connection.execute(query).one()
            return {which: int(getattr(found, which.name)) for which in Which}

    def correct(
        self, number: int, values: Mapping[str, str], intent: str, class_id: str | None, now: datetime | None = None
    ) -> Complaint:
        """Confirm or correct what was understood; acts that nobody has decided are proposed anew.

        Raises:
            BadInput: see `core.words.complaints.fields.corrected`.
        """
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            row = complaint_row(connection, number, lock=True)
            rights.need(Action.REVIEW, row.site_id)
            was = complaint_of(row, rights)
            taxonomy = taxonomy_in_force(connection, row.site_id)[1]
            reading = corrected(was.reading, values, intent, class_id, "person", taxonomy)
            state = row.state if row.state != str(ComplaintState.ASIDE) else str(ComplaintState.OPEN)
            document = reading_document(reading)
            _set(connection, number, reading=document, confirm=False, state=state)
            self._propose(connection, number, when, rights)
            record(connection, entry(when, self.actor.name, "complaint corrected", f"complaint {number}",
                                     site_id=row.site_id, old=reading_document(was.reading), new=document))  # fmt: skip
            return complaint_of(complaint_row(connection, number), rights)

    def put_aside(self, number: int, reason: str, now: datetime | None = None) -> None:
        """Say that it is about nothing that complaints are about.

        Raises:
            BadInput: without a reason.
            Conflict: somebody has looked at its pictures already.
        """
        if not reason.strip():
            raise BadInput("Say in a few words why it is set aside.")
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            row = complaint_row(connection, number, lock=True)
            rights.need(Action.REVIEW, row.site_id)
            if row.sight_id is not None:
                raise Conflict("Somebody has answered it already: it stays.")
            _set(connection, number, state=str(ComplaintState.ASIDE), confirm=False)
            connection.execute(sa.delete(complaint_acts).where(complaint_acts.c.complaint_id == number,
                                                               complaint_acts.c.state == "proposed"))  # fmt: skip
            record(connection, entry(when, self.actor.name, "complaint set aside", f"complaint {number}",
                                     site_id=row.site_id, reason=reason.strip()))  # fmt: skip

    def link_to(self, number: int, part: str, now: datetime | None = None) -> Complaint:
        """Say which part it is about, by its name; an empty one says that none of the plant's is.

        An answer that was given about another part is asked for again.

        Raises:
            NotFound: the site has no such part.
            BadInput: the part came in only after it was told of.
        """
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            row = complaint_row(connection, number, lock=True)
            rights.need(Action.REVIEW, row.site_id)
            part_id, told = None, complaint_of(row, rights).told
            if part.strip():
                found = connection.execute(
                    sa.select(parts.c.id, parts.c.first_at).where(
                        parts.c.site_id == row.site_id, parts.c.name == part.strip()
                    )
                ).one_or_none()
                if found is None:
                    raise NotFound(f"{row.site} has no part '{part.strip()[:60]}': give the name its pictures carry.")
                if not in_time(Candidate(found.id, "", "", "", found.first_at), told.shipped_on or told.told_on):
                    raise BadInput(f"Part {part.strip()[:60]} came in on {found.first_at:%d %b %Y}: it cannot be it.")
                part_id = found.id
            if part_id == row.part_id and row.part_id is not None:
                return complaint_of(row, rights)
            if row.sight_id is not None:
                keep_sight(connection, row, None, "", self.actor.name, when)
            state = str(ComplaintState.OPEN) if row.state == str(ComplaintState.ANSWERED) else row.state
            _set(connection, number, part_id=part_id, linked_how="person" if part_id is not None else "", candidates=[],
                 link_why=f"{'Chosen' if part_id is not None else 'Taken off'} by a person.", state=state,
                 sight_id=None)  # fmt: skip
            old, new = {"part": row.part_id}, {"part": part_id}
            record(connection, entry(when, self.actor.name, "complaint linked", f"complaint {number}",
                                     site_id=row.site_id, old=old, new=new))  # fmt: skip
            return complaint_of(complaint_row(connection, number), rights)

    def answer(self, number: int, sight: Sight, note: str = "", now: datetime | None = None) -> Complaint:
        """A person's word on the pictures: was it visible? Who let the part go is looked up and kept with it.

        A visible defect sends the part to be labelled; one that was let go is an escape and is reported as one, beside
        the audits' estimate and never in it. A later answer takes an earlier one's report back where it says otherwise.

        Args:
            number: of the complaint.
            sight: the word.
            note: whatever should be remembered.
            now: aware UTC.

        Raises:
            Conflict: no part is known, so there is no picture to speak of.
        """
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            row = complaint_row(connection, number, lock=True)
            rights.need(Action.REVIEW, row.site_id)
            if row.part_id is None:
                raise Conflict("No part is linked, so there is no picture to look at: link one first.")
            self.database.one_at_a_time(connection, "filing", row.site_id)
            self.database.one_at_a_time(connection, "reported", row.site_id)
            sight_id = keep_sight(connection, row, sight, note.strip()[:300], self.actor.name, when)
            _set(connection, number, sight_id=sight_id, state=str(ComplaintState.ANSWERED))
            self._propose(connection, number, when, rights)
            return complaint_of(complaint_row(connection, number), rights)

    def acts(self, number: int) -> list[Act]:
        """What may be done about it, and what was."""
        with self.seeing() as (connection, rights):
            rights.need(Action.SEE, complaint_row(connection, number).site_id)
            query = sa.select(complaint_acts).where(complaint_acts.c.complaint_id == number)
            return [act_of(row) for row in connection.execute(query.order_by(complaint_acts.c.id))]

    def confirm_act(self, act_id: int, note: str = "", now: datetime | None = None) -> Act:
        """Have it done: the line is told through the outbox; a notice is drafted, for somebody else to approve.

        Raises:
            Conflict: somebody has decided it already.
        """
        when = self.now(now)
        with self.writing(Action.COMPLAINTS) as (connection, rights):
            act, row = self._open_act(connection, act_id, rights)
            complaint = complaint_of(row, rights)
            part = "" if row.part_id is None else str(part_row(connection, row.part_id).name)
            if act.kind == str(ActKind.NOTIFY):
                pictures = connection.scalars(sa.select(images.c.id).where(images.c.part_id == row.part_id))
                made = about_complaint(complaint, act.why, part, [] if row.part_id is None else list(pictures))
                draft_notice(connection, row.site_id, made, self.actor.name, when)
            else:
                payload = {"act": act.kind, "complaint": complaint.told.reference, "part": part or None,
                           "order": complaint.told.order or None, "item": complaint.told.item or None,
                           "why": act.why}  # fmt: skip
                connection.execute(sa.insert(outbox), [{
                    "topic": ACT_TOPIC, "site_id": row.site_id, "part_id": row.part_id, "payload": payload,
                    "created_at": when, "sent_at": None,
                }])  # fmt: skip
            return self._decide(connection, act, row, ActState.CONFIRMED, note, when)

    def decline_act(self, act_id: int, note: str, now: datetime | None = None) -> Act:
        """Leave it.

        Raises:
            BadInput: without a word on why.
            Conflict: somebody has decided it already.
        """
        if not note.strip():
            raise BadInput("Say in a few words why not.")
        when = self.now(now)
        with self.writing(Action.COMPLAINTS) as (connection, rights):
            act, row = self._open_act(connection, act_id, rights)
            return self._decide(connection, act, row, ActState.DECLINED, note, when)

    def _open_act(self, connection: Connection, act_id: int, rights: Rights) -> tuple[Any, Any]:
        act = connection.execute(
            sa.select(complaint_acts).where(complaint_acts.c.id == act_id).with_for_update()
        ).one_or_none()
        if act is None:
            raise NotFound(f"There is no act {act_id}.")
        row = complaint_row(connection, act.complaint_id)
        rights.need(Action.COMPLAINTS, row.site_id)
        if act.state != str(ActState.PROPOSED):
            raise Conflict(f"{act.by} has {act.state} this already.")
        return act, row

    def _decide(self, connection: Connection, act: Any, row: Any, state: ActState, note: str, when: datetime) -> Act:
        values = {"state": str(state), "by": self.actor.name, "note": note.strip()[:300], "decided_at": when}
        connection.execute(sa.update(complaint_acts).where(complaint_acts.c.id == act.id).values(values))
        record(connection, entry(when, self.actor.name, f"corrective act {state}", f"complaint {row.id}",
                                 site_id=row.site_id, new={"act": act.kind, "part": row.part_id, "why": act.why},
                                 reason=note.strip()))  # fmt: skip
        return act_of(connection.execute(sa.select(complaint_acts).where(complaint_acts.c.id == act.id)).one())

    def _propose(self, connection: Connection, number: int, when: datetime, rights: Rights) -> None:
        """What the rule proposes now; what somebody has decided stays as it is."""
        complaint = complaint_of(complaint_row(connection, number), rights)
        passed = None if complaint.passage is None else complaint.passage.how
        wanted = {one.kind: one.why for one in proposals(complaint.reading, complaint.sight, passed)}
        mine = complaint_acts.c.complaint_id == number
        connection.execute(sa.delete(complaint_acts).where(mine, complaint_acts.c.state == "proposed"))
        decided = set(connection.scalars(sa.select(complaint_acts.c.kind).where(mine)))
        fresh = [_proposed(number, kind, why, when) for kind, why in wanted.items() if kind not in decided]
        if fresh:
            connection.execute(sa.insert(complaint_acts), fresh)


def complaint_row(connection: Connection, number: int, lock: bool = False) -> Any:
    """A row of COMPLAINT.

    Raises:
        NotFound: there is none of that number.
    """
    query = COMPLAINT.where(complaints.c.id == number)
    row = connection.execute(query.with_for_update(of=complaints) if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no complaint {number}.")
    return row


def _set(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(sa.update(complaints).where(complaints.c.id == number).values(values))


def _known(connection: Connection, site_id: int, references: Sequence[str]) -> set[str]:
    return {
        reference
        for some in chunks(references)
        for reference in connection.scalars(
            sa.select(complaints.c.reference).where(complaints.c.site_id == site_id, complaints.c.reference.in_(some))
        )
    }


def _proposed(number: int, kind: ActKind, why: str, when: datetime) -> dict[str, Any]:
    return {"complaint_id": number, "kind": str(kind), "state": str(ActState.PROPOSED), "why": why,
            "proposed_at": when, "by": "", "note": "", "decided_at": None}  # fmt: skip
