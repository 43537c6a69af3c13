"""What complaints are counted in: weeks, days, orders, machines, lines, sellers and batches of one site."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput
from core.roles import Action
from core.words.complaints.late import Escaped
from core.words.complaints.patterns import Group
from core.words.complaints.records import ComplaintKind, Passed
from core.words.complaints.trend import WEEK, Week
from data.store.base import SubStore, site_row
from data.store.rows import chunks
from data.store.trail.audit import entry, record
from data.store.words.complaint_rows import ESCAPE
from data.store.words.complaint_sights import FOR_THE_LINE
from data.tables import (
    audit_events,
    complaint_sights,
    complaint_volumes,
    complaints,
    decisions,
    images,
    lines,
    machines,
    orders,
    part_types,
    parts,
    reviews,
)

CHANGES = ("model set", "model promoted", "model rolled back", "policy approved", "policy tightened")
OF_PLANT = ("order", "machine", "line", "part type")  # whose parts the plant counts itself
LEFT = ("passed", "released")
_MOST_IMAGES = 12


@dataclass(frozen=True)
class Weekly:
    """Weeks of a site.

    Attributes:
        not_placed: complaints and returns whose part is unknown and that name no day of leaving.
    """

    weeks: tuple[Week, ...]
    not_placed: int


@dataclass(frozen=True)
class Leavers:
    """Escapes that complaints have shown, all parts that left, and of them those that passed by themselves, by day."""

    escaped: tuple[Escaped, ...]
    left: Mapping[date, int]
    passed: Mapping[date, int]


class ComplaintCounts(SubStore):
    """Only counted, never judged: the statistics are core's."""

    def weeks(self, site: str, since: date, today: date, horizon: int) -> Weekly:
        """What was decided, left and was told of within a horizon of leaving, by the week of leaving.

        Args:
            site: where.
            since: its week is the first one.
            today: at the site.
            horizon: days within which a complaint has to be told of to count.
        """
        first = since - timedelta(days=since.weekday())
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            zone = ZoneInfo(row.timezone)
            left: Counter[date] = Counter()
            stopped: Counter[date] = Counter()
            for day, fate, count in _by_day(connection, self.database.is_sqlite, row.id, first, zone):
                if fate in (*LEFT, "stopped"):
                    (left if fate in LEFT else stopped)[day - timedelta(days=day.weekday())] += count
            told: Counter[tuple[date, str]] = Counter()
            not_placed = 0
            seen: set[int] = set()
            for one in _told(connection, row.id):
                went = _left_on(one, zone)
                if went is None:
                    not_placed += one.told_on >= first
                    continue
                if one.part_id is not None:
                    if one.part_id in seen:
                        continue
                    seen.add(one.part_id)
                if went >= first and 0 <= (one.told_on - went).days <= horizon:
                    told[went - timedelta(days=went.weekday()), one.kind] += 1
        weeks = []
        start = first
        while start <= today:
            weeks.append(Week(
                start, left[start], left[start] + stopped[start], stopped[start],
                told[start, str(ComplaintKind.COMPLAINT)], told[start, str(ComplaintKind.RETURN)],
            ))  # fmt: skip
            start += WEEK
        return Weekly(tuple(weeks), not_placed)

    def leavers(self, site: str, since: date) -> Leavers:
        """Escapes that complaints have shown among the parts that left since a day, and how many left on each day."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            zone = ZoneInfo(row.timezone)
            left: Counter[date] = Counter()
            passed: Counter[date] = Counter()
            for day, fate, count in _by_day(connection, self.database.is_sqlite, row.id, since, zone):
                if fate in LEFT:
                    left[day] += count
                if fate == "passed":
                    passed[day] += count
            escaped = [
                Escaped(one.part_id, went, one.told_on, one.passed == str(Passed.MODEL))
                for one in _told(connection, row.id, ESCAPE)
                if one.part_id is not None and (went := _left_on(one, zone)) is not None
                and since <= went <= one.told_on
            ]  # fmt: skip
            return Leavers(tuple(escaped), dict(left), dict(passed))

    def groups(self, site: str, since: date) -> list[Group]:
        """Every order, machine, line, part type, seller and batch with its counts; those of the time since a day."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            start = datetime.combine(since, time(), tzinfo=ZoneInfo(row.timezone)).astimezone(UTC)
            told = [one for one in _told(connection, row.id) if one.told_on >= since]
            about = {one.part_id for one in told if one.part_id is not None}
            return [*_of_plant(connection, row.id, start, about), *_rates(connection, row.id, told), *_mixes(told)]

    def about(self, site: str, about: str, name: str, since: date, what: str = "") -> tuple[list[str], list[int]]:
        """References of the complaints behind one name, and pictures of their parts, newest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            found = [
                one for one in _told(connection, row.id)
                if one.told_on >= since and (not what or what in one.reading.get("intents", ()))
            ]  # fmt: skip
            if about in OF_PLANT:
                mine = _parts_of(connection, row.id, about, name, {one.part_id for one in found} - {None})
                found = [one for one in found if one.part_id in mine]
            else:
                found = [one for one in found if getattr(one, about) == name]
            found.sort(key=lambda one: one.told_on, reverse=True)
            part_ids = list(dict.fromkeys(one.part_id for one in found if one.part_id is not None))[:_MOST_IMAGES]
            pictures = sa.select(sa.func.min(images.c.id)).where(images.c.part_id.in_(part_ids), images.c.state == "ok")
            ids = list(connection.scalars(pictures.group_by(images.c.part_id))) if part_ids else []
            return [one.reference for one in found], sorted(ids)

    def set_volumes(self, site: str, parts_of: Mapping[tuple[str, str], int], now: datetime | None = None) -> int:
        """Say how many parts sellers and batches have had; a name that was known gets its new number.

        Raises:
            BadInput: for anything but sellers and batches, or without a part.
        """
        wrong = next((about for about, _ in parts_of if about not in ("seller", "batch")), None)
        if wrong is not None or any(count < 1 for count in parts_of.values()):
            raise BadInput("Only sellers and batches are counted, and each with one part or more.")
        when = self.now(now)
        with self.writing(Action.COMPLAINTS) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.COMPLAINTS, row.id)
            self.database.one_at_a_time(connection, "complaint volumes", row.id)
            for about in ("seller", "batch"):
                names = [name for kind, name in parts_of if kind == about]
                for some in chunks(names):
                    mine = complaint_volumes.c
                    connection.execute(sa.delete(complaint_volumes).where(
                        mine.site_id == row.id, mine.about == about, mine.name.in_(some)
                    ))  # fmt: skip
            if parts_of:
                connection.execute(sa.insert(complaint_volumes), [
                    {"site_id": row.id, "about": about, "name": name, "parts": count, "by": self.actor.name,
                     "set_at": when}
                    for (about, name), count in parts_of.items()
                ])  # fmt: skip
            record(connection, entry(when, self.actor.name, "complaint volumes set", f"site {site}", site_id=row.id,
                                     new={"names": len(parts_of), "parts": sum(parts_of.values())}))  # fmt: skip
            return len(parts_of)

    def changes(self, site: str, since: date) -> list[tuple[datetime, str]]:
        """When another model or policy came into force, the newest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            start = datetime.combine(since, time(), tzinfo=ZoneInfo(row.timezone)).astimezone(UTC)
            query = (
                sa.select(audit_events.c.at, audit_events.c.action)
                .where(audit_events.c.site_id == row.id, audit_events.c.action.in_(CHANGES), audit_events.c.at >= start)
                .order_by(audit_events.c.id.desc())
                .limit(50)
            )
            return [(one.at, one.action) for one in connection.execute(query)]


