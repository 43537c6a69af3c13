"""Asking the facts: published files attached read-only, the newest rows of the store beside them, and nothing else.

The database that answers lies in memory, may read no file but those that were attached when it was opened, loads no
extension, and its settings cannot be changed any more. Values come into a query as parameters only.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from core.errors import Busy
from data.analytics.publish import Manifest, quoted, read_manifest
from data.analytics.schema import ROLLUPS, TABLES
from data.sql import query

if TYPE_CHECKING:
    from data.store.science.facts import Facts

MEMORY = "512MB"
MOST_NEW = 100_000  # rows of one table that are taken from the store itself; more wait for the next file
_TRIES = 5


@dataclass(frozen=True)
class _Opened:
    manifest: Manifest
    connection: duckdb.DuckDBPyConnection


class Reader:
    """The facts as one process reads them; threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Nothing is opened yet."""
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: _Opened | None = None

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            if self._opened is not None:
                self._opened.connection.close()
                self._opened = None

    @contextlib.contextmanager
    def asking(self, facts: "Facts", site_ids: frozenset[int] | None = None) -> Iterator["Question"]:
        """The facts of one moment, as far as the actor of the store may see them.

        Args:
            facts: of the store, acting for whoever asks.
            site_ids: only of these sites, among those that the actor sees.

        Raises:
            Busy: too much is new for a look at it; it is being published.
        """
        places = facts.places()
        seen = frozenset(places.sites) if site_ids is None else frozenset(places.sites) & site_ids
        everything = places.every and site_ids is None
        cursor, manifest = self._cursor()
        try:
            new = facts.newest(manifest.marks, MOST_NEW)
            if new is None:
                raise Busy("Many rows are new and being made ready for counting: try again in a minute.")
            _lay_out(cursor, manifest, new, facts.reported(), None if everything else seen)
            yield Question(cursor)
        finally:
            cursor.close()

    def _cursor(self) -> tuple[duckdb.DuckDBPyConnection, Manifest]:
        with self._lock:
            for attempt in range(_TRIES):
                manifest = read_manifest(self._folder)
                if self._opened is None or self._opened.manifest.segments != manifest.segments:
                    try:
                        fresh = _open(self._folder, manifest)
                    except duckdb.IOException:  # published anew, and swept, since the manifest was read
                        if attempt == _TRIES - 1:
                            raise
                        continue
                    self._opened = _Opened(manifest, fresh)  # the old one ends with the last question to it
                return self._opened.connection.cursor(), manifest
        raise Busy("The facts are being published again and again: try again.")


class Question:
    """Queries about one moment."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Use `Reader.asking`."""
        self._cursor = cursor

    def ask(self, name: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows that a named query answers with; it takes those of the values that it names."""
        statement = self._cursor.extract_statements(query(name).text)[0]
        given = {one: (values or {}).get(one) for one in statement.named_parameters}
        answer = self._cursor.execute(statement, given)
        columns = [column[0] for column in answer.description]
        return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]


def _open(folder: Path, manifest: Manifest) -> duckdb.DuckDBPyConnection:
    """A database in memory with the files attached, and locked."""
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "threads": 2,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        }
    )
    for place, segment in enumerate(manifest.segments):
        connection.execute(f"ATTACH '{quoted(folder / segment.file)}' AS s{place} (READ_ONLY)")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _lay_out(
    cursor: duckdb.DuckDBPyConnection, manifest: Manifest, new: Mapping[str, pa.Table], reports: pa.Table,
    seen: frozenset[int] | None,
) -> None:  # fmt: skip
    """Name the tables that queries speak of: files and newest rows together, at the sites that may be seen.

    Numbers of sites stand in the text and not in a table of their own: so a file whose rows are elsewhere is not read,
    and who sees every site pays for no filter.
    """
    only = "" if seen is None else f" WHERE site_id IN ({', '.join(str(int(site)) for site in sorted({0, *seen}))})"
    cursor.register("every_report", reports)
    cursor.execute(f"CREATE TEMP VIEW reported AS SELECT * FROM every_report{only}")
    for kind in TABLES:
        cursor.register(f"new_{kind}", new[kind])
    for name, source in ROLLUPS.items():
        cursor.execute(f"CREATE TEMP VIEW source AS SELECT * FROM new_{source}")
        cursor.execute(f"CREATE TEMP TABLE new_{name} AS {query(f'rollup_{name}').text}")
        cursor.execute("DROP VIEW source")
    for name in (*TABLES, *ROLLUPS):
        parts = [f"SELECT * FROM s{place}.{name}" for place in range(len(manifest.segments))]
        every = " UNION ALL ".join([*parts, f"SELECT * FROM new_{name}"])
        cursor.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM ({every}){only}")
