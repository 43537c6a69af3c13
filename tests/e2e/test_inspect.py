"""The Inspect page in a real browser, with a model that the plant ships: what is dropped is scored, shown and sent."""

import json
import re
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.jobs.intake.line import SHIPPED
from app.jobs.science.models import add_model
from app.settings import Settings
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(290)]
SLOW = 90_000  # milliseconds; the first picture waits for a process to start and a net to load on a busy machine
BUSY = "[data-testid=stStatusWidget], [data-testid=stSkeleton]"
WIDTH, HEIGHT = 160, 128


@pytest.fixture(scope="module")
def plant_url(server) -> str:
    """The served plant's store, once it has a model."""
    store = open_store(server.plant.url)
    add_model(store, Settings(home=server.plant.home, database_url=server.plant.url), SHIPPED / "demo-metal")
    store.sites.set_model(SITE, "demo-metal", "tests")
    store.close()
    return server.plant.url


@pytest.fixture
def draw(tmp_path: Path):
    """Draws a small picture, with a dark scratch or without."""

    def make(name: str, seed: int, *, scratch: bool = False) -> Path:
        pixels = np.random.default_rng(seed).normal(128, 8, (HEIGHT, WIDTH))
        if scratch:
            cv2.line(pixels, (30, 30), (130, 100), 20, 3)
        path = tmp_path / name
        cv2.imwrite(str(path), np.clip(pixels, 0, 255).astype(np.uint8))
        return path

    return make


@pytest.fixture
def inspect(page: Page, server, plant_url) -> Page:
    """The page as an inspector finds it."""
    page.goto(f"{server.url}/inspect")
    page.get_by_role("button", name=re.compile("^Ines")).click()
    expect(page.get_by_text("Drop one or many pictures here")).to_be_visible(timeout=SLOW)
    quiet(page)
    return page


def quiet(page: Page) -> None:
    expect(page.locator(BUSY)).to_have_count(0, timeout=SLOW)


def drop(page: Page, *files: Path) -> None:
    """Let files fall on the place that asks for them, as a hand with a mouse would."""
    names = [file.name for file in files]
    blobs = [{"name": file.name, "bytes": list(file.read_bytes())} for file in files]
    carried = page.evaluate_handle(
        """files => { const carried = new DataTransfer();
             for (const one of files) carried.items.add(new File([new Uint8Array(one.bytes)], one.name));
             return carried }""",
        blobs,
    )
    place = page.get_by_test_id("stFileUploaderDropzone")
    for event in ("dragenter", "dragover", "drop"):
        place.dispatch_event(event, {"dataTransfer": carried})
    expect(page.get_by_test_id("stFileUploader").get_by_text(names[0])).to_be_visible(timeout=SLOW)


def shown_picture(page: Page, name: str) -> None:
    expect(page.get_by_role("img", name=name).or_(page.locator(f".viewer [alt='{name}']")).first).to_be_visible(
        timeout=SLOW
    )


def document(page: Page) -> dict:
    page.get_by_role("tab", name="JSON").click()
    code = page.get_by_test_id("stCode").filter(has_text="coordinates")
    expect(code).to_be_visible(timeout=SLOW)
    return json.loads(code.locator("code").inner_text())


def test_a_dropped_picture_is_scored_explained_and_sent_to_the_queue(inspect: Page, server, plant_url, draw):
    page = inspect
    file = draw("scratched.png", 1, scratch=True)
    drop(page, file)
    expect(page.get_by_text(re.compile(r"\d+ ms engine, \d+ ms to open"))).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Drop one or many pictures here")).to_have_count(0, timeout=SLOW)
    quiet(page)
    expect(page.get_by_text(re.compile(r"\bHold$")).first).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("paragraph").filter(has_text="No policy is approved at this site")).to_be_visible(
        timeout=SLOW
    )
    expect(page.get_by_role("img", name=re.compile(r"^score [01]\.\d"))).to_be_visible(timeout=SLOW)
    shown_picture(page, "scratched.png")
    expect(page.get_by_text("Why this score")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(f"{WIDTH} × {HEIGHT} px")).to_be_attached(timeout=SLOW)
    for name in ("CRACK", "SURFACE_SCRATCH"):
        expect(page.get_by_text(re.compile(rf"^{name}")).first).to_be_attached(timeout=SLOW)
    expect(page.get_by_role("tab", name=re.compile(r"Regions \(\d+\)"))).to_be_visible(timeout=SLOW)
    tiles = page.get_by_role("tab", name=re.compile(r"Tiles \([1-9]\d*\)"))
    tiles.click()
    expect(page.get_by_test_id("stDataFrame").last).to_be_visible(timeout=SLOW)
    said = document(page)
    assert said["coordinates"] == "image"
    assert said["decision"] == "HOLD"
    assert said["model_version"].startswith("demo-metal")
    assert 0 <= said["overall_confidence"] <= 1
    for defect in said["defects"]:
        box = defect["bounding_box"]
        assert 0 <= box["x"] <= box["x"] + box["width"] <= WIDTH
        assert 0 <= box["y"] <= box["y"] + box["height"] <= HEIGHT

    store = open_store(plant_url, Actor("Ines"))
    before = store.queue.counts(SITE).waiting
    page.get_by_role("button", name="Send to the queue").click()
    expect(page.get_by_text(re.compile(r"In the queue as task \d+"))).to_be_visible(timeout=SLOW)
    assert store.queue.counts(SITE).waiting == before + 1
    part = store.parts.find(SITE, f"inspected-{sha256(file.read_bytes()).hexdigest()[:12]}")
    assert part is not None
    (image,) = store.images.of_part(part.id)
    assert (image.width, image.height) == (WIDTH, HEIGHT)

    found = None
    for _ in range(20):  # the most urgent part comes first; this one comes when those before it are answered
        page.goto(f"{server.url}/queue")
        cell = page.get_by_role("cell", name=re.compile("^(P-|inspected-)"))
        expect(cell).to_be_visible(timeout=SLOW)
        quiet(page)
        found = cell.inner_text()
        if found == part.name:
            break
        answer(page, found)
    assert found == part.name
    assert not page.outside
    assert not page.refused


