"""The defect book of each site: pages that whoever sees the site may read, and pictures on them.

Whoever answers parts is not shown an example while somebody is asked about its part, or could be with the answer known:
the caption would give it away. That is counted, and the picture comes back by itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.defect_book import (
    MOST_EXAMPLES,
    BookPage,
    Example,
    ExampleKind,
    checked_box,
    checked_caption,
    checked_really,
    checked_text,
)
from core.errors import BadInput, Conflict, NotFound
from core.records import ImageState
from core.roles import Action, allowed
from data.store.base import Rights, SubStore, site_row
from data.store.line.images import image_row
from data.store.rows import chunks
from data.store.rules.in_force import taxonomy_in_force
from data.store.trail.audit import entry, record
from data.tables import IS_OPEN, book_examples, book_pages, gold_items, images, tasks

_THERE = book_examples.c.removed_at.is_(None)


class Book(SubStore):
    """Texts are append-only; examples are added, ordered and taken off, each with its row in the trail."""

    def pages(self, site: str) -> list[BookPage]:
        """A page for each class in the taxonomy's order, then those of classes that were retired since."""
        with self.seeing() as (connection, rights):
            at: Any = site_row(connection, site)
            rights.need(Action.SEE, at.id)
            known = taxonomy_in_force(connection, at.id)[1].ids
            texts = _texts(connection, at.id)
            query = sa.select(book_examples, images.c.part_id).join(images, images.c.id == book_examples.c.image_id)
            query = query.where(book_examples.c.site_id == at.id, _THERE).order_by(book_examples.c.place)
            rows = connection.execute(query).all()
            hidden = _asked_about(connection, rights, [row.part_id for row in rows])
            own: dict[str, list[Any]] = defaultdict(list)
            for row in rows:
                own[row.class_id].append(row)
            gone = sorted((set(own) | {name for name, one in texts.items() if one.text}) - set(known))
            return [_page(name, name in known, texts.get(name), own[name], hidden) for name in (*known, *gone)]

    def write(self, site: str, class_id: str, text: str, now: datetime | None = None) -> None:
        """Put a text on the page of a class; what it said before stays on record.

        Raises:
            NotFound: the site has no such class.
            BadInput: the text is too long.
        """
        said, when = checked_text(text), self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            at = self._page_of(connection, rights, site, class_id)
            old = _texts(connection, at.id).get(class_id)
            if said == ("" if old is None else old.text):
                return
            values = {"site_id": at.id, "class_id": class_id, "text": said, "by": self.actor.name, "written_at": when}
            connection.execute(sa.insert(book_pages).values(values))
            record(connection, entry(when, self.actor.name, "book page written", f"class {class_id}", site_id=at.id,
                                     old=None if old is None else {"text": old.text}, new={"text": said}))  # fmt: skip

    def add(
        self, site: str, class_id: str, image_id: int, kind: ExampleKind, caption: str = "",
        box: Sequence[float] | None = None, really: str | None = None, now: datetime | None = None,
    ) -> int:  # fmt: skip
        """Put a picture on a page, behind the others of its kind.

        Args:
            site: of book and picture.
            class_id: of the page.
            image_id: of the picture.
            kind: what it shows.
            caption: what to look at.
            box: x, y, width, height in the picture's own pixels; the whole picture where None.
            really: what a counter-example is.
            now: aware UTC.

        Returns:
            The example's id.

        Raises:
            NotFound: no such class or picture at the site.
            BadInput: a box outside the picture, a counter-example of nothing, or a full page.
            Conflict: its part waits for an answer or may be asked about with the answer known, or it is there already.
        """
        said, when = checked_caption(caption), self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            at = self._page_of(connection, rights, site, class_id)
            row = image_row(connection, image_id)
            if row.site_id != at.id:
                raise NotFound(f"Image {image_id} is not of {site}: choose one of its own pictures.")
            if row.state != ImageState.OK or not row.width:
                raise BadInput(f"Image {image_id} cannot be shown: {row.state}. Choose another.")
            self.database.one_at_a_time(connection, "filing", at.id)
            if _waiting(connection, [row.part_id]):
                raise Conflict(
                    "People are asked about this part, or may be while its answer is known: the book would tell them. "
                    "Choose another picture, or come back when it is answered."
                )
            place = checked_box(box, (row.width, row.height))
            known = taxonomy_in_force(connection, at.id)[1].ids
            other = checked_really(kind, class_id, really, known)
            there = connection.execute(_of_kind(at.id, class_id, str(kind))).all()
            if any(one.image_id == image_id and _box(one) == place for one in there):
                raise Conflict(f"This picture is on the page of {class_id} already: change its caption instead.")
            if len(there) >= MOST_EXAMPLES:
                raise BadInput(f"{len(there)} pictures of this kind are on the page: take one off first.")
            x, y, width, height = place or (None, None, None, None)
            values = {
                "site_id": at.id, "class_id": class_id, "image_id": image_id, "kind": str(kind), "really": other,
                "caption": said, "x": x, "y": y, "width": width, "height": height,
                "place": max((one.place for one in there), default=0) + 1, "by": self.actor.name, "added_at": when,
                "removed_by": None, "removed_at": None,
            }  # fmt: skip
            made = sa.insert(book_examples).values(values).returning(book_examples.c.id)
            number = int(connection.execute(made).scalar_one())
            new = {"example": number, "image": image_id, "kind": str(kind), "caption": said, "really": other,
                   "box": None if place is None else list(place)}  # fmt: skip
            record(connection, entry(when, self.actor.name, "book example added", f"class {class_id}", site_id=at.id,
                                     new=new))  # fmt: skip
            return number

    def change(
        self, example_id: int, caption: str, kind: ExampleKind, really: str | None = None, now: datetime | None = None
    ) -> None:
        """Say something else about an example; of another kind it goes behind those of that kind.

        Raises:
            NotFound: it is not in the book.
            BadInput: as `add`.
        """
        said, when = checked_caption(caption), self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row = _example(connection, rights, example_id)
            known = taxonomy_in_force(connection, row.site_id)[1].ids
            other = checked_really(kind, row.class_id, really, known)
            new: dict[str, Any] = {"caption": said, "kind": str(kind), "really": other}
            old = {name: getattr(row, name) for name in new}
            if new == old:
                return
            place = row.place
            if row.kind != kind:
                there = connection.execute(_of_kind(row.site_id, row.class_id, str(kind))).all()
                place = max((one.place for one in there), default=0) + 1
            connection.execute(sa.update(book_examples).where(book_examples.c.id == row.id).values(**new, place=place))
            self._note(connection, row, "book example changed", when, old, new)

    def move(self, example_id: int, steps: int, now: datetime | None = None) -> None:
        """Put an example so many places further back among those of its kind; before the first one there is nothing.

        Raises:
            NotFound: it is not in the book.
        """
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row = _example(connection, rights, example_id)
            there = [one.id for one in connection.execute(_of_kind(row.site_id, row.class_id, row.kind))]
            was = there.index(row.id)
            to = min(max(was + steps, 0), len(there) - 1)
            if to == was:
                return
            there.insert(to, there.pop(was))
            for place, one in enumerate(there, 1):
                connection.execute(sa.update(book_examples).where(book_examples.c.id == one).values(place=place))
            self._note(connection, row, "book example moved", when, {"place": was + 1}, {"place": to + 1})

    def remove(self, example_id: int, now: datetime | None = None) -> None:
        """Take an example off its page; its row and its story stay.

        Raises:
            NotFound: it is not in the book.
        """
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row = _example(connection, rights, example_id)
            gone = {"removed_by": self.actor.name, "removed_at": when}
            connection.execute(sa.update(book_examples).where(book_examples.c.id == row.id).values(gone))
            old = {"image": row.image_id, "kind": row.kind, "caption": row.caption}
            self._note(connection, row, "book example removed", when, old, None)

    def with_hashes(self, site: str, hashes: Sequence[str]) -> dict[str, int]:
        """Pictures of a site by the hash of their bytes, the newest of each; for a book that comes from elsewhere."""
        found: dict[str, int] = {}
        with self.seeing(Action.TAXONOMY) as (connection, rights):
            at: Any = site_row(connection, site)
            rights.need(Action.TAXONOMY, at.id)
            for some in chunks(sorted(set(hashes))):
                query = sa.select(images.c.sha256, images.c.id).where(images.c.site_id == at.id,
                                                                      images.c.sha256.in_(some))  # fmt: skip
                found.update((row.sha256, row.id) for row in connection.execute(query.order_by(images.c.id)))
        return found

    def _page_of(self, connection: Connection, rights: Rights, site: str, class_id: str) -> Any:
        """The site's row, once the actor may change its book and it has the class."""
        at: Any = site_row(connection, site)
        rights.need(Action.TAXONOMY, at.id)
        taxonomy_in_force(connection, at.id)[1].get(class_id)
        return at

    def _note(self, connection: Connection, row: Any, what: str, now: datetime, old: Any, new: Any) -> None:
        old = {"example": row.id} | (old or {})
        record(connection, entry(now, self.actor.name, what, f"class {row.class_id}", site_id=row.site_id, old=old,
                                 new=new))  # fmt: skip


