"""The ladder's panel: what was measured on the same pictures, and the form that measures more."""

import json
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from app.jobs.science.detectors.ladder import place
from app.settings import settings
from core.roles import Actor
from data.store import open_store


def rung(name: str, model: str, **more):
    figures = dict.fromkeys(("auroc", "pointing", "recall", "precision", "f1", "f1_named"), 0.5)
    bounds = {f"{key}_interval": [0.4, 0.6] for key in figures}
    return {"rung": name, "model": model, "sha256": "0" * 64, "images": 8, "drawn": 4, "found": 5,
            "milliseconds": 12.0, "cpu_minutes": 1.5, **figures, **bounds, **more}  # fmt: skip


def measured():
    document = {
        "dataset": "pits", "dataset_hash": "h", "split": "test", "iou": 0.33, "counted": {"images": 8},
        "measured_at": datetime(2026, 3, 2, tzinfo=UTC).isoformat(),
        "rungs": [rung("tile classifier", "net-1"), rung("detector", "det", auroc=None, auroc_interval=None)],
    }  # fmt: skip
    path = place(settings(), "pits", "test")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def script():
    from app.widgets.training.ladder import ladder_panel
    from tests.small_plant import SITE

    ladder_panel(SITE)


@pytest.fixture
def panel(plant, app):
    """The panel as somebody sees it."""

    def open_(who: str) -> AppTest:
        app(who, "science/models")  # signs them in
        page = AppTest.from_function(script, default_timeout=60).run()
        assert not page.exception
        return page

    return open_


def test_without_a_measurement_it_says_what_to_do(panel) -> None:
    page = panel("Dora")
    assert any("Nothing has been compared yet" in one.value for one in page.markdown)
    assert any("build and train them first" in one.value for one in page.caption)
    assert not page.button
    assert any("No detector draws at Lyon" in one.value for one in page.caption)


def test_every_rung_has_a_row_with_its_bounds(panel) -> None:
    measured()
    page = panel("Dora")
    (table,) = page.dataframe
    assert list(table.value["rung"]) == ["tile classifier", "detector"]
    assert list(table.value["boxes found"]) == [".50 (.40 to .60)"] * 2
    assert list(table.value["AUROC by picture"]) == [".50 (.40 to .60)", "–"]
    assert any("Not measured here: whole-image classifier, masks" in one.value for one in page.caption)


def test_the_form_lets_the_worker_measure_more(panel, plant) -> None:
    store = open_store(plant.url, Actor("tests", system=True))
    store.models.add({"name": "net-1"}, "models/net-1", "1" * 64)
    store.datasets.add("pits", {"items": []}, "h")
    page = panel("Dora")
    press(page)
    assert "Choose at least one" in page.error[0].value
    page.multiselect[0].select("net-1")
    press(page)
    (job,) = store.jobs.recent(5, "ladder")
    assert (job.by, job.arguments) == ("Dora", {"dataset": "pits", "models": ["net-1"], "split": "test"})


def press(page) -> None:
    next(one for one in page.button if one.label == "Measure on the same pictures").click().run()
    assert not page.exception


def test_who_may_not_train_sees_the_figures_and_no_form(panel) -> None:
    measured()
    page = panel("Vera")
    assert len(page.dataframe) == 1
    assert not page.button
