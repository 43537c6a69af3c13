"""Notices about complaints: drafted by one person, approved by another, and then sent until they have gone out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.roles import Action
from core.watch.alarms import retry_at
from core.words.complaints.notices import ComplaintNotice, Draft, Message, NoticeState
from data.store.base import Rights, SubStore, site_row
from data.store.trail.audit import entry, record
from data.store.words.complaint_rows import message_of, notice_of
from data.tables import complaint_messages, complaint_notices, sites

_NOTICE = sa.select(complaint_notices, sites.c.name.label("site")).join(
    sites, sites.c.id == complaint_notices.c.site_id
)
_MESSAGE = sa.select(complaint_messages, complaint_notices.c.title, complaint_notices.c.body).join(
    complaint_notices, complaint_notices.c.id == complaint_messages.c.notice_id
)


class ComplaintNoticesStore(SubStore):
    """Who drafts does not approve."""

    def draft(self, site: str, made: Draft, now: datetime | None = None) -> ComplaintNotice:
        """Draft a notice for somebody else to approve; one that is a draft already is given back as it is."""
        when = self.now(now)
        with self.writing(Action.COMPLAINTS) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.COMPLAINTS, row.id)
            self.database.one_at_a_time(connection, "complaint notices", row.id)
            return notice_of(_row(connection, draft_notice(connection, row.id, made, self.actor.name, when)))

    def find(self, site: str, limit: int = 100) -> list[ComplaintNotice]:
        """Notices of a site, drafts first, then the newest."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            first = sa.case((complaint_notices.c.state == "draft", 0), else_=1)
            query = _NOTICE.where(complaint_notices.c.site_id == row.id)
            return [
                notice_of(one)
                for one in connection.execute(query.order_by(first, complaint_notices.c.id.desc()).limit(limit))
            ]

    def approve(
        self, number: int, channels: Sequence[str], reason: str, now: datetime | None = None
    ) -> ComplaintNotice:
        """A second person's name under a notice; it is sent from then on.

        Args:
            number: of the notice.
            channels: by name, each of which is told.
            reason: why it is right to send it.
            now: aware UTC.

        Raises:
            NotAllowed: to whoever drafted it.
            BadInput: without a reason or a channel: nobody would hear of it.
            Conflict: somebody has decided it already.
        """
        if not reason.strip():
            raise BadInput("Say in a sentence why it is right to send it.")
        if not channels:
            raise BadInput("Nobody would be told: choose a channel, or have an administrator set one up.")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row = self._open(connection, number, rights)
            if row.drafted_by == self.actor.name:
                raise NotAllowed("You drafted this notice: somebody else has to approve it.")
            messages = [
                {"notice_id": number, "channel": channel, "state": "waiting", "attempts": 0, "error": "",
                 "created_at": when, "next_at": when, "sent_at": None}
                for channel in dict.fromkeys(channels)
            ]  # fmt: skip
            connection.execute(sa.insert(complaint_messages), messages)
            return self._decide(connection, row, NoticeState.APPROVED, reason, when, list(dict.fromkeys(channels)))

    def decline(self, number: int, reason: str, now: datetime | None = None) -> ComplaintNotice:
        """Send nothing; whoever drafted it may do so, too.

        Raises:
            BadInput: without a reason.
            Conflict: somebody has decided it already.
        """
        if not reason.strip():
            raise BadInput("Say in a sentence why it is not sent.")
        when = self.now(now)
        with self.writing(Action.COMPLAINTS) as (connection, rights):
            row = self._open(connection, number, rights)
            return self._decide(connection, row, NoticeState.DECLINED, reason, when, [])

    def messages(self, number: int) -> list[Message]:
        """What became of a notice on each channel."""
        with self.seeing() as (connection, rights):
            rights.need(Action.SEE, _row(connection, number).site_id)
            query = _MESSAGE.where(complaint_messages.c.notice_id == number).order_by(complaint_messages.c.id)
            return [message_of(row) for row in connection.execute(query)]

    def again(self, number: int, now: datetime | None = None) -> int:
        """Try what was given up once more; how many messages that are."""
        when = self.now(now)
        with self.writing(Action.COMPLAINTS) as (connection, rights):
            row = _row(connection, number)
            rights.need(Action.COMPLAINTS, row.site_id)
            mine = (complaint_messages.c.notice_id == number) & (complaint_messages.c.state == "given up")
            done = connection.execute(
                sa.update(complaint_messages).where(mine).values(state="waiting", attempts=0, next_at=when)
            )
            if done.rowcount:
                record(connection, entry(when, self.actor.name, "notice tried again", f"notice {number}",
                                         site_id=row.site_id, new={"messages": done.rowcount}))  # fmt: skip
            return int(done.rowcount)

    # --- for the messenger ------------------------------------------------------------------------------------------

    def due(self, now: datetime, limit: int = 20) -> list[Message]:
        """Messages whose time has come, the oldest first."""
        with self.seeing(None) as (connection, rights):
            _system_only(rights)
            waiting = complaint_messages.c.state == sa.literal_column("'waiting'")
            query = _MESSAGE.where(waiting, complaint_messages.c.next_at <= now).order_by(complaint_messages.c.id)
            return [message_of(row) for row in connection.execute(query.limit(limit))]

    def take(self, message: Message, now: datetime, seconds: float) -> bool:
        """Take a message in hand for a while, so that no other process sends it too; False where one has it."""
        with self.writing(None) as (connection, rights):
            _system_only(rights)
            mine = (
                (complaint_messages.c.id == message.id)
                & (complaint_messages.c.state == "waiting")
                & (complaint_messages.c.next_at == message.next_at)
            )
            until = now + timedelta(seconds=seconds)
            return bool(connection.execute(sa.update(complaint_messages).where(mine).values(next_at=until)).rowcount)

    def went(self, message: Message, error: str, now: datetime) -> None:
        """A message went out, or did not: it is tried again later and later, and given up in the end."""
        with self.writing(None) as (connection, rights):
            _system_only(rights)
            attempts = message.attempts + 1
            again = retry_at(attempts, now) if error else None
            state = "sent" if not error else "waiting" if again is not None else "given up"
            values = {"attempts": attempts, "error": error[:300], "state": state, "next_at": again or now,
                      "sent_at": None if error else now}  # fmt: skip
            mine = complaint_messages.c.id == message.id
            connection.execute(sa.update(complaint_messages).where(mine).values(values))
            if state != "waiting":
                row = _row(connection, message.notice_id)
                record(connection, entry(
                    now, self.actor.name, "notice sent" if state == "sent" else "notice could not be sent",
                    f"notice {row.id}", site_id=row.site_id, new={"channel": message.channel, "attempts": attempts},
                    reason=error[:300],
                ))  # fmt: skip

    def _open(self, connection: Connection, number: int, rights: Rights) -> Any:
        row = _row(connection, number, lock=True)
        rights.need(Action.COMPLAINTS, row.site_id)
        if row.state != str(NoticeState.DRAFT):
            raise Conflict(f"{row.decided_by} has {row.state} this notice already.")
        return row

    def _decide(
        self, connection: Connection, row: Any, state: NoticeState, reason: str, when: datetime, channels: list[str]
    ) -> ComplaintNotice:
        values = {"state": str(state), "decided_by": self.actor.name, "decided_at": when,
                  "reason": reason.strip()[:300]}  # fmt: skip
        connection.execute(sa.update(complaint_notices).where(complaint_notices.c.id == row.id).values(values))
        record(connection, entry(when, self.actor.name, f"notice {state}", f"notice {row.id}", site_id=row.site_id,
                                 old={"drafted_by": row.drafted_by},
                                 new={"title": row.title, "body": row.body, "channels": channels},
                                 reason=reason.strip()))  # fmt: skip
        return notice_of(_row(connection, row.id))


