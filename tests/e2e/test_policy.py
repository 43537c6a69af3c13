"""Two people and a line: what a lead tightens holds the next part, and what a second agrees to lets it pass again."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from core.decide.requests import Matrix
from core.learn.metrics import Counts
from core.plant import Arrival
from core.records import Capture, Outcome, Prediction, Quality
from core.roles import Actor
from data.store import Store, open_store
from tests.small_plant import SITE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
SLOW = 60_000  # milliseconds; the machine that runs this may be busy


def decided(store: Store, number: int) -> Outcome:
    """What the line, which is another process than the web server, makes of its next part: a score of .25."""
    capture = Capture(f"line/{number}.png", f"line-{number}")
    quality = Quality(50, 0.5, 0.2, 0, 0)
    said = Prediction("small-1", 0.25, {"CRACK": 1.0})
    [filed] = store.arrivals.file(
        SITE, [Arrival(capture, capture.source, f"{number:064x}", 640, 400, quality, said)], close_parts=True
    )
    return store.parts.decision(filed.part_id).outcome


@pytest.fixture
def line(server) -> Store:
    """Lyon passes what scores below .3, as two people have agreed."""
    store = open_store(server.plant.url)
    quentin, ada = (store.acting_as(Actor(name)) for name in ("Quentin", "Ada"))
    store.models.add({"name": "small-1"}, "/m", "1" * 64)
    store.sites.set_model(SITE, "small-1")
    until = store.database.clock() + timedelta(days=90)
    asked = quentin.requests.ask_calibration(SITE, Matrix(Counts(118, 9, 6, 127), "small-1", "examined"), until, "so")
    ada.requests.agree(asked.number, "checked")
    quentin.policies.propose(SITE, 0.3, 0.8, "four weeks measured")
    ada.policies.approve(SITE, 1, "agreed")
    yield store
    store.close()


def come_in(page: Page, server, name: str) -> None:
    page.goto(server.url)
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("button", name=name)).to_be_visible(timeout=SLOW)
    page.goto(f"{server.url}/policy")
    expect(page.get_by_role("heading", name="In force")).to_be_visible(timeout=SLOW)


def test_the_next_part_obeys_one_who_tightens_and_two_who_go_back(page: Page, server, browser, line):
    assert decided(line, 9001) is Outcome.PASS
    come_in(page, server, "Quentin")
    below = page.get_by_role("spinbutton", name="Pass below")
    below.fill("0.2")
    below.press("Tab")
    page.get_by_placeholder("One sentence that an auditor").fill("a crack slipped through")
    page.get_by_role("button", name="Tighten now").click()
    expect(page.get_by_text("it only tightens").first).to_be_visible(timeout=SLOW)
    assert decided(line, 9002) is Outcome.HOLD

    page.get_by_role("button", name="Go back").click()
    page.get_by_label("Why these rules again").fill("it was a drawing error")
    page.get_by_role("button", name="Propose to go back").click()
    expect(page.get_by_text("waits for somebody else").first).to_be_visible(timeout=SLOW)
    assert decided(line, 9003) is Outcome.HOLD

    other = browser.new_context(viewport={"width": 1366, "height": 768})
    ada = other.new_page()
    come_in(ada, server, "Ada")
    expect(ada.get_by_text("pass below .20 → .30").first).to_be_visible(timeout=SLOW)
    ada.get_by_role("button", name="Approve").click()
    ada.get_by_label("Why these thresholds are right").fill("checked the drawing")
    ada.get_by_role("button", name="Put in force").click()
    expect(ada.get_by_text("is in force at Lyon")).to_be_visible(timeout=SLOW)
    assert decided(line, 9004) is Outcome.PASS
    other.close()
    assert page.outside == []
    assert page.refused == []
