"""A person's way through the house, in a real browser on a real server with a real worker."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.navigation import PAGES
from core.records import Verdict
from core.roles import Actor
from data.store import open_store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 30_000  # milliseconds; the machine that runs this may be busy


def come_in(page: Page, server, name: str) -> None:
    page.goto(f"{server.url}/queue" if name in ("Ines", "Dora") else server.url)
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("button", name=name)).to_be_visible(timeout=SLOW)


def part_in_hand(page: Page) -> str:
    cell = page.get_by_role("cell", name=re.compile(r"^P-\d+$"))
    expect(cell).to_be_visible(timeout=SLOW)
    return cell.inner_text()


def ready(page: Page) -> None:
    """The part is in hand and nothing loads any more: what is pressed from here on must count."""
    expect(page.locator(".desk-root")).to_have_attribute("data-ready", re.compile(r"^\d+\.\d+$"), timeout=SLOW)


def answer_by_key(page: Page, key: str) -> str:
    ready(page)
    before = part_in_hand(page)
    page.keyboard.press(key)
    expect(page.get_by_role("cell", name=before, exact=True)).to_have_count(0, timeout=SLOW)
    return before


def draw(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A drag in the editor between two points of the picture."""
    stage = page.locator(".stage[data-ready=yes]")
    expect(stage).to_be_visible(timeout=SLOW)
    at = stage.bounding_box()
    scale, left, top = map(float, stage.get_attribute("data-view").split())
    spots = [(at["x"] + left + x * scale, at["y"] + top + y * scale) for x, y in (start, end)]
    page.mouse.move(*spots[0])
    page.mouse.down()
    page.mouse.move(*((a + b) / 2 for a, b in zip(*spots, strict=True)), steps=5)
    page.mouse.move(*spots[1], steps=5)
    page.mouse.up()


def test_an_inspector_clears_undoes_corrects_and_a_scientist_exports_and_imports(page: Page, server, tmp_path):
    come_in(page, server, "Ines")
    answered = [answer_by_key(page, key) for key in ("a", "s", "w", "a", "s")]
    assert len(set(answered)) == 5
    expect(page.get_by_text("5 answered by you today")).to_be_visible(timeout=SLOW)

    page.keyboard.press("z")
    expect(page.get_by_role("cell", name=answered[-1], exact=True)).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("4 answered by you today")).to_be_visible(timeout=SLOW)

    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="Correct")).to_be_visible(timeout=SLOW)
    expect(page.locator(".stage[data-ready=yes]")).to_be_visible(timeout=SLOW)
    before = page.locator("tr[data-key]").count()
    start, end = (64, 240), (160, 340)  # in the picture's own pixels
    draw(page, start, end)
    expect(page.locator("tr[data-key]")).to_have_count(before + 1, timeout=SLOW)
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible(timeout=SLOW)

    store = open_store(server.plant.url, Actor("Ines"))
    task = store.queue.previous(1)[0]
    review = store.reviews.of_part(task.part_id)[-1]
    assert review.verdict is Verdict.FAIL
    drawn = [region for regions in review.regions.values() for region in regions][-1]
    corners = (drawn.x, drawn.y, drawn.x + drawn.width, drawn.y + drawn.height)
    assert corners == pytest.approx((*start, *end), abs=0.5)  # half a pixel of what was shown

    page.context.clear_cookies()
    come_in(page, server, "Dora")
    page.goto(f"{server.url}/export")
    page.get_by_role("button", name=re.compile("Export$")).last.click()
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=2 * SLOW)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    archive = tmp_path / "labels.zip"
    waiting.value.save_as(archive)

    page.context.clear_cookies()
    come_in(page, server, "Ada")
    page.goto(f"{server.url}/import")
    page.locator("input[type=file]").set_input_files(archive)
    expect(page.get_by_text("labels.zip")).to_be_visible(timeout=SLOW)
    site = page.get_by_role("combobox", name="Site")
    site.fill("Nantes")
    site.press("Enter")
    page.get_by_role("button", name=re.compile("Import$")).last.click()
    expect(page.get_by_text(re.compile("done$")).first).to_be_visible(timeout=2 * SLOW)

    store = open_store(server.plant.url)
    again = list(store.labels.find(site="Nantes"))
    assert again
    there = {(one.image.sha256, len(one.label.regions)) for one in again}
    first = {(one.image.sha256, len(one.label.regions)) for one in store.labels.find(site="Lyon")}
    assert there == first
    assert not page.outside
    assert not page.refused


