"""What analytics are made of: rows of the store as Arrow, by growing id, each at the actor's sites only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import NotAllowed
from core.records import NO_DEFECT
from core.taxonomy import Taxonomy
from data.analytics.schema import REPORTED, TABLES
from data.store.base import Rights, SubStore, within
from data.store.rows import chunks
from data.store.rules.in_force import taxonomy_in_force
from data.store.rules.reported import standing_reports
from data.tables import (
    IS_OPEN,
    cameras,
    decisions,
    escape_reports,
    images,
    lines,
    part_types,
    parts,
    predictions,
    regions,
    reviews,
    sites,
    tasks,
    users,
)

BATCH = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


@dataclass(frozen=True)
class Marks:
    """How far the store has come.

    Attributes:
        ids: the largest id of each table of facts; 0 without a row.
        before: on PostgreSQL every transaction below this number had begun; 0 where writers come one by one.
        finished: on PostgreSQL every transaction below this number has ended.
    """

    ids: Mapping[str, int]
    before: int = 0
    finished: int = 0


@dataclass(frozen=True)
class Places:
    """Names by id, as they are now, at the actor's sites.

    Attributes:
        sites: (name, time zone, number of the taxonomy in force).
        lines, cameras, part_types: names.
        classes: (site id, class id) to the class it rolls up to, itself where it has no parent.
        line_sites, camera_sites, part_type_sites: the site of each.
        every: the actor sees every site there is, and every one to come.
    """

    sites: Mapping[int, tuple[str, str, int]] = field(default_factory=dict)
    lines: Mapping[int, str] = field(default_factory=dict)
    cameras: Mapping[int, str] = field(default_factory=dict)
    part_types: Mapping[int, str] = field(default_factory=dict)
    classes: Mapping[tuple[int, str], str] = field(default_factory=dict)
    line_sites: Mapping[int, int] = field(default_factory=dict)
    camera_sites: Mapping[int, int] = field(default_factory=dict)
    part_type_sites: Mapping[int, int] = field(default_factory=dict)
    every: bool = False

    @property
    def basis(self) -> dict[str, list[object]]:
        """What published facts depend on beside their rows: each site's clock and classes."""
        return {str(site): [zone_name, number] for site, (_, zone_name, number) in sorted(self.sites.items())}


@dataclass(frozen=True)
class Waiting:
    """What waits for an answer at a site now.

    Attributes:
        oldest: when the task that waits longest was opened.
    """

    site_id: int
    kind: str
    open: int
    oldest: datetime | None


