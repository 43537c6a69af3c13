"""The queue's desk in a real browser: quick, and never a lost, doubled or misplaced answer."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.records import Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import OTHER, SITE, make_plant

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 60_000  # milliseconds; the machine that runs this may be busy
ROOT = Path(__file__).parents[2]
ANSWERS = "**/desk/answers"


class House:
    """An app that can be killed and started again on the same port."""

    def __init__(self, home: Path, parts: int) -> None:
        self.plant = make_plant(home, parts=parts, demo=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "HOLDPOINT_HOME": str(self.plant.home), "PYTHONPATH": str(ROOT)}
        environment.pop("HOLDPOINT_DATABASE_URL", None)
        command = [
            "streamlit",
            "run",
            "app/main.py",
            "--server.port",
            str(self.port),
            "--server.fileWatcherType",
            "none",
        ]
        self.web = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT, env=environment, stdout=(self.plant.home / "web.log").open("a"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        end = time.monotonic() + 120
        while time.monotonic() < end:
            assert self.web.poll() is None, "the server ended by itself"
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the server did not answer in time")

    def kill(self) -> None:
        self.web.send_signal(signal.SIGKILL)
        self.web.wait(30)

    def store(self, name: str = "Ines"):
        return open_store(self.plant.url, Actor(name))

    def answers(self, name: str = "Ines") -> dict[int, list[Verdict]]:
        """What stands of a person's answers, by part."""
        store = self.store(name)
        said = {
            task.part_id: [one.verdict for one in store.reviews.of_part(task.part_id) if one.by == name]
            for task in store.queue.previous(100)
        }
        store.close()
        return said


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("queue") / "home", parts=60)
    yield made
    made.kill()


@pytest.fixture
def window(browser):
    """A fresh visitor."""
    made = browser.new_context(viewport={"width": 1366, "height": 768})
    yield made.new_page()
    made.close()


def come_in(page: Page, house: House, name: str = "Ines") -> None:
    page.goto(f"{house.url}/queue")
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    ready(page)


def desk(page: Page):
    return page.locator(".desk-root")


def ready(page: Page) -> str:
    """A picture is on the screen and has been for a moment: what is pressed now counts for it."""
    expect(desk(page)).to_have_attribute("data-ready", re.compile(r"^\d+\.\d+$"), timeout=SLOW)
    return desk(page).get_attribute("data-ready")


def gone(page: Page, item: str) -> None:
    expect(desk(page)).not_to_have_attribute("data-item", item, timeout=SLOW)


def press(page: Page, key: str) -> str:
    """Press a key about the part on the screen and see the next one come."""
    item = ready(page)
    page.keyboard.press(key)
    gone(page, item)
    return item


def saved(page: Page) -> None:
    expect(page.get_by_text("all saved")).to_be_visible(timeout=SLOW)


def done_today(page: Page, number: int) -> None:
    expect(page.get_by_text(f"{number} answered by you today")).to_be_visible(timeout=SLOW)


def part_on_screen(page: Page) -> str:
    return page.locator(".facts td").first.inner_text()


def test_answers_by_key_and_by_mouse_take_one_way_and_are_stored_once_each(window, house):
    come_in(window, house)
    before = house.answers()
    press(window, "a")
    press(window, "s")
    item = ready(window)
    window.get_by_role("button", name="Rework").click()
    gone(window, item)
    press(window, "d")
    saved(window)
    new = {part: said for part, said in house.answers().items() if part not in before}
    assert sorted(map(str, [verdict for said in new.values() for verdict in said])) == [
        "FAIL",
        "PASS",
        "REWORK",
        "UNSURE",
    ]


def test_two_people_never_have_the_same_part(browser, house):
    windows = [browser.new_context(viewport={"width": 1366, "height": 768}) for _ in range(2)]
    pages = [one.new_page() for one in windows]
    for page, name in zip(pages, ("Ines", "Dora"), strict=True):
        come_in(page, house, name)
    seen: list[set[str]] = [set(), set()]
    for _ in range(4):
        for number, page in enumerate(pages):
            seen[number].add(part_on_screen(page))
            press(page, "s")
    for page in pages:
        saved(page)
    assert not seen[0] & seen[1]
    assert min(len(one) for one in seen) == 4
    for one in windows:
        one.close()


def test_two_presses_within_a_moment_make_one_review(window, house):
    come_in(window, house)
    before = len(house.answers())
    for _ in range(3):
        item = ready(window)
        window.evaluate("""() => { for (const wait of [0, 0, 30, 60]) setTimeout(() =>
            window.dispatchEvent(new KeyboardEvent('keydown', {key: 's', bubbles: true})), wait) }""")
        gone(window, item)
        ready(window)
    saved(window)
    assert len(house.answers()) == before + 3


