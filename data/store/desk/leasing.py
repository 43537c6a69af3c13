"""The statements by which a task changes hands, and what is said of whoever has it.

A person has one task in hand and may have a few *ahead* of it, which are shown the moment the one in hand is answered.
Nobody is sent away because of those: when nothing is free, a task that another only has ahead is taken from them,
under a higher fence, the last one they would have come to first.

A statement is built once for each kind of question and filled with values afterwards: building one takes longer than
the database takes to answer it, and everybody else who writes waits for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.plant import ALL, Narrow
from core.records import TaskKind
from core.roles import Action
from data.columns import UtcTime
from data.store.base import Rights
from data.store.rows import TASK
from data.tables import IS_OPEN, cameras, gold_items, images, lines, predictions, regions, reviews, sites, tasks

LEASE_S = 300
AHEAD_S = 30
LONGEST_S = 8 * 3600
MOST_AHEAD = 10

NOBODYS = {"leased_by": None, "leased_until": None, "leased_at": None, "ahead": False}  # a task in no hands
IN_ORDER = (tasks.c.leased_at, tasks.c.rank, tasks.c.id)  # in which a person comes to what they have ahead
BY_RANK = (tasks.c.rank, tasks.c.id)

_ME = sa.bindparam("me", type_=sa.String())
_NOW = sa.bindparam("now", type_=UtcTime())
_UNTIL = sa.bindparam("until", type_=UtcTime())
_AT = sa.bindparam("at", type_=UtcTime())
_SITE = sa.select(sites.c.name).where(sites.c.id == tasks.c.site_id).correlate(tasks).scalar_subquery()
_RETURNED = (*tasks.c, _SITE.label("site"))

MINE = tasks.c.leased_by == _ME
FREE = sa.or_(tasks.c.leased_by.is_(None), tasks.c.leased_until <= _NOW)  # nobody's, or lapsed
MY_AHEAD = sa.and_(MINE, tasks.c.ahead, tasks.c.leased_until > _NOW)


@dataclass(frozen=True)
class Wanted:
    """Which tasks a person may be given, or is shown.

    Attributes:
        site_ids: None for all sites.
        kinds: None for all kinds.
        narrow: only these parts.
    """

    me: str
    site_ids: tuple[int, ...] | None
    kinds: tuple[str, ...] | None = None
    narrow: Narrow = ALL

    @property
    def shape(self) -> "Shape":
        """What of it is in the words of a statement, not in its values."""
        return Shape(_many(self.site_ids), _many(self.kinds), tuple(self.narrow.given))

    def values(self, **more: Any) -> Mapping[str, Any]:
        """For a statement of this shape."""
        found: dict[str, Any] = {"me": self.me, **more}
        found |= {f"narrow_{name}": value for name, value in self.narrow.given.items()}
        for name, asked in (("site", self.site_ids), ("kind", self.kinds)):
            if asked is not None:
                found |= {f"one_{name}": asked[0]} if len(asked) == 1 else {f"some_{name}s": asked}
        return found


_Many = Literal["all", "one", "some"]


def _many(asked: Sequence[object] | None) -> _Many:
    return "all" if asked is None else "one" if len(asked) == 1 else "some"


@dataclass(frozen=True)
class Shape:
    """A kind of question."""

    sites: _Many
    kinds: _Many = "all"
    narrow: tuple[str, ...] = ()

    def at_sites(self, column: sa.ColumnElement[int]) -> list[sa.ColumnElement[bool]]:
        """Conditions that keep a statement to the sites."""
        return _only(self.sites, column, "site")

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """On a task that is found by its place in the queue."""
        at, of = self.at_sites(tasks.c.site_id), _only(self.kinds, tasks.c.kind, "kind")
        return [IS_OPEN, *at, *of, *self.narrowed, _NOT_MY_DOUBT]

    @property
    def conditions_on_held(self) -> list[sa.ColumnElement[bool]]:
        """On a task that is found by who has it; adding nothing keeps SQLite from going through the whole queue."""
        kinds = _only(self.kinds, tasks.c.kind + sa.literal_column("''"), "kind")
        at = self.at_sites(tasks.c.site_id + sa.literal_column("0"))
        return [IS_OPEN, *at, *kinds, *self.narrowed, _NOT_MY_DOUBT]

    @property
    def narrowed(self) -> list[sa.ColumnElement[bool]]:
        """Conditions that keep a statement to what a person asks for."""
        found = [_NARROWED[name] for name in ("since", "until") if name in self.narrow]
        taken = [_NARROWED[name] for name in ("line", "camera", "class_id") if name in self.narrow]
        if taken:
            found.append(sa.exists().where(images.c.part_id == tasks.c.part_id, *taken))
        return found


def _narrow(name: str, kind: Any = None) -> sa.BindParameter[Any]:
    return sa.bindparam(f"narrow_{name}", type_=kind or sa.String())


_NARROWED: Mapping[str, sa.ColumnElement[bool]] = {
    "since": tasks.c.created_at >= _narrow("since", UtcTime()),
    "until": tasks.c.created_at < _narrow("until", UtcTime()),
    "line": images.c.line_id.in_(sa.select(lines.c.id).where(lines.c.name == _narrow("line"))),
    "camera": images.c.camera_id.in_(sa.select(cameras.c.id).where(cameras.c.name == _narrow("camera"))),
    "class_id": sa.exists().where(
        predictions.c.image_id == images.c.id,
        regions.c.prediction_id == predictions.c.id,
        regions.c.class_id == _narrow("class_id"),
    ),
}


def _only(many: _Many, column: sa.ColumnElement[Any], name: str) -> list[sa.ColumnElement[bool]]:
    """`column = x` for one value, so that an index serves an ORDER BY behind it; IN for more."""
    if many == "all":
        return []
    if many == "one":
        return [column == sa.bindparam(f"one_{name}", type_=column.type)]
    return [column.in_(sa.bindparam(f"some_{name}s", type_=column.type, expanding=True))]


def _not_my_doubt() -> sa.ColumnElement[bool]:
    """A second look needs a second person, and a known answer somebody who does not know it."""
    undo = reviews.alias("undo")
    mine = sa.exists().where(
        reviews.c.part_id == tasks.c.part_id,
        reviews.c.by == _ME,
        reviews.c.undoes.is_(None),
        ~sa.exists().where(undo.c.undoes == reviews.c.id),
    )
    known = sa.exists().where(gold_items.c.part_id == tasks.c.part_id, gold_items.c.by == _ME)
    second: sa.ColumnElement[str] = sa.literal_column(f"'{TaskKind.SECOND_LOOK.value}'")
    gold: sa.ColumnElement[str] = sa.literal_column(f"'{TaskKind.GOLD.value}'")
    return sa.and_(sa.or_(tasks.c.kind.not_in([second, gold]), ~mine), sa.or_(tasks.c.kind != gold, ~known))


_NOT_MY_DOUBT = _not_my_doubt()


def check_length(seconds: float) -> None:
    """Refuse a lease that nobody can mean."""
    if not 0 < seconds <= LONGEST_S:
        raise BadInput(f"A lease of {seconds} s is outside 0 to {LONGEST_S} s.")


@cache
def left_over(shape: Shape) -> sa.Select[Any]:
    """A task that a claim could have taken, whoever is writing to it at this moment."""
    return sa.select(tasks.c.id).where(*shape.conditions, sa.or_(FREE, MINE, tasks.c.ahead)).limit(1)


@cache
def mine_ahead(shape: Shape) -> sa.Select[Any]:
    """What a person has ahead, in the order in which they come to it."""
    return TASK.where(*shape.conditions_on_held, MY_AHEAD).order_by(*IN_ORDER)


@cache
def waiting(shape: Shape) -> sa.Select[Any]:
    """What is free, the most urgent first."""
    return TASK.where(*shape.conditions, FREE).order_by(*BY_RANK).limit(sa.bindparam("n", type_=sa.Integer()))


@cache
def all_of_mine(shape: Shape) -> sa.Select[Any]:
    """What a person has in hand and ahead, locked, and whether it is (still) what they want."""
    query = TASK.add_columns(sa.and_(*shape.conditions).label("fits"))
    query = query.where(IS_OPEN, MINE, tasks.c.leased_until > _NOW).order_by(*IN_ORDER)
    return query.with_for_update(of=tasks, skip_locked=True)


@cache
def claim_one(shape: Shape, wait: bool = False) -> sa.Update:
    """The one statement that puts a task into a person's hands.

    Their own first, then the first they have ahead, then the most urgent free one, then what another has ahead. On
    PostgreSQL each is locked where it is found, so that nothing is taken twice.

    Args:
        shape: of what is wanted.
        wait: for tasks that another transaction is writing to, instead of stepping over them.
    """

    def first(conditions: Sequence[sa.ColumnElement[bool]], by: Sequence[Any]) -> sa.ScalarSelect[Any]:
        query = sa.select(tasks.c.id).where(*conditions).order_by(*by).limit(sa.literal_column("1"))
        return query.with_for_update(skip_locked=not wait).scalar_subquery()

    held = shape.conditions_on_held
    in_hand = first([*held, MINE, ~tasks.c.ahead], (tasks.c.leased_until.desc(), tasks.c.id))
    ahead = first([*held, MY_AHEAD], IN_ORDER)
    nobodys = first([*shape.conditions, FREE], BY_RANK)
    others = first([*held, tasks.c.leased_by.is_not(None), tasks.c.ahead], [column.desc() for column in IN_ORDER])
    chosen = sa.func.coalesce(in_hand, ahead, nobodys, others)
    return sa.update(tasks).where(tasks.c.id == chosen).values(_hold(ahead=False)).returning(*_RETURNED)


@cache
def claim_ahead(shape: Shape) -> sa.Update:
    """The same for the next free ones, which the person does not look at yet."""
    found = sa.select(tasks.c.id).where(*shape.conditions, FREE).order_by(*BY_RANK)
    found = found.limit(sa.bindparam("n", type_=sa.Integer()))
    chosen = found.with_for_update(skip_locked=True).cte("chosen")  # PostgreSQL runs a locking CTE once, never twice
    which = tasks.c.id.in_(sa.select(chosen.c.id))
    return sa.update(tasks).where(which).values(_hold(ahead=True)).returning(*_RETURNED)


def _hold(ahead: bool) -> dict[str, Any]:
    """A new holder gets a higher fence; who merely comes back keeps theirs, and what they have not sent yet counts."""
    fence = tasks.c.fence + sa.case((MINE, sa.literal_column("0")), else_=sa.literal_column("1"))
    held = sa.true() if ahead else sa.false()
    return {"fence": fence, "leased_by": _ME, "leased_until": _UNTIL, "leased_at": _AT, "ahead": held}


GIVE_BACK_OTHERS = (
    sa.update(tasks).where(IS_OPEN, MINE, ~tasks.c.ahead, tasks.c.id != sa.bindparam("kept")).values(NOBODYS)
)
RENEW = (
    sa.update(tasks)
    .where(tasks.c.id.in_(sa.bindparam("ids", expanding=True)))
    .values(leased_by=_ME, leased_until=_UNTIL)
)
_BY_ID = TASK.where(tasks.c.id == sa.bindparam("task"))
_BY_ID_LOCKED = _BY_ID.with_for_update(of=tasks)


@cache
def held_by_me(shape: Shape) -> sa.Select[Any]:
    """What a person has in hand."""
    mine = [IS_OPEN, MINE, ~tasks.c.ahead, tasks.c.leased_until > _NOW]
    return TASK.where(*mine, *shape.at_sites(tasks.c.site_id + sa.literal_column("0"))).order_by(
        tasks.c.leased_until.desc()
    )


@cache
def open_kinds(shape: Shape) -> sa.Select[Any]:
    """How many tasks of each kind are open."""
    asked = [IS_OPEN, *shape.at_sites(tasks.c.site_id), *shape.narrowed]
    return sa.select(tasks.c.kind, sa.func.count().label("number")).where(*asked).group_by(tasks.c.kind)


@cache
def not_for_me(shape: Shape) -> sa.Select[Any]:
    """Open second looks and known answers that a person cannot be given, because they have answered the part before."""
    kinds = tasks.c.kind.in_([TaskKind.SECOND_LOOK.value, TaskKind.GOLD.value])
    at = shape.at_sites(tasks.c.site_id) or [tasks.c.site_id.in_(sa.select(sites.c.id))]  # or no index finds the kinds
    return sa.select(tasks.c.id).where(IS_OPEN, *at, kinds, *shape.narrowed, sa.not_(_NOT_MY_DOUBT))


@cache
def all_held(shape: Shape) -> sa.Select[Any]:
    """What is in anybody's hands; without sites, so that its own index finds these few and not all open ones."""
    query = sa.select(tasks.c.id, tasks.c.site_id, tasks.c.leased_by, tasks.c.ahead)
    return query.where(IS_OPEN, tasks.c.leased_by.is_not(None), tasks.c.leased_until > _NOW, *shape.narrowed)


