import pytest

from core.records import Region, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import HEIGHT, WIDTH


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


def select(page, label):
    return next(one for one in page.selectbox if one.label.startswith(label))


def top_image(plant, part_id):
    return next(one for one in store_of(plant).images.of_part(part_id) if one.capture.view == "top")


def test_it_starts_with_the_regions_there_are(page, plant):
    held = store_of(plant).queue.held()
    regions = store_of(plant).images.prediction(top_image(plant, held.part_id).id).regions
    rows = [button for button in page.button if button.label == "Remove"]
    assert len(rows) == max(1, len(regions))


def test_class_and_severity_are_saved_in_whole_image_pixels(page, plant):
    held = store_of(plant).queue.held()
    select(page, "Class of region").set_value("SURFACE_PIT").run()
    select(page, "Severity of region").set_value("major").run()
    press(page, "Save as fail")
    review = store_of(plant).reviews.of_part(held.part_id)[-1]
    (region,) = review.regions[top_image(plant, held.part_id).id]
    assert (review.verdict, review.by) == (Verdict.FAIL, "Ines")
    assert (region.class_id, str(region.severity)) == ("SURFACE_PIT", "major")
    assert region.x + region.width <= WIDTH
    assert region.y + region.height <= HEIGHT


def test_only_severities_of_the_class_can_be_chosen(page):
    select(page, "Class of region").set_value("CRACK").run()
    assert "minor" not in select(page, "Severity of region").options


def test_a_removed_region_is_gone_from_the_review(page, plant):
    held = store_of(plant).queue.held()
    press(page, "Remove")
    press(page, "Save as pass")
    review = store_of(plant).reviews.of_part(held.part_id)[-1]
    assert review.regions[top_image(plant, held.part_id).id] == ()


def test_drafts_do_not_leak_into_the_next_part(page, plant, app):
    first = store_of(plant).queue.held()
    press(page, "Remove")
    press(page, "Save as pass")
    again = app("Ines", "inspector/correct")
    assert store_of(plant).queue.held().part_id != first.part_id
    assert not again.exception
    assert any(isinstance(one, Region) for one in _regions(plant)) == any(b.label == "Remove" for b in again.button)


def _regions(plant):
    held = store_of(plant).queue.held()
    return store_of(plant).images.prediction(top_image(plant, held.part_id).id).regions


def test_with_nothing_in_the_queue_it_says_where_to_go(app, plant):
    store = store_of(plant, "Dora")
    from core.records import Review

    while task := store.queue.lease():
        store.reviews.add(task.id, task.revision, task.fence, Review(Verdict.PASS, "Dora"))
    page = app("Ines", "inspector/correct")
    assert "Nothing to correct" in " ".join(one.value for one in page.markdown)
