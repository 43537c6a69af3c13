from core.records import Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def store_of(plant, who):
    return open_store(plant.url, Actor(who))


def part_shown(page):
    return next(line for text in page.markdown for line in text.value.splitlines() if line.startswith("| part |"))


def test_the_most_urgent_part_comes_first_with_its_reasons_and_scores(app):
    page = app("Ines", "inspector/queue")
    words = " ".join(one.value for one in page.markdown)
    assert "P\\-007" in part_shown(page)
    assert "No policy is approved at this site" in words
    assert "CRACK" in " ".join(str(one.proto.text) for one in page.get("progress"))


def test_a_verdict_is_stored_and_the_next_part_appears(app, plant):
    page = app("Ines", "inspector/queue")
    before = part_shown(page)
    press(page, "Fail")
    assert part_shown(page) != before
    done = store_of(plant, "Ines").queue.previous()
    reviews = store_of(plant, "Ines").reviews.of_part(done[0].part_id)
    assert (reviews[-1].verdict, reviews[-1].by) == (Verdict.FAIL, "Ines")
    assert reviews[-1].seconds is not None


def test_a_second_press_about_the_same_screen_does_nothing(app, plant):
    page = app("Ines", "inspector/queue")
    verdict = next(button for button in page.button if button.label == "Pass")
    verdict.click().run()
    verdict.click().run()  # the old button, as a late second press would
    assert store_of(plant, "Ines").queue.counts(SITE).done_today == 1


def test_undo_brings_the_part_back_and_stays_on_record(app, plant):
    page = app("Ines", "inspector/queue")
    before = part_shown(page)
    press(page, "Pass")
    press(page, "Undo")
    assert part_shown(page) == before
    assert store_of(plant, "Ines").queue.counts(SITE).done_today == 0
    press(page, "Fail")
    assert store_of(plant, "Ines").queue.counts(SITE).done_today == 1


def test_undo_with_nothing_to_undo_says_so(app):
    page = press(app("Ines", "inspector/queue"), "Undo")
    assert "no answer of yours" in page.error[0].value


def test_previous_shows_the_last_part_without_verdicts_and_goes_back(app):
    page = app("Ines", "inspector/queue")
    first = part_shown(page)
    press(page, "Unsure")
    second = part_shown(page)
    press(page, "Previous")
    assert part_shown(page) == first
    assert "Fail" not in [button.label for button in page.button]
    press(page, "Back")
    assert part_shown(page) == second


def test_two_people_never_get_the_same_part(app, plant):
    mine = part_shown(app("Ines", "inspector/queue"))
    theirs = part_shown(app("Dora", "inspector/queue"))
    assert mine != theirs


def test_all_pictures_of_a_part_can_be_looked_at(app):
    page = app("Ines", "inspector/queue")
    labels = [button.label for button in page.button]
    assert any(label.startswith("1 · side") for label in labels)
    side = next(button for button in page.button if button.label.startswith("1 · side"))
    side.click().run()
    assert not page.exception


def test_a_stale_answer_is_refused_by_the_store_and_told_in_words(app, plant):
    page = app("Ines", "inspector/queue")
    store = store_of(plant, "Ines")
    task = store.queue.held()
    store.reviews.add(task.id, task.revision, task.fence, Review(Verdict.PASS, "Ines"))
    press(page, "Fail")
    assert page.error
    assert store.reviews.of_part(task.part_id)[-1].verdict is Verdict.PASS


def test_the_last_part_answered_the_page_says_that_all_is_done(app, plant):
    page = app("Ines", "inspector/queue")
    for _ in range(8):
        press(page, "Pass")
    assert "All caught up" in " ".join(one.value for one in page.markdown)


def test_the_queue_of_another_site_stays_closed(app):
    page = app("Tomas", "inspector/queue")
    assert "P\\-BROKEN" in part_shown(page)
