"""Correcting regions on a real server: both engines, a large picture, and drafts that outlive reload and restart."""

import re
from contextlib import contextmanager
from hashlib import sha256

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core.pictures.quality import measure
from core.plant import Arrival
from core.records import Capture, Polygons, Prediction, Region, Severity, Verdict
from core.roles import Actor
from data.store import open_store
from tests.e2e.house import House
from tests.editor_page import picture
from tests.small_plant import SITE, make_plant

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 60_000  # milliseconds; the machine that runs this may be busy
LARGE = (4000, 3000)
FOUND = (
    Region(500.0, 600.0, 400.0, 300.0, "CRACK", "CRACK", None, 0.61, None, "m1"),
    Region(2000.25, 1800.75, 200.5, 100.25, "pit", "SURFACE_PIT", Severity.MINOR, 0.4, None, "m2"),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A plant whose most urgent parts have a picture of 12 megapixels each."""
    home = tmp_path_factory.mktemp("correcting") / "home"
    plant = make_plant(home, parts=2, demo=True)
    store = open_store(plant.url)
    arrivals = []
    for number in range(5):
        path = home / "pictures" / f"large{number}.jpg"
        pixels = cv2.cvtColor(np.asarray(picture(LARGE)), cv2.COLOR_GRAY2RGB)
        pixels[:8, : 8 * (number + 1)] = 255  # no two pictures are the same
        cv2.imwrite(str(path), pixels)
        prediction = Prediction("small-1", 0.99, {"CRACK": 0.9, "SURFACE_PIT": 0.3}, FOUND, milliseconds=12.0)
        capture = Capture(str(path), f"P-LARGE{number}", camera="cam 9", view="top")
        digest = sha256(path.read_bytes()).hexdigest()
        arrivals.append(Arrival(capture, str(path), digest, *LARGE, measure(pixels), prediction))
    store.arrivals.file(SITE, arrivals, close_parts=True)
    store.close()
    with House(plant) as running:
        yield running


@pytest.fixture
def server(served):
    return served


def come_in(page: Page, server, name: str) -> None:
    page.goto(f"{server.url}/correct")
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("button", name=name)).to_be_visible(timeout=SLOW)


def ready(page: Page) -> None:
    expect(page.locator(".stage[data-ready=yes]")).to_be_visible(timeout=SLOW)
    expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0, timeout=SLOW)


def draw(page: Page, start, end) -> None:
    stage = page.locator(".stage[data-ready=yes]")
    at = stage.bounding_box()
    scale, left, top = map(float, stage.get_attribute("data-view").split())
    spots = [(at["x"] + left + x * scale, at["y"] + top + y * scale) for x, y in (start, end)]
    page.mouse.move(*spots[0])
    page.mouse.down()
    page.mouse.move(*((a + b) / 2 for a, b in zip(*spots, strict=True)), steps=5)
    page.mouse.move(*spots[1], steps=5)
    page.mouse.up()


def rows(page: Page):
    return page.locator("tr[data-key]")


def drafts(page: Page) -> list[str]:
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('holdpoint.draft:'))")


def last_review(server, part_id):
    return open_store(server.plant.url, Actor("Ines")).reviews.of_part(part_id)[-1]


def held(server):
    return open_store(server.plant.url, Actor("Ines")).queue.held()


def saved(page: Page) -> None:
    expect(page.get_by_role("heading", name="Queue")).to_be_visible(timeout=SLOW)
    page.wait_for_function("!Object.keys(localStorage).some((key) => key.startsWith('holdpoint.draft:'))", timeout=SLOW)


def test_it_fits_the_screen_in_both_themes_and_looks_closer_by_crops(page: Page, server, theme):
    page.emulate_media(color_scheme=theme)
    come_in(page, server, "Ines")
    ready(page)
    across, down = page.evaluate(
        "[...['scrollWidth', 'scrollHeight']].map((side) => Math.max(...[document.documentElement, "
        "document.querySelector('[data-testid=stMain]')].map((one) => one[side] - "
        "one[side.replace('scroll', 'client')])))"
    )
    assert (across, down) == (0, 0)
    assert page.locator(".stage").bounding_box()["width"] >= 0.65 * 1366
    page.keyboard.press("Tab")
    page.keyboard.press("0")
    expect(page.locator(".stage[data-sharp=yes]")).to_be_visible(timeout=SLOW)
    assert not page.outside
    assert not page.refused


def test_a_draft_outlives_a_reload_and_a_restart_belongs_to_one_person_and_goes_with_its_save(
    page: Page, server, browser
):
    come_in(page, server, "Ines")
    ready(page)
    expect(rows(page)).to_have_count(2)
    draw(page, (1200, 300), (1700, 900))
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("Shift+Digit2")
    task = held(server)
    assert drafts(page)

    page.reload()
    ready(page)
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_text("restored: 3 regions")).to_be_visible(timeout=SLOW)

    draw(page, (2600, 300), (3000, 900))  # and the server ends before anybody saves
    expect(rows(page)).to_have_count(4)
    server.stop()
    draw(page, (2600, 2000), (3000, 2400))  # the hand does not notice
    expect(rows(page)).to_have_count(5)
    server.start()
    page.reload()
    ready(page)
    expect(rows(page)).to_have_count(5)

    page.context.clear_cookies()  # the same browser, somebody else
    open_store(server.plant.url, Actor("Ines")).queue.release(task.id, task.fence)
    come_in(page, server, "Dora")
    ready(page)
    theirs = open_store(server.plant.url, Actor("Dora")).queue.held()
    assert theirs.id == task.id
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_text("restored")).to_have_count(0)
    open_store(server.plant.url, Actor("Dora")).queue.release(theirs.id, theirs.fence)

    page.context.clear_cookies()  # and the first one again, under another lease
    come_in(page, server, "Ines")
    ready(page)
    expect(rows(page)).to_have_count(5)
    page.keyboard.press("Enter")
    saved(page)
    review = last_review(server, task.part_id)
    (regions,) = review.regions.values()
    assert (review.verdict, review.by, len(regions)) == (Verdict.FAIL, "Ines", 5)
    assert regions[:2] == FOUND
    drawn = regions[2]
    corners = (drawn.x, drawn.y, drawn.x + drawn.width, drawn.y + drawn.height)
    assert corners == pytest.approx((1200, 300, 1700, 900), abs=0.5)
    assert drawn.severity is Severity.MAJOR


def test_outlines_and_freehand_masks_are_drawn_on_the_canvas_and_stored(page: Page, server):
    come_in(page, server, "Ines")
    ready(page)
    draw(page, (1200, 300), (1700, 900))  # a box from the fast editor goes on to the canvas
    expect(rows(page)).to_have_count(3)
    task = held(server)
    page.get_by_role("button", name="Editor").click()
    page.get_by_text("Canvas", exact=True).click()
    expect(page.locator("canvas.upper-canvas")).to_have_count(1, timeout=SLOW)  # the one of the run before goes first
    expect(page.locator("canvas.upper-canvas")).to_be_visible(timeout=SLOW)
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(3, timeout=SLOW)

    canvas = with_tool(page, "Outline")
    with drawn_anew(page):
        for x, y in ((300, 300), (400, 310), (350, 380), (300, 300)):
            page.mouse.click(canvas["x"] + x, canvas["y"] + y)
    expect(rows(page)).to_have_count(4, timeout=SLOW)

    canvas = with_tool(page, "Freehand")
    with drawn_anew(page):
        page.mouse.move(canvas["x"] + 450, canvas["y"] + 100)
        page.mouse.down()
        page.mouse.move(canvas["x"] + 560, canvas["y"] + 160, steps=8)
        page.mouse.up()
    expect(rows(page)).to_have_count(5, timeout=SLOW)

    page.reload()  # drafts of this engine are kept as well
    expect(page.locator("canvas.upper-canvas")).to_have_count(1, timeout=SLOW)  # the one of the run before goes first
    expect(page.locator("canvas.upper-canvas")).to_be_visible(timeout=SLOW)
    expect(rows(page)).to_have_count(5, timeout=SLOW)
    expect(page.get_by_text("Draft restored.")).to_be_visible(timeout=SLOW)
    expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0, timeout=SLOW)
    page.get_by_role("button", name=re.compile("Save as rework")).click()
    saved(page)
    review = last_review(server, task.part_id)
    (regions,) = review.regions.values()
    assert review.verdict is Verdict.REWORK
    assert regions[:2] == FOUND
    outline, stroke = regions[3:]
    scale = 707 / 4000  # of the canvas, as high as its room
    assert isinstance(outline.mask, Polygons)
    assert len(outline.mask.rings[0]) == 6
    assert (outline.x, outline.y) == pytest.approx((300 / scale, 300 / scale), abs=1 / scale)
    assert (outline.width, outline.height) == pytest.approx((100 / scale, 80 / scale), abs=2 / scale)
    assert isinstance(stroke.mask, Polygons)
    assert stroke.width == pytest.approx(119 / scale, abs=4 / scale)


@contextmanager
def drawn_anew(page: Page):
    """Something after which the page puts another canvas in the place of the one that is there."""
    page.locator("canvas.upper-canvas").evaluate("(one) => { one.dataset.old = 'yes'; }")
    yield
    expect(page.locator("canvas.upper-canvas[data-old]")).to_have_count(0, timeout=SLOW)
    expect(page.locator("canvas.upper-canvas")).to_have_count(1, timeout=SLOW)
    expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0, timeout=SLOW)


def with_tool(page: Page, tool: str):
    """The place of the canvas, once another tool is chosen."""
    with drawn_anew(page):
        page.get_by_role("radio", name=tool).click()
    return page.locator("canvas.upper-canvas").bounding_box()


def test_one_key_saves_at_once_after_a_run_of_nudges(page: Page, server):
    come_in(page, server, "Ines")
    ready(page)
    task = held(server)
    page.keyboard.press("Tab")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("w")  # before Python has heard of the nudges
    saved(page)
    (regions,) = last_review(server, task.part_id).regions.values()
    assert (regions[0].x, regions[0].score) == (505, None)
    assert regions[1] == FOUND[1]
