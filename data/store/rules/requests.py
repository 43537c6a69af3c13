"""Requests: what one person asks for and another agrees to, which then happens in the agreement's own transaction."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.requests import Matrix, Request, Wish, caveats, check_agreement, check_schedule
from core.errors import BadInput, Conflict, NotFound
from core.roles import Action
from core.serving import Change
from core.taxonomy import DEFECTIVE_FROM
from data.store.base import SubStore, site_row
from data.store.line.deciding import reading_of
from data.store.science.in_use import put_in_use
from data.store.trail.audit import entry, record
from data.tables import labels, predictions, request_approvals, requests, sites

MOST = 20_000  # labelled pictures behind a matrix: the latest ones
_REQUEST = sa.select(
    requests,
    sites.c.name.label("site"),
    request_approvals.c.by.label("approved_by"),
    request_approvals.c.reason.label("approval"),
    request_approvals.c.approved_at,
).join(sites, sites.c.id == requests.c.site_id).outerjoin(
    request_approvals, request_approvals.c.request_id == requests.c.id
)  # fmt: skip


class Requests(SubStore):
    """Whatever loosens a site beside its policies."""

    def ask_resume(self, site: str, reason: str, now: datetime | None = None) -> Request:
        """Ask that parts pass automatically again.

        Raises:
            Conflict: when auto-PASS is not paused, or somebody has asked already.
        """
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row = self._site(connection, rights, site)
            if row.paused is None:
                raise Conflict(f"Auto-PASS is not paused at {site}: there is nothing to resume.")
            return enter_request(connection, self.actor.name, row, Wish.RESUME, _pause(row), reason, when)

    def ask_calibration(
        self, site: str, matrix: Matrix, until: datetime, reason: str, now: datetime | None = None
    ) -> Request:
        """Ask to confirm, on a confusion matrix, that the scores of the model in use are probabilities here.

        Args:
            site: where.
            matrix: of that model.
            until: when it has to be looked at again; from then on nothing passes by itself.
            reason: why the matrix is good enough.
            now: aware UTC.

        Raises:
            Conflict: when another model is in use, or somebody has asked already.
        """
        when = self.now(now)
        check_schedule(until, when)
        warned = caveats(matrix.counts)
        with self.writing(Action.POLICY) as (connection, rights):
            row = self._site(connection, rights, site)
            if row.model is None or row.model != matrix.model:
                raise Conflict(f"{row.model or 'No model'} is in use at {site}, not {matrix.model}: measure that one.")
            if matrix.reading is not None and matrix.reading.model != row.model:
                raise Conflict(f"The scores were fitted for {matrix.reading.model}, not {row.model}: fit them anew.")
            content = {
                "model": matrix.model,
                "counts": asdict(matrix.counts),
                "source": matrix.source,
                "caveats": warned,
                "until": until.isoformat(),
                "score_map": None if matrix.reading is None else matrix.reading.to_json(),
                "score_map_before": row.score_map,
                "compared": None if matrix.compared is None else dict(matrix.compared),
            }
            return enter_request(connection, self.actor.name, row, Wish.CALIBRATION, content, reason, when)

    def agree(self, number: int, reason: str, now: datetime | None = None) -> Request:
        """Agree to what somebody else asked for: it is so from the very next decision on.

        Raises:
            NotAllowed: for the one who asked.
            Conflict: when somebody has agreed already, or what was asked about is no longer so.
        """
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            found = connection.execute(_REQUEST.where(requests.c.id == number)).one_or_none()
            if found is None:
                raise NotFound(f"There is no request {number}.")
            row = self._site(connection, rights, found.site)
            # Read again behind the lock: somebody may have agreed while this one waited for it.
            request = _request(connection.execute(_REQUEST.where(requests.c.id == number)).one())
            if request.approved_by is not None:
                raise Conflict(f"{request.approved_by} has agreed to that already.")
            check_agreement(request, self.actor.name, reason)
            if not _stands(request, row, when):
                raise Conflict("What was asked about is no longer so: look again, and ask anew.")
            connection.execute(
                sa.insert(request_approvals).values(
                    request_id=number, by=self.actor.name, reason=reason.strip(), approved_at=when
                )
            )
            if request.wish is Wish.PROMOTION:
                why = f"{request.reason} (asked by {request.by}; {reason.strip()})"
                put_in_use(connection, row, request.content["model"], Change.PROMOTION, self.actor.name, why, when,
                           gate=request.content["gate"], request=number)  # fmt: skip
                return _request(connection.execute(_REQUEST.where(requests.c.id == number)).one())
            values, act = _change(request)
            connection.execute(sa.update(sites).where(sites.c.id == row.id).values(values))
            old = {name: _plain(row._mapping[name]) for name in values}
            new = {name: _plain(value) for name, value in values.items()}
            record(connection, entry(when, self.actor.name, act, f"site {row.name}", site_id=row.id, old=old,
                                     new={**new, "request": number, "asked_by": request.by, **_counted(request)},
                                     reason=reason.strip(), model=row.model))  # fmt: skip
            return _request(connection.execute(_REQUEST.where(requests.c.id == number)).one())

    def waiting(self, site: str, now: datetime | None = None) -> list[Request]:
        """What somebody has to agree to and still could, oldest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return _open(connection, row, self.now(now))

    def history(self, site: str, limit: int = 50) -> list[Request]:
        """What was asked, newest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = _REQUEST.where(requests.c.site_id == row.id).order_by(requests.c.id.desc()).limit(limit)
            return [_request(one) for one in connection.execute(query)]

    def matrix(self, site: str, days: int = 90, now: datetime | None = None) -> Matrix | None:
        """The model in use against the labels of the last days; None without a model or a label.

        People label what was held more often than what passed, so this is a look, not an unbiased estimate.
        """
        when = self.now(now)
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = (
                sa.select(predictions.c.score, labels.c.defective)
                .join(predictions, predictions.c.image_id == labels.c.image_id)
                .where(labels.c.site_id == row.id, labels.c.labelled_at >= when - timedelta(days=days),
                       predictions.c.model == row.model, predictions.c.score.is_not(None))
                .order_by(labels.c.labelled_at.desc(), labels.c.image_id.desc())
                .limit(MOST)
            )  # fmt: skip
            found = connection.execute(query).all()
        if row.model is None or not found:
            return None
        from core.learn.metrics import count, reliability

        reading, _ = reading_of(row)
        scores = [one.score if reading is None else reading.read(one.score) for one in found]
        defective = [bool(one.defective) for one in found]
        source = (
            f"{len(found):,} labelled pictures of the last {days} days; held ones are labelled more often than passed "
            "ones, so recall and false rejects are not the site's own"
        )
        return Matrix(
            count([score >= DEFECTIVE_FROM for score in scores], defective),
            row.model,
            source,
            tuple(reliability(scores, defective)),
            reading,
        )

    def _site(self, connection: Connection, rights: Any, name: str) -> Any:
        """The site's row, of which nobody else changes pause or calibration until the transaction ends."""
        row: Any = site_row(connection, name)
        rights.need(Action.POLICY, row.id)
        self.database.one_at_a_time(connection, "requests", row.id)
        return connection.execute(sa.select(sites).where(sites.c.id == row.id).with_for_update()).one()


