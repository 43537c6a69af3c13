"""Privacy: which pictures are covered, what was found in them, and who saw an original.

Who may see an original is one action of the table of roles. What they get uncovered leaves an audit event, at most one
for a person and a picture in five minutes: a screen asks for a picture several times.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.pictures.covering import Covering, covering_document, covering_of
from core.privacy import PLAIN, CoveringRule, Mode, View, view
from core.records import Image
from core.roles import Action, allowed
from core.words.prints import Reading
from data.store.base import Rights, SubStore, site_row, within
from data.store.line.print_rows import reading_of
from data.store.rows import IMAGE, chunks, image_of
from data.store.trail.audit import entry, record
from data.tables import audit_events, covering_rules, coverings, images, readings, sites, users

SEEN, EXPORTED = "original seen", "originals exported"
ONE_LOOK = timedelta(minutes=5)
# Built once: every picture that is shown asks them, and building a statement takes longer than answering it.
_IDS: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
_PLACE = sa.select(images.c.id, images.c.site_id).where(images.c.id.in_(_IDS))
_WAS_READ = sa.select(readings.c.image_id).where(readings.c.image_id.in_(_IDS)).distinct()
_FOUND = (
    sa.select(coverings.c.image_id, coverings.c.document).where(coverings.c.image_id.in_(_IDS)).order_by(coverings.c.id)
)
_RULES = sa.select(covering_rules).where(covering_rules.c.site_id.in_(_IDS)).order_by(covering_rules.c.number)


@dataclass(frozen=True)
class Waiting:
    """A picture that somebody has to look at for personal details.

    Attributes:
        reading: what its print says, where it was read.
    """

    image: Image
    reading: Reading | None


@dataclass(frozen=True)
class Found:
    """What was made of a picture, and when."""

    image_id: int
    covering: Covering
    found_at: datetime


@dataclass(frozen=True)
class SiteCovering:
    """Where a site stands.

    Attributes:
        looked: pictures whose last look went well.
        covered: of them, those with something to cover.
        failed: pictures whose last look failed.
        waiting: pictures that have to be looked at and were not.
    """

    rule: CoveringRule
    looked: int
    covered: int
    failed: int
    waiting: int


class Privacy(SubStore):
    """Rules are superseded, what was found only grows."""

    def sees_originals(self) -> bool:
        """Whether the actor may see what is covered for others."""
        with self.seeing(Action.SEE) as (_, rights):
            return _may_see(rights)

    def rule(self, site: str) -> CoveringRule:
        """What a site asks for now."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return _rules(connection, {row.id: site})[row.id]

    def set_rule(
        self, site: str, mode: Mode, reason: str, region: str = "", *, seen: int | None = None,
        now: datetime | None = None,
    ) -> CoveringRule:  # fmt: skip
        """Say which pictures of a site are covered from now on, also those that are there already.

        Raises:
            BadInput: without a reason.
            Conflict: when somebody has set another rule since `seen`.
        """
        if not reason.strip():
            raise BadInput("Say in a sentence why: an auditor reads it.")
        if region and (len(region) != 2 or not region.isalpha()):
            raise BadInput(f"'{region}' is no country: give its two letters, such as FR, or none.")
        when = self.now(now)
        with self.writing(Action.PEOPLE) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.PEOPLE, row.id)
            self.database.one_at_a_time(connection, "covering rules", row.id)
            before = _rules(connection, {row.id: site})[row.id]
            if seen is not None and seen != before.number:
                raise Conflict("Somebody has set another rule since you began: look at it, then set yours again.")
            made = CoveringRule(
                site, mode, region.upper(), before.number + 1, self.actor.name, reason.strip(), when
            )  # fmt: skip
            connection.execute(sa.insert(covering_rules).values(
                site_id=row.id, number=made.number, mode=str(mode), region=made.region, by=made.by,
                reason=made.reason, set_at=when,
            ))  # fmt: skip
            record(connection, entry(when, made.by, "covering set", f"site {site}", site_id=row.id,
                                     old={"mode": str(before.mode), "region": before.region},
                                     new={"mode": str(mode), "region": made.region}, reason=made.reason))  # fmt: skip
            return made

    def look(self, image_id: int, now: datetime | None = None) -> View:
        """How the actor is shown a picture; what they see uncovered leaves its audit event.

        Raises:
            NotFound: there is no such image.
        """
        when = self.now(now)
        with self.seeing() as (connection, rights):
            row = connection.execute(_PLACE, {"ids": [image_id]}).one_or_none()
            if row is None:
                raise NotFound(f"There is no image {image_id}.")
            rights.need(Action.SEE, row.site_id)
            found = _views(connection, [image_id], _may_see(rights)).get(image_id, PLAIN)
            told = not found.uncovered or self._seen_lately(connection, image_id, when)
        if not told:
            with self.writing(Action.ORIGINALS) as (connection, rights):
                rights.need(Action.ORIGINALS, row.site_id)
                record(connection, entry(when, self.actor.name, SEEN, f"image {image_id}", site_id=row.site_id))
        return found

    def outside(self, image_id: int) -> View:
        """How a picture leaves the plant for a server outside it: covered, whoever asks.

        Raises:
            NotFound: there is no such image.
        """
        with self.seeing() as (connection, rights):
            site_id = connection.scalar(sa.select(images.c.site_id).where(images.c.id == image_id))
            if site_id is None:
                raise NotFound(f"There is no image {image_id}.")
            rights.need(Action.SEE, site_id)
            return _views(connection, [image_id], may_see=False).get(image_id, PLAIN)

    def for_export(self, image_ids: Collection[int], now: datetime | None = None) -> dict[int, View]:
        """How pictures leave the plant in the actor's hands; those that are plain for everybody are left out.

        Where the actor may see what is covered, one audit event says how many went out uncovered.
        """
        when = self.now(now)
        with self.seeing(Action.EXPORT) as (connection, rights):
            visible = _visible(connection, rights, image_ids)
            found = _views(connection, visible, _may_see(rights))
        bare = sorted(number for number, one in found.items() if one.uncovered)
        if bare:
            with self.writing(Action.ORIGINALS) as (connection, _):
                record(connection, entry(when, self.actor.name, EXPORTED, f"{len(bare)} images",
                                         new={"count": len(bare), "images": bare[:100]}))  # fmt: skip
        return found

    def found(self, made: Sequence[tuple[int, Covering]], now: datetime | None = None) -> None:
        """Write down what the finders made of pictures."""
        when = self.now(now)
        with self.writing(Action.UPKEEP) as (connection, _):
            insert_coverings(connection, made, when)
            if made:
                counts: dict[str, int] = {}
                for _, one in made:
                    for kind, count in one.counts.items():
                        counts[kind] = counts.get(kind, 0) + count
                failed = sum(one.failed is not None for _, one in made)
                record(connection, entry(when, self.actor.name, "pictures looked at for personal details", "coverings",
                                         new={"images": len(made), "failed": failed, "covers": counts}))  # fmt: skip

    def of(self, image_id: int) -> list[Found]:
        """Everything that was ever found in a picture, the newest first."""
        with self.seeing(Action.ORIGINALS) as (connection, rights):
            site_id = connection.scalar(sa.select(images.c.site_id).where(images.c.id == image_id))
            if site_id is None:
                raise NotFound(f"There is no image {image_id}.")
            rights.need(Action.ORIGINALS, site_id)
            query = sa.select(coverings).where(coverings.c.image_id == image_id).order_by(coverings.c.id.desc())
            return [Found(row.image_id, covering_of(row.document), row.found_at) for row in connection.execute(query)]

    def recent(self, site: str, limit: int = 50) -> list[Found]:
        """The last looks that found something or failed, newest first."""
        with self.seeing(Action.ORIGINALS) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.ORIGINALS, row.id)
            query = (
                sa.select(coverings)
                .join(images, images.c.id == coverings.c.image_id)
                .where(images.c.site_id == row.id)
                .order_by(coverings.c.id.desc())
                .limit(4 * limit)
            )
            all_of = [Found(one.image_id, covering_of(one.document), one.found_at) for one in connection.execute(query)]
            return [one for one in all_of if one.covering.covers or one.covering.failed is not None][:limit]

    def waiting(
        self, site: str | None = None, *, after: int = 0, limit: int = 50, again: bool = False
    ) -> list[Waiting]:
        """Pictures that have to be looked at, by id: never looked at, or the last look failed.

        Args:
            site: only there.
            after: only larger ids, for the next page.
            limit: at most so many.
            again: those that were looked at well, too.
        """
        with self.seeing(Action.UPKEEP) as (connection, rights):
            wanted = _wanted(connection, rights, site, again)
            query = IMAGE.where(*wanted, images.c.id > after).order_by(images.c.id).limit(limit)
            rows = connection.execute(query).all()
            read = _last_readings(connection, [row.id for row in rows])
            return [Waiting(image_of(row), read.get(row.id)) for row in rows]

    def waiting_count(
        self, site: str | None = None, *, again: bool = False, new: bool = False, limit: int | None = None
    ) -> int:
        """How many they are; `new` counts only those that nobody ever looked at, `limit` is enough to know."""
        with self.seeing(Action.UPKEEP) as (connection, rights):
            wanted = _wanted(connection, rights, site, again)
            if new:
                wanted.append(~sa.exists().where(coverings.c.image_id == images.c.id))
            some = sa.select(images.c.id).where(*wanted)
            chosen = some.limit(limit) if limit is not None else some
            return int(connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0)

    def status(self) -> list[SiteCovering]:
        """Where each site stands that the actor was given."""
        with self.seeing(Action.UPKEEP) as (connection, rights):
            chosen = sa.select(sites.c.id, sites.c.name).where(*within(rights, sites.c.id)).order_by(sites.c.name)
            names = {row.id: row.name for row in connection.execute(chosen)}
            rules = _rules(connection, names)
            newest = sa.select(sa.func.max(coverings.c.id)).group_by(coverings.c.image_id)
            last = (
                sa.select(images.c.site_id, coverings.c.failed, coverings.c.document)
                .join(images, images.c.id == coverings.c.image_id)
                .where(coverings.c.id.in_(newest))
            )
            counts: dict[int, list[int]] = {number: [0, 0, 0] for number in names}
            for row in connection.execute(last):
                if row.site_id in counts:
                    found = counts[row.site_id]
                    found[2 if row.failed else 0] += 1
                    found[1] += bool(row.document.get("covers")) and not row.failed
        return [
            SiteCovering(
                rules[number],
                counts[number][0],
                counts[number][1],
                counts[number][2],
                self.waiting_count(name, new=True),
            )
            for number, name in names.items()
        ]

    def _seen_lately(self, connection: Connection, image_id: int, now: datetime) -> bool:
        by = sa.select(users.c.id).where(users.c.name == self.actor.name).scalar_subquery()
        mine = (audit_events.c.by == self.actor.name) | (audit_events.c.by_id == by)
        query = sa.select(audit_events.c.id).where(
            audit_events.c.subject == f"image {image_id}",
            audit_events.c.action == SEEN,
            audit_events.c.at > now - ONE_LOOK,
            mine,
        )
        return connection.scalar(query.limit(1)) is not None


