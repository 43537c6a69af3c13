"""What tests of several folders share: a migrated store in a folder of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.store import Store, open_store


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store of the present schema; copying it is much quicker than migrating."""
    path = tmp_path_factory.mktemp("template") / "holdpoint.sqlite3"
    store = open_store(f"sqlite:///{path}")
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A fresh SQLite store."""
    path = tmp_path / "holdpoint.sqlite3"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    """A fresh store, acting as the command line."""
    opened = open_store(sqlite_url)
    yield opened
    opened.close()
