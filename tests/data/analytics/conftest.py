"""A plant of some hundred parts on either database, filled once for each and copied."""

from collections.abc import Iterator

import pytest

from data.store import Store, open_store
from tests.kpi_plant import NOW, fill


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A fresh database of either kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def plant(url: str) -> Iterator[Store]:
    """With everything that analytics count."""
    opened = open_store(url, clock=lambda: NOW)
    fill(opened)
    yield opened
    opened.close()
