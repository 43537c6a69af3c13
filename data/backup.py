"""The store's own rows, copied out at one moment and back in: SQLite by its backup API, PostgreSQL table by table.

The PostgreSQL copy needs no tool of the server's version: it reads every table in one snapshot and writes a line of
JSON for each row. Both know nothing of what the tables mean, so an old copy goes back into the schema it came from and
is brought up to date afterwards.
"""

import base64
import gzip
import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, make_url

from core.errors import BadInput, Conflict
from data.migrations import HEAD, upgrade
from data.store.engine.database import Database

SQLITE_NAME = "store.sqlite3"
TABLES = "tables"
BATCH = 1000
_OWN = "alembic_version"


def copy_out(database: Database, folder: Path, progress: Callable[[int, int, str], None]) -> dict[str, int]:
    """Write all rows below an existing folder, as they are at one moment, while others go on.

    Returns:
        Rows by table.
    """
    if database.is_sqlite:
        return _sqlite_out(database, folder / SQLITE_NAME)
    counts = {}
    with database.reading() as connection:
        tables = _tables(connection)
        (folder / TABLES).mkdir()
        for number, table in enumerate(tables):
            progress(number, len(tables), table.name)
            counts[table.name] = _write(connection, table, folder / TABLES / f"{table.name}.jsonl.gz")
    return counts


def copy_in(url: str, folder: Path, schema: str, progress: Callable[[int, int, str], None]) -> dict[str, int]:
    """Fill an empty database with what `copy_out` wrote.

    Args:
        url: of the database.
        folder: with the copy.
        schema: the version that the copy has.
        progress: told which table of how many.

    Returns:
        Rows by table.

    Raises:
        Conflict: there is something in the database.
        BadInput: the copy is of the other kind of database.
    """
    target = make_url(url)
    is_sqlite = target.get_backend_name() == "sqlite"
    if is_sqlite != (folder / SQLITE_NAME).is_file():
        raise BadInput(
            f"This is a backup of {'PostgreSQL' if is_sqlite else 'SQLite'}: give HOLDPOINT_DATABASE_URL of that kind."
        )
    if is_sqlite:
        return _sqlite_in(Path(str(target.database)).expanduser().resolve(), folder / SQLITE_NAME)
    engine = sa.create_engine(target.set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            if sa.inspect(connection).get_table_names():
                raise Conflict("The database is not empty: restore into a new one.")
            upgrade(connection, schema)
            tables = _tables(connection)
            counts = {}
            for number, table in enumerate(tables):
                progress(number, len(tables), table.name)
                counts[table.name] = _read(connection, table, folder / TABLES / f"{table.name}.jsonl.gz")
            return counts
    finally:
        engine.dispose()


def schema_of(database: Database) -> str:
    """The version that the store's schema has."""
    return HEAD  # the store brings its schema up to date when it is opened


def _sqlite_out(database: Database, path: Path) -> dict[str, int]:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    copy = sqlite.connect(str(path))
    try:
        with database.engine.connect() as connection:
            connection.connection.driver_connection.backup(copy)  # type: ignore[union-attr]
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, whoever opens it next
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise BadInput(f"The copy of the store is not sound ({found}): check the disk.")
        return _sqlite_counts(copy)
    finally:
        copy.close()


def _sqlite_in(path: Path, copy: Path) -> dict[str, int]:
    if path.exists() and path.stat().st_size:
        raise Conflict(f"{path} is there already: restore into an empty folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as target, copy.open("rb") as source:
            while some := source.read(1 << 20):
                target.write(some)
            target.flush()
            os.fsync(target.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    connection = sqlite.connect(str(path))
    try:
        return _sqlite_counts(connection)
    finally:
        connection.close()


def _sqlite_counts(connection: Any) -> dict[str, int]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    names = [row[0] for row in connection.execute(query)]
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names if name != _OWN}


def _tables(connection: Connection) -> list[sa.Table]:
    """Every table, each after those it refers to."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, JSONB):
                column.type = JSONB(none_as_null=True)
    return [table for table in metadata.sorted_tables if table.name != _OWN]


def _write(connection: Connection, table: sa.Table, path: Path) -> int:
    keys = list(table.primary_key.columns)
    rows = connection.execution_options(yield_per=BATCH).execute(sa.select(table).order_by(*keys))
    count = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as packed:
        for row in rows:
            packed.write(json.dumps([_plain(value) for value in row], ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    return value


def _read(connection: Connection, table: sa.Table, path: Path) -> int:
    count = 0
    for rows in _batches(path):
        connection.execute(sa.insert(table), [_row(table, values) for values in rows])
        count += len(rows)
    for column in table.primary_key.columns:
        sequence = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:table, :column)"),
                                     {"table": table.name, "column": column.name})  # fmt: skip
        if sequence is not None:
            newest = connection.scalar(sa.select(sa.func.max(column)))
            connection.execute(sa.text("SELECT setval(:name, :value, :used)"),
                               {"name": sequence, "value": newest or 1, "used": newest is not None})  # fmt: skip
    return count


def _batches(path: Path) -> Iterator[list[list[Any]]]:
    some: list[list[Any]] = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            some.append(json.loads(line))
            if len(some) == BATCH:
                yield some
                some = []
    if some:
        yield some


def _row(table: sa.Table, values: list[Any]) -> dict[str, Any]:
    return {column.name: _typed(column, value) for column, value in zip(table.columns, values, strict=True)}


def _typed(column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, sa.LargeBinary):
        return base64.b64decode(value)
    return value
