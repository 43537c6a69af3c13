"""The queue's desk in a real browser: quick, and never a lost, doubled or misplaced answer."""

import pytest
from playwright.sync_api import expect

from core.records import Review, TaskKind, Verdict
from core.roles import Actor
from data.store import open_store
from tests.e2e.at_desk import SLOW, come_in, desk, gone, part_on_screen, press, ready, saved
from tests.e2e.house import House
from tests.small_plant import OTHER, SITE, make_plant

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
ANSWERS = "**/desk/answers"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with House(make_plant(tmp_path_factory.mktemp("queue") / "home", parts=60, demo=True)) as running:
        yield running


@pytest.fixture(autouse=True)
def no_second_look_is_left(house):
    """While one waits, every first look of its site is blind, and those of the next test would be."""
    yield
    store = open_store(house.plant.url)
    for name in ("Quentin", "Dora", "Ines"):
        mine = store.acting_as(Actor(name))
        while (task := mine.queue.lease(kinds=[TaskKind.SECOND_LOOK])) is not None:
            mine.reviews.add(task.id, task.revision, task.fence, Review(Verdict.FAIL, name))
    store.close()


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


def leaning_to_fail(page):
    """Pass what the model would pass, until it says of a part that it is bad."""
    for _ in range(20):
        ready(page)
        score = float(page.locator(".band + .words").inner_text().split()[1])
        if score >= 0.5:
            return
        press(page, "a")
        saved(page)
    raise AssertionError("the model leans to PASS on all of them")


def test_an_answer_against_the_model_is_asked_for_its_reason_and_never_held_up_by_it(window, house):
    come_in(window, house)
    leaning_to_fail(window)
    before = house.answers()
    press(window, "a")
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
    saved(window)
    expect(window.get_by_text("2 in the last hour")).to_be_visible(timeout=SLOW)
    with window.expect_response(ANSWERS, timeout=SLOW):  # the server is asked again, and still says so
        pass
    expect(window.get_by_text("All caught up")).to_be_visible(timeout=SLOW)


def test_a_sentence_is_shown_then_applied_and_the_queue_holds_only_that(window, house):
    come_in(window, house, "Dora")
    window.get_by_role("textbox", name="Ask in words").fill("show me cracks")
    window.keyboard.press("Enter")
    shown = window.locator(".st-key-queue-understood")
    expect(shown.get_by_text("class CRACK")).to_be_visible(timeout=SLOW)
    shown.get_by_role("button", name="Apply").click()
    narrowed = window.locator(".st-key-queue-narrowed")
    expect(narrowed.get_by_text("class CRACK")).to_be_visible(timeout=SLOW)
    expect(shown).to_have_count(0, timeout=SLOW)
    ready(window)
    for _ in range(3):
        expect(window.locator(".classes span").first).to_have_text("Crack", timeout=SLOW)
        window.locator(".viewer").click()
        press(window, "s")
        saved(window)
    narrowed.get_by_role("button", name="Show all parts").click()
    expect(narrowed).to_have_count(0, timeout=SLOW)
    ready(window)


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