class Facts(SubStore):
    """Read only; published files are made of these rows by a process of the plant, which sees every site."""

    def marks(self) -> Marks:
        """How far the store has come at this moment."""
        with self.seeing() as (connection, _):
            return _marks(connection, self.database.is_sqlite)

    def stamps(self, ids: Mapping[str, int]) -> dict[str, datetime | None]:
        """When rows came to be, by which published facts know their store again; None for a row that is not there.

        Raises:
            NotAllowed: for a person; only a process of the plant publishes.
        """
        with self.seeing(None) as (connection, rights):
            if rights.role is not None:
                raise NotAllowed(f"{self.actor.name} may not publish facts: the worker does.")
            return {
                kind: connection.scalar(sa.select(when).where(table.c.id == ids[kind]))
                for kind, (table, when) in _STAMPS.items()
                if kind in ids
            }

    def places(self) -> Places:
        """Names of what the facts speak of."""
        with self.seeing() as (connection, rights):
            return _places(connection, rights)

    def rows(self, kind: str, after: int, until: int, limit: int = BATCH) -> pa.Table:
        """The next rows of one table of facts, by id.

        Args:
            kind: a table of `data.analytics.schema`.
            after: only larger ids.
            until: only ids up to this one.
            limit: at most so many.
        """
        with self.seeing() as (connection, rights):
            zones = _zones(connection)
            return _rows(connection, rights, kind, after, until, limit, zones)

    def newest(self, after: Mapping[str, int], most: int) -> dict[str, pa.Table] | None:
        """All rows behind these ids, of one moment of the store; None where there are more than `most` of a table."""
        found: dict[str, pa.Table] = {}
        with self.seeing() as (connection, rights):
            zones = _zones(connection)
            marks = _marks(connection, self.database.is_sqlite)
            for kind in TABLES:
                start = after.get(kind, 0)
                if marks.ids[kind] - start > most:
                    return None
                limit = max(1, marks.ids[kind] - start)
                found[kind] = _rows(connection, rights, kind, start, marks.ids[kind], limit, zones)
        return found

    def reported(self) -> pa.Table:
        """Defective parts that customers have reported and nobody has taken back."""
        with self.seeing() as (connection, rights):
            query = standing_reports().where(*within(rights, escape_reports.c.site_id)).order_by(escape_reports.c.id)
            rows = [
                {"id": row.id, "site_id": row.site_id, "reported_on": row.reported_on, "shipped_on": row.shipped_on,
                 "parts": row.parts, "class": row.class_id}
                for row in connection.execute(query)
            ]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=REPORTED)

    def waiting(self) -> list[Waiting]:
        """Open tasks by site and kind, with the oldest of each."""
        with self.seeing() as (connection, rights):
            query = (
                sa.select(tasks.c.site_id, tasks.c.kind, sa.func.count(), sa.func.min(tasks.c.created_at))
                .where(IS_OPEN, *within(rights, tasks.c.site_id))
                .group_by(tasks.c.site_id, tasks.c.kind)
                .order_by(tasks.c.site_id, tasks.c.kind)
            )
            return [Waiting(*row) for row in connection.execute(query)]


# --- questions ------------------------------------------------------------------------------------------------------

_STAMPS = {
    "predictions": (predictions, predictions.c.predicted_at),
    "decisions": (decisions, decisions.c.decided_at),
    "reviews": (reviews, reviews.c.reviewed_at),
    "tasks": (tasks, tasks.c.created_at),
}
# A part stands where its first picture was taken.
_FIRST = sa.select(sa.func.min(images.c.id)).where(images.c.part_id == parts.c.id).correlate(parts).scalar_subquery()
_PLACE = (
    parts.c.site_id,
    images.c.line_id,
    images.c.camera_id,
    sa.func.coalesce(parts.c.part_type_id, images.c.part_type_id).label("part_type_id"),
)


def _of_part(query: sa.Select[Any], part_id: sa.ColumnElement[int]) -> sa.Select[Any]:
    return query.join(parts, parts.c.id == part_id).outerjoin(images, images.c.id == _FIRST)


