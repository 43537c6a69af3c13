import pytest

from tests.e2e.house import House, launch
from tests.editor_page import LAID, ONE, TWO, EditorPage
from tests.small_plant import make_plant


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The real app and the real worker over the small plant, on a port of their own."""
    plant = make_plant(tmp_path_factory.mktemp("served") / "home", parts=12, demo=True)
    with House(plant, worker=True) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    """Debian's chromium, or another Chrome that is installed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(params=["dark", "light"])
def theme(request):
    return request.param


@pytest.fixture
def page(browser, server):
    """A fresh visitor who notes every request that leaves the house and every error of the page."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    found = context.new_page()
    found.outside = []
    found.refused = []
    own = (server.url, "data:", "blob:", server.url.replace("http", "ws"))
    found.on("request", lambda request: request.url.startswith(own) or found.outside.append(request.url))
    found.on("console", lambda line: "Content Security Policy" in line.text and found.refused.append(line.text))
    yield found
    context.close()


@pytest.fixture
def window(browser):
    """A fresh visitor of a house of the test's own."""
    made = browser.new_context(viewport={"width": 1366, "height": 768})
    yield made.new_page()
    made.close()


@pytest.fixture
def open_editor(browser):
    """Opens an editor alone in a browser of its own: open_editor(sheet, regions, theme="light")."""
    contexts = []

    def open_it(laid=LAID, regions=(ONE, TWO), *, theme="dark", touch=False, viewport=(1366, 768)):
        size = {"width": viewport[0], "height": viewport[1]}
        contexts.append(browser.new_context(viewport=size, color_scheme=theme, has_touch=touch))
        made = EditorPage(contexts[-1], laid.size_wh, theme)
        made.open(laid, regions)
        return made

    yield open_it
    for context in contexts:
        context.close()
