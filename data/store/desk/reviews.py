"""Reviews: people's answers, append-only; a correction, and an undo, is a new row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.labels import IMPORT
from core.errors import BadInput, Conflict, NotFound
from core.records import Outcome, Region, Review, Task, TaskKind
from core.roles import Action
from core.vault import in_use
from core.words.redaction import redact
from data.store.base import SubStore, site_row, within
from data.store.desk.answering import (
    ask_for_second_look,
    close_task,
    insert_review,
    said_in,
    seen_decision,
    sizes_of,
    tell_the_line,
)
from data.store.desk.checking import check_review, checked_regions
from data.store.desk.labelling import drawn_regions, relabel, review_of, standing_rows
from data.store.desk.leasing import LEASE_S, NOBODYS, give_back, need_lease, task_row
from data.store.desk.second_looks import wants_another_look
from data.store.rows import chunks, task_of
from data.store.rules.in_force import taxonomy_in_force
from data.store.trail.audit import entry, record
from data.tables import IS_OPEN, images, parts, reviews, sites, tasks


@dataclass(frozen=True)
class Override:
    """A review that disagrees with the decision it saw."""

    review: Review
    site: str
    part_id: int
    outcome: Outcome
    model: str | None
    policy: int | None


class Reviews(SubStore):
    """Whoever answers must hold the lease and have seen the newest state of the task."""

    def add(
        self,
        task_id: int,
        revision: int,
        fence: int,
        review: Review,
        now: datetime | None = None,
        act: str | None = None,
    ) -> int:
        """Answer a task; label, second look, outbox and audit event are written with it.

        Args:
            task_id: of the task.
            revision: of the task as it was leased.
            fence: of the lease.
            review: its author and time are the actor and now, whatever it says.
            now: aware UTC.
            act: an id that the browser made for this press, such as a UUID. Sent again, because nobody knows whether
                it arrived, it gets the review that was stored the first time, whatever has happened since.

        Returns:
            The review's id.

        Raises:
            Conflict: when somebody else has the task or has answered it; nothing is changed.
            BadInput: for regions outside the image, unknown classes, severities that a class does not have, or an act
                that stands for the answer to another task.
        """
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            row = task_row(connection, task_id, lock=True)
            if act is not None and (known := said_in(connection, self.actor.name, act, task_id)) is not None:
                return known
            need_lease(connection, rights, row, fence, self.actor.name, when)
            if row.revision != revision:
                raise Conflict("This task was answered and opened again since you saw it: look at it once more.")
            number, taxonomy = taxonomy_in_force(connection, row.site_id)
            sizes = sizes_of(connection, row.part_id)
            drawn = check_review(review, sizes, taxonomy)
            values = self._values(row.site_id, row.part_id, review, number, when)
            values |= {"task_id": task_id, "task_kind": row.kind, "revision": revision + 1, "act": act}
            gold = row.kind == TaskKind.GOLD  # of which the line hears nothing: the part has gone long ago
            values |= seen_decision(connection, None if gold else row.decision_id)
            review_id = insert_review(connection, values, drawn)
            close_task(connection, task_id, revision + 1, self.actor.name, when)
            if not gold:
                if wants_another_look(self.database, connection, row, review.verdict):
                    ask_for_second_look(connection, row, when)
                relabel(connection, sizes)
                tell_the_line(connection, row, review.verdict, review_id, when)
            told = {"review": review_id, "task": task_id, "verdict": str(review.verdict)}
            record(connection, entry(
                when, self.actor.name, "reviewed", f"part {row.part_id}", site_id=row.site_id,
                old={"outcome": values["outcome"]}, new=told,
                reason="; ".join([*review.reasons, _traced(review.note)] if review.note else review.reasons),
                model=values["model"], policy=values["policy"],
            ))  # fmt: skip
            return review_id

    def undo(
        self,
        task_id: int | None = None,
        review_id: int | None = None,
        now: datetime | None = None,
        seconds: float = LEASE_S,
    ) -> Task:
        """Take the actor's own answer back, as a new row; the task is open again, in the actor's hands.

        Raises:
            Conflict: when the answer is not the actor's, not the last one, or a second look has followed it.
        """
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            self.database.one_at_a_time(connection, "lease", self.actor.name)
            last = self._last_answer(connection, task_id, review_id)
            row = task_row(connection, last.task_id, lock=True)
            rights.need(Action.REVIEW, row.site_id)
            if last.by != self.actor.name:
                raise Conflict(f"Only {last.by} can take this answer back: send the part to the queue again instead.")
            if row.state != "done" or row.revision != last.revision:
                raise Conflict("This answer has been undone already.")
            self._no_newer_task(connection, row)
            self._close_second_look(connection, row, last, when)
            values = {name: last._mapping[name] for name in reviews.c.keys() if name != "id"}  # noqa: SIM118
            values |= {"undoes": last.id, "revision": row.revision + 1, "reviewed_at": when, "images": [], "note": "",
                       "act": None}  # fmt: skip
            connection.execute(sa.insert(reviews).values(values))
            give_back(connection, tasks.c.leased_by == self.actor.name, ~tasks.c.ahead)
            until = when + timedelta(seconds=seconds)
            connection.execute(
                sa.update(tasks)
                .where(tasks.c.id == row.id)
                .values(state="open", revision=row.revision + 1, fence=row.fence + 1, leased_by=self.actor.name,
                        leased_until=until, leased_at=when, ahead=False, closed_by=None, closed_at=None)
            )  # fmt: skip
            if row.kind != TaskKind.GOLD:
                relabel(connection, sizes_of(connection, row.part_id))
                tell_the_line(connection, row, None, last.id, when)
            old = {"review": last.id, "verdict": last.verdict}
            record(connection, entry(when, self.actor.name, "review undone", f"part {row.part_id}",
                                     site_id=row.site_id, old=old, new={"task": row.id}))  # fmt: skip
            return task_of(task_row(connection, row.id), when)

    def of_part(self, part_id: int, undone: bool = False) -> list[Review]:
        """What was said about a part, oldest first; what was undone only on request."""
        with self.seeing() as (connection, rights):
            site_id = connection.scalar(sa.select(parts.c.site_id).where(parts.c.id == part_id))
            if site_id is None:
                raise NotFound(f"There is no part {part_id}.")
            rights.need(Action.SEE, site_id)
            if undone:
                query = sa.select(reviews).where(reviews.c.part_id == part_id, reviews.c.undoes.is_(None))
                rows: Sequence[Any] = connection.execute(query.order_by(reviews.c.id)).all()
            else:
                rows = standing_rows(connection, [part_id])
            drawn = drawn_regions(connection, [row.id for row in rows])
            return [review_of(row, drawn) for row in rows]

    def answered(self, task_id: int) -> bool:
        """Whether the actor has ever answered a task, be it that they took the answer back."""
        with self.seeing(Action.REVIEW) as (connection, rights):
            mine = [reviews.c.task_id == task_id, reviews.c.by == self.actor.name, *within(rights, reviews.c.site_id)]
            return connection.scalar(sa.select(reviews.c.id).where(*mine).limit(1)) is not None

    def imported(self, site: str, pairs: Sequence[tuple[int, Review]], now: datetime | None = None) -> list[int]:
        """File what a data set says of its images, by "import:<source>", without tasks.

        The same words about the same image by the same source are not written twice.

        Returns:
            The ids of the reviews that are new.
        """
        when = self.now(now)
        for _, review in pairs:
            if not review.by.startswith(IMPORT):
                raise BadInput(f"'{review.by}' is no import: its author has to be {IMPORT}<source>.")
        with self.writing(Action.IMPORT) as (connection, rights):
            at: Any = site_row(connection, site)
            rights.need(Action.IMPORT, at.id)
            self.database.one_at_a_time(connection, "filing", at.id)
            number, taxonomy = taxonomy_in_force(connection, at.id)
            places = _places(connection, at.id, [image_id for image_id, _ in pairs])
            before = _said_before(connection, places)
            ids, touched = [], set()
            for image_id, review in pairs:
                if image_id not in places:
                    raise NotFound(f"{site} has no image {image_id}.")
                part_id, width, height = places[image_id]
                drawn = {
                    image_id: checked_regions(review.regions.get(image_id, ()), width, height, taxonomy, strict=False)
                }
                values = self._values(at.id, part_id, review, number, when) | {"image_id": image_id, "by": review.by}
                values["images"] = [image_id] if image_id in review.regions else []
                if _same_as_before(before.get((image_id, review.by)), values, drawn[image_id]):
                    continue
                ids.append(insert_review(connection, values, drawn))
                touched.add(image_id)
            if ids:
                relabel(connection, touched)
                record(connection, entry(when, self.actor.name, "labels imported", f"site {site}", site_id=at.id,
                                         new={"by": sorted({review.by for _, review in pairs}), "reviews": len(ids),
                                              "first": ids[0], "last": ids[-1]}))  # fmt: skip
            return ids

    def import_digests(self, image_ids: Iterable[int]) -> dict[int, set[str]]:
        """What imports have said of images already, as the digests that they put into a review's source."""
        found: dict[int, set[str]] = {}
        with self.seeing() as (connection, rights):
            for some in chunks(sorted(set(image_ids))):
                query = sa.select(reviews.c.image_id, reviews.c.source).where(
                    reviews.c.image_id.in_(some), reviews.c.by.like(f"{IMPORT}%"), *within(rights, reviews.c.site_id)
                )
                for row in connection.execute(query):
                    found.setdefault(row.image_id, set()).add(str(row.source.get("digest", "")))
        return found

    def overrides(
        self, site: str | None = None, since: datetime | None = None, until: datetime | None = None, limit: int = 200
    ) -> list[Override]:
        """Standing reviews that disagree with a PASS or FAIL they saw, the newest first."""
        with self.seeing() as (connection, rights):
            asked = None
            if site is not None:
                asked = site_row(connection, site).id
                rights.need(Action.SEE, asked)
            undo = reviews.alias("undo")
            disagrees = sa.or_(
                sa.and_(reviews.c.outcome == "PASS", reviews.c.verdict.in_(("FAIL", "REWORK"))),
                sa.and_(reviews.c.outcome == "FAIL", reviews.c.verdict == "PASS"),
            )
            query = (
                sa.select(reviews, sites.c.name.label("site"))
                .join(sites, sites.c.id == reviews.c.site_id)
                .where(disagrees, reviews.c.undoes.is_(None), *within(rights, reviews.c.site_id, asked))
                .where(~sa.exists().where(undo.c.undoes == reviews.c.id))
                .order_by(reviews.c.id.desc())
                .limit(limit)
            )
            if since is not None:
                query = query.where(reviews.c.reviewed_at >= since)
            if until is not None:
                query = query.where(reviews.c.reviewed_at < until)
            rows = connection.execute(query).all()
            drawn = drawn_regions(connection, [row.id for row in rows])
            return [
                Override(review_of(row, drawn), row.site, row.part_id, Outcome(row.outcome), row.model, row.policy)
                for row in rows
            ]

    def _values(self, site_id: int, part_id: int, review: Review, taxonomy: int, now: datetime) -> dict[str, Any]:
        return {
            "site_id": site_id,
            "part_id": part_id,
            "image_id": None,
            "task_id": None,
            "task_kind": None,
            "revision": None,
            "undoes": None,
            "verdict": str(review.verdict),
            "by": self.actor.name,
            "images": sorted(review.regions),
            "classes": list(review.classes),
            "sure": review.sure,
            "note": review.note,
            "reasons": list(review.reasons),
            "seconds": review.seconds,
            "source": dict(review.source),
            "decision_id": None,
            "outcome": None,
            "model": None,
            "policy": None,
            "taxonomy": taxonomy,
            "act": None,
            "reviewed_at": now,
        }

    def _last_answer(self, connection: Connection, task_id: int | None, review_id: int | None) -> Any:
        if (task_id is None) == (review_id is None):
            raise BadInput("Say which answer to take back: by its task or by its review.")
        query = sa.select(reviews).where(reviews.c.task_id.is_not(None), reviews.c.undoes.is_(None))
        query = query.where(reviews.c.task_id == task_id if task_id is not None else reviews.c.id == review_id)
        row = connection.execute(query.order_by(reviews.c.id.desc()).limit(1)).one_or_none()
        if row is None:
            raise NotFound("There is no such answer to take back.")
        return row

    def _no_newer_task(self, connection: Connection, row: Any) -> None:
        if row.kind == TaskKind.SECOND_LOOK:
            return  # a later one was asked for by this very answer, and goes with it
        newer = sa.select(tasks.c.id).where(tasks.c.part_id == row.part_id, tasks.c.kind == row.kind, IS_OPEN)
        if connection.scalar(newer) is not None:
            raise Conflict("A newer picture has put this part into the queue again: answer that task instead.")

    def _close_second_look(self, connection: Connection, row: Any, last: Any, now: datetime) -> None:
        """An answer takes the second look that it asked for along, unless that has been answered or is being."""
        if row.kind == TaskKind.GOLD:
            return  # asks for none
        mine = (tasks.c.part_id == row.part_id) & (tasks.c.kind == str(TaskKind.SECOND_LOOK)) & (tasks.c.id != row.id)
        followers = connection.execute(sa.select(tasks).where(mine, tasks.c.id > row.id).with_for_update()).all()
        for follower in followers:
            if follower.state == "done":
                raise Conflict(f"{follower.closed_by} has given a second look since: the answer stands.")
            if follower.state == "open" and not follower.ahead and follower.leased_by and follower.leased_until > now:
                raise Conflict(f"{follower.leased_by} is giving it a second look now: the answer stands.")
            connection.execute(
                sa.update(tasks)
                .where(tasks.c.id == follower.id)
                .values(NOBODYS | {"state": "withdrawn", "closed_by": self.actor.name, "closed_at": now})
            )


