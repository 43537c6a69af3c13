"""The pages science/taxonomy and inspector/book, on the small plant."""

import json

import pytest

from core.defect_book import ExampleKind
from core.records import NO_DEFECT, Review, TaskKind, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE


@pytest.fixture
def store(plant):
    opened = open_store(plant.url)
    yield opened
    opened.close()


@pytest.fixture
def free(store):
    """Two pictures whose parts were answered, so that nobody is asked about them."""
    dora = store.acting_as(Actor("Dora"))
    parts = []
    while len(parts) < 2 and (task := dora.queue.lease(kinds=[TaskKind.TRIAGE], site=SITE)) is not None:
        dora.reviews.add(task.id, task.revision, task.fence, Review(Verdict.FAIL, "Dora", classes=("CRACK",)))
        parts.append(task.part_id)
    return [store.images.of_part(part)[0].id for part in parts]


def words(page):
    found = [*page.markdown, *page.caption, *page.info, *page.warning, *page.success, *page.error, *page.subheader]
    return "\n".join(str(one.value) for one in found).replace("\\", "")


def press(page, label):
    next(one for one in page.button if one.label == label).click().run()
    assert not page.exception
    return page


def field(page, kind, label):
    return next(one for one in getattr(page, kind) if one.label == label)


def opened(app, who, step):
    page = app(who, "science/taxonomy")
    page.segmented_control(key="taxonomy.step").set_value(step).run()
    assert not page.exception
    return page


def test_a_class_is_changed_by_a_further_version_and_the_page_says_first_what_that_does(app, store):
    page = opened(app, "Dora", "classes")
    field(page, "selectbox", "Class").set_value("CRACK").run()
    assert "Nothing is changed yet" in words(page)
    names = field(page, "text_area", "Other names, one on each line")
    names.set_value(names.value + "\nhairline").run()
    assert "with hairline" in words(page)
    assert "names on 1 picture" in words(page)
    assert store.sites.get(SITE).taxonomy_number == 1
    assert field(page, "button", "Put in force as a new version").disabled
    field(page, "text_input", "Why").set_value("the supplier calls it so").run()
    press(page, "Put in force as a new version")
    assert "Version 2 is in force" in words(page)
    site = store.sites.get(SITE)
    assert site.taxonomy.match("hairline") == "CRACK"
    assert store.taxonomies.versions(SITE)[0].note == "the supplier calls it so"
    assert store.taxonomies.unmapped(SITE) == []


def test_a_name_that_is_taken_is_refused_before_anything_is_put_in_force(app, store):
    page = opened(app, "Quentin", "classes")
    field(page, "selectbox", "Class").set_value("BURR").run()
    field(page, "text_area", "Other names, one on each line").set_value("crack").run()
    assert "would mean both" in words(page)
    assert not [one for one in page.button if one.label == "Put in force as a new version"]


def test_a_class_is_added_and_another_retired(app, store):
    page = opened(app, "Dora", "classes")
    field(page, "selectbox", "Class").set_value("＋ a new class").run()
    assert "needs an id" in words(page)
    field(page, "text_input", "Id").set_value("DENT").run()
    field(page, "text_input", "Why").set_value("seen twice").run()
    press(page, "Put in force as a new version")
    assert "DENT" in store.sites.get(SITE).taxonomy.ids
    field(page, "selectbox", "Class").set_value("BURR").run()
    field(page, "selectbox", "Its names go to").set_value("DENT").run()
    whys = [one for one in page.text_input if one.label == "Why"]
    whys[-1].set_value("the same tool mends both").run()
    press(page, "Retire BURR")
    taxonomy = store.sites.get(SITE).taxonomy
    assert "BURR" not in taxonomy.ids
    assert taxonomy.match("rough edge") == "DENT"


def test_two_versions_are_compared_and_the_old_one_put_in_force_again(app, store):
    store.taxonomies.map_name(SITE, "hairline", "CRACK")
    page = opened(app, "Dora", "versions")
    assert "with hairline" in words(page)
    page.text_input(key=f"taxonomy.diff.{SITE}.2.why.1").set_value("it was a pit").run()
    press(page, "As version 3")
    assert store.taxonomies.versions(SITE)[0].note == "as version 1 again: it was a pit"
    assert [one.name for one in store.taxonomies.unmapped(SITE)] == ["hairline"]


def test_the_names_as_they_came_stand_by_site_with_the_class_that_each_means(app, store):
    page = opened(app, "Dora", "names")
    table = page.dataframe[0].value.set_index("name")
    assert table.loc["scratch", SITE] == "1 → SURFACE_SCRATCH"
    assert table.loc["hairline", SITE] == "1 → unmapped"
    page.selectbox(key="taxonomy.named").set_value("scratch").run()
    assert not page.exception
    assert "the newest 1 picture" in words(page)


