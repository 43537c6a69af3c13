"""The page science/learn, on the small plant."""

import json

import pytest

from core.learn.select.batches import BatchState, Proposed
from core.records import Review, TaskKind, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE

FACTS = {
    "pool": 40, "labelled": 3, "left_out": {"nearly the same as another": 2}, "short": {"CRACK": 1},
    "map": [[0.0, 0.0], [1.0, 2.0]], "balance": {"site": [[SITE, 2, 40]], "camera": [], "likely": [["CRACK", 2, 5]]},
}  # fmt: skip


@pytest.fixture
def store(plant):
    opened = open_store(plant.url)
    yield opened
    opened.close()


def propose(store, n=2):
    """A batch about pictures that wait for nobody: their tasks are answered first."""
    dora = store.acting_as(Actor("Dora"))
    parts = []
    while len(parts) < n and (task := dora.queue.lease(kinds=[TaskKind.TRIAGE], site=SITE)) is not None:
        dora.reviews.add(task.id, task.revision, task.fence, Review(Verdict.PASS, "Dora"))
        parts.append(task.part_id)
    images = [store.images.of_part(part)[0].id for part in parts]
    picks = [Proposed(image, "random" if place == 0 else "strategy", 0.4, f"entropy .{place}4", None, (0.5, 0.5))
             for place, image in enumerate(images)]  # fmt: skip
    return dora.selections.propose("relabel-suspects", "small-1", "0" * 64, picks, {"items": n}, FACTS, 0.5, 30)


def words(page):
    found = [*page.markdown, *page.caption, *page.info, *page.warning, *page.success, *page.error, *page.subheader]
    return "\n".join(str(one.value) for one in found)


def button(page, start):
    return next(one for one in page.button if one.label.startswith(start))


def test_without_a_batch_the_page_says_how_to_get_one(app):
    page = app("Dora", "science/learn")
    assert not page.exception
    assert "No batch yet" in words(page)
    assert "about 25 minutes of one person, 25.00 in money" in words(page)


def test_choosing_leaves_it_to_the_worker(app, store):
    page = app("Dora", "science/learn")
    page.selectbox(key="learn.strategy").set_value("k-center").run()
    assert "farthest from everything" in words(page)
    button(page, "Choose 50").click().run()
    assert not page.exception
    [job] = store.jobs.recent(kind="select")
    assert (job.by, job.arguments["strategy"], job.arguments["budget"]) == ("Dora", "k-center", 50)
    assert job.arguments["quotas"] == []


def test_a_budget_that_buys_nothing_is_said_and_not_asked(app):
    page = app("Dora", "science/learn")
    page.number_input(key="learn.budget").set_value(0.1).run()
    assert "do not buy one label" in words(page)
    assert button(page, "Choose").disabled


def test_a_batch_shows_why_each_picture_was_chosen_before_it_is_sent(app, store):
    number = propose(store)
    page = app("Dora", "science/learn")
    assert not page.exception
    text = words(page)
    assert f"Batch {number}" in text
    assert "entropy" in text
    assert "the quota of CRACK lacks 1" in text
    assert store.queue.counts().kinds.get("label") is None
    button(page, "Send 2 tasks").click().run()
    assert not page.exception
    assert "2 tasks are in the queue" in words(page)
    assert store.queue.counts().kinds["label"] == 2
    assert store.selections.get(number).state is BatchState.SENT
    assert "0 of 2 answered" in str([one.value for one in page.get("progress")]) or page.dataframe


def test_a_batch_can_be_thrown_away(app, store):
    number = propose(store)
    page = app("Dora", "science/learn")
    button(page, "Throw away").click().run()
    assert store.selections.get(number).state is BatchState.DISCARDED
    assert "nobody was asked" in words(page)


def test_an_inspector_has_no_such_page(app):
    with pytest.raises(ValueError, match="navigation page"):
        app("Ines", "science/learn")


COMPARED = {
    "dataset": "first", "pictures": 40, "defective": 12, "groups": 20, "seeds": 3, "target": 0.855,
    "target_share": 0.95, "full": 0.9, "features": "small-1, frozen", "made_at": "2026-03-02T08:00:00+00:00",
    "strategies": {
        name: {"labels": [2, 10, 20], "mean": [0.5, 0.8, 0.9], "low": [0.4, 0.7, 0.8], "high": [0.6, 0.9, 0.95],
               "to_target": 15.0, "to_target_interval": [10.0, 18.0], "saved": saved, "saved_interval": between,
               "money_saved": money, "better": better, "stop_at": None, "at_stop": None}
        for name, saved, between, money, better in (
            ("random", None, None, None, False), ("entropy", 0.1, [-0.3, 0.4], 1.5, False),
            ("k-center", 0.5, [0.2, 0.7], 12.5, True))
    },
}  # fmt: skip


def test_the_page_says_what_choosing_saved_and_where_it_is_no_better_than_random(app, store, plant):
    store.datasets.add("first", {"items": []}, "h")
    folder = plant.home / "backtests"
    folder.mkdir()
    (folder / "first.json").write_text(json.dumps(COMPARED))
    (folder / "torn.json").write_text("{")
    page = app("Dora", "science/learn")
    page.segmented_control(key="learn.step").set_value("Compare").run()
    assert not page.exception
    text = words(page)
    assert "Entropy is no better than random here" in text
    assert "saves 50% of the labels that random needs" in text
    assert page.dataframe[0].value["labels to target"][0] == "15 (10–18)"


def test_a_comparison_is_left_to_the_worker(app, store):
    store.datasets.add("first", {"items": []}, "h")
    store.models.add({"name": "small-1"}, "models/small-1", "0" * 64)
    page = app("Dora", "science/learn")
    page.segmented_control(key="learn.step").set_value("Compare").run()
    assert "Nothing compared yet" in words(page)
    page.selectbox(key="learn.dataset").set_value("first").run()
    button(page, "Compare").click().run()
    assert not page.exception
    [job] = store.jobs.recent(kind="backtest")
    assert job.arguments["strategies"] == ["entropy", "margin", "k-center", "diversity-uncertainty"]


def test_without_a_dataset_what_was_labelled_so_far_can_be_compared(app, store):
    store.models.add({"name": "small-1"}, "models/small-1", "0" * 64)
    page = app("Dora", "science/learn")
    page.segmented_control(key="learn.step").set_value("Compare").run()
    assert not page.exception
    button(page, "Compare").click().run()
    [job] = store.jobs.recent(kind="backtest")
    assert job.arguments == {"model": "small-1", "seeds": 10, "price": 0.5}


def test_a_comparison_that_came_to_nothing_says_why(app, store):
    store.models.add({"name": "small-1"}, "models/small-1", "0" * 64)
    page = app("Dora", "science/learn")
    page.segmented_control(key="learn.step").set_value("Compare").run()
    button(page, "Compare").click().run()
    job = store.jobs.claim("worker")
    store.jobs.fail(job.id, "Nobody has answered a batch yet: label more.")
    page.run()
    assert not page.exception
    assert "Nobody has answered a batch yet" in words(page)