def insert_coverings(connection: Connection, made: Sequence[tuple[int, Covering]], now: datetime) -> None:
    """Write down what was found in images, inside the caller's transaction."""
    rows = [
        {"image_id": image_id, "document": covering_document(one), "failed": one.failed is not None, "found_at": now}
        for image_id, one in made
    ]
    if rows:
        connection.execute(sa.insert(coverings), rows)


def _may_see(rights: Rights) -> bool:
    return rights.role is None or allowed(rights.role, Action.ORIGINALS)


def _visible(connection: Connection, rights: Rights, image_ids: Collection[int]) -> list[int]:
    return [
        number
        for some in chunks(sorted(set(image_ids)))
        for number in connection.scalars(
            sa.select(images.c.id).where(images.c.id.in_(some), *within(rights, images.c.site_id))
        )
    ]


def _rules(connection: Connection, names: dict[int, str]) -> dict[int, CoveringRule]:
    """The rule of each site by its number; the usual one where nobody has set any."""
    found = {number: CoveringRule(name) for number, name in names.items()}
    for row in connection.execute(_RULES, {"ids": sorted(names)}):
        found[row.site_id] = CoveringRule(
            names[row.site_id], Mode(row.mode), row.region, row.number, row.by, row.reason, row.set_at
        )
    return found