def test_a_reload_in_the_middle_keeps_what_was_not_saved(window, house):
    come_in(window, house)
    before = house.answers()
    window.route(ANSWERS, lambda route: route.abort())
    first, second = part_on_screen(window), None
    press(window, "s")
    ready(window)
    second = part_on_screen(window)
    press(window, "w")
    expect(window.get_by_text("2 kept here")).to_be_visible(timeout=SLOW)
    window.reload()
    ready(window)
    assert part_on_screen(window) not in (first, second)
    assert house.answers() == before
    window.unroute(ANSWERS)
    saved(window)
    new = {part: said for part, said in house.answers().items() if part not in before}
    assert sorted(map(str, [verdict for said in new.values() for verdict in said])) == ["FAIL", "REWORK"]


def test_a_fourth_answer_waits_with_a_clear_word_until_one_is_saved(window, house):
    come_in(window, house)
    before = len(house.answers())
    window.route(ANSWERS, lambda route: route.abort())
    for _ in range(3):
        press(window, "s")
    item = ready(window)
    window.keyboard.press("w")
    expect(window.get_by_text("3 answers are still being saved: Rework follows")).to_be_visible(timeout=SLOW)
    assert desk(window).get_attribute("data-item") == item
    window.unroute(ANSWERS)
    gone(window, item)
    saved(window)
    assert len(house.answers()) == before + 4


def test_an_answer_to_a_part_that_was_lost_comes_back_with_the_reason(window, house):
    come_in(window, house)
    ines, quentin = house.store(), house.store("Quentin")
    held = ines.queue.held()
    name = part_on_screen(window)
    ines.queue.release(held.id, held.fence)
    taken = quentin.queue.lease(site=SITE)
    assert taken.id == held.id
    press(window, "s")
    banner = window.get_by_role("alert").filter(has_text="Not saved")
    expect(banner).to_contain_text("Quentin has this part now", timeout=SLOW)
    assert part_on_screen(window) == name
    assert not [one for one in ines.reviews.of_part(held.part_id) if one.by == "Ines"]
    window.keyboard.press("Enter")
    expect(banner).to_have_count(0, timeout=SLOW)
    ready(window)
    assert part_on_screen(window) != name
    quentin.queue.release(taken.id, taken.fence)


def test_undo_goes_back_over_many_answers_and_looking_back_changes_nothing(window, house):
    come_in(window, house)
    names = []
    for number in range(22):
        ready(window)
        names.append(part_on_screen(window))
        press(window, "sw"[number % 2])
    saved(window)
    window.keyboard.press("p")
    expect(window.get_by_text("Looking back")).to_be_visible(timeout=SLOW)
    assert part_on_screen(window) == names[-1]
    window.keyboard.press("p")
    expect(window.locator(".facts td").first).to_have_text(names[-2], timeout=SLOW)
    window.keyboard.press("Escape")
    ready(window)
    count = len(house.answers())
    for name in reversed(names[1:]):
        window.keyboard.press("z")
        expect(window.locator(".facts td").first).to_have_text(name, timeout=SLOW)
    saved(window)
    assert len(house.answers()) == count - 21
    press(window, "w")  # submitted again, as a new review
    saved(window)
    assert len(house.answers()) == count - 20


def test_an_undo_after_a_reload_finds_what_was_answered_before(window, house):
    come_in(window, house)
    ready(window)
    name = part_on_screen(window)
    press(window, "s")
    saved(window)
    window.reload()
    ready(window)
    window.keyboard.press("z")
    expect(window.locator(".facts td").first).to_have_text(name, timeout=SLOW)
    saved(window)


def test_keys_rest_while_a_note_is_written_and_the_note_goes_with_the_answer(window, house):
    come_in(window, house)
    before = house.answers()
    item = ready(window)
    window.keyboard.press("m")
    window.keyboard.type("a was d")
    assert desk(window).get_attribute("data-item") == item
    window.keyboard.press("Enter")
    press(window, "s")
    saved(window)
    [part_id] = set(house.answers()) - set(before)
    assert [one.note for one in house.store().reviews.of_part(part_id) if one.by == "Ines"] == ["a was d"]


def test_an_answer_against_the_model_is_asked_for_its_reason_and_never_held_up_by_it(window, house):
    come_in(window, house)
    before = house.answers()
    press(window, "a")  # the model leans to FAIL on all of them that are left at the top
    expect(window.get_by_text("against the model. Why?")).to_be_visible(timeout=SLOW)
    window.keyboard.press("2")
    press(window, "a")
    saved(window)
    reasons = [
        one.reasons for part in set(house.answers()) - set(before)
        for one in house.store().reviews.of_part(part) if one.by == "Ines"
    ]  # fmt: skip
    assert sorted(reasons) == [(), ("Light or reflection",)]