def answer(page: Page, part: str) -> None:
    """Pass the part in hand; a press before the page listens counts for nothing and is made again, as a hand would."""
    shown = page.get_by_role("cell", name=part, exact=True)
    for _ in range(8):
        page.keyboard.press("a")
        try:
            expect(shown).to_have_count(0, timeout=10_000)
        except AssertionError:
            continue
        return
    raise AssertionError(f"{part} was still in hand after eight presses")


def test_several_pictures_are_chosen_by_name_and_a_broken_one_is_refused_alone(inspect: Page, draw, tmp_path):
    page = inspect
    broken, empty = tmp_path / "broken.jpg", tmp_path / "empty.png"
    broken.write_bytes(b"\xff\xd8\xff broken")
    empty.write_bytes(b"")
    drop(page, draw("first.png", 2), broken, draw("second.png", 3, scratch=True), empty)
    shown_picture(page, "second.png")
    quiet(page)
    expect(page.get_by_text(re.compile(r"^broken\.jpg: .*cut off"))).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile(r"^empty\.png: "))).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    choice = page.get_by_role("combobox", name="Scored pictures")
    choice.click()
    page.get_by_role("option", name=re.compile(r"^1 · first\.png")).click()
    shown_picture(page, "first.png")
    quiet(page)
    drop(page, draw("third.png", 4))
    shown_picture(page, "third.png")


def test_a_broken_picture_alone_is_refused_and_the_next_one_is_scored(inspect: Page, draw, tmp_path):
    page = inspect
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    drop(page, broken)
    expect(page.get_by_text("None of these can be scored")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile(r"^broken\.png: "))).to_be_visible(timeout=SLOW)
    quiet(page)
    drop(page, draw("whole.png", 5))
    shown_picture(page, "whole.png")
    quiet(page)
    for _ in range(2):
        page.get_by_test_id("stFileChip").or_(page.get_by_test_id("stFileUploaderFile")).first.get_by_role(
            "button"
        ).click()
        quiet(page)
    expect(page.get_by_text("Drop one or many pictures here")).to_be_visible(timeout=SLOW)


def test_one_click_scores_a_picture_of_the_demo_plant(inspect: Page, plant_url):
    page = inspect
    strip = page.locator(".st-key-inspect-strip").get_by_role("button")
    expect(strip).to_have_count(6, timeout=SLOW)
    for one in strip.all():
        box = one.bounding_box()
        assert min(box["width"], box["height"]) >= 44
        assert box["y"] + box["height"] <= 768
        expect(one.locator("img")).to_have_js_property("complete", True, timeout=SLOW)
        assert one.locator("img").evaluate("one => one.naturalWidth") > 0
    number = int(strip.last.locator("img").get_attribute("src").split("/")[2])
    strip.last.click()
    shown_picture(page, Path(open_store(plant_url).images.get(number).path).name)
    quiet(page)
    expect(page.get_by_text("The plant has filed this picture already.")).to_be_visible(timeout=SLOW)
    expect(strip).to_have_count(0)
    assert document(page)["model_version"].startswith("demo-metal")
    assert not page.outside
    assert not page.refused


def test_a_filed_picture_is_scored_anew_and_needs_no_sending(inspect: Page, plant_url):
    page = inspect
    page.get_by_role("button", name="Or pick a filed picture").click()
    choice = page.get_by_role("combobox", name="Filed picture")
    choice.click()
    option = page.get_by_role("option").first
    number = int(option.inner_text().partition("·")[0])
    option.click()
    name = Path(open_store(plant_url).images.get(number).path).name
    shown_picture(page, name)
    quiet(page)
    expect(page.get_by_text("The plant has filed this picture already.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Send to the queue")).to_have_count(0)
    assert document(page)["model_version"].startswith("demo-metal")
