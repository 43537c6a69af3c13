"""What people report of a site: how it was before, and the defective parts that its customers have found."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.kpis.baseline import Baseline, Kept, baseline_of
from core.kpis.escapes import Entered, Escape
from core.roles import Action
from data.store.base import SubStore, site_row
from data.store.rows import insert_many
from data.store.trail.audit import entry, record
from data.tables import baselines, escape_reports, sites


@dataclass(frozen=True)
class Took:
    """What became of reports that were given.

    Attributes:
        new: numbers under which they are kept.
        parts: of those together.
        known: references that the site has already; nothing was written for them.
    """

    new: tuple[int, ...]
    parts: int
    known: tuple[str, ...]


class Reported(SubStore):
    """Append-only: a baseline is superseded, a report is taken back."""

    def baseline(self, site: str) -> Kept | None:
        """The baseline that counts; None while nobody has set one."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return _latest(connection, row.id)

    def baselines(self, site: str) -> list[Kept]:
        """All that were set, newest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = sa.select(baselines).where(baselines.c.site_id == row.id).order_by(baselines.c.number.desc())
            return [_kept(one) for one in connection.execute(query)]

    def set_baseline(
        self, site: str, baseline: Baseline, reason: str, *, seen: int | None = None, now: datetime | None = None
    ) -> Kept:
        """Set how it was before.

        Args:
            site: where.
            baseline: the figures.
            reason: where they come from.
            seen: number of the baseline that these were made from, 0 for none; None does not ask.
            now: aware UTC.

        Raises:
            BadInput: without a reason, or where nothing would change.
            Conflict: when somebody has set another one since `seen`.
        """
        if not reason.strip():
            raise BadInput("A baseline needs a reason: say in a sentence where its figures come from.")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "reported", row.id)
            before = _latest(connection, row.id)
            number = 0 if before is None else before.number
            if seen is not None and seen != number:
                by = "nobody" if before is None else before.by
                raise Conflict(f"{by} has set baseline {number} since you began: look at it, then set yours again.")
            if before is not None and before.baseline == baseline:
                raise BadInput(f"Baseline {number} says the same already: nothing was changed.")
            made = Kept(number + 1, baseline, self.actor.name, reason.strip(), when)
            values = {"site_id": row.id, "number": made.number, "document": asdict(baseline), "by": made.by,
                      "reason": made.reason, "set_at": when}  # fmt: skip
            connection.execute(sa.insert(baselines).values(values))
            record(connection, entry(when, made.by, "baseline set", f"site {row.name}", site_id=row.id,
                                     old=None if before is None else asdict(before.baseline), new=asdict(baseline),
                                     reason=made.reason))  # fmt: skip
            return made

    def escapes(self, site: str | None = None, since: date | None = None, limit: int = 1000) -> list[Entered]:
        """Reports, the last one entered first, those that were taken back too."""
        back = escape_reports.alias("back")
        with self.seeing() as (connection, rights):
            query = (
                sa.select(escape_reports, sites.c.name.label("site"), back.c.by.label("back_by"),
                          back.c.note.label("why"))
                .join(sites, sites.c.id == escape_reports.c.site_id)
                .outerjoin(back, back.c.takes_back == escape_reports.c.id)
                .where(escape_reports.c.takes_back.is_(None))
                .order_by(escape_reports.c.id.desc())
                .limit(limit)
            )  # fmt: skip
            if site is not None:
                row: Any = site_row(connection, site)
                rights.need(Action.SEE, row.id)
                query = query.where(escape_reports.c.site_id == row.id)
            elif rights.site_ids is not None:
                query = query.where(escape_reports.c.site_id.in_(sorted(rights.site_ids)))
            if since is not None:
                query = query.where(escape_reports.c.reported_on >= since)
            return [_entered(one) for one in connection.execute(query)]

    def today(self, site: str, now: datetime | None = None) -> date:
        """Which day it is on the site's own clock."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return _today(row, self.now(now))

    def report(self, site: str, escapes: Sequence[Escape], source: str, now: datetime | None = None) -> Took:
        """Keep what customers have told.

        Args:
            site: that made the parts.
            escapes: a report whose reference the site has already is known and not written again.
            source: how they came.
            now: aware UTC.

        Raises:
            BadInput: for a report from a day that is still to come.
        """
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            self.database.one_at_a_time(connection, "reported", row.id)
            today = _today(row, when)
            late = next((one for one in escapes if one.reported_on > today), None)
            if late is not None:
                raise BadInput(f"A report of {late.reported_on} is still to come at {site}, where it is {today}.")
            there = _references(connection, row.id)
            fresh: list[Escape] = []
            known: list[str] = []
            for one in escapes:
                if one.reference is not None and one.reference in there:
                    known.append(one.reference)
                    continue
                there.add(one.reference or "")
                fresh.append(one)
            rows = [_values(row.id, one, source, self.actor.name, when) for one in fresh]
            numbers = insert_many(connection, escape_reports, rows) if rows else []
            record(connection, (
                entry(when, self.actor.name, "escape reported", f"report {number}", site_id=row.id,
                      new={"reported_on": one.reported_on.isoformat(), "parts": one.parts,
                           "reference": one.reference, "source": source}, reason=one.note)
                for number, one in zip(numbers, fresh, strict=True)
            ))  # fmt: skip
            return Took(tuple(numbers), sum(one.parts for one in fresh), tuple(known))

    def take_back(self, number: int, reason: str, now: datetime | None = None) -> None:
        """Say that a report was wrong: it stays on record and counts no more.

        Raises:
            NotFound: there is no such report.
            Conflict: somebody has taken it back already.
        """
        if not reason.strip():
            raise BadInput("Say why the report is taken back.")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            query = sa.select(escape_reports).where(
                escape_reports.c.id == number, escape_reports.c.takes_back.is_(None)
            )
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound(f"There is no report {number}.")
            rights.need(Action.POLICY, row.site_id)
            self.database.one_at_a_time(connection, "reported", row.site_id)
            done = sa.select(escape_reports.c.by).where(escape_reports.c.takes_back == number)
            by = connection.scalar(done)
            if by is not None:
                raise Conflict(f"{by} has taken report {number} back already.")
            same = {name: row._mapping[name] for name in ("site_id", "reported_on", "shipped_on", "parts")}
            values = {**same, "source": "taken back", "note": reason.strip(), "takes_back": number,
                      "by": self.actor.name, "entered_at": when, "customer": "", "part": ""}  # fmt: skip
            connection.execute(sa.insert(escape_reports).values(values))
            record(connection, entry(when, self.actor.name, "escape report taken back", f"report {number}",
                                     site_id=row.site_id, old={"parts": row.parts}, reason=reason.strip()))  # fmt: skip