def _fates(site_id: int, *conditions: sa.ColumnElement[bool]) -> sa.Subquery:
    """Each decided part with its last decision and what became of it.

    It passed by itself (whether or not somebody agreed), was released by a person, was stopped, or is still waiting.
    """
    here = sa.select(parts.c.id).where(parts.c.site_id == site_id)
    last = (
        sa.select(decisions.c.part_id, sa.func.max(decisions.c.number).label("number"))
        .where(decisions.c.part_id.in_(here))
        .group_by(decisions.c.part_id)
        .subquery()
    )
    undo = reviews.alias("undo")
    word = (
        sa.select(reviews.c.part_id, sa.func.max(reviews.c.id).label("id"))
        .where(
            reviews.c.site_id == site_id, reviews.c.undoes.is_(None), reviews.c.verdict != "UNSURE",
            reviews.c.task_kind.in_([str(kind) for kind in FOR_THE_LINE]),
            ~sa.exists().where(undo.c.undoes == reviews.c.id),
        )
        .group_by(reviews.c.part_id)
        .subquery()
    )  # fmt: skip
    said = reviews.alias("said")
    fate = sa.case(
        (said.c.verdict.in_(("FAIL", "REWORK")), "stopped"),
        (decisions.c.outcome == "PASS", "passed"),
        (said.c.verdict == "PASS", "released"),
        (decisions.c.outcome == "FAIL", "stopped"),
        else_="waiting",
    )
    return (
        sa.select(decisions.c.part_id, decisions.c.decided_at, fate.label("fate"))
        .join(last, (last.c.part_id == decisions.c.part_id) & (last.c.number == decisions.c.number))
        .outerjoin(word, word.c.part_id == decisions.c.part_id)
        .outerjoin(said, (said.c.id == word.c.id) & (said.c.reviewed_at >= decisions.c.decided_at))
        .where(*conditions)
        .subquery()
    )


