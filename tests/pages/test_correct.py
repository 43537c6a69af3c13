from datetime import timedelta

import pytest

from app import context
from app.correcting import _sources
from app.desk import case_of
from core.detection import DrawnBoxes
from core.records import Region, Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import HEIGHT, SITE, WIDTH


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def store_of(plant, who="Ines"):
    return open_store(plant.url, Actor(who))


@pytest.fixture
def page(app):
    """The correction page with the most urgent part in hand."""
    return app("Ines", "inspector/correct")


def top_image(plant, part_id):
    return next(one for one in store_of(plant).images.of_part(part_id) if one.capture.view == "top")


def in_hand(plant):
    """The task, its first picture and the name of what lies open, as the page has it."""
    task = store_of(plant).queue.held()
    image = top_image(plant, task.part_id)
    return task, image, f"{task.part_id}.{task.id}.{task.revision}.{task.fence}.{image.id}"


def standing(plant, part_id, image_id):
    """The regions of a picture before anybody at the desk has said something."""
    said = [one for one in store_of(plant).reviews.of_part(part_id) if one.by.startswith("import:")]
    return said[-1].regions[image_id] if said else store_of(plant).images.prediction(image_id).regions


def draws(page, item, rows, **given):
    """What the browser says when somebody has drawn."""
    said = {"drawn": {"item": item, "regions": rows, "others": {}, **given}}
    page.session_state[f"correct.{item}.0.own"] = said
    page.run()
    assert not page.exception
    return said


def act(page, item, **given):
    """What the browser tells once."""
    return {"item": item, "session": page.session_state["regions.session"], "stamp": "1", **given}


def enters(page, item, rows):
    said = draws(page, item, rows)
    page.session_state[f"correct.{item}.0.own"] = {**said, "enter": act(page, item)}
    page.run()
    assert not page.exception


def row(x=100, **given):
    return {
        "key": "p-1",
        "x": x,
        "y": 60,
        "width": 50,
        "height": 40,
        "class": "SURFACE_PIT",
        "severity": "major",
        **given,
    }


def test_what_was_drawn_is_saved_in_whole_image_pixels_with_class_and_severity(page, plant):
    task, image, item = in_hand(plant)
    draws(page, item, [row()])
    press(page, "Save as fail")
    review = store_of(plant).reviews.of_part(task.part_id)[-1]
    (region,) = review.regions[image.id]
    assert (review.verdict, review.by) == (Verdict.FAIL, "Ines")
    assert (region.x, region.y, region.width, region.height) == (100, 60, 50, 40)
    assert (region.class_id, str(region.severity), region.key) == ("SURFACE_PIT", "major", "p-1")
    assert region.x + region.width <= WIDTH
    assert region.y + region.height <= HEIGHT


def test_what_was_only_looked_at_is_saved_as_it_was(page, plant):
    task, image, _ = in_hand(plant)
    before = standing(plant, task.part_id, image.id)
    press(page, "Save as fail")
    assert store_of(plant).reviews.of_part(task.part_id)[-1].regions[image.id] == before


def test_enter_saves_a_part_with_regions_as_fail_and_goes_to_the_queue(page, plant):
    task, image, item = in_hand(plant)
    enters(page, item, [row()])
    review = store_of(plant).reviews.of_part(task.part_id)[-1]
    assert review.verdict is Verdict.FAIL
    assert len(review.regions[image.id]) == 1
    assert "Queue" in [one.value for one in page.title]


def test_enter_about_another_item_saves_nothing(page, plant):
    task, _, item = in_hand(plant)
    page.session_state[f"correct.{item}.0.own"] = {"enter": act(page, f"9.{item}")}
    page.run()
    assert store_of(plant).queue.held().id == task.id
    assert not [one for one in store_of(plant).reviews.of_part(task.part_id) if one.by == "Ines"]


def test_a_severity_that_the_class_does_not_have_never_reaches_the_store(page, plant):
    task, image, item = in_hand(plant)
    draws(page, item, [row(**{"class": "CRACK", "severity": "minor"})])
    press(page, "Save as rework")
    (region,) = store_of(plant).reviews.of_part(task.part_id)[-1].regions[image.id]
    assert (region.class_id, region.severity) == ("CRACK", None)


