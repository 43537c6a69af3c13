"""What the tables are made of: the base class, kinds of columns and conditions that mean the same on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from core.vault import open_text, seal_text

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware time in UTC, to the microsecond, on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse a time without a zone: nobody could say later what it meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """SQLite keeps text without a zone: it is read in one step, as large lists hold very many times."""
        return _time_of if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _time_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class SealedText(sa.types.TypeDecorator[str]):
    """A text that is encrypted at rest where the plant has a key; equality in SQL is lost, nothing may ask for it."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Seal it."""
        return None if value is None else seal_text(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Open it."""
        return None if value is None else open_text(value)


JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

REGISTRY = registry(metadata=sa.MetaData(naming_convention=NAMING))


class Table(SQLModel, registry=REGISTRY):
    """The base of all tables; a registry of its own lets a running app reload them."""

    __table_args__: ClassVar[Any] = ()


def key() -> Any:
    """The row's number."""
    return Field(default=None, primary_key=True)


def to(target: str, index: bool = False) -> Any:
    """A row of another table, as table.column."""
    return Field(foreign_key=target, index=index)


def maybe_to(target: str, index: bool = False) -> Any:
    """The same, or nothing."""
    return Field(default=None, foreign_key=target, index=index)


def time() -> Any:
    """An aware time."""
    return Field(sa_type=UtcTime)


def maybe_time() -> Any:
    """An aware time, or nothing."""
    return Field(default=None, sa_type=UtcTime, nullable=True)


def sealed() -> Any:
    """A text that is encrypted at rest; empty where there is none."""
    return Field(default="", sa_type=SealedText)


def json() -> Any:
    """Any JSON."""
    return Field(sa_type=JSON)


def maybe_json() -> Any:
    """Any JSON, or nothing."""
    return Field(default=None, sa_type=JSON, nullable=True)


def one_of(column: str, *values: str) -> CheckConstraint:
    """Only these texts."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


def only(condition: str) -> dict[str, Any]:
    """For an index over some rows only."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def table(row: type[Table]) -> sa.Table:
    """The Core table of a class, which is what statements are built from."""
    return REGISTRY.metadata.tables[str(row.__tablename__)]


METADATA = REGISTRY.metadata
