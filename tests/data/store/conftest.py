"""The store's own tests run on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from data.store import Store, open_store


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **much: float) -> datetime:
        self.now += timedelta(**much)
        return self.now


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
