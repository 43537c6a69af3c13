"""The defect book: a page for each class of a site, and the pictures on it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index

from data.columns import Table, key, maybe_time, one_of, only, time, to


class BookPages(Table, table=True):
    """What a page says; a change is a new row, and the newest one of a class stands."""

    __tablename__ = "book_pages"
    __table_args__ = (Index("ix_book_pages_class", "site_id", "class_id", "id"),)
    id: int | None = key()
    site_id: int = to("sites.id")
    class_id: str
    text: str
    by: str
    written_at: datetime = time()


class BookExamples(Table, table=True):
    """A picture on a page; one that was taken off keeps its row.

    Attributes:
        really: what a counter-example is: another class, or NO_DEFECT.
        place: in the order of its kind.
    """

    __tablename__ = "book_examples"
    __table_args__ = (
        one_of("kind", "good", "counter", "borderline"),
        CheckConstraint("(x IS NULL) = (width IS NULL)", name="box"),
        CheckConstraint("(kind = 'counter') = (really IS NOT NULL)", name="really"),
        Index("ix_book_examples_class", "site_id", "class_id", "kind", "place", **only("removed_at IS NULL")),
        Index("ix_book_examples_image", "image_id", **only("removed_at IS NULL")),
    )
    id: int | None = key()
    site_id: int = to("sites.id")
    class_id: str
    image_id: int = to("images.id")
    kind: str
    really: str | None = None
    caption: str
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    place: int
    by: str
    added_at: datetime = time()
    removed_by: str | None = None
    removed_at: datetime | None = maybe_time()