def test_an_inspector_reads_the_book_and_cannot_change_it(app, store, free):
    dora = store.acting_as(Actor("Dora"))
    dora.book.write(SITE, "CRACK", "It *goes on* under load.\nLook at the edges.")
    dora.book.add(SITE, "CRACK", free[0], ExampleKind.GOOD, "runs to the edge", (10, 20, 80, 40))
    dora.book.add(SITE, "CRACK", free[1], ExampleKind.COUNTER, "a hair on the lens", really=NO_DEFECT)
    page = app("Ines", "inspector/book")
    page.radio(key="book.class").set_value("CRACK").run()
    assert not page.exception
    text = words(page)
    for told in ("It *goes on* under load.", "runs to the edge", "a hair on the lens", "Only looks like it"):
        assert told in text
    assert "\\*goes on\\*" in "\n".join(one.value for one in page.markdown)
    assert not page.toggle
    assert not [one for one in page.button if one.label in ("Keep this text", "Put it on the page")]


def test_a_picture_of_a_part_that_is_asked_about_again_is_not_shown_to_those_who_answer(app, store, free):
    store.acting_as(Actor("Dora")).book.add(SITE, "CRACK", free[0], ExampleKind.GOOD, "runs to the edge")
    store.queue.send(store.images.get(free[0]).part_id, TaskKind.SECOND_LOOK)
    for who, there in (("Ines", False), ("Vera", True)):
        page = app(who, "inspector/book")
        page.radio(key="book.class").set_value("CRACK").run()
        assert ("runs to the edge" in words(page)) is there
        assert ("waits for an answer" in words(page)) is not there


def test_a_data_scientist_writes_a_page_finds_a_picture_orders_and_takes_off(app, store, free):
    page = app("Dora", "inspector/book")
    page.radio(key="book.class").set_value("CRACK").run()
    page.toggle(key="book.editing").set_value(True).run()
    assert not page.exception
    field(page, "text_area", "What to know about it").set_value("A break that goes on.").run()
    press(page, "Keep this text")
    for number in free:
        field(page, "text_input", "or part, or number of a picture").set_value(str(number)).run()
        press(page, "Take this one")
        captions = [one for one in page.text_input if one.label == "What to look at"]
        captions[-1].set_value(f"picture {number}").run()
        press(page, "Put it on the page")
        assert "is in the book" in words(page)
    found = next(one for one in store.book.pages(SITE) if one.class_id == "CRACK")
    assert found.text == "A break that goes on."
    assert [one.image_id for one in found.examples] == free
    [later] = [one for one in page.button if one.label == "Later" and not one.disabled]
    later.click().run()
    found = next(one for one in store.book.pages(SITE) if one.class_id == "CRACK")
    assert [one.image_id for one in found.examples] == free[::-1]
    [off, *_] = [one for one in page.button if one.label == "Take off the page"]
    off.click().run()
    assert not page.exception
    assert len(next(one for one in store.book.pages(SITE) if one.class_id == "CRACK").examples) == 1


def test_pictures_are_found_by_their_label_and_a_part_in_the_queue_is_refused_in_words(app, store, free):
    page = app("Dora", "inspector/book")
    page.radio(key="book.class").set_value("SURFACE_SCRATCH").run()
    page.toggle(key="book.editing").set_value(True).run()
    assert not page.exception
    held = [one for one in store.images.find(site=SITE, limit=50) if one.id not in free
            and one.part_id in store.queue.first_looks_due([one.part_id])]  # fmt: skip
    field(page, "text_input", "or part, or number of a picture").set_value(held[0].capture.part).run()
    press(page, "Take this one")
    press(page, "Put it on the page")
    assert "People are asked about this part" in words(page)
    assert all(not one.examples for one in store.book.pages(SITE))


def test_a_book_is_carried_to_a_site_that_has_the_same_pictures(app, store, free, plant):
    from app import book_desk

    dora = store.acting_as(Actor("Dora"))
    dora.book.write(SITE, "CRACK", "A break that goes on.")
    dora.book.add(SITE, "CRACK", free[0], ExampleKind.BORDERLINE, "hardly to be seen", (10, 20, 80, 40))
    page = app("Dora", "inspector/book")
    assert not page.exception
    text = book_desk.exported(store.taxonomies.of(SITE), store.book.pages(SITE))
    document = json.loads(text)
    [entry] = [one for one in document["book"] if one["examples"]]
    assert entry["examples"][0]["sha256"] == store.images.get(free[0]).sha256
    for one in next(one for one in store.book.pages(SITE) if one.class_id == "CRACK").examples:
        dora.book.remove(one.id)
    view = book_desk.BookState()
    book_desk.take_in(view, SITE, text.encode())
    assert "1 pictures added" in view.message
    found = next(one for one in store.book.pages(SITE) if one.class_id == "CRACK")
    assert [(one.caption, one.box) for one in found.examples] == [("hardly to be seen", (10, 20, 80, 40))]
    for wrong in (b"{}", b"nothing", b'{"book": [{"class": "CRACK"}]}', b'{"book": 3}'):
        book_desk.take_in(view, SITE, wrong)
        assert view.failed
