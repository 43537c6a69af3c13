"""Sites: what is in force at each plant."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.plant import PlantName, Site
from core.roles import Action
from core.serving import Change
from core.taxonomy import Taxonomy
from data.store.base import SubStore, site_row, within
from data.store.rules.in_force import append_version, taxonomy_in_force
from data.store.science.in_use import put_in_use
from data.store.trail.audit import entry, record
from data.tables import cameras, images, lines, models, sites

_TIMES = ("paused_at", "calibrated_until")  # which the event's own time, or its request, says
_NAMED = {"camera": (cameras, images.c.camera_id), "line": (lines, images.c.line_id)}


class Sites(SubStore):
    """Making sites and setting what is in force there."""

    def add(
        self,
        name: str,
        taxonomy: Taxonomy | None = None,
        timezone: str = "UTC",
        *,
        requires_ids: bool = False,
        now: datetime | None = None,
    ) -> Site:
        """A new site, with nothing in force but its taxonomy.

        Raises:
            Conflict: when there is one of that name.
        """
        if not name.strip() or len(name) > 100:
            raise BadInput("A site needs a name of 1 to 100 characters.")
        _check_zone(timezone)
        when = self.now(now)
        with self.writing(None) as (connection, rights):
            rights.need(Action.PEOPLE)
            if connection.scalar(sa.select(sites.c.id).where(sites.c.name == name)) is not None:
                raise Conflict(f"There is a site '{name}' already.")
            values = {
                "name": name,
                "timezone": timezone,
                "model": None,
                "calibrated": False,
                "paused": None,
                "requires_ids": requires_ids,
                "created_at": when,
            }
            site_id = connection.execute(sa.insert(sites).values(values).returning(sites.c.id)).scalar_one()
            record(connection, entry(when, self.actor.name, "site added", f"site {name}", site_id=site_id,
                                     new={"timezone": timezone, "requires_ids": requires_ids}))  # fmt: skip
            if taxonomy is not None:
                append_version(connection, site_id, name, taxonomy, "came with the site", self.actor.name, when)
            return _site(connection, site_row(connection, name))

    def get(self, name: str) -> Site:
        """One site.

        Raises:
            NotFound: naming the sites there are.
        """
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, name)
            rights.need(Action.SEE, row.id)
            return _site(connection, row)

    def all(self) -> list[Site]:
        """Every site the actor was given, by name."""
        with self.seeing() as (connection, rights):
            chosen = sa.select(sites).where(*within(rights, sites.c.id)).order_by(sites.c.name)
            return [_site(connection, row) for row in connection.execute(chosen)]

    def set_model(self, site: str, model: str | None, reason: str = "", now: datetime | None = None) -> None:
        """Put a model version in use where there is none, or none; another model takes its place by a promotion.

        Another model is not calibrated until somebody says so. The plant's own processes, such as its set-up, may
        replace one model by another, too.

        Raises:
            NotAllowed: for a person who would replace a model by another.
        """
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.TRAIN, row.id)
            self.database.one_at_a_time(connection, "requests", row.id)
            row = connection.execute(sa.select(sites).where(sites.c.id == row.id).with_for_update()).one()
            if model is not None and not connection.scalar(sa.select(models.c.id).where(models.c.name == model)):
                raise NotFound(f"There is no model '{model}': train or add it first.")
            if model == row.model:
                return
            if rights.role is not None and model is not None and row.model is not None:
                raise NotAllowed(f"{row.model} decides at {site}: another model has to be promoted.")
            put_in_use(connection, row, model, Change.SET, self.actor.name, reason, when)

    def set_calibrated(self, site: str, calibrated: bool = True, reason: str = "", now: datetime | None = None) -> None:
        """Say that the model's scores are no probabilities at this site, or, as the plant's own set-up, that they are.

        Raises:
            NotAllowed: for a person who would confirm it alone; see `Requests.ask_calibration`.
        """
        if calibrated and not self.actor.system:
            raise NotAllowed("A calibration is confirmed by two: ask for it with a confusion matrix, another agrees.")
        act = "calibration confirmed" if calibrated else "calibration withdrawn"
        self._change(site, {"calibrated": calibrated, "calibrated_until": None}, act, reason, now)

    def pause(self, site: str, reason: str, now: datetime | None = None) -> None:
        """Stop passing parts automatically from this moment on; `Requests.ask_resume` is the way back, for two."""
        if not reason.strip():
            raise BadInput("Say why auto-PASS is paused: the inspectors read it on every held part.")
        values = {"paused": reason.strip(), "paused_at": self.now(now)}
        self._change(site, values, "auto-PASS paused", reason.strip(), now)

    def set_timezone(self, site: str, timezone: str, now: datetime | None = None) -> None:
        """In which zone its people read times."""
        _check_zone(timezone)
        self._change(site, {"timezone": timezone}, "time zone set", "", now, Action.PEOPLE)

    def require_ids(self, site: str, required: bool = True, now: datetime | None = None) -> None:
        """Whether a picture without a part id is quarantined."""
        self._change(site, {"requires_ids": required}, "part ids required", "", now, Action.PEOPLE)

    def set_blind(self, site: str, blind: bool = True, reason: str = "", now: datetime | None = None) -> None:
        """Whether inspectors answer before they see what the model and others say of a part."""
        self._change(site, {"blind": blind}, "first look set", reason, now)

    def names(self, site: str) -> list[PlantName]:
        """The cameras and lines of a site, by kind and name."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            found = []
            for kind, (rows, column) in _NAMED.items():
                query = (
                    sa.select(rows.c.name, sa.func.count(images.c.id).label("images"),
                              sa.func.max(images.c.arrived_at).label("last_at"))
                    .outerjoin(images, column == rows.c.id)
                    .where(rows.c.site_id == row.id)
                    .group_by(rows.c.id, rows.c.name)
                    .order_by(rows.c.name)
                )  # fmt: skip
                found += [PlantName(kind, one.name, one.images, one.last_at) for one in connection.execute(query)]
            return found

    def add_name(self, site: str, kind: str, name: str, now: datetime | None = None) -> None:
        """Announce a camera or line before its first picture, which would do it, too.

        Raises:
            Conflict: when there is one of that name.
        """
        rows, name = _named(kind), _checked_name(kind, name)
        with self.writing(Action.PEOPLE) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.PEOPLE, row.id)
            self.database.one_at_a_time(connection, "filing", row.id)
            there = sa.select(rows.c.id).where(rows.c.site_id == row.id, rows.c.name == name)
            if connection.scalar(there) is not None:
                raise Conflict(f"{site} has a {kind} '{name}' already.")
            connection.execute(sa.insert(rows).values(site_id=row.id, name=name))
            record(connection, entry(self.now(now), self.actor.name, f"{kind} added", f"site {site}", site_id=row.id,
                                     new={"name": name}))  # fmt: skip

    def rename(self, site: str, kind: str, name: str, becomes: str, now: datetime | None = None) -> None:
        """Give a camera or line another name; its pictures go with it.

        Whoever still sends pictures under the old name makes a new camera or line of that name.

        Raises:
            Conflict: when the site has one of the new name.
        """
        rows, becomes = _named(kind), _checked_name(kind, becomes)
        with self.writing(Action.PEOPLE) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.PEOPLE, row.id)
            self.database.one_at_a_time(connection, "filing", row.id)
            ids = {one.name: one.id for one in connection.execute(sa.select(rows).where(rows.c.site_id == row.id))}
            if name not in ids:
                raise NotFound(f"{site} has no {kind} '{name}'.")
            if becomes in ids:
                raise Conflict(f"{site} has a {kind} '{becomes}' already.")
            connection.execute(sa.update(rows).where(rows.c.id == ids[name]).values(name=becomes))
            record(connection, entry(self.now(now), self.actor.name, f"{kind} renamed", f"site {site}", site_id=row.id,
                                     old={"name": name}, new={"name": becomes}))  # fmt: skip

    def _change(
        self, site: str, values: dict[str, Any], act: str, reason: str, now: datetime | None,
        action: Action = Action.POLICY,
    ) -> None:  # fmt: skip
        with self.writing(action) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(action, row.id)
            self._set(connection, row, values, act, reason, now)

    def _set(
        self, connection: Connection, row: Any, values: dict[str, Any], act: str, reason: str, now: datetime | None
    ) -> None:
        connection.execute(sa.update(sites).where(sites.c.id == row.id).values(values))
        old = {name: row._mapping[name] for name in values if name not in _TIMES}
        new = {name: value for name, value in values.items() if name not in _TIMES}
        record(connection, entry(self.now(now), self.actor.name, act, f"site {row.name}", site_id=row.id, old=old,
                                 new=new, reason=reason, model=values.get("model", row.model)))  # fmt: skip


def _site(connection: Connection, row: Any) -> Site:
    number, taxonomy = taxonomy_in_force(connection, row.id)
    return Site(
        row.id, row.name, row.timezone, taxonomy, number, row.model, row.calibrated, row.paused, row.requires_ids,
        row.blind or row.gold_share > 0 or row.second_share > 0, row.paused_at, row.calibrated_until,
        row.score_map,
    )  # fmt: skip


def _named(kind: str) -> sa.Table:
    if kind not in _NAMED:
        raise BadInput(f"'{kind}' is neither a camera nor a line.")
    return _NAMED[kind][0]


def _checked_name(kind: str, name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise BadInput(f"A {kind} needs a name of 1 to 100 printable characters.")
    return name


def _check_zone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"'{timezone}' is no time zone: give one such as Europe/Paris.") from error
