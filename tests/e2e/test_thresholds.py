"""A QA lead tries a band and proposes it, a second person approves it, and the next part obeys; in a real browser."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from core.plant import Arrival
from core.records import Capture, Outcome, Prediction, Quality
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 60_000  # milliseconds; the machine that runs this may be busy
FINE = Quality(500.0, 0.5, 0.2, 0.0, 0.0)
SHAPES = "[...document.querySelectorAll('.js-plotly-plot')].map(plot => JSON.stringify(plot.layout.shapes))"


def come_in(page: Page, server, name: str) -> None:
    page.goto(server.url)
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("button", name=name)).to_be_visible(timeout=SLOW)


def opened(page: Page, server) -> None:
    page.goto(f"{server.url}/thresholds?thresholds.site={SITE}")
    expect(page.get_by_text("Replay of 4 weeks")).to_be_visible(timeout=SLOW)
    expect(page.locator(".js-plotly-plot .shapelayer path").first).to_be_visible(timeout=SLOW)


def test_a_band_is_tried_proposed_approved_and_obeyed_by_the_next_part(page: Page, server):
    store = open_store(server.plant.url)
    store.sites.set_calibrated(SITE)
    come_in(page, server, "Quentin")
    opened(page, server)
    before = page.evaluate(SHAPES)
    slider = page.locator("[data-testid=stSlider] input[type=range]").first
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_function(  # both charts have moved their lines
        f"before => {{ const now = {SHAPES}; return now.length === 2 && now.every((one, i) => one !== before[i]) }}",
        arg=before,
        timeout=SLOW,
    )
    low = page.get_by_label("Pass below")
    low.fill("0.33")
    low.press("Enter")
    button = page.get_by_role("button", name=re.compile("^.*Propose .33 to"))
    expect(button).to_be_visible(timeout=SLOW)
    page.get_by_label("Why these thresholds are right").fill("Clean for two weeks")
    button.click()
    expect(page.get_by_text("waits for approval by somebody else")).to_be_visible(timeout=SLOW)
    made = store.policies.history(SITE)[0]
    assert (made.pass_below, made.approved, made.proposed_by) == (0.33, False, "Quentin")
    store.acting_as(Actor("Ada")).policies.approve(SITE, made.number, "agreed")
    picture = Arrival(Capture("made:after", "after"), "/x/after.png", "f" * 64, 640, 400, FINE,
                      Prediction("small-1", 0.32, {"CRACK": 0.9}))  # fmt: skip
    (filed,) = store.arrivals.file(SITE, [picture], close_parts=True)
    decision = store.parts.decision(filed.part_id)
    assert (decision.outcome, decision.policy) == (Outcome.PASS, made.number)
    assert page.outside == []
    store.close()


def test_nothing_overflows_on_a_laptop(page: Page, server):
    come_in(page, server, "Quentin")
    opened(page, server)
    width = json.loads(page.evaluate("JSON.stringify([document.documentElement.scrollWidth, innerWidth])"))
    assert width[0] <= width[1]