def test_a_removed_region_is_gone_from_the_review(page, plant):
    task, image, item = in_hand(plant)
    draws(page, item, [])
    press(page, "Save as pass")
    assert store_of(plant).reviews.of_part(task.part_id)[-1].regions[image.id] == ()


def test_a_pass_with_regions_is_refused_in_words_and_nothing_is_lost(page, plant):
    task, image, item = in_hand(plant)
    draws(page, item, [row()])
    press(page, "Save as pass")
    assert "A part that passes has no defects" in " ".join(one.value for one in page.error)
    assert store_of(plant).queue.held().id == task.id
    press(page, "Save as fail")
    assert len(store_of(plant).reviews.of_part(task.part_id)[-1].regions[image.id]) == 1


def test_drafts_do_not_leak_into_the_next_part(page, plant, app):
    task, _, item = in_hand(plant)
    draws(page, item, [row(), row(x=300, key="p-2")])
    press(page, "Save as fail")
    again = app("Ines", "inspector/correct")
    after, image, _ = in_hand(plant)
    assert after.part_id != task.part_id
    expected = standing(plant, after.part_id, image.id)
    press(again, "Save as fail")
    assert store_of(plant).reviews.of_part(after.part_id)[-1].regions[image.id] == expected


def test_a_draft_of_another_picture_that_the_browser_kept_is_saved_with_the_rest(page, plant):
    task, image, item = in_hand(plant)
    side = next(one for one in store_of(plant).images.of_part(task.part_id) if one.id != image.id)
    stranger = max(one.id for one in store_of(plant).images.find(limit=100)) + 1
    draws(page, item, [row()], others={str(side.id): [row(x=7)], str(stranger): [row()], "x": [row()]})
    press(page, "Save as fail")
    saved = store_of(plant).reviews.of_part(task.part_id)[-1].regions
    assert set(saved) == {image.id, side.id}
    assert saved[side.id][0].x == 7


def test_another_picture_of_the_part_is_chosen_by_its_button(page, plant):
    task, _, _ = in_hand(plant)
    button = next(one for one in page.button if "side" in one.label)
    button.click().run()
    assert not page.exception
    press(page, "Save as unsure")
    assert len(store_of(plant).reviews.of_part(task.part_id)[-1].regions) == 2


def test_the_canvas_and_its_table_edit_the_same_regions(page, plant):
    task, image, item = in_hand(plant)
    draws(page, item, [row()])
    page.radio(key="correct.engine").set_value("drawable").run()
    assert not page.exception
    page.session_state[f"correct.{item}.0.table"] = {
        "changed": act(page, item, key="p-1", **{"class": "SURFACE_SCRATCH"})
    }
    page.run()
    assert not page.exception
    press(page, "Save as fail")
    (region,) = store_of(plant).reviews.of_part(task.part_id)[-1].regions[image.id]
    assert (region.key, region.class_id) == ("p-1", "SURFACE_SCRATCH")


def test_regions_can_be_copied_from_the_model_beside_the_canvas(page, plant):
    task, image, item = in_hand(plant)
    draws(page, item, [])
    page.radio(key="correct.engine").set_value("drawable").run()
    press(page, "Copy from the model")
    press(page, "Save as fail")
    before = store_of(plant).images.prediction(image.id).regions
    assert store_of(plant).reviews.of_part(task.part_id)[-1].regions[image.id] == before


def test_a_lease_that_somebody_else_has_by_now_is_told_and_nothing_is_stored(page, plant):
    task, _, item = in_hand(plant)
    draws(page, item, [row()])
    store_of(plant).queue.release(task.id, task.fence)
    other = store_of(plant, "Dora").queue.lease()
    assert other.id == task.id
    said = {"drawn": {"item": item, "regions": [row()], "others": {}}, "enter": act(page, item)}
    page.session_state[f"correct.{item}.0.own"] = said
    page.run()
    assert not [one for one in store_of(plant).reviews.of_part(task.part_id) if one.by == "Ines"]


def test_with_nothing_in_the_queue_it_says_where_to_go(app, plant):
    store = store_of(plant, "Dora")
    while task := store.queue.lease():
        store.reviews.add(task.id, task.revision, task.fence, Review(Verdict.PASS, "Dora"))
    page = app("Ines", "inspector/correct")
    assert "Nothing to correct" in " ".join(one.value for one in page.markdown)