def _by_day(
    connection: Connection, sqlite: bool, site_id: int, since: date, zone: ZoneInfo
) -> Iterable[tuple[date, str, int]]:
    """Parts by the day of their decision on the site's own clock, and by what became of them."""
    start = datetime.combine(since, time(), tzinfo=zone).astimezone(UTC)
    fates = _fates(site_id, decisions.c.decided_at >= start)
    at = fates.c.decided_at
    hour: Any = (
        sa.func.substr(sa.cast(at, sa.String), 1, 13)
        if sqlite
        else sa.func.to_char(sa.func.timezone("UTC", at), "YYYY-MM-DD HH24")
    )
    query = sa.select(hour.label("hour"), fates.c.fate, sa.func.count().label("n")).group_by(hour, fates.c.fate)
    for row in connection.execute(query):
        there = datetime.strptime(row.hour, "%Y-%m-%d %H").replace(tzinfo=UTC).astimezone(zone)
        yield there.date(), row.fate, row.n


def _told(connection: Connection, site_id: int, *conditions: sa.ColumnElement[bool]) -> Sequence[Any]:
    """Complaints that count, the first told first, each with the last decision about its part."""
    newest = (
        sa.select(sa.func.max(decisions.c.decided_at))
        .where(decisions.c.part_id == complaints.c.part_id)
        .correlate(complaints)
        .scalar_subquery()
    )
    query = (
        sa.select(complaints, complaint_sights.c.passed, newest.label("decided_at"))
        .outerjoin(complaint_sights, complaint_sights.c.id == complaints.c.sight_id)
        .where(complaints.c.site_id == site_id, complaints.c.state != "set aside", *conditions)
        .order_by(complaints.c.told_on, complaints.c.id)
    )
    return connection.execute(query).all()


def _left_on(one: Any, zone: ZoneInfo) -> date | None:
    """The day on which a part left: that of its decision, as the parts that it is counted among are placed."""
    if one.decided_at is not None:
        day: date = one.decided_at.astimezone(zone).date()
        return day if day <= one.told_on else one.shipped_on
    shipped: date | None = one.shipped_on
    return shipped


