"""A model earns its place: gate, shadow, promotion by two, the next ingest obeys, and one act takes it back."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.jobs.intake.ingest import ingest
from app.jobs.intake.line import SHIPPED
from app.jobs.science.models import add_model
from app.settings import Settings
from data.store import Store, open_store
from tests.app.jobs.small_dataset import drawn
from tests.small_plant import SITE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]
SLOW = 90_000  # milliseconds; a job's process has to start and load two nets on a machine that may be busy
OLD, NEW = "demo-metal", "metal-2"


@dataclass
class Line:
    """The line beside the web server: another process as far as the store can tell."""

    store: Store
    settings: Settings
    folder: Path
    sent: int = 0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def send(self, many: int = 1) -> list[str | None]:
        """File new pictures; the models that scored them."""
        files = []
        for _ in range(many):
            self.sent += 1
            path = self.folder / f"line-{self.sent}.png"
            cv2.imwrite(str(path), self.rng.integers(90, 160, (128, 160, 3), dtype=np.uint8))
            files.append(str(path))
        ingest(self.store, self.settings, files, SITE)
        images = [self.store.images.find(source=one)[0] for one in files]
        said = [self.store.images.prediction(one.id) for one in images]
        return [None if one is None else one.model for one in said]


@pytest.fixture(scope="module")
def line(server, tmp_path_factory) -> Iterator[Line]:
    """Lyon with a shipped model in use, the same net under another name, and a small frozen set of pictures."""
    store = open_store(server.plant.url)
    settings = Settings(home=server.plant.home, database_url=server.plant.url, device="cpu", settle_seconds=0)
    copy = tmp_path_factory.mktemp("models") / NEW
    shutil.copytree(SHIPPED / OLD, copy)
    card = json.loads((copy / "card.json").read_text(encoding="utf-8"))
    (copy / "card.json").write_text(json.dumps({**card, "name": NEW}), encoding="utf-8")
    for folder in (SHIPPED / OLD, copy):
        add_model(store, settings, folder)
    store.sites.set_model(SITE, OLD, "set up")
    manifest = drawn(settings, per_split={"train": 2, "val": 2, "test": 16})
    store.datasets.add("pits", manifest, manifest["hash"])
    yield Line(store, settings, tmp_path_factory.mktemp("line"))
    store.close()


def come_in(page: Page, server, name: str) -> None:
    page.goto(server.url)
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("button", name=name)).to_be_visible(timeout=SLOW)
    open_models(page, server)


def open_models(page: Page, server) -> None:
    """The newest version comes first."""
    page.goto(f"{server.url}/models")
    expect(page.get_by_role("heading", name=NEW)).to_be_visible(timeout=SLOW)


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def test_a_model_goes_through_gate_and_shadow_is_promoted_obeyed_and_taken_back(page, server, browser, line):
    assert line.send() == [OLD]

    come_in(page, server, "Dora")
    tab(page, "Gate")
    page.get_by_role("button", name="Run the gate").click()
    expect(page.get_by_text("The worker measures it now").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("All bounds hold together").first).to_be_visible(timeout=SLOW)
    (kept,) = line.store.gates.of(NEW, SITE)
    assert kept.answer != "pass"  # sixteen pictures show nothing
    assert [one.subject for one in line.store.alarms.find(SITE)] == [NEW]

    tab(page, "Shadow")
    page.get_by_role("button", name="Start the shadow").click()
    expect(page.get_by_text("It decides nothing").first).to_be_visible(timeout=SLOW)
    assert line.send(3) == [OLD] * 3
    shadow = line.store.shadows.latest(SITE)
    until = time.monotonic() + SLOW / 1000
    while len(line.store.shadows.seen(shadow.id)) < 3 and time.monotonic() < until:
        time.sleep(0.5)
    assert len(line.store.shadows.seen(shadow.id)) == 3
    open_models(page, server)
    tab(page, "Shadow")
    expect(page.get_by_text("Pictures compared")).to_be_visible(timeout=SLOW)

    tab(page, "In use")
    page.get_by_role("button", name="Ask for an override").click()
    page.get_by_label("Why it should decide all the same").fill("the same net, for a test of the way")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Nothing changes until somebody else agrees").first).to_be_visible(timeout=SLOW)
    assert line.send() == [OLD]

    other = browser.new_context(viewport={"width": 1366, "height": 768})
    quentin = other.new_page()
    come_in(quentin, server, "Quentin")
    quentin.get_by_role("button", name="Agree").click()
    quentin.get_by_label("Why it is right").fill("looked at the gate")
    quentin.get_by_role("button", name="Agree to it").click()
    expect(quentin.get_by_text("it is so from the next decision on").first).to_be_visible(timeout=SLOW)
    assert line.send() == [NEW]

    tab(quentin, "In use")
    quentin.get_by_role("button", name=f"Roll back to {OLD}").click()
    quentin.get_by_label("What is wrong with the model in use").fill("it was only a test")
    quentin.get_by_role("button", name="Roll back", exact=True).click()
    expect(quentin.get_by_text(f"{OLD} decides at {SITE} again").first).to_be_visible(timeout=SLOW)
    assert line.send() == [OLD]
    other.close()
    assert page.outside == []
    assert page.refused == []