def in_book(connection: Connection, part_id: int) -> bool:
    """Whether a picture of a part is in the book, where everybody can read what it shows."""
    query = sa.select(book_examples.c.id).join(images, images.c.id == book_examples.c.image_id)
    return connection.scalar(query.where(images.c.part_id == part_id, _THERE).limit(1)) is not None


def _asked_about(connection: Connection, rights: Rights, part_ids: Sequence[int]) -> set[int]:
    """Parts whose examples whoever answers must not see now; none for those who never answer."""
    if rights.role is None or not allowed(rights.role, Action.REVIEW):
        return set()
    return _waiting(connection, part_ids)


def _waiting(connection: Connection, part_ids: Sequence[int]) -> set[int]:
    """Parts with an open task of any kind, or a known answer that may be asked for."""
    found: set[int] = set()
    for some in chunks(sorted(set(part_ids))):
        found |= set(connection.scalars(sa.select(tasks.c.part_id).where(tasks.c.part_id.in_(some), IS_OPEN)))
        known = gold_items.c.part_id.in_(some) & gold_items.c.retired_at.is_(None)
        found |= set(connection.scalars(sa.select(gold_items.c.part_id).where(known)))
    return found


def _texts(connection: Connection, site_id: int) -> dict[str, Any]:
    """The newest text of each class."""
    last = sa.select(sa.func.max(book_pages.c.id)).where(book_pages.c.site_id == site_id)
    query = sa.select(book_pages).where(book_pages.c.id.in_(last.group_by(book_pages.c.class_id)))
    return {row.class_id: row for row in connection.execute(query)}


