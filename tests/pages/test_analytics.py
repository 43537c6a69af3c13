"""The analytics page and the acceptance page: what they show, to whom, and where they lead."""

import pytest

from core.records import Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE


@pytest.fixture
def answered(plant):
    """Half of the queue is answered: some against the model."""
    store = open_store(plant.url, Actor("Ines"))
    for number in range(4):
        task = store.queue.lease()
        verdict = Verdict.PASS if number % 2 else Verdict.FAIL
        classes = () if number % 2 else ("BURR",)
        store.reviews.add(task.id, task.revision, task.fence, Review(verdict, "Ines", classes=classes, seconds=7.5))
    store.close()
    return plant


def chart(page, name):
    page.selectbox(key="analytics.chart").set_value(name).run()
    assert not page.exception
    return page


def words(page):
    return " ".join(
        one.value for kind in ("caption", "markdown", "text", "info", "code") for one in getattr(page, kind)
    )


def test_a_viewer_sees_every_chart_with_its_definition_and_query(app, answered):
    from app.kpis.charts import charts
    from app.widgets.kpi_filters import OWN_PAGE

    page = app("Vera", "quality/analytics")
    assert not page.exception
    for name in charts():
        if name not in OWN_PAGE:
            chart(page, name)
            assert "SELECT" in " ".join(one.value for one in page.code), name
            assert {one.label for one in page.get("download_button")} >= {"CSV", "Parquet"}, name


def test_overrides_show_pattern_count_and_what_follows(app, answered):
    page = chart(app("Quentin", "quality/analytics"), "overrides")
    table = page.dataframe[0].value
    assert set(table["what follows"]) <= {
        "a case is opened for each", "feeds the labelling queue", "is tracked",
    }  # fmt: skip
    assert table["count"].sum() >= 2


def test_from_a_bar_to_its_pictures_and_on_to_the_correction(app, answered):
    page = chart(app("Ines", "quality/analytics"), "overrides")
    rows = next(one for one in page.selectbox if one.label == "Pictures behind")
    rows.set_value(0).run()
    assert not page.exception
    correct = [one for one in page.button if one.label == "Correct"]
    assert correct
    correct[0].click().run()
    assert not page.exception
    held = open_store(answered.url, Actor("Ines")).queue.held()
    assert held is not None
    assert "Correct" in [one.value for one in page.title]


def test_a_viewer_may_look_at_pictures_and_correct_none(app, answered):
    page = chart(app("Vera", "quality/analytics"), "overrides")
    next(one for one in page.selectbox if one.label == "Pictures behind").set_value(0).run()
    assert "picture" in words(page)
    assert not [one for one in page.button if one.label == "Correct"]


def test_a_person_is_shown_only_their_sites(app, answered):
    page = chart(app("Tomas", "quality/analytics"), "throughput")
    site = next(one for one in page.selectbox if one.label == "Site")
    assert SITE not in site.options


def test_an_empty_time_says_what_to_do(app, plant):
    page = chart(app("Tomas", "quality/analytics"), "overrides")
    assert "Nothing was counted" in words(page)


def test_acceptance_shows_each_target_with_its_standing(app, answered):
    from core.kpis.acceptance import TARGETS

    page = app("Vera", "quality/acceptance")
    assert not page.exception
    shown = words(page)
    for target in TARGETS:
        assert target.name in shown
    assert "assumption" in shown
    assert "SELECT" in " ".join(one.value for one in page.code)