_UNDONE = reviews.alias("undone")
_QUERIES: Mapping[str, sa.Select[Any]] = {
    "predictions": sa.select(
        predictions.c.id, predictions.c.image_id, images.c.site_id, images.c.line_id, images.c.camera_id,
        images.c.part_type_id, predictions.c.model, predictions.c.score, predictions.c.milliseconds,
        predictions.c.predicted_at.label("at_utc"),
    ).join(images, images.c.id == predictions.c.image_id),
    "decisions": _of_part(
        sa.select(
            decisions.c.id, decisions.c.part_id, images.c.id.label("image_id"), *_PLACE, decisions.c.number,
            decisions.c.outcome, decisions.c.score, decisions.c.class_scores, decisions.c.reasons, decisions.c.policy,
            decisions.c.model, decisions.c.audit_share, decisions.c.audited, decisions.c.decided_at.label("at_utc"),
        ).select_from(decisions),
        decisions.c.part_id,
    ),
    "reviews": _of_part(
        sa.select(
            reviews.c.id, reviews.c.undoes, reviews.c.part_id, images.c.id.label("image_id"), *_PLACE,
            reviews.c.task_id, reviews.c.task_kind.label("kind"), reviews.c.verdict, reviews.c.classes,
            users.c.id.label("person"), reviews.c.seconds, reviews.c.decision_id, reviews.c.outcome, decisions.c.score,
            decisions.c.class_scores, reviews.c.policy, reviews.c.model, decisions.c.audit_share, decisions.c.audited,
            decisions.c.decided_at, tasks.c.created_at.label("asked_at"),
            sa.func.coalesce(_UNDONE.c.reviewed_at, reviews.c.reviewed_at).label("at_utc"),
        ).select_from(reviews),
        reviews.c.part_id,
    )
    .join(tasks, tasks.c.id == reviews.c.task_id)
    .outerjoin(_UNDONE, _UNDONE.c.id == reviews.c.undoes)
    .outerjoin(decisions, decisions.c.id == reviews.c.decision_id)
    .outerjoin(users, users.c.name == reviews.c.by),
    "tasks": _of_part(
        sa.select(tasks.c.id, tasks.c.part_id, *_PLACE, tasks.c.kind, tasks.c.created_at.label("at_utc"))
        .select_from(tasks),
        tasks.c.part_id,
    ),
}  # fmt: skip
_TABLES = {"predictions": predictions, "decisions": decisions, "reviews": reviews, "tasks": tasks}
_SITE_OF = {"predictions": images.c.site_id, "decisions": parts.c.site_id, "reviews": parts.c.site_id,
            "tasks": parts.c.site_id}  # fmt: skip
