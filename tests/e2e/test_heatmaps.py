"""A heatmap that was measured to point beside the defect stays hidden until it is asked for, and is noted when seen."""

import json

import pytest
from playwright.sync_api import Page, expect

from app.jobs.science.measured import heatmaps_place
from app.settings import Settings
from data.store import open_store
from tests.e2e.at_desk import SLOW, come_in, press, ready, saved
from tests.small_plant import SITE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
LAYER = ".world:not(.waiting) img.layer[data-id=heatmap]"


@pytest.fixture
def poor(server) -> None:
    """Every class of the model that scored the small plant is measured to point beside the defect."""
    store = open_store(server.plant.url)
    folder = server.plant.home / "models" / "small-1"
    store.models.add({"name": "small-1"}, str(folder), "1" * 64)
    rows = [
        {"class": name, "n": 90, "parts": 90, "pointing": 0.21, "low": 0.1, "high": 0.3, "energy": 0.1,
         "covered": 0.02, "answer": "fail", "more_needed": None, "shown": False}
        for name in ("CRACK", "SURFACE_SCRATCH", "SURFACE_PIT", "BURR", "DIMENSIONAL_OOS")
    ]  # fmt: skip
    place = heatmaps_place(folder, Settings(home=server.plant.home), SITE)
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"classes": rows, "follows_the_weights": True}), encoding="utf-8")
    store.close()


def test_a_poor_heatmap_is_hidden_on_each_picture_until_g_asks_for_it_and_the_answer_says_so(page: Page, server, poor):
    come_in(page, server)
    first = ready(page)
    expect(page.locator(LAYER)).to_have_attribute("data-shown", "no", timeout=SLOW)
    page.keyboard.press("g")
    expect(page.locator(LAYER)).to_have_attribute("data-shown", "yes", timeout=SLOW)
    press(page, "s")
    second = ready(page)
    expect(page.locator(LAYER)).to_have_attribute("data-shown", "no", timeout=SLOW)
    expect(page.get_by_text("it points right in 21% of 90 pictures")).to_be_visible(timeout=SLOW)
    press(page, "s")
    saved(page)
    store = server.store()
    noted = {}
    for item in (first, second):
        task = store.queue.task(int(item.split(".")[0]))
        noted[item] = [one.source for one in store.reviews.of_part(task.part_id) if one.by == "Ines"][-1]
    store.close()
    assert noted == {first: {"heatmap": True}, second: {"heatmap": False}}
