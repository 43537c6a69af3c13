"""In a real browser with a real worker: an alarm pauses auto-PASS, the next PASS is held, and two people resume."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from core.records import Outcome, Review, TaskKind, Verdict
from core.roles import WORKER, Actor
from data.store import Store, open_store
from tests.data.store.plant import arrival
from tests.small_plant import PASSWORD, SITE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 60_000
PATIENCE_S = 150.0  # the worker looks once a minute, and the machine may be busy


def come_in(browser, server, who: str) -> Page:
    window = browser.new_context(viewport={"width": 1366, "height": 768})
    token = open_store(server.plant.url).people.sign_in(who, PASSWORD)
    window.add_cookies([{"name": "holdpoint", "value": token, "url": server.url}])
    return window.new_page()


def wait_until(true) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it did not come to be so in time"
        time.sleep(0.5)


def file_one(store: Store, number: int) -> int:
    """A part that the model thinks good; its id."""
    [filed] = store.arrivals.file(SITE, [arrival(number, 0.05)])
    return filed.part_id


def in_force(store: Store) -> None:
    """A model, a calibration and a policy that passes below .3 and audits every PASS."""
    store.models.add({"name": "net-1"}, "/models/net-1", "0" * 64)
    store.sites.set_model(SITE, "net-1")
    store.sites.set_calibrated(SITE)
    made = store.acting_as(Actor("Quentin")).policies.propose(SITE, 0.3, 0.9, "as agreed", audit_pass=1.0)
    store.acting_as(Actor("Ada")).policies.approve(SITE, made.number, "as agreed")


def answer_audits(store: Store, verdict: Verdict) -> None:
    ines = store.acting_as(Actor("Ines"))
    while (task := ines.queue.lease({TaskKind.AUDIT}, SITE)) is not None:
        ines.reviews.add(task.id, task.revision, task.fence, Review(verdict, "Ines"))


def test_an_alarm_pauses_auto_pass_and_the_next_pass_becomes_hold_until_two_people_resume(browser, server):
    store = open_store(server.plant.url)
    in_force(store)
    wait_until(lambda: store.acting_as(WORKER).watching.begin(SITE).revision > 0)
    first = file_one(store, 70_001)
    assert store.parts.decision(first).outcome is Outcome.PASS
    for number in range(70_002, 70_009):
        file_one(store, number)
    answer_audits(store, Verdict.FAIL)
    wait_until(lambda: store.sites.get(SITE).paused is not None)
    wait_until(lambda: store.alarms.find(SITE))

    page = come_in(browser, server, "Quentin")
    page.goto(f"{server.url}/alarms")
    expect(page.get_by_text("auto-PASS paused").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile("More than 1% of the defective parts pass")).first).to_be_visible(timeout=SLOW)
    held = store.parts.decision(file_one(store, 70_020))
    assert held.outcome is Outcome.HOLD
    assert [reason.code for reason in held.reasons] == ["paused"]

    page.get_by_role("button", name="Ask to resume").click()
    page.get_by_label("Why auto-PASS may be on again").fill("a bad batch, taken out")
    page.get_by_label("Why auto-PASS may be on again").press("Tab")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Somebody else agrees to it.").first).to_be_visible(timeout=SLOW)
    assert store.parts.decision(file_one(store, 70_021)).outcome is Outcome.HOLD
    page.context.close()

    page = come_in(browser, server, "Ada")
    page.goto(f"{server.url}/alarms")
    page.get_by_role("button", name="Agree", exact=True).first.click()
    page.get_by_label("Why it is right").fill("seen the parts")
    page.get_by_label("Why it is right").press("Tab")
    page.get_by_role("button", name="Agree to it").click()
    wait_until(lambda: store.sites.get(SITE).paused is None)
    assert store.parts.decision(file_one(store, 70_022)).outcome is Outcome.PASS
    expect(page.get_by_text("auto-PASS on").first).to_be_visible(timeout=SLOW)
    page.context.close()