def standing_reports() -> sa.Select[Any]:
    """Reports that count."""
    back = escape_reports.alias("back")
    return sa.select(escape_reports).where(
        escape_reports.c.takes_back.is_(None), ~sa.exists().where(back.c.takes_back == escape_reports.c.id)
    )


def _today(site: Any, when: datetime) -> date:
    return when.astimezone(ZoneInfo(site.timezone)).date()


def _latest(connection: Connection, site_id: int) -> Kept | None:
    query = sa.select(baselines).where(baselines.c.site_id == site_id).order_by(baselines.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _kept(row)


def _kept(row: Any) -> Kept:
    return Kept(row.number, baseline_of(row.document), row.by, row.reason, row.set_at)


def _references(connection: Connection, site_id: int) -> set[str]:
    rows = standing_reports().where(escape_reports.c.site_id == site_id, escape_reports.c.reference.is_not(None))
    return {str(one.reference) for one in connection.execute(rows)}


def _values(site_id: int, one: Escape, source: str, by: str, when: datetime) -> dict[str, Any]:
    return {**asdict(one), "site_id": site_id, "source": source, "takes_back": None, "by": by, "entered_at": when}


def _entered(row: Any) -> Entered:
    names = ("reported_on", "parts", "reference", "customer", "part", "class_id", "shipped_on", "note")
    escape = Escape(**{name: row._mapping[name] for name in names})
    return Entered(row.id, row.site, escape, row.source, row.by, row.entered_at, row.back_by, row.why or "")