@cache
def answered_since(shape: Shape) -> sa.Select[Any]:
    """How many answers of a person stand since a time."""
    undo = reviews.alias("undo")
    return (
        sa.select(sa.func.count())
        .select_from(reviews)
        .where(reviews.c.by == _ME, reviews.c.undoes.is_(None), reviews.c.task_id.is_not(None))
        .where(reviews.c.reviewed_at >= _NOW, ~sa.exists().where(undo.c.undoes == reviews.c.id))
        .where(*shape.at_sites(reviews.c.site_id + sa.literal_column("0")))
    )


@cache
def answered_last(shape: Shape) -> sa.Select[Any]:
    """What a person has answered and nobody has touched since, the last one first."""
    mine = [tasks.c.closed_by == _ME, tasks.c.state == sa.literal_column("'done'")]
    query = TASK.where(*mine, *shape.at_sites(tasks.c.site_id + sa.literal_column("0")))
    return query.order_by(tasks.c.closed_at.desc(), tasks.c.id.desc()).limit(sa.bindparam("n", type_=sa.Integer()))


def give_back(connection: Connection, *which: sa.ColumnElement[bool]) -> None:
    """Put open tasks into nobody's hands."""
    connection.execute(sa.update(tasks).where(IS_OPEN, *which).values(NOBODYS))