def draft_notice(connection: Connection, site_id: int, made: Draft, by: str, now: datetime) -> int:
    """Write a draft in the caller's transaction; the one that there is already stays. Its number."""
    mine = (complaint_notices.c.site_id == site_id) & (complaint_notices.c.about == made.about)
    there = connection.scalar(
        sa.select(complaint_notices.c.id).where(
            mine, complaint_notices.c.name == made.name, complaint_notices.c.state == "draft"
        )
    )
    if there is not None:
        return int(there)
    values = {
        "site_id": site_id, "about": made.about, "name": made.name, "title": made.title, "body": made.body,
        "evidence": dict(made.evidence), "state": str(NoticeState.DRAFT), "drafted_by": by, "drafted_at": now,
        "decided_by": "", "decided_at": None, "reason": "",
    }  # fmt: skip
    number = int(
        connection.execute(sa.insert(complaint_notices).values(values).returning(complaint_notices.c.id)).scalar_one()
    )
    new = {"title": made.title, "body": made.body, "evidence": dict(made.evidence)}
    record(connection, entry(now, by, "notice drafted", f"notice {number}", site_id=site_id, new=new))
    return number


def _row(connection: Connection, number: int, lock: bool = False) -> Any:
    query = _NOTICE.where(complaint_notices.c.id == number)
    row = connection.execute(query.with_for_update(of=complaint_notices) if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no notice {number}.")
    return row


def _system_only(rights: Rights) -> None:
    if rights.role is not None:
        raise NotAllowed("Only the plant's own processes send messages.")