def enter_request(
    connection: Connection, by: str, row: Any, wish: Wish, content: dict[str, Any], reason: str, when: datetime
) -> Request:
    """Write a wish down, in the transaction that has the site's row.

    Raises:
        Conflict: somebody has asked for the same already.
    """
    if not reason.strip():
        raise BadInput("A request needs a reason: whoever agrees reads it.")
    for other in _open(connection, row, when):
        if other.wish is wish:
            raise Conflict(f"{other.by} has asked for that already: agree to request {other.number} instead.")
    values = {
        "site_id": row.id,
        "kind": str(wish),
        "content": content,
        "by": by,
        "reason": reason.strip(),
        "asked_at": when,
    }
    number = connection.execute(sa.insert(requests).values(values).returning(requests.c.id)).scalar_one()
    record(connection, entry(when, by, f"asked to {wish}", f"site {row.name}", site_id=row.id,
                             new={"request": number, **content}, reason=reason.strip(), model=row.model))  # fmt: skip
    return Request(number, row.name, wish, by, reason.strip(), when, content)


def _open(connection: Connection, row: Any, when: datetime) -> list[Request]:
    query = _REQUEST.where(requests.c.site_id == row.id, request_approvals.c.id.is_(None)).order_by(requests.c.id)
    return [one for one in map(_request, connection.execute(query)) if _stands(one, row, when)]


def _stands(request: Request, row: Any, when: datetime) -> bool:
    """Whether what was asked about is still so."""
    if request.wish is Wish.RESUME:
        return row.paused is not None and dict(request.content) == _pause(row)
    if request.wish is Wish.PROMOTION:
        return bool(row.model == request.content["before"])
    before = request.content.get("score_map_before", row.score_map)  # older requests say nothing of it
    same = row.model == request.content["model"] and row.score_map == before
    return same and datetime.fromisoformat(request.content["until"]) > when


def _pause(row: Any) -> dict[str, Any]:
    return {"paused": row.paused, "paused_at": _plain(row.paused_at)}


def _change(request: Request) -> tuple[dict[str, Any], str]:
    """What an agreement sets at the site, and what the trail calls it."""
    if request.wish is Wish.RESUME:
        return {"paused": None, "paused_at": None}, "auto-PASS resumed"
    until = datetime.fromisoformat(request.content["until"])
    confirmed = {"calibrated": True, "calibrated_until": until}
    if "score_map" in request.content:
        confirmed["score_map"] = request.content["score_map"]
    return confirmed, "calibration confirmed"


def _counted(request: Request) -> dict[str, Any]:
    return {"counts": request.content["counts"]} if request.wish is Wish.CALIBRATION else {}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _request(row: Any) -> Request:
    return Request(
        row.id, row.site, Wish(row.kind), row.by, row.reason, row.asked_at, row.content, row.approved_by,
        row.approval or "", row.approved_at,
    )  # fmt: skip