_BY_ID = {
    kind: query.where(_TABLES[kind].c.id > sa.bindparam("after"), _TABLES[kind].c.id <= sa.bindparam("until"))
    .order_by(_TABLES[kind].c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
    for kind, query in _QUERIES.items()
}
_DRAWN = (
    sa.select(regions.c.review_id, regions.c.class_id, regions.c.name)
    .where(regions.c.review_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(regions.c.id.desc())
)
_SNAPSHOT = sa.text(
    "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
    " pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
)


def _marks(connection: Connection, is_sqlite: bool) -> Marks:
    ids = {kind: int(connection.scalar(sa.select(sa.func.max(table.c.id))) or 0) for kind, table in _TABLES.items()}
    if is_sqlite:
        return Marks(ids)
    before, finished = connection.execute(_SNAPSHOT).one()
    return Marks(ids, int(before), int(finished))


def _zones(connection: Connection) -> dict[int, str]:
    return {row.id: row.timezone for row in connection.execute(sa.select(sites.c.id, sites.c.timezone))}


def _places(connection: Connection, rights: Rights) -> Places:
    seen = {
        row.id: (row.name, row.timezone, taxonomy_in_force(connection, row.id))
        for row in connection.execute(sa.select(sites).where(*within(rights, sites.c.id)).order_by(sites.c.id))
    }
    named = {
        table.name: connection.execute(
            sa.select(table.c.id, table.c.name, table.c.site_id)
            .where(*within(rights, table.c.site_id))
            .order_by(table.c.site_id, table.c.name)
        ).all()
        for table in (lines, cameras, part_types)
    }
    names = {name: {row.id: row.name for row in rows} for name, rows in named.items()}
    at = {name: {row.id: row.site_id for row in rows} for name, rows in named.items()}
    return Places(
        {site: (name, zone_name, number) for site, (name, zone_name, (number, _)) in seen.items()},
        names["lines"],
        names["cameras"],
        names["part_types"],
        {
            (site, one.id): _top(taxonomy, one.id)
            for site, (_, _, (_, taxonomy)) in seen.items()
            for one in taxonomy.classes
        },
        at["lines"],
        at["cameras"],
        at["part_types"],
        rights.site_ids is None,
    )


def _top(taxonomy: Taxonomy, class_id: str) -> str:
    """The last ancestor that is a class or a group's name; a circle ends where it began."""
    seen = [class_id]
    while seen[-1] in taxonomy.ids and (parent := taxonomy.get(seen[-1]).parent) is not None and parent not in seen:
        seen.append(parent)
    return seen[-1]


# --- rows to columns ------------------------------------------------------------------------------------------------


def _rows(
    connection: Connection, rights: Rights, kind: str, after: int, until: int, limit: int, zones: Mapping[int, str]
) -> pa.Table:
    query = _BY_ID[kind].where(*within(rights, _SITE_OF[kind]))
    found = connection.execute(query, {"after": after, "until": until, "most": limit}).all()
    columns = _columns(found)
    if kind in _MORE:
        columns |= _MORE[kind](connection, found)
    columns["local_at"] = _local(columns["at_utc"], columns["site_id"], zones)
    if "decided_at" in columns:
        columns["decided_local"] = _local(columns["decided_at"], columns["site_id"], zones)
    schema = TABLES[kind]
    return pa.table([_array(columns[name], schema.field(name).type) for name in schema.names], schema=schema)


def _columns(rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
    if not rows:
        names = {name for schema in TABLES.values() for name in schema.names}
        return dict.fromkeys(names, ())
    return dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        values = [
            None if one is None else (one - _EPOCH) // _US if isinstance(one, datetime) else one for one in values
        ]
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


def _local(moments: Sequence[datetime | None], site_ids: Sequence[int], zones: Mapping[int, str]) -> list[int | None]:
    """Microseconds since 1970 on each site's own clock."""
    clocks = {site: _clock(name) for site, name in zones.items()}
    return [
        None if at is None else (at - _EPOCH) // _US + clocks[site](at)
        for at, site in zip(moments, site_ids, strict=True)
    ]


def _clock(name: str) -> Callable[[datetime], int]:
    """How far a clock is ahead of UTC at a time, in microseconds; remembered by the quarter of an hour."""
    there, known = _zone(name), dict[int, int]()

    def ahead(at: datetime) -> int:
        quarter = int(at.timestamp()) // 900  # no clock changes at any other moment of an hour
        if quarter not in known:
            known[quarter] = (at.astimezone(there).utcoffset() or timedelta(0)) // _US
        return known[quarter]

    return ahead


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC  # as the pages show its times, too


def _of_decisions(_connection: Connection, rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
    return {
        "model_class": [_likeliest(row.class_scores) for row in rows],
        "reason": [row.reasons[0][0] if row.reasons else None for row in rows],
    }


def _of_reviews(connection: Connection, rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """An undo is the review that it takes back, at that one's time, counted the other way."""
    subjects = [row.id if row.undoes is None else row.undoes for row in rows]
    drawn: dict[int, str] = {}
    for some in chunks(sorted(set(subjects))):
        for row in connection.execute(_DRAWN, {"ids": some}):  # the first one drawn comes last and stays
            drawn[row.review_id] = row.class_id or row.name
    known = {site: taxonomy_in_force(connection, site)[1] for site in {row.site_id for row in rows}}
    return {
        "review_id": subjects,
        "sign": [1 if row.undoes is None else -1 for row in rows],
        "class": [
            _meaning(drawn.get(subject) or next(iter(row.classes), None), known[row.site_id])
            for subject, row in zip(subjects, rows, strict=True)
        ],
        "model_class": [_likeliest(row.class_scores) for row in rows],
    }


_MORE: Mapping[str, Callable[[Connection, Sequence[Any]], dict[str, Sequence[Any]]]] = {
    "decisions": _of_decisions,
    "reviews": _of_reviews,
}


def _likeliest(scores: Mapping[str, float] | None) -> str | None:
    return max(sorted(scores), key=lambda name: scores[name]) if scores else None


def _meaning(name: str | None, taxonomy: Taxonomy) -> str | None:
    """The class a name means now; the name itself while it is unmapped."""
    if name is None:
        return None
    found = taxonomy.match(name)
    return None if found == NO_DEFECT else found or name