def test_a_key_pressed_right_after_a_drag_does_not_lose_the_drag(page: Page, server):
    come_in(page, server, "Ines")
    ready(page)
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="Correct")).to_be_visible(timeout=SLOW)
    expect(page.locator(".stage[data-ready=yes]")).to_be_visible(timeout=SLOW)
    task = open_store(server.plant.url, Actor("Ines")).queue.held()
    draw(page, (384, 240), (512, 320))
    page.keyboard.press("w")  # at once, as a hand does that knows the keys
    expect(page.get_by_role("heading", name="Queue")).to_be_visible(timeout=SLOW)
    review = open_store(server.plant.url, Actor("Ines")).reviews.of_part(task.part_id)[-1]
    drawn = [region for regions in review.regions.values() for region in regions][-1]
    assert review.verdict is Verdict.REWORK
    assert (drawn.x, drawn.y) == pytest.approx((384, 240), abs=0.5)


def test_a_layer_shows_while_its_key_is_held_and_stays_when_it_is_tapped(page: Page, server):
    come_in(page, server, "Ines")
    ready(page)
    layer = page.locator(".world:not(.waiting) img.layer[data-id=heatmap]")
    page.keyboard.down("g")
    expect(layer).to_have_attribute("data-shown", "yes")
    page.wait_for_timeout(600)
    page.keyboard.up("g")
    expect(layer).to_have_attribute("data-shown", "no")
    page.keyboard.press("g")
    expect(page.get_by_text("Why this score")).to_be_visible(timeout=SLOW)
    expect(layer).to_have_attribute("data-shown", "yes")


def test_a_deep_link_signed_out_leads_to_the_sign_in_and_shows_nothing(page: Page, server):
    for entry in PAGES:
        page.goto(f"{server.url}/{entry.url}")
        expect(page.get_by_role("heading", name="Holdpoint")).to_be_visible()
        assert "/sign-in" in page.url


def open_account(page: Page, name: str) -> None:
    """Open the account's menu; a page that is still being drawn may close it again, as it would under a hand."""
    out = page.get_by_role("button", name="Sign out")
    for _ in range(10):
        page.get_by_role("button", name=name).click()
        try:
            expect(out).to_be_visible(timeout=3_000)
        except AssertionError:
            continue
        return
    raise AssertionError("the account's menu did not open in ten presses")


def test_signing_out_ends_it_in_every_tab(page: Page, server):
    come_in(page, server, "Quentin")
    expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0, timeout=SLOW)
    open_account(page, "Quentin")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible(timeout=SLOW)
    page.goto(server.url)
    assert "/sign-in" in page.url


def test_the_queue_fits_the_screen_and_the_picture_has_two_thirds_of_it(browser, server, theme):
    context = browser.new_context(viewport={"width": 1366, "height": 768}, color_scheme=theme)
    page = context.new_page()
    come_in(page, server, "Ines")
    part_in_hand(page)
    picture = page.locator(".viewer").bounding_box()
    assert picture["width"] >= 0.65 * 1366
    for name in ("Pass", "Fail", "Rework", "Unsure", "Heatmap"):
        box = page.get_by_role("button", name=re.compile(name)).first.bounding_box()
        assert box["y"] + box["height"] <= 768
        assert box["height"] >= 40
    page.keyboard.press("g")
    expect(page.get_by_text("Why this score")).to_be_visible(timeout=SLOW)
    page.keyboard.press("F1")
    expect(page.get_by_role("dialog")).to_be_visible(timeout=SLOW)
    context.close()