def _places(connection: Connection, site_id: int, image_ids: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    found: dict[int, tuple[int, int, int]] = {}
    columns = (images.c.id, images.c.part_id, images.c.width, images.c.height)
    for some in chunks(sorted(set(image_ids))):
        query = sa.select(*columns).where(images.c.site_id == site_id, images.c.id.in_(some))
        found.update((row.id, (row.part_id, row.width, row.height)) for row in connection.execute(query))
    return found


def _said_before(connection: Connection, places: Mapping[int, Any]) -> dict[tuple[int, str], Review]:
    """The last imported review of each image and source."""
    rows: list[Any] = []
    for some in chunks(places):
        query = sa.select(reviews).where(reviews.c.image_id.in_(some), reviews.c.by.like(f"{IMPORT}%"))
        rows.extend(connection.execute(query.order_by(reviews.c.id)))
    drawn = drawn_regions(connection, [row.id for row in rows])
    return {(row.image_id, row.by): review_of(row, drawn) for row in rows}


def _traced(note: str) -> str:
    """A note as the trail has it: without what is personal, and not at all where notes are sealed."""
    return redact(note).text if in_use() is None else "a note, encrypted with the review"


def _same_as_before(before: Review | None, values: Mapping[str, Any], drawn: Sequence[Region]) -> bool:
    if before is None:
        return False
    image_id = values["image_id"]
    same = all(
        list(getattr(before, name)) == values[name]
        if name in ("classes", "reasons")
        else getattr(before, name) == values[name]
        for name in ("verdict", "classes", "sure", "note", "reasons", "source")
    )
    return same and tuple(before.regions.get(image_id, ())) == tuple(drawn)
