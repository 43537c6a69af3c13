"""In a real browser with a real worker: a file of complaints becomes a case, an answer, a notice that two stand for."""

import json
import re
import threading
import time
from http.server import HTTPServer

import pytest
from playwright.sync_api import Page, expect

from core.words.complaints.records import ActState, Sight
from data.store import open_store
from data.store.words.complaints import Which
from tests.app.jobs.quality.test_notices import Receiver
from tests.small_plant import PASSWORD, SITE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 60_000
PATIENCE_S = 150.0
WORDS = "The bracket came cracked. <img src=x onerror=alert(1)> **call** me on +49 170 5550123"


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


@pytest.fixture
def told(server):
    """A channel that somebody listens to."""
    listening = HTTPServer(("127.0.0.1", 0), Receiver)
    listening.got, listening.elsewhere = [], ""
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    path = server.plant.home / "secrets" / "channels.json"
    path.parent.mkdir(exist_ok=True)
    url = f"json://localhost:{listening.server_port}/in"
    hosts = {"localhost": ["127.0.0.0/8", "::1/128"]}
    path.write_text(json.dumps({"hosts": hosts, "channels": [{"name": "quality", "url": url}]}))
    path.chmod(0o600)
    yield listening.got
    path.unlink()
    listening.shutdown()
    listening.server_close()
    thread.join(10)


def test_complaints_are_imported_a_case_is_answered_and_a_notice_approved_by_another(browser, server, told, tmp_path):
    store = open_store(server.plant.url)
    day = store.reported.today(SITE)
    file = tmp_path / "returns.csv"
    file.write_text(f"id,told_on,text,part,customer name\nR-77,{day},{WORDS},P-004,Eva Stein\nR-78,soon,x,,\n")

    page = come_in(browser, server, "Quentin")
    page.goto(f"{server.url}/complaints")
    page.get_by_role("button", name="Import").click()
    page.locator("input[type=file]").set_input_files(str(file))
    expect(page.get_by_text("returns.csv")).to_be_visible(timeout=SLOW)
    take = page.get_by_role("button", name="Import", exact=True).last
    expect(take).to_be_enabled(timeout=SLOW)
    take.click()
    wait_until(lambda: store.complaints.find(SITE, Which.ALL))
    [one] = store.complaints.find(SITE, Which.ALL)
    assert "5550123" not in one.told.text
    wait_until(lambda: store.jobs.recent(kind="complaints")[0].result is not None)
    assert store.jobs.recent(kind="complaints")[0].result["bad"][0]["line"] == 3

    page.goto(f"{server.url}/complaints?complaints.site={SITE}")
    expect(page.get_by_text("What the model said shows with your answer.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("The bracket came cracked. <img src=x onerror=alert(1)> **call**")).to_be_visible()
    page.get_by_text("Do the pictures show what the customer tells?").click()
    page.keyboard.press("a")
    expect(page.get_by_text(re.compile("Answered: visible")).first).to_be_visible(timeout=SLOW)
    made = store.complaints.get(one.id)
    assert (made.sight, made.answered_by) == (Sight.VISIBLE, "Quentin")
    notify = next(act for act in store.complaints.acts(one.id) if str(act.kind) == "notify")
    card = page.get_by_text(re.compile("notify · proposed"))
    expect(card).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name=re.compile("Confirm$")).last.click()
    wait_until(lambda: store.complaint_notices.find(SITE))
    assert next(act for act in store.complaints.acts(one.id) if act.id == notify.id).state is ActState.CONFIRMED
    page.get_by_role("tab", name="Notices").click()
    expect(page.get_by_text("You drafted it: somebody else has to approve it.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Approve and send")).to_have_count(0)
    page.context.close()

    page = come_in(browser, server, "Ada")
    page.goto(f"{server.url}/complaints")
    page.get_by_role("tab", name="Notices").click()
    why = page.get_by_placeholder("Why it is sent, or not")
    why.fill("the shipper has to know", timeout=SLOW)
    why.press("Tab")
    page.get_by_role("button", name="Approve and send").click()
    wait_until(lambda: told)
    [(headers, body)] = told
    assert headers["X-Holdpoint-Signature"].startswith("sha256=")
    assert "R-77" in body["message"]
    assert "bracket" not in body["message"]
    [notice] = store.complaint_notices.find(SITE)
    wait_until(lambda: store.complaint_notices.messages(notice.id)[0].state == "sent")
    assert (notice.drafted_by, notice.decided_by) == ("Quentin", "Ada")
    page.context.close()
