"""What tests of several jobs share: the settings of the plant that the store belongs to, and an import into it."""

from pathlib import Path
from typing import Any

import pytest

from app.jobs.intake.imports import ImportReport, import_labels
from app.settings import Settings
from data.store import Store
from tests.app.jobs.delivery import Import


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of the home folder that holds the fresh store."""
    return Settings(home=tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An empty folder to import from."""
    folder = tmp_path / "delivery"
    folder.mkdir()
    return folder


@pytest.fixture
def bring_in(store: Store, settings: Settings, source: Path) -> Import:
    """Imports the delivered folder into Lyon, unless told otherwise."""

    def run(**arguments: Any) -> ImportReport:
        return import_labels(
            store, settings, arguments.pop("source", source), arguments.pop("site", "Lyon"), **arguments
        )

    return run