def test_a_finished_step_neither_gathers_the_part_anew_nor_renews_its_lease_but_a_minute_does(page, plant, monkeypatch):
    task, _, item = in_hand(plant)
    draws(page, item, [row()])
    assert store_of(plant).queue.held().leased_until == task.leased_until
    later = context.now() + timedelta(seconds=61)
    monkeypatch.setattr(context, "now", lambda: later)
    draws(page, item, [row(), row(x=300, key="p-2")])
    renewed = store_of(plant).queue.held()
    assert renewed.leased_until > task.leased_until
    assert (renewed.revision, renewed.fence) == (task.revision, task.fence)
    press(page, "Save as fail")
    assert len(next(iter(store_of(plant).reviews.of_part(task.part_id)[-1].regions.values()))) == 2


def test_a_save_that_a_run_cut_short_is_taken_up_by_the_next_one(page, plant):
    task, image, item = in_hand(plant)
    draws(page, item, [row()])
    page.session_state["state.CorrectState"].wanted = (Verdict.REWORK, item.rsplit(".", 1)[0])
    page.run()
    assert not page.exception
    review = store_of(plant).reviews.of_part(task.part_id)[-1]
    assert (review.verdict, len(review.regions[image.id])) == (Verdict.REWORK, 1)


def test_a_save_wanted_for_another_item_is_forgotten(page, plant):
    task, _, item = in_hand(plant)
    page.session_state["state.CorrectState"].wanted = (Verdict.PASS, f"9{item}")
    page.run()
    assert store_of(plant).queue.held().id == task.id
    assert page.session_state["state.CorrectState"].wanted is None


def test_an_enter_of_an_earlier_session_is_not_told_again_by_a_browser_that_comes_back(page, plant):
    task, _, item = in_hand(plant)
    said = draws(page, item, [row()])
    page.session_state[f"correct.{item}.0.own"] = {**said, "enter": act(page, item, session="the one before")}
    page.run()
    assert store_of(plant).queue.held().id == task.id
    assert not [one for one in store_of(plant).reviews.of_part(task.part_id) if one.by == "Ines"]


def detecting(plant, image_id, box, error=""):
    """A detector draws at Lyon, and has drawn on one picture."""
    store = open_store(plant.url)
    store.models.add({"name": "small-1"}, "models/small-1", "1" * 64)
    store.sites.set_model(SITE, "small-1", "as it was")
    store.detectors.add({"name": "boxes-1", "kind": "detector"}, "models/boxes-1", "2" * 64)
    store.detectors.keep_trial(SITE, "boxes-1", "2" * 64, "small-1", "first", "test", "", {"recall": 0.9})
    store.detectors.put_in_force(SITE, "boxes-1", "finds more")
    store.detectors.keep([(image_id, DrawnBoxes("boxes-1", () if error else (box,), 9.0, error))])
    store.close()


def unlabelled_in_hand(app, plant):
    """A part of which no review has a box yet, open on the page."""
    store = store_of(plant)
    while True:
        task = store.queue.lease()
        image = top_image(plant, task.part_id)
        if not any(image.id in one.regions for one in store.reviews.of_part(task.part_id)):
            return task, image
        store.reviews.add(task.id, task.revision, task.fence, Review(Verdict.PASS, "Ines"))


def test_a_detector_in_force_draws_the_boxes_and_the_heatmaps_stay_to_copy(app, plant):
    task, image = unlabelled_in_hand(app, plant)
    box = Region(11.0, 12.0, 30.0, 20.0, "CRACK", "CRACK", score=0.8, key="d1")
    detecting(plant, image.id, box)
    page = app("Ines", "inspector/correct")
    case = case_of(task.part_id, task, store_of(plant))
    assert case.regions(image.id) == ((box,), False)
    assert any("boxes of detector boxes" in one.value for one in page.caption)
    assert [one.title for one in _sources(case, image)][:2] == ["the detector", "the model"]


def test_where_the_detector_failed_the_heatmaps_boxes_are_shown_and_it_says_so(app, plant):
    task, image = unlabelled_in_hand(app, plant)
    detecting(plant, image.id, None, error="out of memory")
    page = app("Ines", "inspector/correct")
    case = case_of(task.part_id, task, store_of(plant))
    assert case.regions(image.id) == (case.predictions[image.id].regions, False)
    assert any("failed here" in one.value for one in page.caption)
