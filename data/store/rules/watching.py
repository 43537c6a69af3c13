"""What the worker reads when it looks at a site, and what it writes down: for processes of the plant only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.decision import NO_MODEL
from core.decide.labels import IMPORT
from core.errors import NotAllowed
from core.records import Outcome, Verdict
from core.watch.alarms import Notice, Raised, retry_at
from core.watch.facts import Decided, DecidedFacts, Picture, SiteAudit, StreamFacts
from core.watch.judged import Judged
from core.watch.rules import Rule, RuleKind
from data.store.base import Rights, SubStore, site_row
from data.store.rules.alarm_rows import happened, in_force, notice_of, rule_rows
from data.store.rules.alarms import NOT_CLOSED, follow_up_values
from data.store.trail.audit import entry, record
from data.tables import (
    IS_OPEN,
    alarms,
    cameras,
    decisions,
    follow_ups,
    images,
    label_classes,
    labels,
    lines,
    notices,
    parts,
    predictions,
    reviews,
    tasks,
    watch_states,
)

MOST = 20_000  # pictures read at one look; the rest at the next
AGAIN = "again"


@dataclass(frozen=True)
class Watched:
    """How a look begins.

    Attributes:
        states: what the last look kept, by name, with the revision that a save is based on.
        looked_at: when that was; None before the first look.
        open_alarms: that nobody has closed.
    """

    site: str
    timezone: str
    paused: str | None
    rules: Mapping[RuleKind, Rule]
    states: Mapping[str, Any]
    revision: int
    looked_at: datetime | None
    open_alarms: Mapping[tuple[RuleKind, str], int]


class Watching(SubStore):
    """One look is one reading transaction and one writing one; of two workers that look at once, one is dropped."""

    def begin(self, site: str) -> Watched:
        """What is in force, and what the last look kept."""
        with self.seeing(None) as (connection, rights):
            _system_only(rights)
            row: Any = site_row(connection, site)
            query = sa.select(watch_states).where(watch_states.c.site_id == row.id)
            found = {one.kind: one for one in connection.execute(query)}
            return Watched(
                site,
                row.timezone,
                row.paused,
                in_force(rule_rows(connection, row.id)),
                {kind: one.document for kind, one in found.items()},
                max((one.revision for one in found.values()), default=0),
                max((one.looked_at for one in found.values()), default=None),
                _open(connection, row.id),
            )

    def marks(self, site: str) -> tuple[int, int, int]:
        """The last image, review and decision there are: where watching starts."""
        with self.seeing(None) as (connection, rights):
            _system_only(rights)
            site_row(connection, site)
            image, review, decision = (
                int(connection.scalar(sa.select(sa.func.max(table.c.id))) or 0)
                for table in (images, reviews, decisions)
            )
            return image, review, decision

    def stream(self, site: str, image: int, review: int, labelled: datetime, now: datetime) -> StreamFacts:
        """What has come since a picture, a review and a label."""
        with self.seeing(None) as (connection, rights):
            _system_only(rights)
            row: Any = site_row(connection, site)
            rows = connection.execute(_PICTURES, {"site": row.id, "after": image}).all()
            last = connection.scalar(sa.select(sa.func.max(reviews.c.id))) or 0
            answers = connection.execute(_ANSWERS, {"site": row.id, "after": review, "last": last}).all()
            return StreamFacts(
                now,
                row.model,
                [_picture(one, row.model) for one in rows if not _imported(one)],
                [(one.verdict == Verdict.PASS) == (one.outcome == "FAIL") for one in answers],
                _labels(connection, row.id, labelled, now),
                connection.scalar(_OLDEST, {"site": row.id}),
                max((one.id for one in rows), default=image),
                int(last),
            )

    def decided(self, site: str, after: int, unasked_after: int, review: int, fail_share: float,
                now: datetime) -> DecidedFacts:  # fmt: skip
        """Decided parts with what people have said of them.

        Args:
            site: name of the site.
            after: only younger decisions.
            unasked_after: those that passed unasked are counted from here.
            review: no answer to them is as old as this one.
            fail_share: smallest share of FAIL audited at this time.
            now: aware UTC.
        """
        with self.seeing(None) as (connection, rights):
            _system_only(rights)
            row: Any = site_row(connection, site)
            last = int(connection.scalar(sa.select(sa.func.max(decisions.c.id))) or 0)
            last_review = int(connection.scalar(sa.select(sa.func.max(reviews.c.id))) or 0)
            given = {"site": row.id, "after": after, "last": last, "review": review}
            said = {one.decision_id: one.verdict != Verdict.PASS for one in connection.execute(_SAID, given)}
            found = [_decided(one, said.get(one.id)) for one in connection.execute(_DECIDED, given)]
            passes = connection.scalar(_PASSES, given | {"after": unasked_after}) or 0
            fails = [one.part for one in found if one.id > unasked_after and one.part.automatic is Outcome.FAIL]
            shares = [part.share for part in fails if part.share > 0]
            least = min([*shares, *([fail_share] if fail_share > 0 else [])], default=0.0)
            return DecidedFacts(now, found, int(passes), least, last, last_review)

    def keep(
        self, site: str, based_on: int, states: Mapping[str, Any], raised: Sequence[Raised], again: Sequence[int],
        now: datetime,
    ) -> list[int] | None:  # fmt: skip
        """Write a look down: what it keeps, the alarms it raises, and those whose evidence has come together again.

        Returns:
            Ids of the new alarms; None, and nothing is written, where another worker has looked in the meantime.
        """
        with self.writing(None) as (connection, rights):
            _system_only(rights)
            row: Any = site_row(connection, site)
            self.database.one_at_a_time(connection, "watching", row.id)
            mine = watch_states.c.site_id == row.id
            present = connection.scalar(sa.select(sa.func.max(watch_states.c.revision)).where(mine)) or 0
            if present != based_on:
                return None
            connection.execute(sa.delete(watch_states).where(mine))
            connection.execute(sa.insert(watch_states), [
                {"site_id": row.id, "kind": kind, "revision": based_on + 1, "document": document, "looked_at": now}
                for kind, document in states.items()
            ])  # fmt: skip
            there = _open(connection, row.id)
            made = [
                raise_alarm(connection, self.actor.name, row, one, now)
                for one in raised
                if (one.kind, one.subject) not in there
            ]
            for alarm_id in again:
                happened(connection, alarm_id, now, self.actor.name, AGAIN, "the evidence has come together again")
            return made

    def add_document(self, follow_up_id: int, document: Mapping[str, Any]) -> None:
        """What was found out for a follow-up after it was opened; nothing that is there is changed."""
        with self.writing(None) as (connection, rights):
            _system_only(rights)
            mine = follow_ups.c.id == follow_up_id
            before = connection.scalar(sa.select(follow_ups.c.document).where(mine).with_for_update())
            if before is not None:
                merged = {**document, **before}
                connection.execute(sa.update(follow_ups).where(mine).values(document=merged))

    def missed_scores(self, site: str, since: datetime) -> list[float]:
        """Scores of parts that passed and that an audit found defective since a time."""
        with self.seeing(None) as (connection, rights):
            _system_only(rights)
            row: Any = site_row(connection, site)
            query = (
                sa.select(decisions.c.score)
                .join(reviews, reviews.c.decision_id == decisions.c.id)
                .where(reviews.c.site_id == row.id, reviews.c.reviewed_at >= since, reviews.c.outcome == "PASS")
                .where(reviews.c.verdict.in_(("FAIL", "REWORK")), decisions.c.score.is_not(None), *_STANDS)
            )
            return [float(score) for score in connection.scalars(query)]

    # --- notices ----------------------------------------------------------------------------------------------------

    def due(self, now: datetime, limit: int = 20) -> list[Notice]:
        """Messages whose time has come, the oldest first."""
        with self.seeing(None) as (connection, rights):
            _system_only(rights)
            waiting = notices.c.state == sa.literal_column("'waiting'")
            query = sa.select(notices).where(waiting, notices.c.next_at <= now).order_by(notices.c.id).limit(limit)
            return [notice_of(row) for row in connection.execute(query)]

    def take(self, notice: Notice, now: datetime, seconds: float) -> bool:
        """Take a message in hand for a while, so that no other process sends it too; False where one has it."""
        with self.writing(None) as (connection, rights):
            _system_only(rights)
            mine = (notices.c.id == notice.id) & (notices.c.state == "waiting") & (notices.c.next_at == notice.next_at)
            moved = connection.execute(sa.update(notices).where(mine).values(next_at=now + timedelta(seconds=seconds)))
            return bool(moved.rowcount)

    def went(self, notice: Notice, error: str, now: datetime) -> None:
        """A message went out, or did not: it is tried again later and later, and given up in the end."""
        with self.writing(None) as (connection, rights):
            _system_only(rights)
            attempts = notice.attempts + 1
            again = retry_at(attempts, now) if error else None
            state = "sent" if not error else "waiting" if again is not None else "given up"
            values = {"attempts": attempts, "error": error[:300], "state": state, "next_at": again or now,
                      "sent_at": None if error else now}  # fmt: skip
            connection.execute(sa.update(notices).where(notices.c.id == notice.id).values(values))
            if state != "waiting":
                what = f"{notice.channel} told" if state == "sent" else f"{notice.channel} could not be told"
                happened(connection, notice.alarm, now, self.actor.name, what, error[:300])


def raise_alarm(connection: Connection, by: str, site: Any, one: Raised, now: datetime) -> int:
    """Open an alarm with its follow-ups and messages, in the transaction that found it; its id."""
    values = {
        "site_id": site.id,
        "kind": str(one.kind),
        "subject": one.subject,
        "state": "open",
        "rule": one.rule,
        "text": one.text,
        "evidence": dict(one.evidence),
        "paused": one.paused,
        "raised_at": now,
    }
    alarm_id = int(connection.execute(sa.insert(alarms).values(values).returning(alarms.c.id)).scalar_one())
    happened(connection, alarm_id, now, by, "raised", one.text)
    if one.paused:
        happened(connection, alarm_id, now, by, "auto-PASS paused", "")
    for kind, text, document in one.follow_ups:
        values = follow_up_values(site.id, alarm_id, kind, text, document, by, now)
        connection.execute(sa.insert(follow_ups).values(values))
        happened(connection, alarm_id, now, by, f"{kind} opened", text)
    title = f"{site.name}: {one.kind}" + (f", {one.subject}" if one.subject else "")
    body = f"{one.text}{' Auto-PASS is paused.' if one.paused else ''}"
    for channel in one.channels:
        connection.execute(sa.insert(notices).values(
            alarm_id=alarm_id, channel=channel, what="raised", state="waiting", title=title, body=body,
            attempts=0, error="", created_at=now, next_at=now))  # fmt: skip
    record(connection, entry(now, by, "alarm raised", f"alarm {alarm_id}", site_id=site.id,
                             new={"rule": str(one.kind), "subject": one.subject, "paused": one.paused},
                             reason=one.text, model=site.model))  # fmt: skip
    return alarm_id


def _system_only(rights: Rights) -> None:
    if rights.role is not None:
        raise NotAllowed("Only the plant's own processes watch over it.")


def _open(connection: Connection, site_id: int) -> dict[tuple[RuleKind, str], int]:
    query = sa.select(alarms.c.id, alarms.c.kind, alarms.c.subject).where(alarms.c.site_id == site_id, NOT_CLOSED)
    return {(RuleKind(row.kind), row.subject): int(row.id) for row in connection.execute(query)}


_SITE: sa.BindParameter[int] = sa.bindparam("site", type_=sa.Integer())
_AFTER: sa.BindParameter[int] = sa.bindparam("after", type_=sa.Integer())
_LAST: sa.BindParameter[int] = sa.bindparam("last", type_=sa.Integer())
_REVIEW: sa.BindParameter[int] = sa.bindparam("review", type_=sa.Integer())
_OF_PART = images.alias("of_part")
_FIRST = (
    sa.select(sa.func.min(_OF_PART.c.id))
    .where(_OF_PART.c.part_id == images.c.part_id)
    .correlate(images)
    .scalar_subquery()
)
_PICTURES = (
    sa.select(
        images.c.id,
        images.c.arrived_at,
        images.c.state,
        images.c.error,
        images.c.quality,
        lines.c.name.label("line"),
        cameras.c.name.label("camera"),
        sa.func.max(predictions.c.score).label("score"),
        sa.func.max(predictions.c.milliseconds).label("milliseconds"),
        sa.func.max(predictions.c.novelty).label("novelty"),
        (images.c.id == _FIRST).label("starts"),
    )
    .outerjoin(lines, lines.c.id == images.c.line_id)
    .outerjoin(cameras, cameras.c.id == images.c.camera_id)
    .outerjoin(predictions, predictions.c.image_id == images.c.id)
    .where(images.c.site_id == _SITE, images.c.id > _AFTER)
    .group_by(images.c.id, lines.c.name, cameras.c.name)
    .order_by(images.c.id)
    .limit(MOST)
)
_UNDO = reviews.alias("undo")
_STANDS = [reviews.c.undoes.is_(None), ~sa.exists().where(_UNDO.c.undoes == reviews.c.id)]
_ANSWERS = sa.select(reviews.c.verdict, reviews.c.outcome).where(
    reviews.c.site_id == _SITE,
    reviews.c.id > _AFTER,
    reviews.c.id <= _LAST,
    reviews.c.outcome.in_(("PASS", "FAIL")),
    reviews.c.verdict != "UNSURE",
    *_STANDS,
)
_SAID = (  # the last word on a decision comes last and stays
    sa.select(reviews.c.decision_id, reviews.c.verdict)
    .where(reviews.c.site_id == _SITE, reviews.c.id > _REVIEW, reviews.c.decision_id > _AFTER)
    .where(reviews.c.verdict != "UNSURE", *_STANDS)
    .order_by(reviews.c.id)
)
_HERE = (
    sa.select(
        decisions.c.id, decisions.c.outcome, decisions.c.leaning, decisions.c.audited, decisions.c.audit_share,
        sa.case((decisions.c.outcome == "HOLD", decisions.c.reasons)).label("reasons"),
    )
    .join(parts, parts.c.id == decisions.c.part_id)
    .where(parts.c.site_id == _SITE, decisions.c.id > _AFTER, decisions.c.id <= _LAST)
)  # fmt: skip
_ASKED = sa.or_(decisions.c.outcome != "PASS", decisions.c.audited)
_DECIDED = _HERE.where(_ASKED).order_by(decisions.c.id)
_PASSES = (
    sa.select(sa.func.count())
    .select_from(decisions)
    .join(parts, parts.c.id == decisions.c.part_id)
    .where(parts.c.site_id == _SITE, decisions.c.id > _AFTER, decisions.c.id <= _LAST, ~_ASKED)
)
_OLDEST = (  # audits and parts with a known answer hold nothing up
    sa.select(sa.func.min(tasks.c.created_at))
    .join(decisions, decisions.c.id == tasks.c.decision_id)
    .where(tasks.c.site_id == _SITE, IS_OPEN, tasks.c.kind != "gold", decisions.c.outcome == "HOLD")
)


def _picture(row: Any, model: str | None) -> Picture:
    quality = row.quality or {}
    seen = quality.get("seen") or {}
    features = {name: float(quality[name]) for name in ("sharpness", "brightness", "contrast")
                if quality.get(name) is not None}  # fmt: skip
    if row.novelty is not None:
        features["novelty"] = float(row.novelty)
    failed = row.error is not None and row.error != NO_MODEL
    return Picture(row.id, row.arrived_at, row.line or "", row.camera or "", row.state == "ok", failed, row.score,
                   row.milliseconds, features, bool(row.starts),
                   seen.get("sketch") if seen.get("by") == model else None)  # fmt: skip


def _imported(row: Any) -> bool:
    """A labelled picture that came by an import: nothing ran over a line, and nothing was to be scored."""
    return row.state == "ok" and row.score is None and row.error is None


def _decided(row: Any, defective: bool | None) -> Decided:
    leaning = None if row.leaning is None else Outcome(row.leaning)
    codes = [code for code, _ in row.reasons or ()]
    outcome = Outcome(row.outcome)
    automatic = SiteAudit(outcome, leaning, codes).automatic
    held = outcome is Outcome.HOLD
    return Decided(row.id, Judged(automatic, 1.0 if held else row.audit_share, held or row.audited, defective))


def _labels(connection: Connection, site_id: int, after: datetime, until: datetime) -> list[str]:
    """The first class of each label that a person has given or changed since a time."""
    query = (
        sa.select(labels.c.image_id, labels.c.defective, sa.func.min(label_classes.c.class_id).label("class_id"))
        .outerjoin(label_classes, label_classes.c.image_id == labels.c.image_id)
        .where(labels.c.site_id == site_id, labels.c.labelled_at > after, labels.c.labelled_at <= until)
        .where(~labels.c.by.startswith(IMPORT))
        .group_by(labels.c.image_id, labels.c.defective)
    )
    return [(row.class_id or "unmapped") if row.defective else "good" for row in connection.execute(query)]
