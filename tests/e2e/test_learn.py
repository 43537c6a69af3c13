"""What to label next: a batch is chosen and seen, sent, labelled by keyboard, and compared with chance."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.jobs.intake.line import SHIPPED
from app.jobs.science.models import add_model
from app.settings import Settings
from core.pictures.decode import sha256_of
from core.pictures.quality import measure
from core.plant import Arrival
from core.records import Capture, Prediction, TaskKind
from core.roles import Actor
from data.store import Store, open_store
from tests.app.jobs.small_dataset import drawn
from tests.e2e.at_desk import ready
from tests.e2e.house import House
from tests.small_plant import SITE, make_plant

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]
SLOW = 90_000  # milliseconds; a job's process has to start and load a net on a machine that may be busy
MODEL = "demo-metal"
FREE = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[House]:
    """A plant with two parts in the queue, and a dozen that passed by themselves and have no label."""
    plant = make_plant(tmp_path_factory.mktemp("served") / "home", parts=2, demo=True)
    store = open_store(plant.url)
    settings = Settings(home=plant.home, database_url=plant.url, device="cpu")
    add_model(store, settings, SHIPPED / MODEL)
    store.sites.set_model(SITE, MODEL, "set up")
    store.sites.set_calibrated(SITE)
    proposed = store.acting_as(Actor("set up", system=True)).policies.propose(SITE, 0.3, 0.8, "as agreed")
    store.policies.approve(SITE, proposed.number, "as agreed")
    _passed(store, plant.home / "passed")
    manifest = drawn(settings, per_split={"train": 30, "val": 6, "test": 24})
    store.datasets.add("pits", manifest, manifest["hash"])
    store.close()
    with House(plant, worker=True) as running:
        yield running


def _passed(store: Store, folder: Path) -> None:
    folder.mkdir()
    rng = np.random.default_rng(3)
    arrivals = []
    for number in range(FREE):
        path = folder / f"passed-{number}.png"
        pixels = rng.normal(110 + 6 * number, 9, (128, 160, 3)).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(path), pixels)
        capture = Capture(str(path), f"Q-{number:03}", camera="cam 3", part_type="bracket")
        arrivals.append(Arrival(capture, str(path), sha256_of(path.read_bytes()), 160, 128, measure(pixels),
                                Prediction(MODEL, 0.02, {"CRACK": 1.0}, milliseconds=9.0)))  # fmt: skip
    store.arrivals.file(SITE, arrivals, close_parts=True)


def shot(page: Page, name: str) -> None:
    """A picture of the page, where somebody wants to look at it."""
    if folder := os.environ.get("HOLDPOINT_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/learn-{name}.png", full_page=True)


def come_in(page: Page, server: House, name: str, path: str) -> None:
    page.goto(f"{server.url}/{path}")
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("button", name=name)).to_be_visible(timeout=SLOW)


def test_a_batch_is_chosen_sent_labelled_by_keyboard_and_compared(page: Page, server: House, browser) -> None:
    come_in(page, server, "Dora", "learn")
    expect(page.get_by_text("No batch yet")).to_be_visible(timeout=SLOW)
    shot(page, "empty")
    budget = page.get_by_role("spinbutton", name="Budget")
    budget.fill("4")
    budget.press("Enter")
    page.get_by_role("button", name="Choose 4 pictures").click()
    send = page.get_by_role("button", name=re.compile("^.*Send 4 tasks to the queue"))
    expect(send).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("heading", name="Batch 1")).to_be_visible(timeout=SLOW)
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("img", name=re.compile(r"^Image \d+")).first).to_be_visible(timeout=SLOW)
    shot(page, "chosen")
    store = server.store()
    assert store.queue.counts(SITE).kinds.get(TaskKind.LABEL, 0) == 0  # nobody is asked before it is sent
    send.click()
    expect(page.get_by_text("4 tasks are in the queue")).to_be_visible(timeout=SLOW)
    shot(page, "sent")

    other = browser.new_context(viewport={"width": 1366, "height": 768})
    ines = other.new_page()
    come_in(ines, server, "Ines", "queue")
    done = 0
    while done < 2:  # the line's own parts come first
        item = ready(ines)
        waits = store.queue.counts(SITE).kinds.get(TaskKind.LABEL, 0)
        ines.keyboard.press("s" if done else "a")
        expect(ines.locator(".desk-root")).not_to_have_attribute("data-item", item, timeout=SLOW)
        expect(ines.get_by_text("all saved")).to_be_visible(timeout=SLOW)
        done += waits - store.queue.counts(SITE).kinds.get(TaskKind.LABEL, 0)
    other.close()
    assert store.acting_as(Actor("Dora")).selections.get(1).done == 2

    page.reload()
    expect(page.get_by_text("2 of 4 answered")).to_be_visible(timeout=SLOW)
    shot(page, "answered")
    page.get_by_role("radio", name="Compare").click()
    expect(page.get_by_text("Nothing compared yet")).to_be_visible(timeout=SLOW)
    shot(page, "compare-empty")
    page.get_by_role("button", name=re.compile("Compare$")).click()
    expect(page.get_by_text("Not compared")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile("label more|answer more"))).to_be_visible(timeout=SLOW)
    shot(page, "compare-why-not")

    page.get_by_role("combobox", name="Labels of").click()
    page.get_by_role("option", name="pits").click()
    divisions = page.get_by_role("spinbutton", name="Divisions")
    divisions.fill("2")
    divisions.press("Enter")
    page.get_by_role("button", name=re.compile("Compare$")).click()
    expect(page.get_by_text("AUROC on test pictures of other groups")).to_be_visible(timeout=2 * SLOW)
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile("no better than random here|of the labels that random needs")).first
           ).to_be_visible(timeout=SLOW)  # fmt: skip
    shot(page, "compare")
    store.close()
    assert page.outside == []
    assert page.refused == []
