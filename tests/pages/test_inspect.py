"""Inspect, with a real untrained net in its own process."""

from datetime import UTC, datetime

import pytest

from app import context
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
def test_a_broken_picture_is_refused_in_words(app, with_model):
    page = app("Ines", "inspector/inspect")
    page.file_uploader[0].set_value(("broken.jpg", b"\xff\xd8\xff broken", "image/jpeg")).run(timeout=200)
    assert not page.exception
    assert page.error
