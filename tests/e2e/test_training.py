"""A pipeline from the page: configured, run by a real worker to its last step, then compared, drawn and previewed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from app.settings import Settings
from core.plant import PartType
from data.store import Store, open_store
from tests.app.jobs.small_dataset import drawn, keep
from tests.small_plant import SITE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]
SLOW = 90_000  # milliseconds
LONG = 300_000  # for a worker's process to train, on a machine that may be busy
TEXT = """experiment: weekly
dataset: {name: pits}
architecture: test_resnet
weights: scratch
epochs: 6
augmentation:
  all: {rotation: 90, noise: 0.02, brightness: 0.2, contrast: 0.2, crop: [0.8, 1.0]}
  judged_by: {size: [SURFACE_PIT]}
"""


@pytest.fixture(scope="module")
def plates(server) -> Iterator[Store]:
    """A small frozen dataset of Lyon."""
    store = open_store(server.plant.url)
    settings = Settings(home=server.plant.home, database_url=server.plant.url, device="cpu")
    store.part_types.put(SITE, PartType("plate", tile=64, stride=32))
    manifest = drawn(settings)
    for item in manifest["items"]:
        item["part_type"] = "plate"
    keep(settings, manifest)
    store.datasets.add("pits", manifest, manifest["hash"])
    yield store
    store.close()


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def test_a_pipeline_is_configured_run_to_its_last_step_compared_and_previewed(page, server, plates, tmp_path):
    page.goto(server.url)
    page.get_by_role("button", name=re.compile("^Dora")).click()
    expect(page.get_by_role("button", name="Dora")).to_be_visible(timeout=SLOW)
    page.goto(f"{server.url}/training")
    expect(page.get_by_role("heading", name="Training", exact=True)).to_be_visible(timeout=SLOW)

    tab(page, "Schedule")
    expect(page.get_by_text("Next on the clock of")).to_be_visible(timeout=SLOW)
    text = page.get_by_role("textbox", name="Configuration")
    text.fill("experiment: a b")
    text.press("Control+Enter")
    expect(page.get_by_text("use letters, digits, dots")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    text.fill(TEXT)
    text.press("Control+Enter")
    expect(page.get_by_role("button", name="Save")).to_be_enabled(timeout=SLOW)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("configuration 1 is in force")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Run it now").click()
    expect(page.get_by_text("waits for the worker")).to_be_visible(timeout=SLOW)

    tab(page, "Runs")
    expect(page.get_by_text(re.compile("gate: (done|running)")).first).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile("shadow: (done|not run)")).first).to_be_visible(timeout=LONG)
    [run] = plates.pipelines.runs("weekly")
    assert str(run.state) == "done"
    page.screenshot(path=tmp_path / "runs.png", full_page=True)

    tab(page, "Experiments")
    expect(page.get_by_text("every figure with its 95% interval")).to_be_visible(timeout=SLOW)
    page.screenshot(path=tmp_path / "experiments.png", full_page=True)
    tab(page, "Curves")
    expect(page.get_by_text("Kept: epoch")).to_be_visible(timeout=SLOW)
    page.screenshot(path=tmp_path / "curves.png", full_page=True)

    tab(page, "Augmentation")
    page.get_by_role("combobox", name=re.compile(r"^As\b")).click()
    page.get_by_role("option", name="weekly").click()
    show, judged = (
        page.get_by_role("button", name="Show", exact=True),
        page.get_by_text("SURFACE_PIT is judged by size"),
    )
    show.click()
    stale = page.get_by_text("This is of an earlier choice")
    expect(judged.or_(stale).first).to_be_visible(timeout=SLOW)
    if stale.is_visible():  # the press was quicker than the choice before it: the page says so and asks for another
        show.click()
    expect(judged).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile("^As it is, 1 region"))).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile("^Window 6"))).to_be_visible(timeout=SLOW)
    page.screenshot(path=tmp_path / "preview.png", full_page=True)
    assert page.outside == []
    assert page.refused == []
