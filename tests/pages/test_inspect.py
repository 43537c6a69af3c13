"""Inspect, with a real untrained net in its own process."""

from datetime import UTC, datetime

import pytest

from app import context
from core.records import Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE

CLASSES = ("SURFACE_SCRATCH", "BURR", "SURFACE_PIT", "CRACK")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny net on disk, untrained: what it says is meaningless, how it is shown is not."""
    from models import nets
    from models.checkpoint import card_of, save

    folder = tmp_path_factory.mktemp("models") / "tiny"
    net = nets.build("mobilenetv3_small_050", CLASSES, True, "scratch")
    return folder, save(folder, net, card_of(net, "tiny", datetime.now(UTC)))


@pytest.fixture
def with_model(plant, model):
    folder, card = model
    store = open_store(plant.url)
    store.models.add(card.to_json(), str(folder), card.sha256)
    store.sites.set_model(SITE, "tiny")
    yield plant
    context.scorer().close()


def picked(page):
    """The filed pictures that the page offers, by number."""
    (choice,) = [one for one in page.selectbox if one.label == "Filed picture"]
    return [int(option.partition(" ")[0]) for option in choice.options]


def test_where_the_first_look_is_ones_own_a_picture_that_is_yet_to_come_cannot_be_scored_before(app, with_model):
    store = open_store(with_model.url)
    assert len(picked(app("Ines", "inspector/inspect"))) == 9
    store.sites.set_blind(SITE, True)
    mine = store.acting_as(Actor("Ines"))
    task = mine.queue.lease()
    mine.reviews.add(task.id, task.revision, task.fence, Review(Verdict.FAIL, "Ines"))
    seen = {one.id for one in store.images.of_part(task.part_id)}
    assert set(picked(app("Ines", "inspector/inspect"))) == seen
    assert len(picked(app("Ada", "inspector/inspect"))) == 9


def test_only_the_demo_plant_offers_pictures_to_try(app, with_model, monkeypatch):
    tried = lambda page: [one for one in page.button if one.key.startswith("inspect.try.")]  # noqa: E731
    assert not tried(app("Ines", "inspector/inspect"))
    monkeypatch.setattr(context, "demo_plant", lambda: True)
    assert len(tried(app("Ines", "inspector/inspect"))) == 6


def test_without_a_model_it_says_how_to_get_one(app):
    page = app("Ines", "inspector/inspect")
    assert "No model to score with" in " ".join(one.value for one in page.markdown)


@pytest.mark.timeout(250)
def test_a_dropped_picture_shows_its_verdict_and_can_be_sent_to_the_queue(app, with_model, template):
    data = next((template[0].home / "pictures").glob("part1-*.png")).read_bytes()
    page = app("Ines", "inspector/inspect")
    page.file_uploader[0].set_value(("fresh.png", data + b" ", "image/png")).run(timeout=200)
    assert not page.exception
    assert not page.error
    assert any("engine" in one.value for one in page.caption)
    assert any('"coordinates": "image"' in one.value for one in page.code)
    before = open_store(with_model.url, Actor("Ines")).queue.counts(SITE).waiting
    next(button for button in page.button if button.label == "Send to the queue").click().run(timeout=60)
    assert not page.error
    assert "In the queue as task" in page.success[0].value
    assert open_store(with_model.url, Actor("Ines")).queue.counts(SITE).waiting == before + 1


@pytest.mark.timeout(250)
def test_a_broken_picture_is_refused_in_words_and_the_next_one_is_scored(app, with_model, template):
    page = app("Ines", "inspector/inspect")
    broken = ("broken.jpg", b"\xff\xd8\xff broken", "image/jpeg")
    page.file_uploader[0].set_value(broken).run(timeout=200)
    assert not page.exception
    (said,) = page.error
    assert said.value.replace("\\", "").startswith("broken.jpg: The file is cut off")
    whole = next((template[0].home / "pictures").glob("part1-*.png")).read_bytes()
    page.file_uploader[0].set_value([broken, ("whole.png", whole, "image/png")]).run(timeout=200)
    assert any("engine" in one.value for one in page.caption)


@pytest.mark.timeout(250)
def test_two_files_of_one_name_are_two_pictures_and_each_can_be_sent(app, with_model, template):
    files = sorted((template[0].home / "pictures").glob("part[12]-top.png"))
    page = app("Ines", "inspector/inspect")
    page.file_uploader[0].set_value([("view.png", file.read_bytes() + b" ", "image/png") for file in files])
    page.run(timeout=200)
    choice = next(one for one in page.selectbox if one.label == "Scored pictures")
    assert len(choice.options) == 2
    for name in list(choice.options):
        next(one for one in page.selectbox if one.label == "Scored pictures").select(name).run(timeout=60)
        next(button for button in page.button if button.label == "Send to the queue").click().run(timeout=60)
        assert "In the queue as task" in page.success[0].value


@pytest.mark.timeout(250)
def test_the_policy_of_a_filed_pictures_line_decides_and_a_dropped_one_is_told_its_line(app, with_model, template):
    store = open_store(with_model.url)
    store.sites.set_calibrated(SITE)
    for low, high, line in (
        (1.0, 1.0, None),
        (0.0, 0.0, "line B"),
    ):  # everything passes, but on line B everything fails
        made = store.acting_as(Actor("Quentin")).policies.propose(SITE, low, high, "to see", line=line)
        store.acting_as(Actor("Ada")).policies.approve(SITE, made.number, "agreed")
    data = next((template[0].home / "pictures").glob("part1-*.png")).read_bytes()
    page = app("Ada", "inspector/inspect")
    page.file_uploader[0].set_value(("fresh.png", data + b" ", "image/png")).run(timeout=200)
    assert not page.exception
    assert '"decision": "PASS"' in page.code[0].value
    next(one for one in page.selectbox if one.label == "Line").select("line B").run(timeout=60)
    assert '"decision": "FAIL"' in page.code[0].value
    assert '"policy_version": 2' in page.code[0].value
    page = app("Ada", "inspector/inspect")
    (choice,) = [one for one in page.selectbox if one.label == "Filed picture"]
    choice.select_index(0).run(timeout=200)
    assert '"decision": "FAIL"' in page.code[0].value
    assert not [one for one in page.selectbox if one.label == "Line"]
