"""The datasets page: empty, with a dataset, and building one."""

import pytest

from app.jobs.runner import work
from app.jobs.science.datasets import build_dataset
from app.settings import Settings
from core.roles import Actor
from data.store import open_store

PATH = "science/datasets"


@pytest.fixture
def held(plant):
    store = open_store(plant.url, Actor("tests", system=True))
    yield store
    store.close()


def everything(page) -> str:
    return " ".join(str(one.value) for one in (*page.markdown, *page.caption, *page.info, *page.error, *page.success))


def test_without_a_dataset_the_page_says_what_to_do(app):
    page = app("Dora", PATH)
    assert not page.exception
    assert "No dataset yet" in everything(page)
    assert [tab.label for tab in page.tabs][:2] == ["Datasets", "Build a new one"]


def test_a_dataset_shows_its_certificate_composition_and_overview(app, plant, held):
    settings = Settings(home=plant.home, database_url=plant.url)
    build_dataset(held, settings, "first", split="train=.7,val=.3,test=0")
    build_dataset(held, settings, "second", split="train=.5,val=.5,test=0", seed=3)
    page = app("Dora", PATH)
    assert not page.exception
    told = everything(page)
    for words in (
        "Hash overlap",
        "Near\\-duplicate overlap",
        "Label agreement",
        "Minimum rows",
        "Large enough to be seen",
    ):
        assert words in told
    assert "second" in [one.value for one in page.subheader]
    page.selectbox(key="datasets.second.other").select("first").run()
    assert not page.exception
    assert any(metric.label == "Relabelled" for metric in page.metric)


def test_a_dataset_of_the_first_format_still_opens(app, plant, held):
    item = {
        "path": "/gone.png", "sha256": "0" * 64, "split": "train", "group": "part Lyon/1", "site": "Lyon", "part": "1",
        "view": None, "part_type": None, "width": 64, "height": 48, "defective": False, "probability": None,
        "classes": [], "unmapped": [], "status": "single", "by": "import:old", "regions": [],
    }  # fmt: skip
    old = {
        "format": 1, "name": "old", "hash": "", "seed": 0, "split": "kept", "filters": {}, "classes": ["CRACK"],
        "left_out": {}, "certificate": {"groups": 1, "groups_on_two_sides": 0},
        "counts": {"train": {"images": 1, "groups": 1, "defective": 0, "regions": 0, "classes": {}}}, "items": [item],
    }  # fmt: skip
    held.datasets.add("old", old, "0" * 64)
    page = app("Dora", PATH)
    assert not page.exception
    assert "before there were certificates" in everything(page)


def test_building_one_is_left_to_the_worker_and_then_shown(app, plant, held, monkeypatch):
    monkeypatch.setenv("HOLDPOINT_DATABASE_URL", plant.url)
    page = app("Dora", PATH)
    page.text_input(key="datasets.build.name").set_value("made-here")
    page.number_input(key="datasets.build.good").set_value(2.0)
    next(button for button in page.button if button.label == "Build").click().run()
    assert not page.exception
    assert "The worker builds it now" in everything(page)
    work(held, Settings(home=plant.home, database_url=plant.url), once=True)
    page.run()
    assert r"made\-here" in [one.value for one in page.subheader]
    assert held.datasets.get("made-here").manifest["balance"] == {"good": 2.0, "rare": None}


def test_a_name_that_cannot_be_is_refused_in_words(app):
    page = app("Dora", PATH)
    page.text_input(key="datasets.build.name").set_value("../up")
    next(button for button in page.button if button.label == "Build").click().run()
    assert "cannot name a dataset" in page.error[0].value