def _views(connection: Connection, image_ids: Collection[int], may_see: bool) -> dict[int, View]:
    """How pictures are shown; those that are plain for everybody are left out."""
    found: dict[int, View] = {}
    rules: dict[int, CoveringRule] = {}
    for some in chunks(sorted(set(image_ids))):
        last: dict[int, Covering] = {}
        for row in connection.execute(_FOUND, {"ids": some}):
            last[row.image_id] = covering_of(row.document)
        read = set(connection.scalars(_WAS_READ, {"ids": some}))
        for row in connection.execute(_PLACE, {"ids": some}):
            if row.site_id not in rules:
                rules |= _rules(connection, {row.site_id: ""})
            made = view(rules[row.site_id].mode, row.id in read, last.get(row.id), may_see)
            if made != PLAIN:
                found[row.id] = made
    return found


def _wanted(
    connection: Connection, rights: Rights, site: str | None, again: bool
) -> list[sa.ColumnElement[bool]]:  # fmt: skip
    """Conditions of pictures that have to be looked at."""
    query = sa.select(sites.c.id, sites.c.name)
    asked = None if site is None else site_row(connection, site).id
    if asked is not None:
        rights.need(Action.UPKEEP, asked)
    names = {row.id: row.name for row in connection.execute(query.where(*within(rights, sites.c.id, asked)))}
    modes = {number: one.mode for number, one in _rules(connection, names).items()}
    always = [number for number, mode in modes.items() if mode is Mode.ALWAYS]
    labels = [number for number, mode in modes.items() if mode is Mode.LABELS]
    was_read = sa.exists().where(readings.c.image_id == images.c.id)
    well = sa.exists().where(coverings.c.image_id == images.c.id, coverings.c.failed.is_(False))
    there = [images.c.width > 0, images.c.state.in_(("ok", "quarantined"))]
    inside = sa.or_(images.c.site_id.in_(always), sa.and_(images.c.site_id.in_(labels), was_read))
    return [*there, inside] if again else [*there, inside, ~well]


def _last_readings(connection: Connection, image_ids: Sequence[int]) -> dict[int, Reading]:
    found: dict[int, Reading] = {}
    for some in chunks(list(image_ids)):
        query = sa.select(readings.c.image_id, readings.c.document).where(readings.c.image_id.in_(some))
        for row in connection.execute(query.order_by(readings.c.id)):
            found[row.image_id] = reading_of(row.document)
    return found