def _names_of() -> dict[str, tuple[sa.Table, sa.ColumnElement[Any]]]:
    """Where each kind of name stands: its table, and the column that leads there."""
    machine, line = sa.func.min(images.c.machine_id), sa.func.min(images.c.line_id)
    return {"order": (orders, parts.c.order_id), "part type": (part_types, parts.c.part_type_id),
            "machine": (machines, machine), "line": (lines, line)}  # fmt: skip


def _placed(about: str, site_id: int, *conditions: sa.ColumnElement[bool]) -> sa.Subquery:
    """Parts of a site with the number of their order, part type, machine or line."""
    _, column = _names_of()[about]
    if about in ("order", "part type"):
        return sa.select(parts.c.id, column.label("place")).where(parts.c.site_id == site_id, *conditions).subquery()
    return (
        sa.select(images.c.part_id.label("id"), column.label("place"))
        .join(parts, parts.c.id == images.c.part_id)
        .where(images.c.site_id == site_id, *conditions)
        .group_by(images.c.part_id)
        .subquery()
    )


def _of_plant(connection: Connection, site_id: int, start: datetime, about: set[int]) -> list[Group]:
    """Parts that left, and of them those that were complained about, by order, machine, line and part type."""
    found = []
    fates = _fates(site_id, decisions.c.decided_at >= start)
    for kind, (names, _) in _names_of().items():
        placed = _placed(kind, site_id)
        query = (
            sa.select(names.c.name, sa.func.count().label("n"))
            .select_from(fates)
            .join(placed, placed.c.id == fates.c.part_id)
            .join(names, names.c.id == placed.c.place)
            .where(fates.c.fate.in_(LEFT))
        )
        sizes = {row.name: row.n for row in connection.execute(query.group_by(names.c.name))}
        hits: Counter[str] = Counter()
        for some in chunks(sorted(about)):
            told = query.where(fates.c.part_id.in_(some)).group_by(names.c.name)
            hits.update({row.name: row.n for row in connection.execute(told)})
        found += [Group(kind, name, hits[name], size) for name, size in sizes.items()]
    return found


def _rates(connection: Connection, site_id: int, told: Sequence[Any]) -> list[Group]:
    """Sellers and batches whose number of parts somebody has said."""
    hits: Counter[tuple[str, str]] = Counter()
    seen: set[tuple[str, str, int]] = set()
    for one in told:
        for about in ("seller", "batch"):
            name = getattr(one, about)
            again = one.part_id is not None and (about, name, one.part_id) in seen
            if name and not again:
                hits[about, name] += 1
                seen.add((about, name, one.part_id or -one.id))
    query = sa.select(complaint_volumes).where(complaint_volumes.c.site_id == site_id)
    return [Group(row.about, row.name, hits[row.about, row.name], row.parts) for row in connection.execute(query)]


def _mixes(told: Sequence[Any]) -> list[Group]:
    """What each seller's and batch's complaints are about; the main thing of each counts."""
    counts: dict[str, dict[str, Counter[str]]] = {"seller": defaultdict(Counter), "batch": defaultdict(Counter)}
    for one in told:
        intents = one.reading.get("intents") or ()
        for about, names in counts.items():
            name = getattr(one, about)
            if name and intents:
                names[name][intents[0]] += 1
    return [
        Group(about, name, mine[what], mine.total(), what)
        for about, names in counts.items()
        for what in sorted({what for mine in names.values() for what in mine})
        for name, mine in names.items()
    ]


def _parts_of(connection: Connection, site_id: int, about: str, name: str, among: set[Any]) -> set[int]:
    """Of some parts those of one order, machine, line or part type."""
    names, _ = _names_of()[about]
    found: set[int] = set()
    for some in chunks(sorted(among)):
        placed = _placed(about, site_id, parts.c.id.in_(some))
        query = sa.select(placed.c.id).join(names, names.c.id == placed.c.place).where(names.c.name == name)
        found |= set(connection.scalars(query))
    return found