def test_zoom_survives_every_switch_and_a_held_key_only_peeks(window, house):
    come_in(window, house)
    zoomed = window.locator(".bar output")
    window.keyboard.press("+")
    window.keyboard.press("+")
    before = zoomed.inner_text()
    layer = window.locator(".world:not(.waiting) img.layer[data-id=heatmap]")
    window.keyboard.press("g")
    expect(layer).to_have_attribute("data-shown", "yes", timeout=SLOW)
    window.keyboard.down("r")
    expect(layer).to_have_attribute("data-shown", "no", timeout=SLOW)
    window.wait_for_timeout(600)
    window.keyboard.up("r")
    expect(layer).to_have_attribute("data-shown", "yes", timeout=SLOW)
    window.keyboard.press("n")
    window.keyboard.press("n")
    window.keyboard.press("h")
    assert zoomed.inner_text() == before


def test_help_and_another_site_leave_the_desk_at_work(window, house):
    come_in(window, house, "Dora")
    item = ready(window)
    window.keyboard.press("F1")
    expect(window.get_by_role("dialog")).to_be_visible(timeout=SLOW)
    window.keyboard.press("s")
    assert desk(window).get_attribute("data-item") == item
    window.keyboard.press("Escape")
    expect(window.get_by_role("dialog")).to_have_count(0, timeout=SLOW)
    press(window, "s")
    saved(window)
    site = window.get_by_role("combobox", name="Site")
    site.fill(OTHER)
    site.press("Enter")
    expect(window.locator(".facts td").nth(1)).to_have_text(OTHER, timeout=SLOW)
    window.locator(".viewer").click()
    press(window, "d")
    expect(window.get_by_text("All caught up")).to_be_visible(timeout=SLOW)


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (1024, 768)], ids=str)
def test_everything_fits_without_scrolling(browser, house, size, theme):
    made = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
    page = made.new_page()
    come_in(page, house)
    over = page.evaluate("""() => { const main = document.querySelector('[data-testid=stMain]');
        return [main.scrollHeight - main.clientHeight, document.documentElement.scrollHeight - innerHeight,
                document.documentElement.scrollWidth - innerWidth] }""")
    assert max(over) <= 0
    assert page.locator(".viewer").bounding_box()["width"] >= 0.65 * size[0]
    for name in ("Pass", "Fail", "Rework", "Unsure", "Boxes", "Undo", "Previous"):
        box = page.get_by_role("button", name=name).first.bounding_box()
        assert box["y"] + box["height"] <= size[1]
        assert min(box["width"], box["height"]) >= 44
    made.close()


def test_a_blind_look_shows_the_model_only_after_the_answer_which_can_then_be_changed(window, house):
    store = open_store(house.plant.url)
    store.sites.set_blind(SITE, True)
    asked: list[str] = []
    replies: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    window.on("response", lambda one: "/desk/answers" in one.url and one.ok and replies.append(one.text()))
    try:
        come_in(window, house, "Quentin")
        before = house.answers("Quentin")
        ready(window)
        shown = desk(window).evaluate("root => root.innerHTML")
        for word in ("small-1", "Held because", "score .", "No policy", "/heatmap", "/where", "Crack"):
            assert word not in shown
        assert not [url for url in asked if "heatmap" in url or "where" in url.split("?")[0]]
        assert not [reply for reply in replies if "small-1" in reply]

        item = ready(window)
        window.keyboard.press("s")
        expect(window.get_by_text("You said Fail")).to_be_visible(timeout=SLOW)
        expect(window.get_by_text("Held because")).to_be_visible(timeout=SLOW)
        assert desk(window).get_attribute("data-item") == item
        window.keyboard.press("Enter")
        gone(window, item)
        expect(window.get_by_text("Held because")).to_have_count(0)

        item = ready(window)
        window.keyboard.press("s")
        expect(window.get_by_text("You said Fail")).to_be_visible(timeout=SLOW)
        assert ready(window) == item
        window.keyboard.press("w")
        gone(window, item)
        saved(window)
        new = {part: said for part, said in house.answers("Quentin").items() if part not in before}
        assert sorted(map(str, [verdict for said in new.values() for verdict in said])) == ["FAIL", "REWORK"]
        [changed] = [part for part, said in new.items() if said == [Verdict.REWORK]]
        told = [
            one.verdict for one in house.store("Quentin").reviews.of_part(changed, undone=True) if one.by == "Quentin"
        ]
        assert told == [Verdict.FAIL, Verdict.REWORK]
    finally:
        store.sites.set_blind(SITE, False)
        store.close()


def test_a_server_that_was_killed_finds_every_kept_answer_and_stores_it_once(browser, tmp_path):
    house = House(tmp_path / "home", parts=10)
    made = browser.new_context(viewport={"width": 1366, "height": 768})
    page = made.new_page()
    try:
        come_in(page, house)
        press(page, "s")
        saved(page)
        house.kill()
        press(page, "w")
        ready(page)
        press(page, "s")
        expect(page.get_by_text("2 kept here")).to_be_visible(timeout=SLOW)
        house.start()
        saved(page)
        said = house.answers()
        assert sorted(map(str, [verdict for one in said.values() for verdict in one])) == ["FAIL", "FAIL", "REWORK"]
        assert all(len(one) == 1 for one in said.values())
    finally:
        made.close()
        house.kill()
