"""Every page of every role, in light and dark, on a real server: it opens, fits, and stays in the house."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.navigation import pages_for
from tests.small_plant import PEOPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 30_000  # milliseconds; the machine that runs this may be busy
WIDTH, HEIGHT = 1366, 768
ROLES = {role: name for name, role, _ in reversed(PEOPLE)}
# Behind an address of two parts Streamlit looks for its own server there first, and says so when it is not.
LOOKS_FOR_ITSELF = re.compile(r"/_stcore/(health|host-config)$")
GROUND = {"dark": "rgb(18, 22, 27)", "light": "rgb(255, 255, 255)"}  # as in .streamlit/config.toml
BUSY = "[data-testid=stStatusWidget], [data-testid=stSkeleton]"


class Watched:
    """One page of the browser with all that went wrong on it."""

    def __init__(self, page: Page, own: str) -> None:
        self.page, self.wrong = page, []
        self._own = (own, "data:", "blob:", own.replace("http", "ws"))
        page.on("request", lambda one: one.url.startswith(self._own) or self.wrong.append(f"asked {one.url}"))
        page.on("pageerror", lambda error: self.wrong.append(f"script error {error}"))
        page.on("response", lambda one: one.status < 400 or LOOKS_FOR_ITSELF.search(one.url) or self._refused(one))
        page.on("console", lambda line: line.type == "error" and self._said(line))

    def _refused(self, response) -> None:
        self.wrong.append(f"{response.status} for {response.url}")

    def _said(self, line) -> None:
        if not LOOKS_FOR_ITSELF.search(line.location.get("url", "")):
            self.wrong.append(line.text)


@pytest.fixture(scope="module")
def shots(tmp_path_factory) -> Path:
    """Where the pictures go: a folder of the test, or the one that HOLDPOINT_SCREENSHOTS names."""
    named = os.environ.get("HOLDPOINT_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screens")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def visitors(browser, server):
    """A signed-in window for each role, used again in both themes."""
    made: dict[str, BrowserContext] = {}

    def come_in(role) -> BrowserContext:
        if role not in made:
            window = made[role] = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
            page = window.new_page()
            page.goto(f"{server.url}/models")
            page.get_by_role("button", name=re.compile(f"^{ROLES[role]}")).click()
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SLOW)
            page.close()
        return made[role]

    yield come_in
    for window in made.values():
        window.close()


@pytest.mark.parametrize("role", list(ROLES), ids=str)
def test_every_page_of_a_role_opens_fits_and_asks_nobody_outside(visitors, server, role, shots):
    page = visitors(role).new_page()
    watched = Watched(page, server.url)
    themes = ["dark", "light"]
    page.emulate_media(color_scheme=themes[0])
    for entry in pages_for(role):
        page.goto(f"{server.url}/{'' if entry.path == 'home' else entry.url}")
        heading = page.get_by_role("heading", level=1, name=re.compile(f"^{entry.title.split()[0]}"))
        expect(heading).to_be_visible(timeout=SLOW)
        for theme in themes:
            where = f"{entry.title} as {role}, {theme}"
            page.emulate_media(color_scheme=theme)  # the page follows at once, without loading again
            expect(page.locator("[data-testid=stApp]")).to_have_css("background-color", GROUND[theme], timeout=SLOW)
            expect(page.locator(BUSY)).to_have_count(0, timeout=SLOW)
            page.screenshot(path=shots / f"{entry.url}-{role}-{theme}.png")
            said = page.locator("body").inner_text()
            assert "Traceback" not in said, where
            assert "not for the role" not in said, where
            across = page.evaluate("Math.max(...[document.documentElement, document.querySelector('[data-testid=stMain]"
                                   "')].map(one => one.scrollWidth - one.clientWidth))")  # fmt: skip
            assert across <= 0, f"{where} scrolls sideways by {across} px"
            assert not watched.wrong, f"{where}: {watched.wrong}"
        themes.reverse()  # so that the next page opens in the theme that this one ended in
    page.close()
