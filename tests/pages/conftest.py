import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import context
from tests.small_plant import PEOPLE, Made, make_plant, sign_in

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> tuple[Made, dict[str, str]]:
    """The small plant, made once, and a session of each of its people."""
    made = make_plant(tmp_path_factory.mktemp("plant") / "home")
    return made, {name: sign_in(made.url, name) for name, _, _ in PEOPLE}


@pytest.fixture
def plant(template, tmp_path, monkeypatch) -> Made:
    """A copy of the small plant, and the app pointed at it."""
    home = tmp_path / "home"
    home.mkdir()
    for file in template[0].home.glob("holdpoint.sqlite3*"):
        shutil.copy(file, home / file.name)
    monkeypatch.setenv("HOLDPOINT_HOME", str(home))
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    yield Made(home, f"sqlite:///{home / 'holdpoint.sqlite3'}")
    context._open.cache_clear()


@pytest.fixture
def open_page(monkeypatch):
    """The app as whoever holds a session token sees it, on one page."""

    def open_it(token: str, path: str = "home") -> AppTest:
        monkeypatch.setattr(context, "token", lambda: token)
        test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60).run()  # which makes the navigation
        return test if path == "home" else test.switch_page(str(ROOT / "pages" / f"{path}.py")).run()

    return open_it


@pytest.fixture
def app(plant, template, open_page):
    """The app as one person sees it: app("Ines", "inspector/queue"); None is nobody."""

    def open_app(who: str | None, path: str = "home") -> AppTest:
        return open_page(template[1][who] if who else "", path)

    return open_app