def task_row(connection: Connection, task_id: int, lock: bool = False) -> Any:
    """A task with the name of its site."""
    row = connection.execute(_BY_ID_LOCKED if lock else _BY_ID, {"task": task_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no task {task_id}.")
    return row


def held_row(connection: Connection, rights: Rights, task_id: int, fence: int, by: str, now: datetime) -> Any:
    """The task, locked, if its lease is this person's; a lapsed one counts while nobody else has taken it."""
    row = task_row(connection, task_id, lock=True)
    need_lease(connection, rights, row, fence, by, now)
    return row


def need_lease(connection: Connection, rights: Rights, row: Any, fence: int, by: str, now: datetime) -> None:
    """Raise Conflict unless the task is in this person's hands, or ahead of what is, under this fence."""
    rights.need(Action.REVIEW, row.site_id)
    if row.state != "open" or row.fence != fence or row.leased_by != by:
        raise Conflict(whose(connection, row, now))


def whose(connection: Connection, row: Any, now: datetime) -> str:
    """Who has a task or what became of it, in a sentence."""
    if row.state == "done":
        last = connection.execute(
            sa.select(reviews.c.verdict).where(reviews.c.task_id == row.id).order_by(reviews.c.id.desc()).limit(1)
        ).scalar_one_or_none()
        zone = connection.scalar(sa.select(sites.c.timezone).where(sites.c.id == row.site_id)) or "UTC"
        at = row.closed_at.astimezone(ZoneInfo(zone))
        return f"{row.closed_by} has answered this at {at:%H:%M} with {last}: nothing was saved, take the next one."
    if row.state == "withdrawn":
        return "This task was withdrawn: nothing was saved, take the next one."
    if row.leased_by is not None and row.leased_until > now:
        left = max(1, round((row.leased_until - now).total_seconds() / 60))
        return f"{row.leased_by} has this part now, for up to {left} min: nothing was saved, take the next one."
    return "You have no lease on this part any more: nothing was saved, take it again."
