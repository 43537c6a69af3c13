"""Text from people, files and cameras is shown as text on every page: nothing it says is fetched, run or drawn."""

import re
import shutil
from hashlib import sha256

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.navigation import pages_for
from core.errors import QuarantineReason
from core.pictures.quality import measure
from core.plant import Arrival, PartType
from core.records import Capture, ImageState, Prediction, Region, Review, Verdict
from core.roles import Actor, Role
from data.store import open_store
from data.taxonomies import shipped
from tests.small_plant import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.timeout(290)]
SLOW = 60_000
EVIL = "<img src=x onerror=alert(1)> ![x](http://evil.example/a.png) $x$ :red[..]"
LINK = "[click](http://evil.example/b) <script>alert(2)</script> https://evil.example/c"
MADE = "img[src='x'], script:text('alert'), .katex, a[href*='evil'], img[src*='evil'], iframe[src*='evil']"
BUSY = "[data-testid=stStatusWidget], [data-testid=stSkeleton]"


def made(page: Page) -> list[str]:
    """What the page has made of words that should be words."""
    return [element.evaluate("one => one.outerHTML.slice(0, 300)") for element in page.locator(MADE).all()]


@pytest.fixture(scope="module")
def hostile(server):
    """Every name and note that somebody outside can choose, chosen by somebody who means harm."""
    import cv2

    store = open_store(server.plant.url)
    site = f"{EVIL} site"
    store.sites.add(site, shipped("machined"))
    store.sites.add_name(site, "camera", f"{EVIL} camera")
    store.part_types.put(site, PartType(f"{EVIL} type", views=()))
    good = next(server.plant.home.glob("pictures/part0-top.png"))
    pixels = cv2.imread(str(good))
    folder = server.plant.home / "pictures" / "hostile"
    folder.mkdir()
    arrivals = []
    for number in range(2):
        path = folder / f"{number} <img src=x onerror=alert(3)> ![x](http:evil.example).png"
        shutil.copy(good, path)
        path.write_bytes(path.read_bytes() + b"%d" % number)  # other bytes, the same picture
        box = Region(60, 80, 140, 60, f"{EVIL} class", None, score=0.9, key="m1")
        capture = Capture(str(path), part=f"{EVIL} {number}", order=LINK, machine=LINK, line=f"{EVIL} line",
                          camera=f"{EVIL} camera", stage=LINK, view="top", part_type=f"{EVIL} type")  # fmt: skip
        arrivals.append(
            Arrival(capture, str(path), sha256(path.read_bytes()).hexdigest(), 640, 400, measure(pixels),
                    Prediction(f"{EVIL} model", 0.5, {"CRACK": 0.4}, (box,)))
        )  # fmt: skip
    filed = store.arrivals.file(site, arrivals, close_parts=True)
    broken = folder / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    store.arrivals.file(site, [Arrival(Capture(f"{LINK} {EVIL}", f"{EVIL} broken"), str(broken), "0" * 64,
                                       state=ImageState.QUARANTINED, state_note=f"{EVIL} {LINK}",
                                       reason=QuarantineReason.TRUNCATED)], close_parts=True)  # fmt: skip
    region = Region(50, 60, 80, 40, f"{EVIL} {LINK}", None, key="i1")
    review = Review(Verdict.FAIL, f"import:{EVIL}", {filed[0].image_id: (region,)}, source={"source": EVIL}, note=LINK)
    store.reviews.imported(site, [(filed[0].image_id, review)])
    store.people.add(f"{EVIL} person", PASSWORD, Role.INSPECTOR, [site])
    store.acting_as(Actor("Quentin")).policies.propose(site, 0.2, 0.8, f"{EVIL} {LINK}")
    store.acting_as(Actor("Quentin")).sites.pause(site, f"{EVIL} {LINK}")
    store.acting_as(Actor("Dora")).models.add({"name": f"{EVIL} model", "architecture": EVIL}, "models/none", "0" * 64)
    store.acting_as(Actor("Dora")).jobs.submit("export", {"dest": "nowhere", "format": EVIL})
    store.close()
    return server


@pytest.mark.parametrize("who", ["Ada", "Quentin", "Dora", "Vera", f"{EVIL} person"])
def test_nothing_that_a_name_or_note_says_is_fetched_run_or_drawn(browser, hostile, who):
    role = {"Ada": Role.ADMIN, "Quentin": Role.QA_LEAD, "Dora": Role.DATA_SCIENTIST, "Vera": Role.VIEWER}.get(
        who, Role.INSPECTOR
    )
    window: BrowserContext = browser.new_context(viewport={"width": 1366, "height": 768})
    page = window.new_page()
    wrong: list[str] = []
    own = (hostile.url, "data:", "blob:", hostile.url.replace("http", "ws"))
    page.on("request", lambda one: one.url.startswith(own) or wrong.append(f"asked {one.url}"))
    page.on("dialog", lambda one: (wrong.append(f"said {one.message}"), one.dismiss()))
    token = open_store(hostile.plant.url).people.sign_in(who, PASSWORD)
    window.add_cookies([{"name": "holdpoint", "value": token, "url": hostile.url}])
    told = 0
    for entry in pages_for(role):
        page.goto(f"{hostile.url}/{'' if entry.path == 'home' else entry.url}")
        expect(page.get_by_role("heading", level=1).first).to_be_visible(timeout=SLOW)
        expect(page.locator(BUSY)).to_have_count(0, timeout=SLOW)
        for chooser in page.get_by_role("combobox", name=re.compile("^Site")).all():
            chooser.click()
            option = page.get_by_role("option").filter(has_text="onerror=alert(1)")
            if option.count():
                option.first.click()
                expect(page.locator(BUSY)).to_have_count(0, timeout=SLOW)
            else:
                page.keyboard.press("Escape")
        wrong += [f"{entry.path} made {html}" for html in made(page)]
        told += page.get_by_text("onerror=alert(1)").count()
    page.get_by_role("button", name=who[:3]).first.click()
    wrong += made(page)
    assert wrong == []
    if who != "Vera":
        assert told > 0  # it is there to be read, as it was written
    window.close()


def test_the_sign_in_page_shows_a_hostile_message_as_text(page, hostile):
    page.goto(f"{hostile.url}/sign-in?next={EVIL}")
    assert made(page) == []
    page.get_by_label("Name").fill(EVIL)
    page.get_by_label("Password").fill(LINK)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=SLOW)
    assert made(page) == []
    assert page.outside == []
