"""From a chart to its pictures and on to the correction, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from app.web.guard import COOKIE
from core.records import Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 90_000  # milliseconds; the machine that runs this may be busy


@pytest.fixture
def answered(server):
    """Two answers against the model."""
    store = open_store(server.plant.url, Actor("Quentin"))
    for _ in range(2):
        task = store.queue.lease()
        review = Review(Verdict.FAIL, "Quentin", classes=("BURR",), seconds=6.0)
        store.reviews.add(task.id, task.revision, task.fence, review)
    store.close()
    return server


def test_a_bar_leads_to_its_pictures_and_those_to_the_correction(page, answered):
    page.context.add_cookies([{"name": COOKIE, "value": sign_in(answered.plant.url, "Quentin"), "url": answered.url}])
    page.goto(f"{answered.url}/analytics")
    bar = page.locator(".js-plotly-plot .barlayer .point path").first
    expect(bar).to_be_visible(timeout=SLOW)
    box = bar.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    picture = page.locator("[data-testid=stImage] img").first
    expect(picture).to_be_visible(timeout=SLOW)
    expect(picture).to_have_attribute("src", re.compile(r"/img/\d+/thumb"))
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    page.get_by_role("button", name="Correct").first.click()
    expect(page).to_have_url(re.compile(r"/(correct|queue)"), timeout=SLOW)
    expect(page.get_by_role("heading", name="Correct")).to_be_visible(timeout=SLOW)
    assert page.outside == []
    assert page.refused == []
