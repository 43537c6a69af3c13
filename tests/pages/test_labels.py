"""The label quality page: nothing yet, doubts side by side with the model, one key sends one back."""

import json
from datetime import UTC, datetime

import pytest

from app.jobs.runner import work
from app.jobs.science.suspects import find_suspects, report_path
from app.settings import Settings
from core.records import TaskKind
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE

PATH = "science/labels"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def held(plant):
    store = open_store(plant.url, Actor("tests", system=True))
    yield store
    store.close()


@pytest.fixture
def doubted(plant, held):
    """A report that doubts two labels."""
    settings = Settings(home=plant.home, database_url=plant.url)
    report = find_suspects(held, settings, SITE, now=NOW)
    images = [one.image for one in held.labels.find(site=SITE)][:2]
    report["suspects"] = [
        {
            "image": image.id, "part": image.part_id, "why": "tiny box", "worth": 0.9 - number / 10,
            "sentence": f"Box {number} of 2 × 2 px: under 3 px nobody sees a defect.", "others": [],
        }
        for number, image in enumerate(images)
    ]  # fmt: skip
    report["counts"] = {"tiny box": 2}
    report["confusions"] = [{"classes": ["CRACK", "NO_DEFECT"], "n": 3, "people": [["Ines", "Tomas", 3]]}]
    report_path(settings, held.sites.get(SITE).id).write_text(json.dumps(report))
    return images


def told(page) -> str:
    return " ".join(str(one.value) for one in (*page.markdown, *page.caption, *page.success, *page.error, *page.info))


def button(page, key):
    return next(one for one in page.button if one.key == key)


def test_before_anybody_looked_the_page_says_so(app):
    page = app("Dora", PATH)
    assert not page.exception
    assert "Nobody has looked through these labels yet" in told(page)


def test_looking_is_left_to_the_worker(app, plant, held, monkeypatch):
    monkeypatch.setenv("HOLDPOINT_DATABASE_URL", plant.url)
    page = app("Dora", PATH)
    button(page, "labels.look").click().run()
    assert "The worker looks through the labels now" in told(page)
    work(held, Settings(home=plant.home, database_url=plant.url), once=True)
    page.run()
    assert not page.exception
    assert "3 labels looked through" in told(page)


def test_a_doubted_label_stands_beside_the_models_view(app, doubted):
    page = app("Dora", PATH)
    assert not page.exception
    words = told(page)
    assert "Labelled **" in words
    assert "by import" in words
    assert "Model small\\-1: defect" in words
    assert "1 of 2" in words
    assert "NO_DEFECT" in str([frame.value for frame in page.dataframe])


def test_one_key_sends_a_label_back_and_shows_the_next(app, doubted, held):
    page = app("Dora", PATH)
    assert not held.datasets.being_labelled([one.part_id for one in doubted])
    button(page, "labels.send").click().run()
    assert not page.exception
    assert "Sent back" in told(page)
    assert "Box 1" in told(page)
    assert held.datasets.being_labelled([one.part_id for one in doubted]) == {doubted[0].part_id}
    assert held.queue.counts(SITE).kinds[TaskKind.LABEL] == 1
    assert held.labels.get(doubted[0].id) is not None  # it stands until somebody answers
    button(page, "labels.before").click().run()
    assert button(page, "labels.send").disabled


def test_the_kind_of_doubt_can_be_chosen(app, doubted):
    page = app("Dora", PATH)
    page.button_group(key="labels.why").set_value("tiny box").run()
    assert not page.exception
    assert "1 of 2" in told(page)