def _of_kind(site_id: int, class_id: str, kind: str) -> sa.Select[Any]:
    """Examples of one kind on one page, in order."""
    mine = (book_examples.c.site_id == site_id) & (book_examples.c.class_id == class_id)
    query = sa.select(book_examples).where(mine, book_examples.c.kind == kind, _THERE)
    return query.order_by(book_examples.c.place, book_examples.c.id)


def _example(connection: Connection, rights: Rights, example_id: int) -> Any:
    row = connection.execute(
        sa.select(book_examples).where(book_examples.c.id == example_id, _THERE).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no example {example_id} in the book: it may have been taken off.")
    rights.need(Action.TAXONOMY, row.site_id)
    return row


def _box(row: Any) -> tuple[float, float, float, float] | None:
    return None if row.x is None else (row.x, row.y, row.width, row.height)


def _page(class_id: str, known: bool, text: Any, rows: Sequence[Any], hidden: set[int]) -> BookPage:
    shown = [row for row in rows if row.part_id not in hidden]
    return BookPage(
        class_id, known, "" if text is None else text.text, "" if text is None else text.by,
        None if text is None else text.written_at,
        tuple(Example(row.id, row.class_id, row.image_id, ExampleKind(row.kind), row.caption, _box(row), row.really,
                      row.place, row.by, row.added_at) for row in shown),
        len(rows) - len(shown),
    )  # fmt: skip
